package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/home"
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
	for _, name := range []string{"manual/scripts.md", "manual/scripts.fr.md", "manual/scripts.de.md"} {
		page := documentation(t, name)
		for _, id := range append([]wizard.FieldID{wizard.FieldAddress}, command.SettingFields()...) {
			if !strings.Contains(page, "`"+string(id)+"`") {
				t.Errorf("docs/%s does not name the answer %s", name, id)
			}
		}
		for _, code := range exitcode.All() {
			if !strings.Contains(page, fmt.Sprintf("\n| %d | ", code)) {
				t.Errorf("docs/%s does not name the exit code %d", name, code)
			}
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

// TestRequirementsNameWhatExists: what docs/requirements.md says of a wish is there to be used: each command is one, in
// its own words and with its options; each key of the home screen has an action; and each step is one of the wizard's.
func TestRequirementsNameWhatExists(t *testing.T) {
	t.Parallel()
	f := english()
	f.LangFlag = string(locale.English)
	root := newRoot(f, "")
	keys := map[string]bool{}
	for _, k := range home.Keys() {
		keys[k.Letter] = true
	}
	rows := regexp.MustCompile(`(?m)^\| ([A-Z]-\d+) [^|]* \| ((?:[^|\\]|\\\|)*) \| ([^|]*) \|`).
		FindAllStringSubmatch(documentation(t, "requirements.md"), -1)
	if len(rows) < 45 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		var within *cobra.Command // a bare verb or option goes on from the command before it
		for _, m := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(row[2], -1) {
			if why := unknownCommand(root, &within, m[1]); why != "" {
				t.Errorf("%s: `%s`: %s", row[1], m[1], why)
			}
		}
		places := regexp.MustCompile(`\bhome ((?:\x60\w\x60(?:, )?)+)|\bsteps? (\d+)`)
		for _, m := range places.FindAllStringSubmatch(row[3], -1) {
			for _, key := range regexp.MustCompile(`\w`).FindAllString(m[1], -1) {
				if !keys[key] {
					t.Errorf("%s: the home screen has no key %s", row[1], key)
				}
			}
			if n, err := strconv.Atoi(m[2]); err == nil && (n < 1 || n > len(wizard.Steps())) {
				t.Errorf("%s: there is no step %d", row[1], n)
			}
		}
	}
	for _, wrong := range []string{"profile fly", "send --teleport", "teleport"} {
		within := root
		if why := unknownCommand(root, &within, wrong); why == "" {
			t.Errorf("%s is taken for a command", wrong)
		}
	}
}

// unknownCommand says why a text of the requirements is no command line, or "". Words in capitals and those that choose
// between values are arguments.
func unknownCommand(root *cobra.Command, within **cobra.Command, text string) string {
	words := strings.Fields(text)
	at := root
	if found := child(root, words[0]); found == nil && *within != nil {
		if at = *within; child(at, words[0]) == nil && at.HasParent() && at.Parent() != root {
			at = at.Parent()
		}
	}
	isValue := false // of the option before
	for i, word := range words {
		next := child(at, word)
		switch {
		case isValue:
			isValue = false
		case next != nil:
			at = next
		case strings.HasPrefix(word, "--"):
			name := strings.TrimPrefix(word, "--")
			flag := cmp.Or(at.Flags().Lookup(name), at.InheritedFlags().Lookup(name))
			if flag == nil && !hasBelow(at, name) {
				return "no option " + word
			}
			isValue = flag != nil && flag.NoOptDefVal == ""
		case i == 0 && !strings.Contains(word, ".") && strings.ToUpper(word) != word:
			return "no command"
		case i > 0 && at.HasSubCommands() && strings.ToUpper(word) != word:
			return "no command " + word
		}
	}
	*within = at
	return ""
}

func child(at *cobra.Command, name string) *cobra.Command {
	for _, c := range at.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// hasBelow reports whether a command below has the option.
func hasBelow(at *cobra.Command, name string) bool {
	for _, c := range at.Commands() {
		if c.Flags().Lookup(name) != nil || hasBelow(c, name) {
			return true
		}
	}
	return false
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

// TestManualShowsTheButtonsOfToday: a screen of the front pages has the buttons and the keys that the program draws.
func TestManualShowsTheButtonsOfToday(t *testing.T) {
	t.Parallel()
	var drawn strings.Builder
	for _, pattern := range []string{"screens", "cards"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "tui", "testdata", pattern, "*.txt"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			drawn.Write(data)
		}
	}
	plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
	screens := plain.Replace(drawn.String())
	button := regexp.MustCompile(`\[[^\[\]]+: [^\[\]]+\]`)
	for _, name := range []string{"manual/README.md", "manual/README.fr.md", "manual/README.de.md"} {
		page := strings.ReplaceAll(documentation(t, name), "![", "(") // a picture is no button
		buttons := button.FindAllString(plain.Replace(page), -1)
		if len(buttons) < 20 {
			t.Errorf("%s: only %d buttons found", name, len(buttons))
		}
		for _, text := range buttons {
			if !strings.Contains(screens, text) {
				t.Errorf("%s shows %s, which no screen has", name, text)
			}
		}
	}
}

// What the manual shows for a code must be what explain says, or people on the phone look at different words.
func TestManualQuotesTitles(t *testing.T) {
	t.Parallel()
	for file, lang := range map[string]locale.Lang{
		"manual/README.md":    locale.English,
		"manual/README.fr.md": locale.French,
		"manual/README.de.md": locale.German,
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
