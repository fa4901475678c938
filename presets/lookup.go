package presets

import (
	"slices"
	"strings"

	"postier/internal/locale"
)

// By says what a match is based on.
type By string

// The bases of a match, from the most to the least trusted.
const (
	ByDomain By = "domain"
	ByMX     By = "mx"
	BySPF    By = "spf"
)

// Match is a provider found by look-up. The provider's file is not read yet: see Book.Get.
type Match struct {
	ID     string
	Source Source
	By     By
	// On is the domain, the MX suffix or the SPF target that matched, as the index spells it.
	On string
}

// Entry is a provider as the list of providers shows it.
type Entry struct {
	ID        string
	Name      string
	Names     []NameIn // none where the name needs no translation
	Kind      Kind
	Source    Source
	Countries string // parted by spaces
	// SameAs is the flagship that an entry of the second source is; such an entry is not listed in addition to it.
	SameAs string
}

// NameIn is a provider's name in one language. The index holds them as a list, because a map would be built at each
// start.
type NameIn struct {
	Lang locale.Lang
	Name string
}

// NameIn is the name as a person who speaks the language reads it.
func (e Entry) NameIn(lang locale.Lang) string {
	if len(e.Names) == 0 {
		return e.Name
	}
	return e.Translations().In(lang)
}

// Translations are the names by language, empty where the name needs no translation.
func (e Entry) Translations() Text {
	out := Text{}
	for _, n := range e.Names {
		out[n.Lang] = n.Name
	}
	return out
}

// indexRow is a row of the generated index: a name, and the files of its providers as folder/id, parted by spaces, best
// first. The tables are sorted by name, and providerIndex by id.
type indexRow struct{ name, providers string }

// maxName is the longest domain name in text form (RFC 1035 §2.3.4, without the final dot).
const maxName = 253

// name is a lower-case domain name in a fixed place, so that looking it up allocates nothing.
type name struct {
	buf [maxName]byte
	n   int
}

// set lowers s and drops one final dot. It reports whether s can be a name in A-label form.
func (b *name) set(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c >= 0x80 || c <= ' ':
			return false
		}
		b.buf[i] = c
	}
	b.n = len(s)
	return true
}

func (b *name) bytes() []byte { return b.buf[:b.n] }

// Lookup finds the provider of an address domain in A-label form, without regard to case or a final dot. A subdomain of
// a known domain counts as a different domain, about which nothing is known.
func Lookup(domain string) (Match, bool) {
	var b name
	if !b.set(domain) {
		return Match{}, false
	}
	row := findRow(b.bytes(), domainIndex)
	if row == nil {
		return Match{}, false
	}
	return row.match(row.providers, ByDomain), true
}

// LookupMX finds the providers whose MX names end as host does: the longest suffix wins, on label boundaries.
// More than one comes back where products share their MX; then only the person knows which it is.
// A flagship's suffix wins over a longer one of the second source.
func LookupMX(host string) []Match {
	if m := lookupSuffix(host, flagshipSuffixes); m != nil {
		return m
	}
	return lookupSuffix(host, ispdbSuffixes)
}

func lookupSuffix(host string, index []indexRow) []Match {
	var b name
	if !b.set(host) {
		return nil
	}
	for key := b.bytes(); len(key) > 0; key = afterDot(key) {
		if row := findRow(key, index); row != nil {
			return row.matches(ByMX)
		}
	}
	return nil
}

// findRow finds the row with exactly this name.
func findRow(key []byte, index []indexRow) *indexRow {
	lo, hi := 0, len(index)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		// Comparing a converted byte slice does not allocate.
		if index[mid].name < string(key) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(index) || index[lo].name != string(key) {
		return nil
	}
	return &index[lo]
}

// builtIn finds the entry of a built-in provider.
func builtIn(id string) *Entry {
	at, found := slices.BinarySearchFunc(providerIndex[:], id,
		func(e Entry, id string) int { return strings.Compare(e.ID, id) })
	if !found {
		return nil
	}
	return &providerIndex[at]
}

func (r *indexRow) match(file string, by By) Match {
	source, id := SourceISPDB, strings.TrimPrefix(file, "ispdb/")
	if len(id) == len(file) {
		source, id = SourceFlagship, strings.TrimPrefix(file, "flagships/")
	}
	return Match{ID: id, Source: source, By: by, On: r.name}
}

func (r *indexRow) matches(by By) []Match {
	out := make([]Match, 0, 1+strings.Count(r.providers, " "))
	for file := range strings.FieldsSeq(r.providers) {
		out = append(out, r.match(file, by))
	}
	return out
}

// LookupSPF finds the providers whose customers include or redirect to this name in their SPF record. When the MX names
// a mail filter, this is a hint at where the mailbox is, and no more: a domain may include anyone who sends for it.
func LookupSPF(target string) []Match {
	var b name
	if !b.set(target) {
		return nil
	}
	if row := findRow(b.bytes(), spfIndex); row != nil {
		return row.matches(BySPF)
	}
	return nil
}

// afterDot returns what follows the first label.
func afterDot(key []byte) []byte {
	for i, c := range key {
		if c == '.' {
			return key[i+1:]
		}
	}
	return nil
}
