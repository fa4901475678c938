package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/wizard"
)

// documentation reads a page of the documentation.
func documentation(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestScriptsPageNamesEveryAnswer(t *testing.T) {
	t.Parallel()
	page := documentation(t, "manual/scripts.md")
	for _, id := range append([]wizard.FieldID{wizard.FieldAddress}, command.SettingFields()...) {
		if !strings.Contains(page, "`"+string(id)+"`") {
			t.Errorf("docs/manual/scripts.md does not name the answer %s", id)
		}
	}
}

func TestReferenceNamesEveryKeyAndCode(t *testing.T) {
	t.Parallel()
	page := documentation(t, "reference.md")
	var schema any
	if err := json.Unmarshal(config.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	properties(schema, keys)
	if len(keys) < 40 {
		t.Fatalf("only %d keys found in the schema", len(keys))
	}
	for key := range keys {
		if !strings.Contains(page, key+"`") && !strings.Contains(page, key+".") {
			t.Errorf("docs/reference.md does not name the key %s", key)
		}
	}
	for _, code := range exitcode.All() {
		if !strings.Contains(page, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/reference.md does not name the exit code %d", code)
		}
	}
	for _, name := range manVariables {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/reference.md does not name the variable %s", name)
		}
	}
}

// TestReferenceNamesEveryCommandAndStep: a new command has its row, and so has each step of the wizard.
func TestReferenceNamesEveryCommandAndStep(t *testing.T) {
	t.Parallel()
	page := documentation(t, "reference.md")
	f := english()
	f.LangFlag = string(locale.English)
	each(newRoot(f, ""), nil, func(path []string) {
		name := strings.Join(path, " ")
		first, last := path, ""
		if len(path) > 1 {
			first, last = path[:1], path[len(path)-1]
		}
		row := regexp.MustCompile(`(?m)^\| .*` + "`" + `(postier )?` + strings.Join(first, " ") + `\b[^|]*\b` + last + `\b`)
		if name != "help" && !row.MatchString(page) {
			t.Errorf("docs/reference.md has no row for the command %q", name)
		}
	})
	for _, step := range wizard.Steps() {
		if row := fmt.Sprintf("\n| %d | `%s` |", step.Number(), step); !strings.Contains(page, row) {
			t.Errorf("docs/reference.md has no row for the step %s", step)
		}
	}
}

// properties gathers the names of all properties in a JSON Schema.
func properties(node any, into map[string]bool) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			properties(item, into)
		}
	case map[string]any:
		if named, ok := node["properties"].(map[string]any); ok {
			for name := range named {
				into[name] = true
			}
		}
		for _, child := range node {
			properties(child, into)
		}
	}
}

// What the manual shows for a code must be what explain says, or people on the phone look at different words.
func TestManualQuotesTitles(t *testing.T) {
	t.Parallel()
	for file, lang := range map[string]locale.Lang{
		"manual/README.md":    locale.English,
		"manual/README.fr.md": locale.French,
	} {
		rows := 0
		for line := range strings.Lines(documentation(t, file)) {
			code, title, ok := strings.Cut(strings.TrimPrefix(line, "| "), " ")
			if !ok || !strings.HasPrefix(line, "| ") || len(code) < 3 || code[1] != '-' {
				continue
			}
			title, _, _ = strings.Cut(title, " |")
			rows++
			if known, ok := explain.Page(code, lang); !ok || known.Title != title {
				t.Errorf("%s: %s is %q", file, code, known.Title)
			}
		}
		if rows < 5 {
			t.Errorf("%s: only %d codes found", file, rows)
		}
	}
}
