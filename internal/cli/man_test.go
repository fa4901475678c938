package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
)

// said is what a run prints on standard output; it must succeed.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, complaints bytes.Buffer
	code := run(append([]string{"postier"}, args...), command.Streams{
		In: strings.NewReader(""), Out: &out, Err: &complaints, Getenv: func(string) string { return "" },
	})
	if code != exitcode.OK {
		t.Fatalf("postier %s: exit %d, %s", strings.Join(args, " "), code, complaints.String())
	}
	return out.String()
}

// each calls f for every command that help shows.
func each(cmd *cobra.Command, path []string, f func([]string)) {
	f(path)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			each(sub, append(path[:len(path):len(path)], sub.Name()), f)
		}
	}
}

func TestManPageOfEveryCommand(t *testing.T) {
	t.Parallel()
	request := regexp.MustCompile(`^\.(\\"|TH|SH|SS|PP|TP)`)
	missing := regexp.MustCompile(`<[a-z]+\.[a-z.-]+>`)
	for _, lang := range locale.All() {
		f := english()
		f.LangFlag = string(lang)
		each(newRoot(f, ""), nil, func(path []string) {
			page := said(t, append([]string{"--lang", string(lang), "man"}, path...)...)
			for line := range strings.Lines(page) {
				if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !request.MatchString(line) {
					t.Errorf("%s %v: the formatter would take this for a request: %s", lang, path, line)
				}
			}
			if found := missing.FindString(page); found != "" {
				t.Errorf("%s %v: no message %s", lang, path, found)
			}
		})
	}
}

// TestManPagesOfAllCommands: the folder has the page of each command that help shows, and nothing else.
func TestManPagesOfAllCommands(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man1")
	said(t, "man", "--dir", folder)
	f, pages := english(), 0
	each(newRoot(f, ""), []string{"postier"}, func(path []string) {
		pages++
		text, err := os.ReadFile(filepath.Join(folder, strings.Join(path, "-")+".1"))
		if want := said(t, append([]string{"man"}, path[1:]...)...); err != nil || string(text) != want {
			t.Errorf("%v: %v", path, err)
		}
	})
	if files, err := os.ReadDir(folder); err != nil || len(files) != pages+1 {
		t.Errorf("%d files for %d commands and one format: %v", len(files), pages, err)
	}
}

// schemaKeys are the keys that the schema has at the top, and those that it wants in a profile.
func schemaKeys(t *testing.T) []string {
	t.Helper()
	var schema struct{ Properties map[string]json.RawMessage }
	var profiles struct {
		AdditionalProperties struct{ Required []string }
	}
	if err := json.Unmarshal(config.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(schema.Properties["profiles"], &profiles); err != nil {
		t.Fatal(err)
	}
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(schema.Properties)), func(key string) bool {
		return strings.HasPrefix(key, "$") // of JSON Schema, not of the program
	})
	required := profiles.AdditionalProperties.Required
	if len(keys) == 0 || len(required) == 0 {
		t.Fatal("the schema has another form")
	}
	for _, key := range required {
		keys = append(keys, "profiles.NAME."+key)
	}
	return keys
}

// TestFormatPage: the page of section 5 explains every key at the top and every key that a profile must have, in all
// languages, and its example is valid.
func TestFormatPage(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.All() {
		folder := t.TempDir()
		said(t, "--lang", string(lang), "man", "--dir", folder)
		page, err := os.ReadFile(filepath.Join(folder, "postier.5"))
		if err != nil || regexp.MustCompile(`<man\.[a-z._]+>`).Match(page) {
			t.Errorf("%s: %v\n%s", lang, err, page)
		}
		for _, key := range schemaKeys(t) {
			if !strings.Contains(string(page), `\fB`+key+`\fR`) {
				t.Errorf("%s: no %s", lang, key)
			}
		}
	}
	doc, err := config.Parse(filepath.Join(t.TempDir(), "config.json"), []byte(formatExample))
	if err != nil {
		t.Fatal(err)
	}
	if faults := doc.Validate().Errors(); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestManPageNamesOptionsAndCodes(t *testing.T) {
	t.Parallel()
	page := said(t, "man", "setup")
	for _, want := range []string{
		`\-\-password\-file VALUE`, `\-\-lang VALUE`, `\fB130\fR`, "POSTIER_CONFIG",
		`postier setup\fR [\fIoptions\fR] [ADDRESS]`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if page := said(t, "man", "profile"); !strings.Contains(page, `postier profile rename\fR PROFILE NEW`) {
		t.Error("the page of a command that only holds others does not show their forms")
	}
}

func TestManPageOfNothing(t *testing.T) {
	t.Parallel()
	var complaints bytes.Buffer
	code := run([]string{"postier", "man", "profile", "fly"}, command.Streams{
		In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &complaints, Getenv: func(string) string { return "" },
	})
	if code != exitcode.Usage || !strings.Contains(complaints.String(), "profile fly") {
		t.Errorf("exit %d: %s", code, complaints.String())
	}
}

func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for shell, want := range map[string]string{
		"bash": "complete -o default", "zsh": "#compdef postier", "fish": "complete -c postier",
		"powershell": "Register-ArgumentCompleter",
	} {
		if got := said(t, "completion", shell); !strings.Contains(got, want) {
			t.Errorf("%s: no %q", shell, want)
		}
	}
	help := said(t, "--lang", "fr", "completion", "--help")
	if !strings.Contains(help, "Pour le charger") || strings.Contains(help, "Generate") {
		t.Errorf("help is not French:\n%s", help)
	}
}

func TestCompletionOffersNames(t *testing.T) {
	t.Parallel()
	config := t.TempDir() + "/none.json"
	if got := said(t, "__complete", "--config", config, "export", "ms"); !strings.HasPrefix(got, "msmtp\n") {
		t.Errorf("export: %q", got)
	}
	if got := said(t, "__complete", "--config", config, "diagnose", ""); !strings.Contains(got, "smtp\t") {
		t.Errorf("diagnose: %q", got)
	}
	for words, want := range map[string]string{
		"demo --fault wrong-p":                "wrong-password",
		"diagnose --only smtp.c":              "smtp.certificate",
		"diagnose smtp --auth scram-sha-2":    "scram-sha-256",
		"setup --smtp-security start":         "starttls",
		"setup --provider gm":                 "gmail",
		"setup --imap-security t":             "tls",
		"setup --sent-copy a":                 "append",
		"setup --lang d":                      "de",
		"guide gm":                            "gmail",
		"guide gmail --format h":              "html",
		"report --format j":                   "json",
		"log export --format c":               "csv",
		"explain A-1":                         "A-11",
		"explain app-p":                       "app-password-required",
		"explain smtp.auth-":                  "smtp.auth-offered",
		"explain --reply x --protocol i":      "imap",
		"explain --reply x --provider posteo": "posteo",
	} {
		got := strings.Split(said(t, append([]string{"__complete"}, strings.Fields(words)...)...), "\n")
		if !slices.Contains(got, want) || slices.Contains(got, ":0") {
			t.Errorf("%s: no %s among %q", words, want, got)
		}
	}
}
