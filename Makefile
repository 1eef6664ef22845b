# A target for each check. CI runs them all: .ci/run installs what they need and runs make all.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# All checks except ST1003, initialisms: names are those of the AWS API model (AwsAccountId), not
# Go's (AWSAccountID), so that the client is source-compatible.
staticcheck := go tool -modfile=$(CURDIR)/tools/go.mod staticcheck -checks all,-ST1003
gotest := $(CURDIR)/.ci/gotest
# A count, not a time: before Go 1.27, a run that ends by time can fail with "context deadline
# exceeded", because of a race in go test. https://go.dev/issue/75804
fuzztime := 40000x
checks := format lint tidy imports test oldest platforms race compat webapp load coverage budget \
	fuzz bench readme newest
installed := node_modules/.package-lock.json

# The modules: those that users have, and those that test them.
ours := . examples/webapp
modules := $(ours) compat compat/peers/instrumentation

# The modules of the other clients that compat/ compares this one with. The AWS CLI, boto3 and the
# browsers are from Debian.
peers := github.com/aws/smithy-go github.com/aws/aws-sdk-go-v2 \
	$(addprefix github.com/aws/aws-sdk-go-v2/,config credentials service/quicksight)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

all: $(checks) ## all that CI runs

format: ## what gofmt would change
	@unformatted=$$(find . -name node_modules -prune -o -name '*.go' -print0 | xargs -0 gofmt -l); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }

lint: ## go vet, and staticcheck with all of its checks but one
	for module in $(modules); do (cd $$module && go vet ./... && $(staticcheck) ./...); done

tidy: ## what go mod tidy would change
	for module in $(modules) tools; do (cd $$module && go mod tidy -diff); done

imports: ## the root package imports the standard library, the AWS core and smithy-go alone
	@deps=$$(go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' .); \
	others=$$(grep -v -e "^$$(go list -m)$$" -e '^github.com/aws/aws-sdk-go-v2/\(aws\|internal\)\(/\|$$\)' -e '^github.com/aws/smithy-go\(/\|$$\)' <<<"$$deps" || true); \
	[ -z "$$others" ] || { echo "the root package imports: $$others"; exit 1; }

test: ## the library and the examples
	for module in $(ours); do (cd $$module && go test ./...); done

oldest: ## the same, with the oldest Go that go.mod allows
	for module in $(ours); do ( \
		cd $$module; \
		oldest=go$$(go list -m -f '{{.GoVersion}}' | sed 's/^\([0-9]*\.[0-9]*\)$$/\1.0/'); \
		GOTOOLCHAIN=$$oldest go test ./... \
	); done

platforms: ## with 32 bits, FIPS, the next encoding/json; go vet for other systems
	GOARCH=386 go test ./...
	GODEBUG=fips140=only go test ./...
	GOEXPERIMENT=jsonv2 go test ./...
	for system in windows/amd64 darwin/arm64 js/wasm wasip1/wasm; do \
		GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./...; \
	done

race: ## the tests, with the race detector
	for module in $(ours); do (cd $$module && go test -race ./...); done

compat: compat/peers/js/$(installed) ## beside other clients: the official one, SDKs, the AWS CLI
	cd compat/peers && $(gotest) -race .
	cd compat/peers/instrumentation && $(gotest) -race .

webapp: examples/webapp/$(installed) compat/browsers/$(installed) ## the page, in two browsers
	node --test --test-reporter=spec --test-timeout=900000 compat/browsers/page.test.mjs

load: ## calls end in time, retries do not make an outage worse, many calls are all answered
	cd compat && go test -race -count=1 ./load

coverage: ## the tests reach 95% of the root package
	@go test -cover . | awk '{ print } match($$0, /coverage: [0-9.]+/) { reached = substr($$0, RSTART + 10, RLENGTH - 10) } END { exit reached + 0 < 95 }'

budget: ## allocations, packages and lines of code are within their budget
	cd compat/peers && go test -count=1 -run '^TestBudget' -v .

fuzz: ## each fuzz target, 40,000 inputs; make fuzz fuzztime=1000000x for more
	for directory in . embedtest compat/peers; do \
		targets=$$(cd $$directory && go test -list '^Fuzz' . | grep '^Fuzz'); \
		for target in $$targets; do \
			(cd $$directory && go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(fuzztime) -fuzzminimizetime 10x .); \
		done; \
	done

bench: ## the benchmarks, each once, to see that they run; make performance measures
	go test -run '^$$' -bench . -benchtime 1x .
	cd compat/peers && go test -short -run '^$$' -bench . -benchtime 1x .

readme: ## what the documents tell users to run
	.ci/readme

newest: ## the newest AWS core and smithy-go, in a copy: reported, and gates nothing
	.ci/newest

# The targets below write files.

generate: ## the tables of the documents and compat/peers/api.txt, from the code and the tests
	cd compat/peers && go test -count=1 -run '^TestDocumentsTables|^TestAPI$$' . -update

performance: ## docs/performance.*, measured; 20 minutes on a machine that does nothing else
	cd compat && go run ./figures

# -count=1: after a cached result, the tool would set a timeout shorter than the tests, and count
# each timeout as a change that the tests notice.
mutants: ## how many small changes of the code the tests notice; docs/reliability.md has the figures
	GOFLAGS='-short=true -count=1' go tool -modfile=$(CURDIR)/tools/go.mod gremlins unleash --workers 1 --timeout-coefficient 5 --invert-logical --invert-loopctrl \
		-E 'cmd|compat|embedtest|examples' .
	GOFLAGS='-short=true -count=1' go tool -modfile=$(CURDIR)/tools/go.mod gremlins unleash --workers 1 --timeout-coefficient 5 --invert-logical --invert-loopctrl \
		-E '(server|state|options|request|service|session|boundedmap|fault|certificate|sts|console).go' ./embedtest

update-peers: ## move the other clients to their newest versions, and run the parity suite
	cd compat && go get $(peers:%=%@latest) && go mod tidy
	npm install --prefix compat/peers/js --save-exact @aws-sdk/client-quicksight@latest aws-sdk@latest
	npm install --prefix compat/browsers --save-exact puppeteer-core@latest axe-core@latest
	npm install --prefix examples/webapp --save-exact amazon-quicksight-embedding-sdk@latest
	$(MAKE) compat webapp

update-core: ## move the AWS core to its newest version, and run the tests and the parity suite
	go get github.com/aws/aws-sdk-go-v2@latest github.com/aws/smithy-go@latest
	for module in $(modules); do (cd $$module && go mod tidy); done
	$(MAKE) test compat budget

update-tools: ## move the linter and the mutation tester, which tools/go.mod pins
	cd tools && go get tool && go mod tidy
	$(MAKE) lint

# npm writes this file last.
%/$(installed): %/package-lock.json
	npm ci --prefix $*
	touch $@

.NOTPARALLEL: # each check keeps the machine busy
.PHONY: help all $(checks) generate performance mutants update-peers update-core update-tools
