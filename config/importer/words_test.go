package importer

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postier/internal/locale"
)

// TestCatalogue compares the words that the code asks for with those that the catalogues have.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"secret.value": true, "secret.file": true, "secret.command": true, "secret.none": true}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(own, "../../internal/cli/setup/import.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`"importer\.([a-z0-9.-]*[a-z0-9])"`).FindAllSubmatch(source, -1) {
			used[string(match[1])] = true
		}
		for _, match := range regexp.MustCompile(`\.note\("([a-z]+)"`).FindAllSubmatch(source, -1) {
			used["note."+string(match[1])] = true
		}
	}
	for _, lang := range locale.All() {
		data, err := os.ReadFile(filepath.Join("..", "..", "internal", "locale", "catalogue", string(lang), "importer.po"))
		if err != nil {
			t.Fatal(err)
		}
		held := map[string]bool{}
		for _, match := range regexp.MustCompile(`(?m)^msgid "importer\.(.+)"$`).FindAllSubmatch(data, -1) {
			held[string(match[1])] = true
			if !used[string(match[1])] {
				t.Errorf("%s has importer.%s, which nothing says", lang, match[1])
			}
		}
		for key := range used {
			if !held[key] {
				t.Errorf("%s has no importer.%s", lang, key)
			}
		}
	}
}
