package peers

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

var update = flag.Bool("update", false, "write what the tests compare with anew: the tables of the documents, and api.txt")

// configTable is the table of what this client does with an aws.Config.
func configTable() string {
	var table strings.Builder
	table.WriteString("| field of `aws.Config` | acted on | |\n|---|---|---|\n")
	for _, field := range configFields {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", field.name, field.effect, field.note)
	}
	return table.String()
}

// TestDocumentsTables compares the tables of the documents with what the tests show.
func TestDocumentsTables(t *testing.T) {
	for path, table := range map[string]string{
		"../../README.md":             differencesTable(),
		"../../docs/configuration.md": configTable(),
		"../../docs/moving-over.md":   movedTable(),
	} {
		document := read(t, path)
		heading, _, _ := strings.Cut(table, "\n")
		before, rest, ok := strings.Cut(document, heading+"\n")
		require.True(t, ok, "%s has no table %s", path, heading)
		present, after, _ := strings.Cut(rest, "\n\n")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(before+table+"\n"+after), 0o644))
			continue
		}
		assert.Equal(t, table, heading+"\n"+present+"\n")
	}
}

// TestDocumentsFigures compares the figures in the README's first table with what was measured
// last.
func TestDocumentsFigures(t *testing.T) {
	var measured struct {
		Calls []struct {
			Name           string
			Official, Ours map[string]float64 // by unit
		}
		Footprints []struct {
			Program                        string
			CPUSeconds, PeakMiB, BinaryMiB float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "../../docs/performance.json")), &measured))
	readme := read(t, "../../README.md")

	ours, official := measured.Footprints[3], measured.Footprints[4]
	require.Equal(t, []string{"client-config", "official-config"}, []string{ours.Program, official.Program})
	assert.Contains(t, readme, fmt.Sprintf("| %.0f CPU seconds, %.1f GiB of memory | %.0f CPU seconds, %.1f GiB of memory |",
		official.CPUSeconds, official.PeakMiB/1024, ours.CPUSeconds, ours.PeakMiB/1024))
	assert.Contains(t, readme, fmt.Sprintf("| %.1f MiB | %.1f MiB |", official.BinaryMiB, ours.BinaryMiB))
	compared := 0
	for _, b := range measured.Calls {
		switch b.Name {
		case "Call/all inputs and a session token":
			assert.Contains(t, readme, fmt.Sprintf("| %.0f µs, %.0f allocations | %.0f µs, %.0f allocations |",
				1e6*b.Official["sec/op"], b.Official["allocs/op"], 1e6*b.Ours["sec/op"], b.Ours["allocs/op"]))
		case "Loopback/TLS":
			assert.Contains(t, readme, fmt.Sprintf("| %.0f µs | %.0f µs |", 1e6*b.Official["sec/op"], 1e6*b.Ours["sec/op"]))
		default:
			continue
		}
		compared++
	}
	assert.Equal(t, 2, compared)
}

// TestDocumentsVersion compares the version that the documents speak of with the one that the
// User-Agent names.
func TestDocumentsVersion(t *testing.T) {
	req, err := quicksightembed.NewFromConfig(workingConfig(nil)).SignGetSessionEmbedUrl(t.Context(), janes())
	require.NoError(t, err)
	version := regexp.MustCompile(`lib/quicksightembed#(\S+)`).FindStringSubmatch(req.UserAgent())[1]
	assert.Contains(t, read(t, "../../CHANGELOG.md"), "\n## "+version+" (")
	assert.Contains(t, read(t, "../../README.md"), "version "+version)
}

// TestDocumentsCode looks for each paragraph of Go in the README, without comments and indentation,
// in the files that compile it.
func TestDocumentsCode(t *testing.T) {
	var compiled string
	for _, file := range []string{"../../examples/backend/main.go", "../../examples/backend/main_test.go", "../../embedtest/readme_test.go", "example_test.go"} {
		compiled += plain(read(t, file))
	}
	blocks := regexp.MustCompile("(?ms)^ *```go\n(.*?)^ *```$").FindAllStringSubmatch(read(t, "../../README.md"), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for paragraph := range strings.SplitSeq(plain(block[1]), "\n\n") {
			paragraph = strings.Trim(paragraph, "\n")
			assert.True(t, strings.Contains(compiled, "\n"+paragraph+"\n"), "no file that is compiled has\n%s", paragraph)
		}
	}
}

// plain is code without comments and indentation.
func plain(code string) string {
	code = regexp.MustCompile(`(?m)^\s*//.*\n|[ \t]*//.*$`).ReplaceAllString(code, "")
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(code, "")
}

// TestDocumentsLinks looks for the file, and the heading in it, that each link from a document to
// another leads to.
func TestDocumentsLinks(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	documents = append(documents, "../../README.md", "../../CONTRIBUTING.md", "../../CHANGELOG.md", "../../cmd/quicksight-local/README.md", "../../examples/webapp/README.md")
	for _, document := range documents {
		for _, link := range regexp.MustCompile(`(?:\]\(|src=")([^)":]+)[)"]`).FindAllStringSubmatch(read(t, document), -1) {
			file, anchor, _ := strings.Cut(link[1], "#")
			target := document
			if file != "" {
				target = filepath.Join(filepath.Dir(document), file)
			}
			_, err := os.Stat(target)
			if assert.NoError(t, err, "%s links to %s", document, link[1]) && anchor != "" {
				assert.Contains(t, anchors(read(t, target)), anchor, "%s links to %s", document, link[1])
			}
		}
	}
}

// anchors are what the headings of a document are linked by.
func anchors(document string) (found []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(document, -1) {
		plain := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		found = append(found, strings.ReplaceAll(plain, " ", "-"))
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}
