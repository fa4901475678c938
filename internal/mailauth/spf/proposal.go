package spf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"postier/internal/mailauth/lookup"
	"postier/internal/pattern"
)

// Need describes the senders that must be authorised.
type Need struct {
	// Include are domains to include; the provider means one of them, the first is recommended.
	Include []string
	// Redirect is the domain that the provider wants as redirect.
	Redirect string
	// Terms are further mechanisms, as written, for a server of an unknown provider.
	Terms []string
}

// Proposal is the record to publish in place of others.
type Proposal struct {
	Record string
	// Changes say how Record differs from what was published. Nothing is dropped or weakened without one.
	Changes []Change
}

// Change is one difference. To is empty for a term that is left out, From for one that is added.
type Change struct {
	Kind     ChangeKind
	From, To string
}

// ChangeKind says why a term stands differently.
type ChangeKind string

// The changes.
const (
	ChangeUnclear   ChangeKind = "unclear"        // left out: its meaning has to be asked about
	ChangeSpace     ChangeKind = "missing-space"  // two terms in one word
	ChangeJoined    ChangeKind = "joined-strings" // the same, because strings are joined without a space (RFC 7208 §3.3)
	ChangeBroken    ChangeKind = "extra-space"    // one term in two words
	ChangeDash      ChangeKind = "typography"     // a character that word processors put in place of another
	ChangeSeparator ChangeKind = "separator"      // a comma or the like where a space belongs
	ChangeAddress   ChangeKind = "address"        // an address or a network without its mechanism, or with another one
	ChangeSpelling  ChangeKind = "spelling"
	ChangeAdded     ChangeKind = "added"               // for the provider
	ChangeAfterAll  ChangeKind = "after-all"           // was never reached
	ChangeAllAgain  ChangeKind = "several-all"         // only the first counts
	ChangeAllDiffer ChangeKind = "different-all"       // of several records; the milder one is kept
	ChangeAllOpen   ChangeKind = "open-all"            // +all, ?all or none protects nothing
	ChangeRedirect  ChangeKind = "redirect-as-include" // there can be only one, and none with all
	ChangeIdle      ChangeKind = "no-effect"           // a redirect next to all, a second exp, a second version
)

// Lost are the terms that were left out because their meaning is not clear. Whoever publishes the record without them
// may lock servers out.
func (p Proposal) Lost() []string {
	var lost []string
	for _, c := range p.Changes {
		if c.Kind == ChangeUnclear {
			lost = append(lost, c.From)
		}
	}
	return lost
}

// Propose returns the record to publish: every term of the existing records, then the needed one, and one "all" at the
// end. It fixes faulty terms if their meaning is clear. Without an existing record it builds a new one.
func Propose(existing []lookup.Text, need Need) Proposal {
	if len(existing) == 0 && len(need.Include) == 0 && len(need.Terms) == 0 && need.Redirect != "" {
		return Proposal{Record: Version + " redirect=" + need.Redirect}
	}
	p := draft{fresh: len(existing) == 0}
	for _, text := range existing {
		p.read(text)
	}
	switch {
	case len(need.Include) > 0:
		p.need("include:" + need.Include[0])
	case need.Redirect != "" &&
		(len(p.all) > 0 || len(p.redirects) > 0 && !strings.EqualFold(p.redirects[0], need.Redirect)):
		// redirect is ignored if there is an all, and there can be only one; include passes for the same servers.
		p.need("include:" + need.Redirect)
	case need.Redirect != "" && len(p.redirects) == 0:
		p.redirects = []string{need.Redirect}
		p.note(ChangeAdded, "", "redirect="+need.Redirect)
	}
	for _, t := range need.Terms {
		p.need(t)
	}
	return Proposal{Record: p.build(), Changes: p.changes}
}

// draft gathers the terms of the new record.
type draft struct {
	mechanisms, modifiers []string
	all                   []Verdict // the effective one of each record
	redirects             []string  // of records without all
	changes               []Change
	fresh                 bool // nothing was published
}

func (p *draft) note(kind ChangeKind, from, to string) {
	if c := (Change{kind, from, to}); !p.fresh && !slices.Contains(p.changes, c) {
		p.changes = append(p.changes, c)
	}
}

// add appends a term that is not there yet.
func (p *draft) add(term string) (added bool) {
	list := &p.mechanisms
	if t, _ := parseTerm(term); t.Qualifier == "" {
		list = &p.modifiers
	}
	if slices.ContainsFunc(*list, func(have string) bool { return strings.EqualFold(plus(have), plus(term)) }) {
		return false
	}
	*list = append(*list, term)
	return true
}

