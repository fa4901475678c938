package cli

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safefile/safefiletest"
	"postier/share"
	"postier/share/local"
	"postier/wizard"
)

// lookAt joins the session whose code is on the console.
func lookAt(t *testing.T, c *console, getenv func(string) string) *share.Viewer {
	t.Helper()
	c.wait("Tell support this code")
	code, ok := share.ParseCode(regexp.MustCompile(`\d{4} \d{4}`).FindString(c.written()))
	if !ok {
		t.Fatalf("no code in\n%s", c.written())
	}
	stream, err := local.Machine{Getenv: getenv}.Join(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	v := share.NewViewer(stream)
	t.Cleanup(v.Close)
	return v
}

// until waits until a helper sees something.
func until(t *testing.T, v *share.Viewer, what string, true_ func(share.Seen) bool) share.Seen {
	t.Helper()
	late := time.After(time.Minute)
	for {
		seen := v.Seen()
		if true_(seen) {
			return seen
		}
		select {
		case <-seen.Changed:
		case <-late:
			t.Fatalf("the helper never saw %s: %+v", what, seen)
		}
	}
}

func statusOf(v wizard.Screen, id check.ID) check.Status {
	if i := slices.IndexFunc(v.Checks, func(r wizard.Report) bool { return r.ID == id }); i >= 0 {
		return v.Checks[i].Status
	}
	return "not there"
}

// TestDiagnoseShared: the checks wait for the helper, who sees each verdict as it comes and not only the end: here the
// person is asked something in the middle. The person reads what support writes, and Enter ends it. The password
// crosses in no form.
func TestDiagnoseShared(t *testing.T) {
	t.Parallel()
	home := safefiletest.Home(t)
	getenv := func(name string) string {
		return map[string]string{"HOME": home, "XDG_RUNTIME_DIR": home, "TERM": "dumb"}[name]
	}
	args := demoArgs(t, "wrong-password", "diagnose")
	c := startConsoleIn(t, getenv, append(args, "--share")...)
	c.wait("as soon as support looks")
	if strings.Contains(c.written(), "PASS") {
		t.Error("the checks did not wait for support")
	}
	v := lookAt(t, c, getenv)
	c.wait("Support is looking")
	c.wait("Try once more anyway?")
	seen := until(t, v, "the refused sign-in", func(s share.Seen) bool {
		return statusOf(s.View.Screen, check.SMTPAuth) == check.Fail
	})
	if s := seen.View.Screen; s.Busy == nil || statusOf(s, check.SMTPTLS) != check.Pass ||
		statusOf(s, check.IMAPAuth) != "" {
		t.Errorf("in the middle of the run: %+v", s)
	}
	v.Remark("look at the password")
	_, _ = c.master.WriteString("n\n")
	end := until(t, v, "the end", func(s share.Seen) bool { return s.View.Screen.Busy == nil }).View.Screen
	if end.Finding == nil || end.Finding.ID != check.SMTPAuth || end.Finding.Code != "A-14" ||
		len(end.Finding.Details) == 0 {
		t.Errorf("what failed: %+v", end.Finding)
	}
	german := report.Name(locale.German, check.SMTPAuth)
	if name := end.Finding.Name.Say(locale.German, ""); !strings.Contains(name, german) {
		t.Errorf("the check is called %q", name)
	}
	c.wait("support│ look at the password")
	c.wait("until you press Enter")
	_, _ = c.master.WriteString("\n")
	if code := c.exitCode(); code != exitcode.NoPerm {
		t.Errorf("exit code %d", code)
	}
	if over := until(t, v, "the end of the view", func(s share.Seen) bool { return s.Over }); over.Err != nil {
		t.Error(over.Err)
	}
	at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--password-file=") })
	password, err := os.ReadFile(strings.TrimPrefix(args[at], "--password-file="))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []wizard.Screen{seen.View.Screen, end} {
		if text, err := json.Marshal(s); err != nil || strings.Contains(string(text), string(password)) {
			t.Errorf("the password crosses: %v", err)
		}
	}
}

// TestDiagnoseSharedEnds: + ends the view in the middle of the checks, which go on.
func TestDiagnoseSharedEnds(t *testing.T) {
	t.Parallel()
	home := safefiletest.Home(t)
	getenv := func(name string) string {
		return map[string]string{"HOME": home, "XDG_RUNTIME_DIR": home}[name]
	}
	c := startConsoleIn(t, getenv, append(demoArgs(t, "wrong-password", "diagnose"), "--share")...)
	c.wait("as soon as support looks")
	_, _ = c.master.WriteString("+\n") // instead of waiting
	c.wait("You have ended sharing")
	c.wait("Try once more anyway?")
	_, _ = c.master.WriteString("n\n")
	if code := c.exitCode(); code != exitcode.NoPerm {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(c.written(), "until you press Enter") {
		t.Errorf("waits for no one:\n%s", c.written())
	}
}
