package explain

import "postier/internal/check"

// AnswerFor is the answer that Match gave earlier, found again by its cause and the id of the catalogue entry. An id
// that is empty or unknown gives the cause's own texts, and so does an entry of another service than the provider: its
// advice ("in the Google account …") would mislead.
func AnswerFor(cause check.Cause, reply, provider string) Answer {
	a := answer(cause, Query{})
	if reply == "" {
		return a
	}
	for _, protocol := range []string{SMTP, IMAP, TLS, TCP, DNS} {
		for _, r := range replies(protocol) {
			if r.ID == reply && r.Cause == cause {
				a.Reply = r.ID
				if !foreign(r.Provider, providerNames(provider)) {
					a.own = r.Text
				}
				return a
			}
		}
	}
	return a
}