func (p *draft) need(term string) {
	if p.add(term) {
		p.note(ChangeAdded, "", term)
	}
}

// plus drops the default qualifier, for comparing.
func plus(term string) string { return strings.TrimPrefix(term, "+") }

// read takes in the terms of one record.
func (p *draft) read(text lookup.Text) {
	before, redirect := len(p.all), ""
	for _, token := range p.words(text) {
		t, fault := parseTerm(token)
		if fault != nil || t.Kind == Unknown && mechanismName(token) {
			fixed, kind := repair(token)
			if fixed == "" {
				p.note(ChangeUnclear, token, "")
				continue
			}
			p.note(kind, token, fixed)
			token = fixed
			t, _ = parseTerm(token)
		}
		ended := len(p.all) > before
		switch {
		case t.Kind == All && ended:
			p.note(ChangeAllAgain, token, "")
		case t.Kind == All:
			p.all = append(p.all, t.Qualifier)
		case t.Kind == Redirect && redirect != "":
			p.note(ChangeRedirect, token, "include:"+argument(token))
			p.add("include:" + argument(token))
		case t.Kind == Redirect:
			redirect = token
		case t.Kind == Exp && slices.ContainsFunc(p.modifiers, isExp):
			if !slices.Contains(p.modifiers, token) {
				p.note(ChangeIdle, token, "")
			}
		case t.Kind == Unknown && strings.EqualFold(token, Version):
			p.note(ChangeIdle, token, "")
		default:
			if ended && t.Qualifier != "" {
				p.note(ChangeAfterAll, token, token)
			}
			p.add(token)
		}
	}
	switch {
	case redirect == "":
	case len(p.all) == before:
		p.redirects = append(p.redirects, argument(redirect))
	default:
		p.note(ChangeIdle, redirect, "")
	}
}

func isExp(modifier string) bool { return strings.HasPrefix(strings.ToLower(modifier), "exp=") }

func argument(modifier string) string {
	_, value, _ := strings.Cut(modifier, "=")
	return value
}

// build writes the record: mechanisms, all, modifiers. A redirect is kept only if it is the only one and there is no
// all; otherwise it becomes an include.
func (p *draft) build() string {
	if len(p.all) == 0 && len(p.redirects) == 1 {
		p.modifiers = append(p.modifiers, "redirect="+p.redirects[0])
	} else {
		for _, r := range p.redirects {
			p.note(ChangeRedirect, "redirect="+r, "include:"+r)
			p.add("include:" + r)
		}
		p.mechanisms = append(p.mechanisms, p.ending())
	}
	return strings.Join(slices.Concat([]string{Version}, p.mechanisms, p.modifiers), " ")
}

// ending is the all of the new record: -all if every old record had it, otherwise ~all, because +all and ?all do not
// protect the domain.
func (p *draft) ending() string {
	strict, open := 0, 0
	written := ""
	for _, v := range p.all {
		switch v {
		case Fail:
			strict++
		case SoftFail:
		default:
			open++
			written = map[Verdict]string{Pass: "+all", Neutral: "?all"}[v]
		}
	}
	switch {
	case strict > 0 && strict == len(p.all):
		return "-all"
	case open > 0 || len(p.all) == 0:
		p.note(ChangeAllOpen, written, "~all")
	case strict > 0:
		p.note(ChangeAllDiffer, "-all", "~all")
	}
	return "~all"
}

// field is a word of a record as it stands there.
type field struct {
	text  string
	start int
}

// fields splits a text at spaces, and at what people take for a separator unless it belongs to a valid record.
func (p *draft) fields(text string) []field {
	separators := " \t\r\n;\"\u00a0"
	if len(Parse(text).Faults) == 0 {
		separators = " "
	}
	var list []field
	start := 0
	for at, r := range text + " " {
		if !strings.ContainsRune(separators, r) {
			continue
		}
		if at > start {
			list = append(list, field{text[start:at], start})
		}
		start = at + utf8.RuneLen(r)
		if r != ' ' && r != '"' {
			p.note(ChangeSeparator, string(r), " ")
		}
	}
	return list
}

