package sasl

import (
	"slices"

	"postier/config"
	"postier/internal/safetext"
)

// Names lists the forms of a user name that may be tried, the first one first: most names have one. An address whose
// domain is outside ASCII has two, because servers know the account by one or the other: with A-labels (RFC 5891 §4.4),
// which a server without SMTPUTF8 or UTF8=ACCEPT expects, and as it was typed. A name that was typed with A-labels is
// sent like that and in no other form.
func Names(username string, utf8 bool) []string {
	if safetext.IsASCII(config.AddressDomain(username)) {
		return []string{username}
	}
	ascii := config.AddressASCIIDomain(username)
	if ascii == username { // no domain that has A-labels
		return []string{username}
	}
	names := []string{ascii, username}
	if utf8 {
		slices.Reverse(names)
	}
	return names
}
