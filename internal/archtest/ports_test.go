package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// portNames are the places that may write the ports of mail as numbers, with the reason.
var portNames = map[string]string{
	"config/server.go":        "gives them their names",
	"internal/wire/policy.go": "a leaf cannot import config",
}

// TestPortsHaveNames finds ports written as numbers. Only config defines what a port means; when five places knew the
// numbers, they followed five different rules.
func TestPortsHaveNames(t *testing.T) {
	t.Parallel()
	ports := []string{"143", "465", "587", "993", "2525"}
	for _, path := range goFiles(t) {
		name, err := filepath.Rel(filepath.Join("..", ".."), path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") || portNames[filepath.ToSlash(name)] != "" {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if number, ok := node.(*ast.BasicLit); ok && number.Kind == token.INT && slices.Contains(ports, number.Value) {
				t.Errorf("%s: %s has a name in config", files.Position(number.Pos()), number.Value)
			}
			return true
		})
	}
}
