package explain

// AnswerFor is the answer that Match gave earlier, found again by its cause and the id of the catalogue entry. An id that
// is empty or unknown gives the cause's own texts.
func AnswerFor(cause, reply string) Answer {
	a := answer(cause, Query{})
	if reply == "" {
		return a
	}
	for _, protocol := range []string{SMTP, IMAP, TLS, TCP, DNS} {
		for _, r := range replies(protocol) {
			if r.ID == reply && r.Cause == cause {
				a.Reply, a.own = r.ID, r.Text
				return a
			}
		}
	}
	return a
}
