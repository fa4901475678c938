package export

import "postier/internal/locale"

var neomuttFormat = Format{
	Name: "neomutt", Summary: locale.Msg("config.export.neomutt"), carries: muttFormat.carries,
	write: func(s source) ([]Artifact, error) { return writeMutt(s, "neomuttrc") },
}
