package smtp

import "postier/diagnostics/explain"

// match is what the catalogue says about a reply.
type match struct {
	Cause string
	Entry string // id of the catalogue's entry; empty for a general answer
	Group string
}

// match asks the catalogue, with the provider's name where the words alone are not unique.
func (l *ladder) match(r Reply) match {
	query := explain.ParseReplyAs(explain.SMTP, r.Text())
	query.Provider = l.target.Provider
	answer := explain.Match(query)
	return match{Cause: answer.Cause, Entry: answer.Reply, Group: answer.Info().Group}
}
