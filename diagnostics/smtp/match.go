package smtp

// match is what the catalogue says about a reply.
type match struct {
	Cause string
	Entry string // id of the catalogue's entry
	Group string
}

func (l *ladder) match(r Reply) match { return match{} }
