package command

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"postier/tui/plain"
)

// TestKeep: what is kept is what the terminal shows in the end, from both streams, and what it is shown is unchanged.
func TestKeep(t *testing.T) {
	t.Parallel()
	out, errs := &screen{}, &screen{}
	p := &Printer{Streams: Streams{
		In: strings.NewReader("y\n"), Out: out, Err: errs, Getenv: func(string) string { return "" },
	}}
	text := p.Keep()
	if !plain.IsTerminal(p.Out) || !plain.IsTerminal(p.Err) {
		t.Error("a kept terminal is none any more")
	}
	p.Println("begin")
	p.Println("running 1")
	p.Println("running 2")
	Erase(p.Out, 2)
	p.Raw("\x1b[31mFAIL\x1b[0m the port")
	if !p.Confirm(context.Background(), "again?") {
		t.Error("the answer is lost")
	}
	p.Note("the end")
	want := "begin\nFAIL the port\nagain? \nthe end\n"
	if got := text(); got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if p.Out != out || p.Err != errs {
		t.Error("the streams are not what they were")
	}
	p.Println("after")
	if got := text(); got != want {
		t.Errorf("kept after the end: %q", got)
	}
	if !strings.Contains(out.String(), "\x1b[2A") || !strings.HasSuffix(out.String(), "after\n") {
		t.Errorf("the terminal was shown %q", out)
	}
}

// TestKeepOnlyTerminals: a stream that goes into a file is not part of the page.
func TestKeepOnlyTerminals(t *testing.T) {
	t.Parallel()
	file := &bytes.Buffer{}
	p := &Printer{Streams: Streams{Out: &screen{}, Err: file, Getenv: func(string) string { return "" }}}
	text := p.Keep()
	p.Println("result")
	p.Note("note")
	if got := text(); got != "result\n" || file.String() != "note\n" {
		t.Errorf("kept %q, in the file %q", got, file)
	}
}

// TestAgree: what the person has just asked for is done unless they say no, or nobody answers.
func TestAgree(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"\n": true, "y\n": true, "n\n": false, "No\n": false, "": false} {
		p := &Printer{Streams: Streams{
			In: strings.NewReader(typed), Out: &screen{}, Err: &screen{}, Getenv: func(string) string { return "" },
		}}
		if got := p.Agree(context.Background(), "write?"); got != want {
			t.Errorf("%q: %v", typed, got)
		}
	}
}
