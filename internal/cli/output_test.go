package cli

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
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
