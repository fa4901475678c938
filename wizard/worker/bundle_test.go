package worker

import (
	"context"
	"os"
	"strings"
	"testing"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/wizard"
)

// TestReportForSupport: the report has what the checks found and what the server said, and neither the secret nor whose
// account it is.
func TestReportForSupport(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "sender-not-owned")
	h.Version = "1.2.3"
	r := h.request(wizard.DoSubmission)
	h.do(context.Background(), r)
	// A server repeats the secret with which the checks signed in; the request for the report does not have it.
	results, _ := h.found.all()
	h.found.keep(wizard.DoSent, append(results[:1:1], diagnostics.Result{
		ID: check.IMAPAuth, Status: check.Fail, Cause: check.CauseWrongPassword,
		Evidence: []diagnostics.Observation{diagnostics.Reply{Text: safetext.FromRemote("NO not " + r.Secret.Reveal())}},
	}))
	r = h.request(wizard.DoReport)
	r.Secret = secretOf("")
	out, _ := h.do(context.Background(), r)
	text := h.file("postier-report.md")
	if !out.Err.Empty() || out.File == "" || text == "" {
		t.Fatalf("%+v", out)
	}
	for _, want := range []string{"1.2.3", "S-34", "553 5.7.1", "smtp.sender", "NO not ***"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not hold %q", want)
		}
	}
	for _, not := range []string{h.provider.Typed.Reveal(), h.provider.Address} {
		if strings.Contains(text, not) {
			t.Errorf("it holds %q", not)
		}
	}
	if info, err := os.Stat(out.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.RemoveAll(h.folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.folder, nil, 0o600); err != nil { // no folder to write to
		t.Fatal(err)
	}
	if out, _ = h.do(context.Background(), h.request(wizard.DoReport)); out.Err.Empty() || out.File != "" {
		t.Errorf("nothing was written, and it says %+v", out)
	}
}
