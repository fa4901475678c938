package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postier/internal/check"
)

// others are words that are spelled like a cause or a check and mean something else, by the package that has them.
var others = map[string][]string{
	"config/credential":       {"unknown"},            // a problem of its own
	"delivery":                {"unknown"},            // a state of a message
	"diagnostics/portprobe":   {"family-only"},        // a verdict of two sides
	"internal/cli/diagnose":   {"insecure-cleartext"}, // a flag
	"internal/cli/send":       {"unknown"},            // an error about arguments
	"internal/cli/setup":      {"insecure-cleartext"}, // a flag
	"internal/mailauth/dmarc": {"unknown"},            // a tag that is not registered
	"internal/mailauth/spf":   {"unknown", "dns-failure", "cancelled"},
	"internal/smtp":           {"unknown"},   // a state of a message
	"internal/wire":           {"cancelled"}, // a kind of fault
	"presets":                 {"unknown"},
	"presets/vendor":          {"unknown"}, // a key
}

// steps is the client whose steps have the names of the checks that look at them: clients know no checks.
const steps = "internal/imap"

// TestCausesAndChecksAreConstants: a cause or a check is named by its constant of package check, so that a misspelt one
// does not compile.
func TestCausesAndChecksAreConstants(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	words := vocabulary(t, filepath.Join(root, "internal", "check"))
	eachSource(t, root, func(path string) error {
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		dir = filepath.ToSlash(dir)
		if below(dir, "internal/check") || below(dir, "docs") || dir == steps {
			return nil
		}
		return spelled(t, path, func(word string) bool {
			return words[word] && !slices.Contains(others[dir], word)
		})
	})
}

// eachSource calls look with every Go file of the tree that is no test.
func eachSource(t *testing.T, root string, look func(path string) error) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != root):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return look(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spelled complains about each string of a file that is one of the words. The first argument of a call is none: there
// the demo's faults and the flags have names of their own.
func spelled(t *testing.T, path string, word func(string) bool) error {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	own := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && strings.HasSuffix(strings.ToLower(name.Name), "fault") {
				own[n.Args[0]] = true
			}
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if n.Kind == token.STRING && err == nil && word(text) && !own[n] {
				t.Errorf("%s: %s is spelled out; use its constant of package check", set.Position(n.Pos()), n.Value)
			}
		}
		return true
	})
	return nil
}

// vocabulary is every id and cause.
func vocabulary(t *testing.T, folder string) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	for _, id := range check.All() {
		words[string(id)] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, "causes.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok {
			text, _ := strconv.Unquote(literal.Value)
			words[text] = true
		}
		return true
	})
	if len(words) <= len(check.All()) {
		t.Fatal("no causes were read")
	}
	return words
}
