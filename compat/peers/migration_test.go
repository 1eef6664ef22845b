package peers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// importLines returns the import lines that docs/moving-over.md changes, before and after.
func importLines(t *testing.T) (from, to []string) {
	t.Helper()
	_, diff, ok := strings.Cut(read(t, "../../docs/moving-over.md"), "```diff\n")
	require.True(t, ok)
	diff, _, _ = strings.Cut(diff, "```")
	for line := range strings.Lines(diff) {
		if removed, ok := strings.CutPrefix(line, "-"); ok {
			from = append(from, strings.TrimSpace(removed))
		} else if added, ok := strings.CutPrefix(line, "+"); ok {
			to = append(to, strings.TrimSpace(added))
		}
	}
	require.Len(t, from, 2)
	require.Len(t, to, 2)
	return from, to
}

// TestProgramsMoveOver builds programs for the official client twice: as they are, and with the
// import lines changed as in the page's diff. It runs both, and compares what they print.
func TestProgramsMoveOver(t *testing.T) {
	from, to := importLines(t)
	for name, test := range map[string]struct {
		faults []string // codes of the server's answers, one for each run
		want   string
	}{
		"plain":   {[]string{""}, "QuickSight us-east-1\n200 start true true true\n"},
		"mock":    {[]string{""}, "register jane first: no such user jane 111122223333\n"},
		"options": {[]string{"ThrottlingException"}, "attempt=4; max=4\n"},
		"errors":  {append([]string{"NewException"}, exceptions...), "QuickSight GetSessionEmbedUrl\n"},
	} {
		t.Run(name, func(t *testing.T) {
			official, moved := build(t, name, nil, nil), build(t, name, from, to)
			for _, code := range test.faults {
				env := serve(t)
				if code == "NewException" {
					inject(t, env, `{"always":true,"fault":"Reply","status":400,"header":{"X-Amzn-ErrorType":["NewException"]},"body":"{}"}`)
				} else if code != "" {
					inject(t, env, `{"always":true,"fault":"Fail","code":"`+code+`"}`)
				}
				want, stderr := runIn(t, env, official)
				require.Empty(t, string(stderr))
				got, stderr := runIn(t, env, moved)
				require.Empty(t, string(stderr))
				assert.Equal(t, withoutIDs(want), withoutIDs(got))
				assert.Contains(t, string(got), test.want)
				assert.Contains(t, string(got), code)
			}
		})
	}
}

// withoutIDs replaces the request IDs, which are random.
func withoutIDs(printed []byte) string {
	return regexp.MustCompile(`RequestID: [0-9a-f-]+`).ReplaceAllString(string(printed), "RequestID: …")
}

// build builds a program with lines replaced, and returns the executable's path.
func build(t *testing.T, name string, from, to []string) string {
	t.Helper()
	source, err := filepath.Abs(filepath.Join("programs", name, "main.go"))
	require.NoError(t, err)
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	replaced := 0
	for i, line := range lines {
		for j := range from {
			if strings.TrimSpace(line) == from[j] {
				lines[i] = "\t" + to[j]
				replaced++
			}
		}
	}
	if from != nil {
		require.Positive(t, replaced)
		require.NotContains(t, strings.Join(lines, "\n"), "service/quicksight")
	}
	dir := t.TempDir()
	changed, overlay, executable := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(changed, []byte(strings.Join(lines, "\n")), 0o600))
	encoded, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, encoded, 0o600))
	output, err := exec.Command("go", "build", "-overlay", overlay, "-o", executable, "./programs/"+name).CombinedOutput()
	require.NoError(t, err, string(output))
	return executable
}