// words are the terms of a record, or of text that was meant to be one.
func (p *draft) words(text lookup.Text) []string {
	if !utf8.ValidString(text.Value) {
		read := asUTF8(text.Value)
		p.note(ChangeDash, text.Value, read)
		text = lookup.Text{Value: read}
	}
	var list []string
	for i, f := range p.fields(text.Value) {
		f.text = strings.Trim(f.text, `'“”„`)
		if i == 0 {
			f = p.withoutVersion(f)
		}
		for _, piece := range p.atBreaks(f, text.Breaks) {
			clean := typography().Replace(piece)
			if clean == "" {
				continue
			}
			if clean != piece {
				p.note(ChangeDash, piece, clean)
			}
			if once := withoutStutter(clean); once != clean {
				p.note(ChangeSpelling, clean, once)
				clean = once
			}
			list = append(list, clean)
		}
	}
	var out []string
	for i := 0; i < len(list); i++ {
		word := list[i]
		if i+1 < len(list) && p.belongs(word, list[i+1]) {
			i++
			p.note(ChangeBroken, word+" "+list[i], word+list[i])
			word += list[i]
		}
		out = append(out, p.parts(word)...)
	}
	return out
}

// withoutStutter drops a qualifier that is written twice: word processors turn two hyphens into a dash, so people write
// two to be safe.
func withoutStutter(word string) string {
	for len(word) > 1 && qualifiers[word[0]] != "" && word[0] == word[1] {
		word = word[1:]
	}
	return word
}

// withoutVersion cuts the version, also where it is misspelt or a space is missing after it.
func (p *draft) withoutVersion(f field) field {
	lower := strings.ToLower(f.text)
	for _, version := range []string{Version, "v=spf", "spf1", "v:spf1", "spf2.0/pra"} {
		rest, found := strings.CutPrefix(lower, version)
		if !found {
			continue
		}
		cut := len(lower) - len(rest)
		cut += len(rest) - len(strings.TrimLeft(rest, ",:"))
		if cut < len(f.text) {
			p.note(ChangeSpace, f.text, Version+" "+f.text[cut:])
		}
		return field{f.text[cut:], f.start + cut}
	}
	return f
}

// atBreaks splits a word where one character string of the TXT record ended and the next began, if each part then has a
// meaning and the whole has none.
func (p *draft) atBreaks(f field, breaks []int) []string {
	for _, at := range breaks {
		if at <= f.start || at >= f.start+len(f.text) {
			continue
		}
		left, right := f.text[:at-f.start], f.text[at-f.start:]
		if !(suspicious(f.text) && meant(left) && meant(right)) {
			continue
		}
		p.note(ChangeJoined, f.text, left+" "+right)
		return []string{left, right}
	}
	return []string{f.text}
}

// meant reports whether a word is a term or can be made one.
func meant(word string) bool {
	word = typography().Replace(word)
	if word == "" {
		return false
	}
	if t, fault := parseTerm(word); fault == nil && t.Kind != Unknown {
		return true
	}
	fixed, _ := repair(word)
	return fixed != ""
}

// suspicious reports whether a word is no term, or one whose domain cannot be a host name: it has the beginning of
// another term inside. No top-level domain ends in "-all".
func suspicious(word string) bool {
	t, fault := parseTerm(word)
	if fault != nil {
		return true
	}
	name, literal := t.Spec.Literal()
	return literal && t.Kind != Unknown && (strings.ContainsAny(name, ":=") || strings.HasSuffix(name, "-all"))
}

// belongs reports whether a word and the next one are one term: "include: a.example", "- all".
func (p *draft) belongs(word, next string) bool {
	if len(word) == 1 && qualifiers[word[0]] != "" {
		_, fault := parseTerm(next)
		return fault == nil && qualifiers[next[0]] == ""
	}
	if !strings.HasSuffix(word, ":") && !strings.HasSuffix(word, "=") {
		return false
	}
	t, fault := parseTerm(next)
	return fault != nil || t.Kind == Unknown // no term of its own
}

// glued finds where a term begins inside another one, because a space is missing.
var glued = pattern.Of(`(?i)[~?+-]?(?:include:|ip4:|ip6:|exists:|redirect=)|[~?+]all$|-all$`)

// parts puts in the spaces that are missing in a word.
func (p *draft) parts(word string) []string {
	if !suspicious(word) {
		return []string{word}
	}
	pieces := strings.FieldsFunc(word, func(r rune) bool { return r == ',' })
	if strings.Contains(word, ",") {
		p.note(ChangeSeparator, word, strings.Join(pieces, " "))
	}
	var out []string
	for _, piece := range pieces {
		start := 0
		var cut []string
		for _, at := range glued().FindAllStringIndex(piece, -1) {
			if at[0] > start {
				cut = append(cut, piece[start:at[0]])
				start = at[0]
			}
		}
		cut = append(cut, piece[start:])
		if len(cut) > 1 {
			p.note(ChangeSpace, piece, strings.Join(cut, " "))
		}
		out = append(out, cut...)
	}
	return out
}

