package presets

import (
	"strings"

	"postier/internal/safetext"
)

// popular are domains with so many users that a similar name is more likely a typing mistake than another domain.
var popular = []string{
	"gmail.com", "googlemail.com",
	"outlook.com", "outlook.fr", "outlook.de", "hotmail.com", "hotmail.fr", "hotmail.de", "hotmail.it", "hotmail.es",
	"hotmail.co.uk", "live.com", "live.fr", "msn.com",
	"yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.it", "yahoo.es", "yahoo.co.uk", "ymail.com", "aol.com",
	"icloud.com", "me.com",
	"orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "neuf.fr", "laposte.net", "bbox.fr",
	"gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.com", "gmx.fr", "web.de", "t-online.de", "freenet.de", "posteo.de",
	"mailbox.org", "bluewin.ch", "skynet.be", "telenet.be", "libero.it", "virgilio.it",
	"proton.me", "protonmail.com", "fastmail.com", "zoho.com", "yandex.ru", "mail.ru",
}

// Typo suggests the popular domain that was probably meant. It never suggests anything for a domain that is itself
// known to the book. The suggestion is a question for the person; nothing is corrected automatically.
func (b *Book) Typo(domain string) (suggestion string, ok bool) {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if len(domain) > maxTypo || !safetext.IsASCII(domain) || !strings.Contains(domain, ".") {
		return "", false
	}
	if _, known := b.Domain(domain); known {
		return "", false
	}
	best := noMatch
	for _, p := range popular {
		if d := slip(domain, p); d < best {
			best, suggestion = d, p
		}
	}
	return suggestion, best < noMatch
}

const (
	// maxTypo is longer than every popular domain with two slips.
	maxTypo = 32
	noMatch = 100
	// shortName is the length up to which one different letter makes a different name: fred.fr is not a mistyped free.fr.
	shortName = 4
)

// slip counts the typing mistakes between a typed domain and a known one. It is noMatch if they differ by more than one
// mistake in the name and one in the ending. A missing dot before the ending counts as one.
func slip(typed, meant string) int {
	name, tld, _ := strings.Cut(typed, ".")
	meantName, meantTLD, _ := strings.Cut(meant, ".")
	if typed == meantName+"."+meantTLD {
		return 0
	}
	inName, inTLD := distance(name, meantName), distance(tld, meantTLD)
	switch {
	case inName > 1 || inTLD > 1:
		return noMatch
	case inName == 1 && len(meantName) <= shortName && !sameLetters(name, meantName):
		return noMatch
	case inTLD == 1 && !plausibleTLD(tld, meantTLD, inName == 0 && len(name) > shortName):
		return noMatch
	}
	return inName + inTLD
}

// sameLetters recognises a transposition or a doubled letter, which are typing mistakes even in a short name.
func sameLetters(a, b string) bool {
	if len(a) == len(b) {
		var count [256]int
		for i := range len(a) {
			count[a[i]]++
			count[b[i]]--
		}
		return count == [256]int{}
	}
	return squeeze(a) == squeeze(b)
}

// squeeze drops a letter that repeats the one before it.
func squeeze(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i == 0 || s[i] != s[i-1] {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// plausibleTLD keeps countries apart: gmx.be is not a mistyped gmx.de, and a company may well use .co. So an ending of
// two letters counts as a mistake only if the letters are swapped, or if all of a longer name matches (gmail.co).
func plausibleTLD(typed, meant string, exactName bool) bool {
	return len(typed) > 2 || sameLetters(typed, meant) || len(meant) > 2 && exactName
}

// distance counts insertions, deletions, substitutions and transpositions of neighbours (optimal string alignment). It
// stops at 2: more is never needed.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 1 || d < -1 {
		return 2
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case a == "" && b == "":
		return 0
	case len(a)+len(b) == 1, len(a) == 1 && len(b) == 1:
		return 1
	case len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]:
		return 1
	default:
		return 2
	}
}
