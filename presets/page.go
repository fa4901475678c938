package presets

import (
	"cmp"

	"postier/internal/check"
)

// Page is the provider's own page about a cause, "" where none is known: the one where the password or key is made, the
// one where programs are allowed, or else the page about mail programs.
func (p *Provider) Page(cause check.Cause) string {
	switch cause {
	case check.CauseWrongPassword, check.CauseAppPasswordRequired, check.CausePasswordExpired:
		return cmp.Or(p.AppPasswordURL, p.DocsURL)
	case check.CauseSMTPAuthDisabled, check.CauseBasicAuthDisabled, check.CauseClientAccessDisabled,
		check.CauseWebmailLoginRequired:
		if p.EnableFirst != nil && p.EnableFirst.URL != "" {
			return p.EnableFirst.URL
		}
	}
	return p.DocsURL
}
