package cli

import (
	"strings"
	"syscall"
	"testing"

	"postier/internal/safefile"
	"postier/wizard/carrier"
)

// What cannot be written is 74, what must not be read 78 (docs/reference.md §4).
func TestCodeOfFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op      string
		problem safefile.Problem
		code    int
	}{
		{"create", safefile.Denied, exitIO},
		{"lock", safefile.Denied, exitIO},
		{"rename", safefile.ReadOnly, exitIO},
		{"write", safefile.DiskFull, exitIO},
		{"open", safefile.Denied, exitConfig},
		{"write", safefile.NotRegular, exitConfig},
	} {
		if got := codeOf(&safefile.Error{Op: c.op, Path: "/x", Problem: c.problem, Err: syscall.EACCES}); got != c.code {
			t.Errorf("%s %s: %d, want %d", c.op, c.problem, got, c.code)
		}
	}
}

// An IPv6 address stands in brackets before a port, and needs none without.
func TestHostPort(t *testing.T) {
	t.Parallel()
	a := &app{streams: streams{getenv: func(string) string { return "" }}}
	for text, want := range map[string]struct {
		host string
		port int
	}{
		"[::1]:465": {"::1", 465}, "[::1]": {"::1", 0}, "::1": {"::1", 0}, "mx.example:25": {"mx.example", 25},
		"mx.example": {"mx.example", 0},
	} {
		host, port, err := a.hostPort(text)
		if err != nil || host != want.host || port != want.port {
			t.Errorf("%s: %q %d %v", text, host, port, err)
		}
	}
	if _, _, err := a.hostPort("[mx.example]:25"); err == nil {
		t.Error("a name in brackets was taken")
	}
}

// A worker that panicked is told in one line, with the stack below it, and nothing in it acts on a terminal.
func TestExitOfPanic(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := &app{streams: streams{err: &out, getenv: func(string) string { return "" }}}
	code := a.exit(&carrier.PanicError{
		Value: "smtp.auth: out of luck\x1b[2J\n\nstack of the check",
		Stack: []byte("stack\n"),
	})
	want := "postier: a check broke down: smtp.auth: out of luck\\x1b[2J\n"
	if got := out.String(); code != exitFailed || !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") ||
		!strings.Contains(got, "stack of the check") || !strings.HasSuffix(got, "  stack\n") {
		t.Errorf("%d\n%s", code, got)
	}
}
