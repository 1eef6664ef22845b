package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const officialModule, ourModule = "github.com/aws/aws-sdk-go-v2/service/quicksight", "example.com/quicksightembed"

// olderModules are the requirements of a backend that was last updated in August 2025.
const olderModules = `
	github.com/aws/aws-sdk-go-v2 v1.38.0
	github.com/aws/aws-sdk-go-v2/config v1.31.0
	github.com/aws/aws-sdk-go-v2/credentials v1.18.4
	github.com/aws/aws-sdk-go-v2/service/sts v1.37.0
	github.com/stretchr/testify v1.10.0
`

// movedModules are the modules of such a backend whose version changes.
var movedModules = []struct{ module, before, official, ours string }{
	{"github.com/aws/aws-sdk-go-v2", "v1.38.0", "v1.41.9", "v1.48.0"},
	{"github.com/aws/aws-sdk-go-v2/internal/configsources", "v1.4.3", "v1.4.25", "v1.4.3"},
	{"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2", "v2.7.3", "v2.7.25", "v2.7.3"},
	{"github.com/aws/smithy-go", "v1.22.5", "v1.26.0", "v1.28.9"},
}

// movedTable is the table of the page on moving over.
func movedTable() string {
	var table strings.Builder
	table.WriteString("| module | before | with the official client | with this client |\n|---|---|---|---|\n")
	for _, m := range movedModules {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", m.module, m.before, m.official, m.ours)
	}
	return table.String()
}

// TestModulesThatMove adds each client to a backend with older modules, and compares the versions
// of its modules before and after.
func TestModulesThatMove(t *testing.T) {
	before := versionsOf(t, consumer(t, ""))
	official, ours := versionsOf(t, consumer(t, officialModule)), versionsOf(t, consumer(t, ourModule))
	var moved []struct{ module, before, official, ours string }
	for _, m := range strings.Fields(`github.com/aws/aws-sdk-go-v2
		github.com/aws/aws-sdk-go-v2/config
		github.com/aws/aws-sdk-go-v2/credentials
		github.com/aws/aws-sdk-go-v2/feature/ec2/imds
		github.com/aws/aws-sdk-go-v2/internal/configsources
		github.com/aws/aws-sdk-go-v2/internal/endpoints/v2
		github.com/aws/aws-sdk-go-v2/internal/ini
		github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding
		github.com/aws/aws-sdk-go-v2/service/internal/presigned-url
		github.com/aws/aws-sdk-go-v2/service/sso
		github.com/aws/aws-sdk-go-v2/service/ssooidc
		github.com/aws/aws-sdk-go-v2/service/sts
		github.com/aws/smithy-go
		github.com/davecgh/go-spew
		github.com/pmezard/go-difflib
		github.com/stretchr/testify
		gopkg.in/yaml.v3`) {
		require.NotEmpty(t, before[m], m)
		if official[m] != before[m] || ours[m] != before[m] {
			moved = append(moved, struct{ module, before, official, ours string }{m, before[m], official[m], ours[m]})
		}
		delete(before, m)
	}
	assert.Empty(t, before, "the test knows of each module")
	assert.Equal(t, movedModules, moved)
}

// consumer writes a backend that uses olderModules, and a client if one is given, and tidies its
// go.mod.
func consumer(t *testing.T, client string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	goMod := "module consumer\n\ngo 1.24\n\nrequire (" + olderModules + ")\n"
	checkout, err := filepath.Abs("../..")
	require.NoError(t, err)
	imported := ""
	switch client {
	case officialModule:
		goMod += "\nrequire " + officialModule + " " + versionsOf(t, ".")[officialModule] + "\n"
		imported = "import _ \"" + client + "\"\n"
	case ourModule:
		goMod += "\nrequire " + ourModule + " v0.0.0\n\nreplace " + ourModule + " => " + checkout + "\n"
		imported = "import _ \"" + client + "\"\n"
	}
	write("go.mod", goMod)
	write("main.go", `package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

`+imported+`
func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	cfg.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "role")
	fmt.Println(cfg.Credentials != nil, err)
}
`)
	write("main_test.go", `package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNothing(t *testing.T) { assert.True(t, true) }
`)
	runGo(t, dir, "mod", "tidy")
	return dir
}

// TestVendoredBackend vendors this module into a backend, including the pages of embedtest, and
// runs the backend's test.
func TestVendoredBackend(t *testing.T) {
	dir := consumer(t, ourModule)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "console_test.go"), []byte(`package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func TestConsole(t *testing.T) {
	server := embedtest.NewServer()
	defer server.Close()
	out, err := quicksightembed.NewFromConfig(server.Config()).GetSessionEmbedUrl(context.Background(),
		&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("111122223333")})
	require.NoError(t, err)
	page, err := http.Get(*out.EmbedUrl)
	require.NoError(t, err)
	page.Body.Close()
	assert.Equal(t, http.StatusOK, page.StatusCode)
}
`), 0o600))
	runGo(t, dir, "mod", "tidy")
	runGo(t, dir, "mod", "vendor")
	assert.Contains(t, runGo(t, dir, "test", "-mod=vendor", "-v", "./..."), "--- PASS: TestConsole")
}

// versionsOf returns the versions of the modules that a module and its tests are compiled from.
func versionsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for line := range strings.Lines(runGo(t, dir, "list", "-test", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./...")) {
		if module, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok && module != ourModule {
			versions[module] = version
		}
	}
	delete(versions, "consumer")
	return versions
}

// runGo runs a command of Go in a directory, and returns what it prints.
func runGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir = dir
	var stderr strings.Builder
	command.Stderr = &stderr
	printed, err := command.Output()
	require.NoError(t, err, "%s\n%s", printed, &stderr)
	return string(printed)
}
