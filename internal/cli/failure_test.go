package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/internal/cli/command"
)

// TestFailuresAsJSON: every command that ends without a result says so as one JSON object with --json, with the exit
// code of the run, and prints the same sentence on standard error.
func TestFailuresAsJSON(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	none := filepath.Join(folder, "none.json")
	invalid := write("invalid.json", `{"version":1,"profiles":{"a":{"from":{"address":"nobody"}}}}`, 0o600)
	open := write("open.json", `{"version":1,"profiles":{}}`, 0o644)
	newer := write("newer.json", `{"version":99,"profiles":{}}`, 0o600)
	broken := write("broken.json", `{"version":`, 0o600)
	for _, c := range []struct {
		args  string
		code  int
		cause string
		more  string
	}{
		{"profile show nope --config " + none, 78, "", ""},
		{"queue list --config " + none, 78, "", ""},
		{"log --config " + none, 78, "", ""},
		{"limits show --config " + none, 78, "", ""},
		{"profile list --config " + open, 78, "config-too-open", ""},
		{"profile show --config " + newer, 78, "config-newer", ""},
		{"profile show --config " + broken, 78, "config-invalid", ""},
		{"send --to a@b.example --config " + invalid, 78, "config-invalid", `"faults":[{"path":"profiles.a`},
		{"explain no-such-thing", 65, "", ""},
		{"explain", 64, "", ""},
		{"diagnose dns", 64, "", ""},
		{"profile", 64, "", ""},
		{"profile list --no-such-flag", 64, "", ""},
		{"no-such-command", 64, "", ""},
		{"send --direct --queue --to a@b.example", 64, "", "--direct, --queue"},
		{"send --test --for-real --to a@b.example", 64, "", "--for-real, --test"},
		{"demo --serve --yes", 64, "", "--serve, --yes"},
		{"profile list --lang xx", 64, "", ""},
		{"setup --yes --config " + none, 65, "", `"step":"address","field":"address"`},
		{
			"setup a@durand.example --yes --smtp-host mail.durand.example --smtp-port 465 --config " + none, 65, "",
			`"step":"credential","field":"secret","flag":"--password-file"`,
		},
	} {
		var out, said bytes.Buffer
		args := append([]string{"postier", "--json"}, strings.Fields(c.args)...)
		code := run(args, command.Streams{
			In: strings.NewReader(""), Out: &out, Err: &said, Getenv: func(string) string { return "" },
		})
		var answer struct {
			Error struct {
				Code    int
				Cause   string
				Message string
			}
		}
		decoder := json.NewDecoder(&out)
		text := out.String()
		if err := decoder.Decode(&answer); err != nil || decoder.More() || strings.Count(text, "\n") != 1 {
			t.Errorf("%s prints %q", c.args, text)
			continue
		}
		if got := answer.Error; code != c.code || got.Code != c.code || got.Cause != c.cause || got.Message == "" ||
			!strings.Contains(text, c.more) {
			t.Errorf("%s: exit %d, prints %s", c.args, code, text)
		}
		if !strings.Contains(said.String(), strings.Fields(answer.Error.Message)[0]) {
			t.Errorf("%s: standard error says %q", c.args, said.String())
		}
	}
}

// TestOneAnswer: a result that says what failed is the only answer.
func TestOneAnswer(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"discover no-address",
		"diagnose smtp 127.0.0.1:1 --timeout 2s",
		"version",
		"demo --yes",
		"demo --yes --fault wrong-password",
	} {
		var out bytes.Buffer
		run(append([]string{"postier", "--json"}, strings.Fields(args)...), command.Streams{
			In: strings.NewReader(""), Out: &out, Err: new(bytes.Buffer), Getenv: func(string) string { return "" },
		})
		decoder := json.NewDecoder(&out)
		var answer any
		if err := decoder.Decode(&answer); err != nil || decoder.More() {
			t.Errorf("%s prints more than one answer, or none: %v", args, err)
		}
	}
}
