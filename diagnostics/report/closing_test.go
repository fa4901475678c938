package report

import (
	"slices"
	"testing"

	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
)

// TestClosing: the settings are not blamed for somebody else's address, and checks that pass are not called working
// where nothing is sent.
func TestClosing(t *testing.T) {
	t.Parallel()
	const off = "It is off."
	self, other := account.Target{Address: "a@x.example"}, account.Target{Address: "a@x.example", Recipient: "b@y.example"}
	unknown := diagnostics.Result{ID: check.SMTPRecipient, Status: check.Fail, Cause: check.CauseRecipientUnknown}
	relay := diagnostics.Result{ID: check.SMTPRecipient, Status: check.Fail, Cause: check.CauseRelayDenied}
	refused := diagnostics.Result{ID: check.SMTPAuth, Status: check.Fail, Cause: check.CauseWrongPassword}
	fine := diagnostics.Result{ID: check.SMTPAuth, Status: check.Pass}
	for _, c := range []struct {
		target  account.Target
		off     string
		results []diagnostics.Result
		want    []string
	}{
		{self, "", []diagnostics.Result{fine}, []string{"Everything works."}},
		{self, off, []diagnostics.Result{fine}, []string{"The checks pass.", off}},
		{other, "", []diagnostics.Result{fine, unknown}, []string{
			"The settings work. Only the address b@y.example was refused:", "Recipient does not exist (R-38)",
		}},
		{self, "", []diagnostics.Result{fine, unknown}, []string{
			"It does not work yet.", "Fix this first: Recipient does not exist (R-38)",
		}},
		{other, "", []diagnostics.Result{fine, relay}, []string{
			"It does not work yet.", "Fix this first: The server does not forward this mail (S-33)",
		}},
		{other, off, []diagnostics.Result{refused, unknown}, []string{
			"It does not work yet.", "Fix this first: User name or password not accepted (A-14)", off,
		}},
	} {
		got := Closing(Info{Lang: locale.English, Target: c.target, Off: c.off}, c.results)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
