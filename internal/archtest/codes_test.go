package archtest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// TestCausesHaveTheirCodes: whoever shows what a cause means shows the code that can be read out over the phone, too.
func TestCausesHaveTheirCodes(t *testing.T) {
	t.Parallel()
	eachSource(t, filepath.Join("..", ".."), func(path string) error {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if cause := causeIn(f); cause != "" && uses(f, cause, "Title") && !uses(f, cause, "Code") {
				t.Errorf("%s: %s names a cause without its code", path, f.Name.Name)
			}
		}
		return nil
	})
}

// causeIn is the variable in which a function has a cause of the catalogue; empty where it has none.
func causeIn(f *ast.FuncDecl) (name string) {
	ast.Inspect(f, func(n ast.Node) bool {
		assigned, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		if call, ok := assigned.Rhs[0].(*ast.CallExpr); ok && isMember(call.Fun, "explain", "Cause") {
			if v, ok := assigned.Lhs[0].(*ast.Ident); ok {
				name = v.Name
			}
		}
		return true
	})
	return name
}

// uses reports whether a function uses a member of a variable.
func uses(f *ast.FuncDecl, variable, name string) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		found = found || ok && isMember(e, variable, name)
		return !found
	})
	return found
}

func isMember(e ast.Expr, of, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == of
}

// codeOf are the members with causes and those with their codes, in every result that is printed as JSON. A `code` that
// is a number is another thing: the exit code.
var codeOf = map[string][]string{
	"cause": {"cause_code", "code"}, "instead_for": {"instead_code"}, "disabled_cause": {"disabled_code"},
}

// TestSchemasNameCodes: every result with a cause has its code as well. The configuration is not one: it is a file.
func TestSchemasNameCodes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "schemas", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas: ", err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		if name == "config-show.json" || name == "profile-show.json" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Fatal(err)
		}
		lookForCodes(t, name, schema)
	}
}

func lookForCodes(t *testing.T, path string, schema any) {
	t.Helper()
	switch node := schema.(type) {
	case []any:
		for _, part := range node {
			lookForCodes(t, path, part)
		}
	case map[string]any:
		members, _ := node["properties"].(map[string]any)
		for cause, codes := range codeOf {
			if _, has := members[cause]; has && !anyOf(members, codes) {
				t.Errorf("%s: %s without one of %v", path, cause, codes)
			}
		}
		for name, part := range node {
			lookForCodes(t, path+"/"+name, part)
		}
	}
}

func anyOf(members map[string]any, names []string) bool {
	for _, name := range names {
		if member, ok := members[name].(map[string]any); ok && member["type"] != "integer" {
			return true
		}
	}
	return false
}
