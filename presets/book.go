package presets

import (
	"maps"
	"slices"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// Book is the set of providers that a program knows: the built-in ones, with those that the caller adds and without
// those that the caller hides. It never changes, and several goroutines may use it.
type Book struct {
	extra  []*Provider
	hidden map[string]bool
}

var standard = new(Book)

// Default returns the book of the built-in providers.
func Default() *Book { return standard }

// With returns a book that knows extra providers too. They win over built-in ones, by id, by domain and by MX suffix;
// of two extra ones the later wins.
func (b *Book) With(extra ...*Provider) *Book {
	out := &Book{hidden: b.hidden, extra: slices.Clone(extra)}
	slices.Reverse(out.extra)
	out.extra = append(out.extra, b.extra...)
	return out
}

// Without returns a book that does not know the providers with these ids.
func (b *Book) Without(ids ...string) *Book {
	out := &Book{extra: b.extra, hidden: map[string]bool{}}
	for id := range b.hidden {
		out.hidden[id] = true
	}
	for _, id := range ids {
		out.hidden[id] = true
	}
	return out
}

// Domain finds the provider of an address domain, which may be an A-label or a U-label name.
func (b *Book) Domain(domain string) (Match, bool) {
	domain = strings.TrimSuffix(domain, ".")
	if !safetext.IsASCII(domain) {
		var err error
		if domain, err = ALabel(domain); err != nil {
			return Match{}, false
		}
	}
	for _, p := range b.extra {
		if b.hidden[p.ID] {
			continue
		}
		for _, d := range p.Domains {
			if strings.EqualFold(d, domain) {
				return Match{ID: p.ID, Source: p.Source(), By: ByDomain, On: d}, true
			}
		}
	}
	m, ok := Lookup(domain)
	if !ok || b.hidden[m.ID] {
		return Match{}, false
	}
	return m, true
}

// MX finds providers by the names of a domain's mail exchangers, given in order of preference. Several come back where
// products share an MX, or where the exchangers belong to different providers: best first, each once.
func (b *Book) MX(hosts []string) []Match {
	var out []Match
	seen := map[string]bool{}
	add := func(m Match) {
		if !b.hidden[m.ID] && !seen[m.ID] {
			seen[m.ID] = true
			out = append(out, m)
		}
	}
	for _, host := range hosts {
		if m := b.extraMX(host); m != nil {
			for _, m := range m {
				add(m)
			}
			continue
		}
		for _, m := range LookupMX(host) {
			add(m)
		}
	}
	return out
}

// SPF finds providers by the names that a domain's SPF record includes or redirects to, in the record's order: mailbox
// providers first, because a transactional service only sends.
func (b *Book) SPF(targets []string) []Match {
	var out []Match
	for _, want := range []bool{true, false} {
		for _, target := range targets {
			for _, m := range LookupSPF(target) {
				known := func(other Match) bool { return other.ID == m.ID }
				if b.hidden[m.ID] || kindOf(m.ID) == KindMailbox != want || slices.ContainsFunc(out, known) {
					continue
				}
				out = append(out, m)
			}
		}
	}
	return out
}

func kindOf(id string) Kind {
	if entry := builtIn(id); entry != nil {
		return entry.Kind
	}
	return ""
}

// extraMX is LookupMX among the extra providers.
func (b *Book) extraMX(host string) []Match {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	var out []Match
	longest := 0
	for _, p := range b.extra {
		for _, suffix := range p.MXSuffixes {
			lower := strings.ToLower(suffix)
			if b.hidden[p.ID] || !below(host, lower) || len(lower) < longest {
				continue
			}
			if len(lower) > longest {
				longest, out = len(lower), nil
			}
			out = append(out, Match{ID: p.ID, Source: p.Source(), By: ByMX, On: suffix})
		}
	}
	return out
}

// Get returns the provider with this id. Its file is read the first time.
func (b *Book) Get(id string) (*Provider, bool) {
	if b.hidden[id] {
		return nil, false
	}
	for _, p := range b.extra {
		if p.ID == id {
			return p, true
		}
	}
	if entry := builtIn(id); entry != nil {
		return load(entry)
	}
	return nil, false
}

// All lists every provider once: the caller's own, then the flagships, then what only the second source knows, each by
// name. No provider's file is read for it.
func (b *Book) All() []Entry {
	out := make([]Entry, 0, len(b.extra)+len(providerIndex))
	seen := map[string]bool{}
	add := func(e Entry) {
		if !b.hidden[e.ID] && !seen[e.ID] {
			seen[e.ID] = true
			out = append(out, e)
		}
	}
	for _, p := range b.extra {
		add(Entry{
			ID: p.ID, Name: p.Name, Names: namesOf(p), Kind: p.Kind, Source: p.Source(),
			Countries: strings.Join(p.Countries, " "),
		})
	}
	for _, e := range providerIndex {
		if e.SameAs == "" {
			add(e)
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		if d := rank(a.Source) - rank(b.Source); d != 0 {
			return d
		}
		return strings.Compare(fold(a.Name), fold(b.Name))
	})
	return out
}

// namesOf lists the names of a provider as the index does.
func namesOf(p *Provider) []NameIn {
	var out []NameIn
	for _, lang := range slices.Sorted(maps.Keys(p.Names)) {
		out = append(out, NameIn{lang, p.Names[lang]})
	}
	return out
}

func rank(s Source) int {
	switch s {
	case SourceVendor:
		return 0
	case SourceFlagship:
		return 1
	default:
		return 2
	}
}

// Search lists the providers that fit what a person typed: by name, id or domain, without regard to case and accents.
// Names that start with the text come first, then those of the countries where the language is spoken.
// An empty text lists the flagships and the caller's own.
func (b *Book) Search(text string, lang locale.Lang) []Entry {
	text = fold(strings.TrimSpace(text))
	byDomain := map[string]bool{}
	if len(text) >= minDomainSearch {
		for _, row := range domainIndex {
			if strings.HasPrefix(row.name, text) {
				byDomain[row.match(row.providers, ByDomain).ID] = true
			}
		}
		for _, p := range b.extra {
			if slices.ContainsFunc(p.Domains, func(d string) bool { return strings.HasPrefix(strings.ToLower(d), text) }) {
				byDomain[p.ID] = true
			}
		}
	}
	type hit struct {
		entry Entry
		score int
	}
	var hits []hit
	for _, e := range b.All() {
		if score, ok := fits(e, text, lang, byDomain[e.ID]); ok {
			hits = append(hits, hit{e, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.score - b.score })
	out := make([]Entry, 0, len(hits))
	for _, h := range hits {
		out = append(out, h.entry)
	}
	return out
}

// minDomainSearch is the shortest text that is searched for in domains; one or two letters would list hundreds.
const minDomainSearch = 3

// fits scores one entry, lower being better: the source counts most, then how the text fits, then the country.
func fits(e Entry, text string, lang locale.Lang, byDomain bool) (int, bool) {
	folded := fold(e.NameIn(lang))
	how := 0
	switch {
	case text == "":
		if e.Source == SourceISPDB {
			return 0, false
		}
	case strings.HasPrefix(folded, text), strings.HasPrefix(e.ID, text):
	case byDomain:
		how = 1
	case strings.Contains(folded, text), strings.Contains(e.ID, text):
		how = 2
	default:
		return 0, false
	}
	return rank(e.Source)*100 + how*10 + farness(e.Countries, lang), true
}

// farness is 0 for a provider of a country where the language is spoken, 1 for one of the whole world, 2 for others.
func farness(countries string, lang locale.Lang) int {
	var home []string
	switch lang {
	case locale.French:
		home = []string{"FR", "BE", "CH", "LU", "CA"}
	case locale.German:
		home = []string{"DE", "AT", "CH", "LU"}
	default:
		home = []string{"US", "GB", "IE", "AU", "NZ", "CA"}
	}
	far := 2
	for c := range strings.FieldsSeq(countries) {
		switch {
		case slices.Contains(home, c):
			return 0
		case c == "world", c == "EU":
			far = 1
		}
	}
	return far
}
