package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// public are the packages that other programs import (package connection has the promise), with what must not be linked
// into a program that does.
var public = map[string][]string{
	"config": {
		"modernc.org/", "github.com/jackc/", "charm.land/", "github.com/spf13/", "net/http", "crypto/tls",
		"postier/presets", "postier/diagnostics",
	},
	"delivery":   {"charm.land/", "github.com/spf13/"},
	"connection": {"modernc.org/", "github.com/jackc/", "charm.land/", "github.com/spf13/"},
}

// internalUse are exported for the other packages of this module, with the reason why no other program needs them.
var internalUse = map[string]string{
	"delivery.PageLines": "the words of a notice, which package watch writes as well",
}

// TestPublicPackages: what these packages export can be written down by a program that cannot import our internal
// packages, and reading a file does not bring a terminal or a database with it.
func TestPublicPackages(t *testing.T) {
	t.Parallel()
	for name, forbidden := range public {
		cmd := exec.Command("go", "list", "-deps", "./"+name)
		cmd.Dir = filepath.Join("..", "..")
		deps, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.FieldsSeq(string(deps)) {
			for _, prefix := range forbidden {
				if strings.HasPrefix(dep, prefix) {
					t.Errorf("package %s links %s", name, dep)
				}
			}
		}
		internalTypes(t, name)
	}
}

// internalTypes looks for our internal packages in what a package exports. Aliases give their types a public name.
func internalTypes(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files (%v)", dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		hidden := map[string]bool{}
		for _, spec := range file.Imports {
			if target, _ := strconv.Unquote(spec.Path.Value); strings.Contains(target, "/internal/") {
				hidden[path.Base(target)] = true
			}
		}
		for _, declaration := range file.Decls {
			for _, part := range exported(declaration) {
				if _, known := internalUse[dir+"."+part.name]; known {
					continue
				}
				ast.Inspect(part.node, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok {
						if x, ok := s.X.(*ast.Ident); ok && hidden[x.Name] {
							t.Errorf("%s.%s has the type %s.%s, which other programs cannot name", dir, part.name, x.Name, s.Sel.Name)
						}
					}
					return true
				})
			}
		}
	}
}

type exportedPart struct {
	name string
	node ast.Node
}

// exported are the types in a declaration that a program sees which imports the package.
func exported(declaration ast.Decl) []exportedPart {
	var parts []exportedPart
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || receiver(d.Recv.List[0].Type).IsExported()) {
			parts = append(parts, exportedPart{d.Name.Name, d.Type})
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			s, ok := spec.(*ast.TypeSpec)
			if !ok || !s.Name.IsExported() || s.Assign.IsValid() {
				continue
			}
			structure, ok := s.Type.(*ast.StructType)
			if !ok {
				parts = append(parts, exportedPart{s.Name.Name, s.Type})
				continue
			}
			for _, field := range structure.Fields.List {
				if len(field.Names) == 0 || field.Names[0].IsExported() {
					parts = append(parts, exportedPart{s.Name.Name, field.Type})
				}
			}
		}
	}
	return parts
}

func receiver(of ast.Expr) *ast.Ident {
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name
	}
	return ast.NewIdent("")
}
