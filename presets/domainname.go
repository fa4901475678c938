package presets

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"postier/internal/safetext"
)

// ALabel turns a domain as people type it into lower-case A-labels (RFC 5890), without a final dot.
func ALabel(domain string) (string, error) {
	domain = strings.TrimSuffix(domain, ".")
	if safetext.IsASCII(domain) {
		return strings.ToLower(domain), nil
	}
	out, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("the domain %q cannot be written for the DNS: %w", domain, err)
	}
	return out, nil
}

// fold lowers s and drops accents, for searching.
func fold(s string) string {
	if safetext.IsASCII(s) {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
