package peers

import (
	"fmt"
	"go/types"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// TestAPI compares what the library exports with api.txt. A line that goes or changes breaks users;
// a new line is a promise. go test -run API . -update writes the file.
func TestAPI(t *testing.T) {
	const file = "api.txt"
	var lines []string
	for _, pkg := range loadPackages(t, "example.com/quicksightembed", "example.com/quicksightembed/embedtest") {
		lines = append(lines, exportedLines(pkg)...)
	}
	api := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(api), 0o644))
	}
	assert.Equal(t, read(t, file), api)
}

func loadPackages(t *testing.T, paths ...string) (loaded []*types.Package) {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedTypes}, paths...)
	require.NoError(t, err)
	for _, pkg := range pkgs {
		require.Empty(t, pkg.Errors)
		loaded = append(loaded, pkg.Types)
	}
	return loaded
}

// exportedLines describes all that a package exports, in the form of Go's own api directory, except
// that fields keep their order.
func exportedLines(pkg *types.Package) (lines []string) {
	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		described := []string{describe(object)}
		if named, ok := object.Type().(*types.Named); ok && isTypeName(object) {
			described = append(describeType(named), describeMethods(named)...)
		}
		for _, line := range described {
			lines = append(lines, "pkg "+pkg.Name()+", "+line)
		}
	}
	return lines
}

func isTypeName(object types.Object) bool {
	_, ok := object.(*types.TypeName)
	return ok
}

func describe(object types.Object) string {
	text := types.ObjectString(object, types.RelativeTo(object.Pkg()))
	if constant, ok := object.(*types.Const); ok {
		text += " = " + constant.Val().ExactString()
	}
	return text
}

func describeType(named *types.Named) []string {
	name, qualifier := named.Obj().Name(), types.RelativeTo(named.Obj().Pkg())
	switch underlying := named.Underlying().(type) {
	case *types.Struct:
		lines := []string{"type " + name + " struct"}
		for i := range underlying.NumFields() {
			if field := underlying.Field(i); field.Exported() {
				line := fmt.Sprintf("type %s struct, %s %s %s", name, field.Name(), types.TypeString(field.Type(), qualifier), underlying.Tag(i))
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	case *types.Interface:
		var lines []string
		for method := range underlying.Methods() {
			lines = append(lines, fmt.Sprintf("type %s interface, %s", name, describeMethod(method)))
		}
		return lines
	default:
		return []string{"type " + name + " " + types.TypeString(underlying, qualifier)}
	}
}

func describeMethods(named *types.Named) (lines []string) {
	for method := range named.Methods() {
		if method.Exported() {
			receiver := types.TypeString(method.Signature().Recv().Type(), types.RelativeTo(method.Pkg()))
			lines = append(lines, fmt.Sprintf("method (%s) %s", receiver, describeMethod(method)))
		}
	}
	slices.Sort(lines) // their order in the source does not matter
	return lines
}

func describeMethod(method *types.Func) string {
	signature := types.TypeString(method.Signature(), types.RelativeTo(method.Pkg()))
	return method.Name() + strings.TrimPrefix(signature, "func")
}
