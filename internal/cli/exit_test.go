package cli

import (
	"bytes"
	"cmp"
	"strings"
	"testing"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
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

// TestCauseIsTheLastWord: a script takes what stands after the last colon of the last line as the cause, in every
// language; the code for people is on the line, too.
func TestCauseIsTheLastWord(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"C", "fr_FR.UTF-8", "de_DE.UTF-8"} {
		for _, saved := range []bool{false, true} {
			var out bytes.Buffer
			f := command.NewFactory(command.Streams{
				In: strings.NewReader(""), Out: &out, Err: &out, Getenv: func(name string) string {
					return map[string]string{"LC_ALL": lang}[name]
				},
			}, version)
			exit(f, &plain.Stopped{
				Step: wizard.StepSubmission, Finding: &wizard.Report{Cause: check.CauseWrongPassword}, Saved: saved,
			})
			line := strings.TrimSuffix(out.String(), "\n")
			if got := line[strings.LastIndex(line, ": ")+2:]; got != "wrong-password" || !strings.Contains(line, "A-14") {
				t.Errorf("%s: %q", lang, line)
			}
		}
	}
}

// TestColumnsOfTheFaults: what a program counted in the list of faults stays where it was.
func TestColumnsOfTheFaults(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := run([]string{"postier", "demo", "--list-faults"}, command.Streams{
		In: strings.NewReader(""), Out: &out, Err: &out, Getenv: func(name string) string {
			return map[string]string{"LC_ALL": "C"}[name]
		},
	})
	for line := range strings.Lines(out.String()) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(columns) != 4 || !strings.Contains(columns[2], " ") {
			t.Fatalf("%q", line)
		}
		want := explain.Code(check.Cause(columns[1]))
		if columns[3] != cmp.Or(want, "-") {
			t.Errorf("%q, its code is %q", line, want)
		}
	}
	if code != exitcode.OK || out.Len() == 0 {
		t.Errorf("%d %q", code, out.String())
	}
}
