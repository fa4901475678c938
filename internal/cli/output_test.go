package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// fullDisk refuses every write as a full file system does.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}
}

// docs/reference.md §4: 74 when writing here failed. A script must not take an empty answer for the answer.
func TestUnwrittenOutputIsNotSuccess(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.json")
	for _, args := range [][]string{
		{"version"},
		{"config", "path", "--config", config},
		{"export", "--list"},
		{"explain", "wrong-password"},
	} {
		var said recorder
		getenv := func(string) string { return "" }
		code := run(append([]string{"postier"}, args...),
			command.Streams{In: emptyInput{}, Out: fullDisk{}, Err: &said, Getenv: getenv})
		if code != exitcode.IO || said.text == "" {
			t.Errorf("%v on a full disk: exit %d saying %q, want %d and a sentence", args, code, said.text, exitcode.IO)
		}
	}
}

type recorder struct{ text string }

func (r *recorder) Write(p []byte) (int, error) {
	r.text += string(p)
	return len(p), nil
}

type emptyInput struct{}

func (emptyInput) Read([]byte) (int, error) { return 0, errors.New("closed") }

// TestNothingRawIsPrinted: a person's own file may hold what acts on a terminal, too; a vendor's program wrote it, or
// somebody else did.
func TestNothingRawIsPrinted(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[2J\u202e\u009b1m\r"
	o := newOffice(t, nil)
	data, err := os.ReadFile(o.path)
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.Trim(string(safetext.EscapeJSON(evil)), `"`)
	text := strings.ReplaceAll(string(data), `"durand"`, `"durand`+quoted+`"`)
	text = strings.ReplaceAll(text, `"label": "`, `"label": "`+quoted)
	if text == string(data) {
		t.Fatal("nothing was planted")
	}
	if err := os.WriteFile(o.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	name := "durand" + evil
	shown := 0
	for _, args := range [][]string{
		{"config", "validate"},
		{"config", "show"},
		{"config", "path"},
		{"config", "get", "default"},
		{"profile", "list"},
		{"profile", "list", "--json"},
		{"profile", "show", name},
		{"profile", "route", "a" + evil + "@x.example"},
		{"profile", "disable", name},
		{"profile", "enable", name},
		{"profile", "default", name},
		{"profile", "rename", name, evil},
		{"profile", "remove", name + "x"},
		{"queue", "list"},
		{"queue", "retry", evil},
		{"limits", "show"},
		{"limits", "show", name},
		{"suppress", "add", "x" + evil + "@x.example"},
		{"suppress", "list"},
		{"secret", "get", evil},
		{"export", "env", name},
		{"export", evil},
		{"explain", evil},
		{"explain", "--reply", "550 " + evil},
		{"guide", evil},
		{evil},
		{"discover", "--offline", "a@" + evil + ".example"},
		{"send", "--to", "x@x.example", "--dry-run", "--subject", evil, "--body", evil},
	} {
		code, stdout, stderr := o.run("", append([]string{"postier"}, args...)...)
		for _, r := range stdout + stderr {
			if r != '\n' && r != '\t' && r != '\u00a0' && r != '\u202f' && safetext.Harmful(r) {
				t.Errorf("%q printed %U (exit %d):\n%q", args, r, code, stdout+stderr)
				break
			}
		}
		if strings.Contains(stdout+stderr, "[2J") {
			shown++
		}
	}
	if shown < 10 {
		t.Errorf("the text was shown %d times only", shown)
	}
}
