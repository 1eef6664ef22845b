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

var update = flag.Bool("update", false, "write what the tests compare with: the tables of the documents, and api.txt")

// configTable is the table of what this client does with an aws.Config.
func configTable() string {
	var table strings.Builder
	table.WriteString("| field of `aws.Config` | acted on | |\n|---|---|---|\n")
	for _, field := range configFields {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", field.name, field.effect, field.note)
	}
	return table.String()
}

// TestDocumentsTables compares the tables of the documents with those of the tests.
func TestDocumentsTables(t *testing.T) {
	for path, table := range map[string]string{
		"../../docs/differences.md":   differencesTable(),
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

// TestDocumentsFigures compares the figures in docs/why.md with what was measured last.
func TestDocumentsFigures(t *testing.T) {
	var measured struct {
		Calls, Distance []struct {
			Name           string
			Official, Ours map[string]float64 // by unit
		}
		Footprints []struct {
			Program                        string
			CPUSeconds, PeakMiB, BinaryMiB float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "../../docs/performance.json")), &measured))
	page := strings.ReplaceAll(read(t, "../../docs/why.md"), ",", "")
	has := func(format string, figures ...any) {
		row := strings.ReplaceAll(fmt.Sprintf(format, figures...), ",", "")
		assert.True(t, strings.Contains(page, row), "docs/why.md has no %s", row)
	}

	ours, official := measured.Footprints[3], measured.Footprints[4]
	require.Equal(t, []string{"client-config", "official-config"}, []string{ours.Program, official.Program})
	has("| %.0f CPU seconds, %.1f GiB of memory | %.0f CPU seconds, %.1f GiB of memory |",
		official.CPUSeconds, official.PeakMiB/1024, ours.CPUSeconds, ours.PeakMiB/1024)
	has("| %.1f MiB | %.1f MiB |", official.BinaryMiB, ours.BinaryMiB)
	compared := 0
	for _, b := range append(measured.Calls, measured.Distance...) {
		switch b.Name {
		case "Call/all inputs and a session token":
			has("| %.0f µs, %.0f allocations | %.0f µs, %.0f allocations |",
				1e6*b.Official["sec/op"], b.Official["allocs/op"], 1e6*b.Ours["sec/op"], b.Ours["allocs/op"])
		case "Loopback/TLS":
			has("| %.0f µs | %.0f µs |", 1e6*b.Official["sec/op"], 1e6*b.Ours["sec/op"])
		case "NewFromConfig":
			has("| %.1f µs | %.1f µs |", 1e6*b.Official["sec/op"], 1e6*b.Ours["sec/op"])
		case "Distance/300 callers":
			has("| %.0f ms (median), %.0f connections | %.0f ms, %.0f connections |",
				b.Official["p50-ms"], b.Official["connections"], b.Ours["p50-ms"], b.Ours["connections"])
		default:
			continue
		}
		compared++
	}
	assert.Equal(t, 4, compared)
}

// TestDocumentsVersion compares the version in the documents with the one in the User-Agent.
func TestDocumentsVersion(t *testing.T) {
	req, err := quicksightembed.NewFromConfig(workingConfig(nil)).SignGetSessionEmbedUrl(t.Context(), janes())
	require.NoError(t, err)
	version := regexp.MustCompile(`lib/quicksightembed#(\S+)`).FindStringSubmatch(req.UserAgent())[1]
	assert.Contains(t, read(t, "../../CHANGELOG.md"), "\n## "+version+" (")
	assert.Contains(t, read(t, "../../README.md"), "\nVersion "+version+", ")
	assert.Contains(t, read(t, "../../README.md"), "@v"+version+"\n")
}

// TestDocumentsCode checks that each paragraph of Go in the documents is in a file that is
// compiled, comments and indentation aside. TestReadmeProgram runs the program.
func TestDocumentsCode(t *testing.T) {
	var compiled string
	for _, file := range []string{"../../examples/backend/main.go", "../../examples/backend/main_test.go", "../../embedtest/documents_test.go", "example_test.go"} {
		compiled += plain(read(t, file))
	}
	for _, document := range documents(t) {
		for _, block := range goBlocks(read(t, document)) {
			if strings.HasPrefix(block, "package main\n") {
				continue
			}
			for paragraph := range strings.SplitSeq(plain(block), "\n\n") {
				paragraph = strings.Trim(paragraph, "\n")
				assert.True(t, strings.Contains(compiled, "\n"+paragraph+"\n"), "%s: no file that is compiled has\n%s", document, paragraph)
			}
		}
	}
}

// goBlocks are the blocks of Go in a document.
func goBlocks(document string) (blocks []string) {
	for _, block := range regexp.MustCompile("(?ms)^ *```go\n(.*?)^ *```$").FindAllStringSubmatch(document, -1) {
		blocks = append(blocks, block[1])
	}
	return blocks
}

// TestReadmeProgram builds the README's program in a new module, and runs it.
func TestReadmeProgram(t *testing.T) {
	dir := consumer(t, ourModule)
	program := goBlocks(read(t, "../../README.md"))[0]
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600))
	runGo(t, dir, "mod", "tidy")
	executable := filepath.Join(t.TempDir(), "program")
	runGo(t, dir, "build", "-o", executable, ".")

	printed, stderr := runIn(t, serve(t), executable)
	require.Empty(t, string(stderr))
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/embedding/\S+/dashboards/sales\?\S+\n$`, string(printed))
}

// plain is code without comments and indentation.
func plain(code string) string {
	code = regexp.MustCompile(`(?m)^\s*//.*\n|[ \t]*//.*$`).ReplaceAllString(code, "")
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(code, "")
}

// TestDocumentsLinks checks that each link in a document points to an existing file and heading.
func TestDocumentsLinks(t *testing.T) {
	for _, document := range documents(t) {
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

// documents are the pages that people read.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	more, err := filepath.Glob("../../*.md")
	require.NoError(t, err)
	pages = append(pages, more...)
	require.Greater(t, len(pages), 10)
	return append(pages, "../../cmd/quicksight-local/README.md", "../../examples/webapp/README.md")
}

// anchors returns the link targets of a document's headings.
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