// typography turns characters of word processors into those that were meant, and drops invisible ones.
var typography = sync.OnceValue(func() *strings.Replacer {
	return strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u2015", "-",
		"\u2212", "-", "\ufe63", "-", "\uff0d", "-", "\u223c", "~", "\u02dc", "~", "\uff5e", "~", "\uff1a", ":",
		"\uff1d", "=", "\u2044", "/", "\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "",
		"\u201c", "", "\u201d", "", "\u201e", "")
})

// asUTF8 reads a text that is no UTF-8 as windows-1252, as far as dashes and spaces go.
func asUTF8(s string) string {
	return strings.ToValidUTF8(strings.NewReplacer("\x96", "-", "\x97", "-", "\xad", "-", "\xa0", " ").Replace(s), "?")
}

// slips are common misspellings of mechanisms.
var slips = []struct{ wrong, right string }{
	{"ipv4:", "ip4:"},
	{"ipv6:", "ip6:"},
	{"ip:", "ip4:"},
	{"ip4=", "ip4:"},
	{"ip6=", "ip6:"},
	{"ipv4=", "ip4:"},
	{"ipv6=", "ip6:"},
	{"includes:", "include:"},
	{"include=", "include:"},
	{"inlude:", "include:"},
	{"inlcude:", "include:"},
	{"inculde:", "include:"},
	{"inclue:", "include:"},
	{"incude:", "include:"},
	{"a=", "a:"},
	{"mx=", "mx:"},
	{"redirect:", "redirect="},
	{"exp:", "exp="},
}

// repair corrects a term with a known misspelling; it returns nothing if the meaning is not clear.
func repair(token string) (string, ChangeKind) {
	kind := ChangeSpelling
	token = strings.Trim(token, ",;\"'")
	qualifier, rest := "", token
	if token != "" && qualifiers[token[0]] != "" {
		qualifier, rest = token[:1], token[1:]
	}
	lower := strings.ToLower(rest)
	for _, s := range slips {
		if strings.HasPrefix(lower, s.wrong) {
			rest = s.right + rest[len(s.wrong):]
			break
		}
	}
	if address := asAddress(rest); address != rest {
		rest, kind = address, ChangeAddress
	}
	if lower == "al" || lower == "all." || lower == "alll" {
		rest = "all"
	}
	if strings.HasPrefix(strings.ToLower(rest), "redirect=") || strings.HasPrefix(strings.ToLower(rest), "exp=") {
		qualifier = ""
	}
	if rest == "" {
		return "", ""
	}
	if t, fault := parseTerm(qualifier + rest); fault != nil || t.Kind == Unknown && mechanismName(rest) {
		return "", ""
	}
	return qualifier + rest, kind
}

// asAddress gives an address or a network the mechanism of its family, where it has none or another one, and a host
// name after ip4 or ip6 the one for names. A mask becomes the length of the prefix.
func asAddress(term string) string {
	text, mechanism := term, ""
	for _, prefix := range []string{"ip4:", "ip6:", "a:", "mx:", "include:"} {
		if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			mechanism, text = prefix, text[len(prefix):]
			break
		}
	}
	text = strings.Trim(text, "[]")
	if ip, mask, found := strings.Cut(text, "/"); found {
		if bits, ok := maskBits(mask); ok {
			text = fmt.Sprintf("%s/%d", ip, bits)
		}
	}
	network, err := netip.ParsePrefix(text)
	address, addressErr := netip.ParseAddr(text)
	switch {
	case err == nil:
		address = network.Addr()
	case addressErr != nil && strings.HasPrefix(mechanism, "ip"):
		return asHost(term, text)
	case addressErr != nil:
		return term
	}
	if address.Is4() {
		return "ip4:" + text
	}
	return "ip6:" + text
}

// maskBits is the length of the prefix that a mask such as 255.255.255.0 stands for.
func maskBits(mask string) (int, bool) {
	ip, err := netip.ParseAddr(mask)
	if err != nil || !ip.Is4() {
		return 0, false
	}
	octets := ip.As4()
	bits := 0
	for i := range 32 {
		if octets[i/8]>>(7-i%8)&1 == 1 {
			if bits != i {
				return 0, false
			}
			bits++
		}
	}
	return bits, true
}

// asHost returns the mechanism for a host name, or the term as it is.
func asHost(term, text string) string {
	last := text[strings.LastIndexByte(text, '.')+1:]
	if !strings.Contains(text, ".") || !lookup.WellFormed(text) || strings.ContainsAny(text, "/:%,") ||
		!strings.ContainsFunc(last, func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }) {
		return term
	}
	return "a:" + text
}
