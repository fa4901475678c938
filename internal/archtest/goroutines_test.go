package archtest

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// caught are the files below servedWork that catch panics of their goroutines themselves, with the reason.
var caught = map[string]string{
	"diagnostics/run.go": "names the check that panicked",
}

// servedWork reads what servers and records on the internet say, on behalf of people whom one process serves.
var servedWork = []string{"diagnostics", "internal/discovery"}

// TestPanicsOfServedWork finds goroutines whose panic would end the process, and with it everyone's session:
// internal/parallel brings it to whoever waits instead (docs/security.md T14).
func TestPanicsOfServedWork(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, path := range goFiles(t) {
		name, err := filepath.Rel(filepath.Join("..", ".."), path)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		if strings.HasSuffix(name, "_test.go") || caught[name] != "" ||
			!below(name, servedWork[0]) && !below(name, servedWork[1]) {
			continue
		}
		seen++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			var text bytes.Buffer
			switch node.(type) {
			case *ast.GoStmt, *ast.SelectorExpr:
				if err := format.Node(&text, files, node); err != nil {
					t.Fatal(err)
				}
			}
			if _, begun := node.(*ast.GoStmt); begun && !strings.Contains(text.String(), "parallel.Catch(") ||
				text.String() == "sync.WaitGroup" {
				t.Errorf("%s: a panic here would end the process; internal/parallel brings it to whoever waits",
					files.Position(node.Pos()))
			}
			return true
		})
	}
	if seen < 2*len(servedWork) {
		t.Errorf("only %d files were read", seen)
	}
}
