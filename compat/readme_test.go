package compat

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the README's tables anew")

// configTable is the README's table of what this client does with an aws.Config.
func configTable() string {
	var table strings.Builder
	table.WriteString("| field of `aws.Config` | acted on | |\n|---|---|---|\n")
	for _, field := range configFields {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", field.name, field.effect, field.note)
	}
	return table.String()
}

// TestREADMETables compares the README with what the tests show. go test -run README . -update writes it.
func TestREADMETables(t *testing.T) {
	const path = "../README.md"
	for _, table := range []string{differencesTable(), configTable()} {
		readme, err := os.ReadFile(path)
		require.NoError(t, err)
		heading, _, _ := strings.Cut(table, "\n")
		before, rest, ok := strings.Cut(string(readme), heading+"\n")
		require.True(t, ok, "the README has no table %s", heading)
		present, after, _ := strings.Cut(rest, "\n\n")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(before+table+"\n"+after), 0o644))
			continue
		}
		assert.Equal(t, table, heading+"\n"+present+"\n")
	}
}
