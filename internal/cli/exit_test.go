package cli

import (
	"bytes"
	"strings"
	"testing"

	"postier/internal/exitcode"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
)

// TestSetupWithoutSignIn: a run without a person ends as refused (docs/reference.md §4), and says what to do.
func TestSetupWithoutSignIn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := english()
	f.Out, f.Err = &out, &out
	if code := exit(f, &plain.Stopped{Step: wizard.StepCredential, SignIn: true, Question: true}); code != 77 ||
		!strings.Contains(out.String(), "step 5") {
		t.Errorf("%d %q", code, out.String())
	}
}

// A worker that panicked is told in one line, with the stack below it, and nothing in it acts on a terminal.
func TestExitOfPanic(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	f := english()
	f.Err = &out
	code := exit(f, &carrier.PanicError{
		Value: "smtp.auth: out of luck\x1b[2J\n\nstack of the check",
		Stack: []byte("stack\n"),
	})
	want := "postier: a check broke down: smtp.auth: out of luck\\x1b[2J\n"
	if got := out.String(); code != exitcode.Failed || !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") ||
		!strings.Contains(got, "stack of the check") || !strings.HasSuffix(got, "  stack\n") {
		t.Errorf("%d\n%s", code, got)
	}
}
