package smtp

import (
	"bytes"
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/scripted"
)

func TestEveryRungPassesWithEvidence(t *testing.T) {
	t.Parallel()
	for _, security := range []config.Security{config.SecurityTLS, config.SecurityStartTLS} {
		t.Run(string(security), func(t *testing.T) {
			t.Parallel()
			b := start(t, security, scripted.Options{})
			results := b.run(t, Options{})
			wantPass(t, results)
			noLeak(t, results)
			for _, r := range results {
				skipped := r.ID == check.NetConnect6 || (r.ID == check.SMTPInjection && security == config.SecurityTLS)
				if want := map[bool]check.Status{false: check.Pass, true: check.Skip}[skipped]; r.Status != want {
					t.Errorf("%s is %s %s, want %s", r.ID, r.Status, r.Cause, want)
				}
				if r.Status == check.Pass && (len(r.Evidence) == 0 || r.Cause != "") {
					t.Errorf("%s passed with cause %q and %d pieces of evidence", r.ID, r.Cause, len(r.Evidence))
				}
			}
			b.server.NoSecretInClear(t, password, user)
			commands := strings.Join(b.server.Commands(), " ")
			want := map[config.Security]string{
				config.SecurityTLS:      "EHLO AUTH MAIL RCPT RSET QUIT",
				config.SecurityStartTLS: "EHLO STARTTLS EHLO AUTH MAIL RCPT RSET QUIT",
			}[security]
			if commands != want {
				t.Errorf("commands %q, want %q", commands, want)
			}
		})
	}
}

func TestMessageIsSentWholeAndItsQueueIDKept(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityStartTLS, scripted.Options{})
	message := "Subject: x\nFrom: a\n\n.dot\nlast"
	results := b.run(t, Options{Message: []byte(message)})
	wantPass(t, results)
	e, ok := diagnostics.Observed[QueueID](find(t, results, check.SMTPData).Evidence)
	if !ok || e.Text.Raw() != "0FB409BA029" {
		t.Errorf("queue id %q", e.Text.Raw())
	}
	if want := "Subject: x\r\nFrom: a\r\n\r\n..dot\r\nlast\r\n.\r\n"; !bytes.Contains(b.server.Received(), []byte(want)) {
		t.Errorf("the server got %q", b.server.Received())
	}
}
