//go:build !race

package peers

import (
	"bytes"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
)

// TestBudgetOfAllocations bounds the allocations of a call, including the stubbed transport. Lower
// a figure when the code needs fewer; raising one is a decision.
func TestBudgetOfAllocations(t *testing.T) {
	accountAlone := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)}
	withKeys, withToken := workingConfig(stub(okReply)), workingConfig(stub(okReply))
	withToken.Credentials = endUsers[0]
	withoutPause := workingConfig(stub(busyReply, okReply))
	withoutPause.Retryer = withoutDelay
	withAPIOptions := workingConfig(stub(okReply))
	withAPIOptions.APIOptions = []func(*middleware.Stack) error{func(*middleware.Stack) error { return nil }}
	for name, test := range map[string]struct {
		cfg     aws.Config
		in      *quicksightembed.GetSessionEmbedUrlInput
		session aws.CredentialsProvider
		most    float64
	}{
		"the account alone":              {withKeys, accountAlone, nil, 118},
		"all inputs and a session token": {withToken, everyInput(), nil, 143},
		"credentials of the call":        {withKeys, everyInput(), endUsers[1], 154},
		"an error":                       {workingConfig(stub(errorReply)), everyInput(), nil, 178},
		"one function in APIOptions":     {withAPIOptions, accountAlone, nil, 235},
		"throttled once":                 {withoutPause, everyInput(), nil, 288},
		"invalid input":                  {withKeys, &quicksightembed.GetSessionEmbedUrlInput{}, nil, 13},
	} {
		t.Run(name, func(t *testing.T) {
			call := ourCaller(test.cfg)
			allocations := testing.AllocsPerRun(1000, func() { call(t.Context(), test.in, test.session) })
			t.Logf("%.0f allocations", allocations)
			assert.LessOrEqual(t, allocations, test.most)
		})
	}
}

// TestBudgetOfClients compares what clients of one config use with what official clients use, in
// each mode.
func TestBudgetOfClients(t *testing.T) {
	const buffers = 8 << 10 // of a connection; the server reuses them or makes new ones
	for _, mode := range defaultsModes {
		for _, many := range manyClients {
			t.Run(string(mode)+" "+many.name, func(t *testing.T) {
				// The least of several runs: net/http's shared buffers come and go.
				least := func(newCaller func(aws.Config) caller) held {
					h := callOfEach(t, mode, newCaller, many.count, many.keep)
					for range 4 {
						if again := callOfEach(t, mode, newCaller, many.count, many.keep); again.bytes < h.bytes {
							h = again
						}
					}
					return h
				}
				official, ours := least(officialCaller), least(ourCaller)
				t.Logf("official %+v, ours %+v", official, ours)
				assert.Equal(t, 1, ours.connections)
				assert.LessOrEqual(t, ours.goroutines, official.goroutines+1, "one may be about to end")
				assert.LessOrEqual(t, ours.bytes, official.bytes+buffers)
			})
		}
	}
}

// TestBudgetOfConnections bounds the connections that callers at a distance open, and checks that
// no call is lost.
func TestBudgetOfConnections(t *testing.T) {
	most := map[string]int64{"100 callers": 150, "100 callers at once, again": 10, "32 callers, idle connections closed": 960}
	for _, situation := range situations {
		bound, ok := most[situation.name]
		if !ok {
			continue
		}
		t.Run(situation.name, func(t *testing.T) {
			ignore := goleak.IgnoreCurrent()
			service := newDistantService(t, situation.idle)
			took, opened := situation.measure(t, service, ourCaller(service.cfg), situation.callers, situation.callsOfEach)
			t.Logf("%d calls, %d connections", len(took), opened)
			assert.Len(t, took, situation.callers*situation.callsOfEach)
			assert.LessOrEqual(t, opened, bound)
			service.close()
			require.NoError(t, goleak.Find(ignore))
		})
	}
}

