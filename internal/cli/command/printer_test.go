package command

import (
	"bytes"
	"strings"
	"testing"

	"postier/internal/typeset"
)

// screen is a terminal of the usual width.
type screen struct{ bytes.Buffer }

func (*screen) IsTerminal() bool { return true }

// TestReadable: at a terminal no word is broken, and a command stays whole; a program gets the line as it is.
func TestReadable(t *testing.T) {
	t.Parallel()
	const said = "Nothing was sent, because the password was refused and the provider asks for a new one. " +
		"Put it right with `postier --config /srv/atelier/config.json setup --edit office`."
	file, at := new(bytes.Buffer), new(screen)
	plain, wrapped := &Printer{Streams: Streams{Err: file}}, &Printer{Streams: Streams{Err: at}}
	for _, p := range []*Printer{plain, wrapped} {
		p.Note(said)
		p.Question("Again?")
	}
	if want := said + "\nAgain? "; file.String() != want {
		t.Errorf("%q", file)
	}
	for line := range strings.SplitSeq(at.String(), "\n") {
		if typeset.Width(line) >= Columns(at) {
			t.Errorf("%q does not fit", line)
		}
	}
	if strings.Join(strings.Fields(at.String()), " ") != strings.TrimSpace(strings.ReplaceAll(file.String(), "\n", " ")) ||
		!strings.Contains(at.String(), "`postier --config /srv/atelier/config.json setup --edit office`") {
		t.Errorf("%q", at)
	}
}
