package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// usage is what the program's own code says about keys, each with the file where it is.
type usage struct {
	literals map[string]string // string literals that begin with a domain
	named    map[string]string // those that are handed to a function that says them
	// prefixes are beginnings to which a word is appended at run time: every key that begins so counts as used.
	prefixes map[string]string
}

// usageOf reads the whole tree, tests left out.
func usageOf(t *testing.T, domains map[string]bool) usage {
	t.Helper()
	u := usage{map[string]string{}, map[string]string{}, map[string]string{}}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		u.read(file, filepath.ToSlash(path), domains)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (u usage) read(file *ast.File, path string, domains map[string]bool) {
	add := func(to map[string]string, value string) {
		if domain, _, found := strings.Cut(value, "."); found && domains[domain] {
			to[value] = path
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if value := literal(n.X); n.Op == token.ADD && value != "" {
				add(u.prefixes, value)
			}
		case *ast.CallExpr:
			if key := spokenKey(n); keyForm.MatchString(key) {
				add(u.named, key)
			}
		case *ast.BasicLit:
			value := literal(n)
			if strings.HasSuffix(value, ".") {
				add(u.prefixes, value) // handed to a function that appends to it
			}
			if value != "" {
				add(u.literals, value)
			}
		}
		return true
	})
}

// speakers are the functions that put the message of a key into words, now or later, with the place of the key among
// their arguments: in the commands' Fault an exit code comes before it.
var speakers = map[string]int{
	"T": 0, "N": 0, "Msg": 0, "M": 0, "say": 0, "t": 0, "Has": 0, "Fault": 1, "Group": 1, "Leaf": 1,
}

// spokenKey is the key in locale.Msg("key", …) and its like.
func spokenKey(call *ast.CallExpr) string {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	at, speaks := speakers[name]
	if !speaks || len(call.Args) <= at {
		return ""
	}
	return literal(call.Args[at])
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return value
}

var keyForm = regexp.MustCompile(`^[a-z]+(\.[a-zA-Z0-9_-]+)+$`)

// TestKeysAndCode: every key that the code names exists, and every key that exists is named.
func TestKeysAndCode(t *testing.T) {
	t.Parallel()
	keys := catalogueOf(t, English)
	domains := map[string]bool{}
	for key := range keys {
		domain, _, _ := strings.Cut(key, ".")
		domains[domain] = true
	}
	u := usageOf(t, domains)
	begins := func(key string) bool {
		for i := 1; i < len(key); i++ {
			if u.prefixes[key[:i]] != "" && strings.ContainsAny(key[i-1:i], ".-_") {
				return true
			}
		}
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if u.literals[key] == "" && !begins(key) {
			t.Errorf("%s is not used", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(u.named)) {
		if _, known := keys[key]; !known {
			t.Errorf("%s: %s is in no catalogue", u.named[key], key)
		}
	}
	if len(u.named) == 0 {
		t.Error("no keys were found in the code: the reader is broken")
	}
}
