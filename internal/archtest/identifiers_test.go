package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// identifier matches a name of another package, or a method of a type, between the code marks of a page.
var identifier = regexp.MustCompile("`([a-z]+|[A-Z][A-Za-z]+)\\.([A-Z][A-Za-z]+)(\\.[A-Z][A-Za-z]+)?`")

// TestIdentifiersOfTheGuide finds in the code what CONTRIBUTING names: `package.Name`, `package.Type.Method` and
// `Type.Method`. A name of the standard library is not ours to check.
func TestIdentifiersOfTheGuide(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := exportedNames(t)
	found := identifier.FindAllStringSubmatch(string(page), -1)
	if len(found) < 10 {
		t.Fatalf("only %d names on the page: the pattern is wrong", len(found))
	}
	for _, m := range found {
		name := m[1] + "." + m[2] + m[3]
		if !names[name] {
			t.Errorf("CONTRIBUTING.md names %s, which is nowhere in the code", name)
		}
	}
}

// exportedNames holds package.Name, package.Type.Method and Type.Method for every package of ours.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		pkg := file.Name.Name + "."
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				receiver := receiverOf(d)
				out[receiver+d.Name.Name], out[pkg+receiver+d.Name.Name] = true, true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						out[pkg+s.Name.Name] = true
					}
				}
			}
		}
	}
	return out
}

// receiverOf is "Type." for a method and empty for a function.
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	kind := d.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}
