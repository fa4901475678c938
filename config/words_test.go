package config_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postier/internal/locale"
)

// families are keys that are put together at run time; every member is known by its prefix.
var families = []string{
	"config.file.", "config.shape.", "config.secret.", "config.export.left_out.",
	"config.export.put.",
}

// fileNames look like keys.
var fileNames = []string{
	"config.ini.php", "config.json", "config.production.json", "config.schema.json", "config.toml",
}

// TestEveryKeyHasWordsAndEveryWordAKey reads the sources of this domain and its catalogues.
func TestEveryKeyHasWordsAndEveryWordAKey(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	key := regexp.MustCompile(`^config\.[a-z_]+(\.[a-z0-9_]+)*$`)
	for _, root := range []string{".", "../internal/safefile", "../internal/strictjson"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if value, err := strconv.Unquote(literal.Value); err == nil && key.MatchString(value) &&
						!slices.Contains(fileNames, value) {
						used[value] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, lang := range locale.All() {
		catalogue := locale.For(lang)
		for name := range used {
			if !catalogue.Has(name) {
				t.Errorf("%s: %s has no words", lang, name)
			}
		}
		data, err := os.ReadFile("../internal/locale/catalogue/" + string(lang) + "/config.po")
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^msgid "(config\..*)"$`).FindAllStringSubmatch(string(data), -1) {
			if !used[match[1]] && !inFamily(match[1]) {
				t.Errorf("%s: nobody says %s", lang, match[1])
			}
		}
	}
}

func inFamily(key string) bool {
	for _, family := range families {
		if strings.HasPrefix(key, family) {
			return true
		}
	}
	return false
}
