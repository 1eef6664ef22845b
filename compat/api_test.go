package compat

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

// TestAPI compares what the library exports with api.txt, line by line: a line that goes or changes breaks users, a new one is a
// promise. go test -run API . -update writes the file.
func TestAPI(t *testing.T) {
	const file = "../api.txt"
	var lines []string
	for _, pkg := range loadPackages(t, "example.com/quicksightembed", "example.com/quicksightembed/embedtest") {
		lines = append(lines, exportedLines(pkg)...)
	}
	api := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(api), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), api)
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

// exportedLines describe all that a package exports, in the form of the files in Go's own api directory, but with fields in their
// order.
func exportedLines(pkg *types.Package) (lines []string) {
	qualifier := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Path()
	}
	add := func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf("pkg "+pkg.Name()+", "+format, args...))
	}
	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		text := types.ObjectString(object, qualifier)
		if constant, ok := object.(*types.Const); ok {
			text += " = " + constant.Val().ExactString()
		}
		named, isNamed := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !isType || !isNamed {
			add("%s", text)
			continue
		}
		switch underlying := named.Underlying().(type) {
		case *types.Struct:
			add("type %s struct", name)
			for i := range underlying.NumFields() {
				if field := underlying.Field(i); field.Exported() {
					add("type %s struct, %s", name, strings.TrimSpace(field.Name()+" "+types.TypeString(field.Type(), qualifier)+" "+underlying.Tag(i)))
				}
			}
		case *types.Interface:
			for method := range underlying.Methods() {
				add("type %s interface, %s%s", name, method.Name(), signature(method, qualifier))
			}
		default:
			add("type %s %s", name, types.TypeString(underlying, qualifier))
		}
		methods := slices.Collect(named.Methods())
		slices.SortFunc(methods, func(a, b *types.Func) int { return strings.Compare(a.Name(), b.Name()) })
		for _, method := range methods {
			if method.Exported() {
				add("method (%s) %s%s", types.TypeString(method.Signature().Recv().Type(), qualifier), method.Name(), signature(method, qualifier))
			}
		}
	}
	return lines
}

func signature(method *types.Func, qualifier types.Qualifier) string {
	return strings.TrimPrefix(types.TypeString(method.Signature(), qualifier), "func")
}
