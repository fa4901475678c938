package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
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

// TestFailuresNameTheirCodes: wherever a failure is shown, the code that can be read out over the phone is there.
func TestFailuresNameTheirCodes(t *testing.T) {
	t.Parallel()
	message := []string{"postier", "send", "--profile", "durand", "--to", "anna@customer.example", "--body", "b"}
	shows := func(o *office, exit int, code string, args ...string) {
		t.Helper()
		stdout, stderr := o.want(exit, "", args...)
		if !strings.Contains(stdout+stderr, code) {
			t.Errorf("%v: no %s in\n%s%s", args, code, stdout, stderr)
		}
	}
	for name, c := range map[string]struct {
		fail  func(*office)
		code  string
		exit  int
		shown [][]string
	}{
		"a message that waits": {
			fail: func(o *office) { o.refusing(); o.want(0, "", message...) },
			code: "N-78",
			shown: [][]string{
				message,
				{"postier", "queue", "list"},
				{"postier", "log"},
				{"postier", "log", "export"},
				{"postier", "log", "export", "--format", "jsonl"},
				{"postier", "profile", "list"},
			},
		},
		"a profile that is off": {
			fail: func(o *office) { o.withSpare(); o.switchedOff("wrong-password"); o.want(0, "", message...) },
			code: "A-14",
			shown: [][]string{
				message, append(slices.Clone(message), "--dry-run"), {"postier", "profile", "list"}, {"postier", "log"},
			},
		},
		"an open configuration": {
			fail: func(o *office) {
				if err := os.Chmod(o.path, 0o644); err != nil {
					t.Fatal(err)
				}
			},
			code: "C-156", exit: exitcode.Config,
			shown: [][]string{message, {"postier", "profile", "list"}, {"postier", "queue", "list"}, {"postier", "log"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			c.fail(o)
			for _, args := range c.shown {
				shows(o, c.exit, c.code, args...)
				if !slices.Contains(args, "export") {
					shows(o, c.exit, c.code, append(slices.Clone(args), "--json")...)
				}
			}
		})
	}
}
