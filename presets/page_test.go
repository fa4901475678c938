package presets

import (
	"net/url"
	"testing"

	"postier/internal/check"
)

// TestPage: the page fits the cause, and every one leads to the provider over HTTPS.
func TestPage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		provider string
		cause    check.Cause
		want     string
	}{
		{"gmail", check.CauseAppPasswordRequired, "https://myaccount.google.com/apppasswords"},
		{"gmail", check.CauseAccountSuspended, "https://support.google.com/accounts/answer/185833"},
		{"gmx-com", check.CauseClientAccessDisabled, "https://support.gmx.com/pop-imap/toggle.html"},
		{"custom", check.CauseWrongPassword, ""},
	} {
		got := ""
		if p, ok := Default().Get(row.provider); ok {
			got = p.Page(row.cause)
		}
		if got != row.want {
			t.Errorf("%s, %s: %q", row.provider, row.cause, got)
		}
	}
	for _, e := range Default().All() {
		p, _ := Default().Get(e.ID)
		for _, cause := range []check.Cause{
			check.CauseWrongPassword, check.CauseSMTPAuthDisabled, check.CauseSendingQuotaExceeded,
		} {
			page := p.Page(cause)
			if u, err := url.Parse(page); page != "" && (err != nil || u.Scheme != "https" && e.Source != SourceISPDB) {
				t.Errorf("%s: %q", e.ID, page)
			}
		}
	}
}