// TestBudgetOfPackages bounds the packages that this client adds to a program with net/http alone,
// and how many of them are not of the standard library.
func TestBudgetOfPackages(t *testing.T) {
	const most, mostForeign = 40, 35
	with, without := packagesOf(t, "../figures/footprint/client"), packagesOf(t, "../figures/footprint/nethttp")
	added, foreign := 0, 0
	for name := range with {
		if without[name] || strings.HasPrefix(name, "example.com/quicksightembed") {
			continue
		}
		added++
		if domain, _, _ := strings.Cut(name, "/"); strings.Contains(domain, ".") {
			foreign++
		}
	}
	t.Logf("%d packages, %d of them not of the standard library", added, foreign)
	assert.LessOrEqual(t, added, most)
	assert.LessOrEqual(t, foreign, mostForeign)
	assert.False(t, with["github.com/aws/aws-sdk-go-v2/service/quicksight"])
}

func packagesOf(t *testing.T, program string) map[string]bool {
	t.Helper()
	listed, err := exec.Command("go", "list", "-deps", program).Output()
	require.NoError(t, err)
	packages := map[string]bool{}
	for _, name := range bytes.Fields(listed) {
		packages[string(name)] = true
	}
	return packages
}

// TestBudgetOfCode bounds the code of the root package: its lines, files and wide lines; and the
// lines of embedtest and of examples/webapp.
func TestBudgetOfCode(t *testing.T) {
	lines, files, wide := countCode(t, "../..")
	assert.LessOrEqual(t, lines, 1600)
	assert.LessOrEqual(t, files, 11)
	assert.LessOrEqual(t, wide, 20)
	lines, _, _ = countCode(t, "../../embedtest")
	assert.Less(t, lines, 1900)
	lines, _, _ = countCode(t, "../../examples/webapp")
	assert.LessOrEqual(t, lines, 800)
}

// TestBudgetOfDocuments bounds the words and columns of the documents, and the lines of the manual.
// A URL cannot be wrapped.
func TestBudgetOfDocuments(t *testing.T) {
	for _, document := range documents(t) {
		content := read(t, document)
		most := 900
		if document == "../../README.md" {
			most = 1000
		}
		assert.LessOrEqual(t, len(strings.Fields(content)), most, document)
		for line := range strings.Lines(content) {
			isWrapped := !strings.HasPrefix(line, "|") && !strings.Contains(line, "https://")
			assert.False(t, isWrapped && columns(line) > 100, "%s: %s", document, line)
		}
	}
	manual, err := exec.Command("go", "doc", "-all", "../..").Output()
	require.NoError(t, err)
	assert.LessOrEqual(t, bytes.Count(manual, []byte("\n")), 400, "lines of go doc -all")
}

// TestBudgetOfFiles bounds the files at the root, the lines of test files, and the columns of each
// line with a comment.
func TestBudgetOfFiles(t *testing.T) {
	listed, err := exec.Command("git", "-C", "../..", "ls-files").Output()
	require.NoError(t, err)
	atRoot, positions := 0, token.NewFileSet()
	for file := range strings.Lines(string(listed)) {
		file = strings.TrimSpace(file)
		if !strings.Contains(file, "/") {
			atRoot++
		}
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		content := read(t, filepath.Join("../..", file))
		if strings.HasSuffix(file, "_test.go") {
			assert.LessOrEqual(t, strings.Count(content, "\n"), 700, file)
		}
		lines := strings.Split(content, "\n")
		parsed, err := parser.ParseFile(positions, file, content, parser.ParseComments)
		require.NoError(t, err)
		for _, group := range parsed.Comments {
			for _, comment := range group.List {
				line := lines[positions.Position(comment.Pos()).Line-1]
				assert.LessOrEqual(t, columns(line), 100, "%s: %s", file, line)
			}
		}
	}
	assert.LessOrEqual(t, atRoot, 30)
}

// columns returns the width of a line, with tabs of 8 columns.
func columns(line string) int {
	return utf8.RuneCountInString(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "        "))
}

// countCode counts a package's files, its lines without tests, comments and blanks, and those of
// them wider than 120 columns.
func countCode(t *testing.T, directory string) (lines, files, wide int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "*.go"))
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		files++
		for line := range strings.Lines(read(t, path)) {
			code := strings.TrimSpace(line)
			if code == "" || strings.HasPrefix(code, "//") {
				continue
			}
			lines++
			if utf8.RuneCountInString(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")) > 120 {
				wide++
			}
		}
	}
	t.Logf("%s: %d lines in %d files, %d of them wide", directory, lines, files, wide)
	return lines, files, wide
}
