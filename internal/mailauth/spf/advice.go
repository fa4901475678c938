package spf

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"postier/internal/mailauth/lookup"
)

// Lengths of a record (RFC 7208 §3.4): a record of up to 450 octets fits into an answer of 512 with its name and
// headers.
const (
	LongRecord = 450
	MaxString  = 255 // RFC 1035 §3.3: one character string
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

// Propose returns the record to publish: every term of the existing records, then the needed one, and one "all" at the
// end. It fixes faulty terms if their meaning is clear. The others are left out and returned in lost: whoever publishes
// the record without them may lock servers out. Without an existing record it builds a new one.
func Propose(existing []lookup.Text, need Need) (record string, lost []string) {
	if len(existing) == 0 && len(need.Include) == 0 && len(need.Terms) == 0 && need.Redirect != "" {
		return Version + " redirect=" + need.Redirect, nil
	}
	var p proposal
	for _, text := range existing {
		p.read(text.Value)
	}
	switch {
	case len(need.Include) > 0:
		p.add("include:" + need.Include[0])
	case need.Redirect != "" &&
		(len(p.all) > 0 || len(p.redirects) > 0 && !strings.EqualFold(p.redirects[0], need.Redirect)):
		// redirect is ignored if there is an all, and there can be only one; include passes for the same servers.
		p.add("include:" + need.Redirect)
	case need.Redirect != "" && len(p.redirects) == 0:
		p.redirects = []string{need.Redirect}
	}
	for _, t := range need.Terms {
		p.add(t)
	}
	return p.String(), p.lost
}

// proposal gathers the terms of the new record.
type proposal struct {
	mechanisms, modifiers []string
	all                   []Verdict
	redirects             []string // of records without all
	lost                  []string // terms that could not be fixed
}

func (p *proposal) add(term string) {
	list := &p.mechanisms
	if t, _ := parseTerm(term); t.Qualifier == "" {
		list = &p.modifiers
	}
	if !slices.ContainsFunc(*list, func(have string) bool { return strings.EqualFold(plus(have), plus(term)) }) {
		*list = append(*list, term)
	}
}

func (p *proposal) read(record string) {
	before := len(p.all)
	redirect := ""
	for _, token := range tokens(record) {
		t, fault := parseTerm(token)
		if fault != nil || t.Kind == Unknown && mechanismName(token) {
			written := token
			if token, t = repair(token); token == "" {
				p.lost = append(p.lost, written)
				continue
			}
		}
		switch t.Kind {
		case All:
			p.all = append(p.all, t.Qualifier)
		case Redirect:
			_, redirect, _ = strings.Cut(token, "=")
		case Exp:
			if !slices.ContainsFunc(p.modifiers, func(m string) bool { return strings.HasPrefix(strings.ToLower(m), "exp=") }) {
				p.add(token)
			}
		default:
			p.add(token)
		}
	}
	if redirect != "" && len(p.all) == before {
		p.redirects = append(p.redirects, redirect)
	}
}

// String is the record: mechanisms, all, modifiers. A redirect is kept only if it is the only one and there is no all;
// otherwise it becomes an include.
func (p *proposal) String() string {
	if len(p.all) == 0 && len(p.redirects) == 1 {
		p.modifiers = append(p.modifiers, "redirect="+p.redirects[0])
	} else {
		for _, r := range p.redirects {
			p.add("include:" + r)
		}
		p.mechanisms = append(p.mechanisms, ending(p.all))
	}
	return strings.Join(slices.Concat([]string{Version}, p.mechanisms, p.modifiers), " ")
}

// ending is the all of the new record: -all if every old record had it, otherwise ~all, because +all and ?all do not
// protect the domain.
func ending(all []Verdict) string {
	if len(all) > 0 && !slices.ContainsFunc(all, func(v Verdict) bool { return v != Fail }) {
		return "-all"
	}
	return "~all"
}

// plus drops the default qualifier, for comparing.
func plus(term string) string { return strings.TrimPrefix(term, "+") }

// tokens are the terms of a record, or of text that was meant to be one.
func tokens(text string) []string {
	text = strings.Trim(strings.TrimSpace(dashes.Replace(text)), `"'“”„ `)
	fields := strings.FieldsFunc(text,
		func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == ';' || r == '"' })
	if len(fields) == 0 {
		return nil
	}
	first := strings.ToLower(fields[0])
	for _, version := range []string{"v=spf1", "v=spf", "spf1", "v:spf1", "spf2.0/pra"} {
		if rest, found := strings.CutPrefix(first, version); found {
			fields[0] = strings.TrimLeft(fields[0][len(first)-len(rest):], ",:")
			if fields[0] == "" {
				fields = fields[1:]
			}
			break
		}
	}
	return separate(fields)
}

// dashes are the characters that word processors put in place of a hyphen.
var dashes = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u2212",
	"-",
	"\u00a0", " ", "\u200b", "", "\ufeff", "")

// glued finds where a term begins inside another one, because a space is missing: the strings of a TXT record are
// joined without one (RFC 7208 §3.3).
var glued = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)[~?+-]?(?:include:|ip4:|ip6:|exists:|redirect=)|[~?+]all$|-all$`)
})

// separate puts in missing spaces and takes out those between a mechanism and its argument.
func separate(fields []string) []string {
	var out []string
	for i := 0; i < len(fields); i++ {
		field := fields[i]
		if (strings.HasSuffix(field, ":") || strings.HasSuffix(field, "=")) && i+1 < len(fields) {
			if t, fault := parseTerm(fields[i+1]); fault != nil || t.Kind == Unknown { // no term of its own
				i++
				field += fields[i]
			}
		}
		if _, fault := parseTerm(field); fault == nil {
			out = append(out, field)
			continue
		}
		start := 0
		for _, at := range glued().FindAllStringIndex(field, -1) {
			if at[0] > start {
				out = append(out, field[start:at[0]])
				start = at[0]
			}
		}
		out = append(out, field[start:])
	}
	return out
}

// slips are common misspellings of mechanisms.
var slips = []struct{ wrong, right string }{
	{"ipv4:", "ip4:"},
	{"ipv6:", "ip6:"},
	{"ip:", "ip4:"},
	{"ip4=", "ip4:"},
	{"ip6=", "ip6:"},
	{"includes:", "include:"},
	{"include=", "include:"},
	{"inlude:", "include:"},
	{"inlcude:", "include:"},
	{"inculde:", "include:"},
	{"inclue:", "include:"},
	{"a=", "a:"},
	{"mx=", "mx:"},
	{"redirect:", "redirect="},
	{"exp:", "exp="},
}

// repair corrects a term with a known misspelling; it returns nothing if the meaning is not clear.
func repair(token string) (string, Term) {
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
	rest = asAddress(rest)
	if lower == "al" || lower == "all." || lower == "alll" {
		rest = "all"
	}
	if strings.HasPrefix(strings.ToLower(rest), "redirect=") || strings.HasPrefix(strings.ToLower(rest), "exp=") {
		qualifier = ""
	}
	if rest == "" {
		return "", Term{}
	}
	t, fault := parseTerm(qualifier + rest)
	if fault != nil {
		return "", Term{}
	}
	return qualifier + rest, t
}

// asAddress gives an address or a network the mechanism of its family, where it has none or that of the other.
func asAddress(term string) string {
	text := term
	for _, prefix := range []string{"ip4:", "ip6:"} {
		if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			text = text[len(prefix):]
		}
	}
	text = strings.Trim(text, "[]")
	network, err := netip.ParsePrefix(text)
	address, addressErr := netip.ParseAddr(text)
	switch {
	case err == nil:
		address = network.Addr()
	case addressErr != nil:
		return term
	}
	if address.Is4() {
		return "ip4:" + text
	}
	return "ip6:" + text
}

// Meant reports whether a TXT record was probably meant as an SPF record but is none: wrong version, quotes, no space.
func Meant(text string) bool {
	if IsRecord(text) {
		return false
	}
	lower := strings.ToLower(strings.Trim(strings.TrimSpace(text), `"'“”„\ `))
	if IsRecord(lower) {
		return true
	}
	for _, prefix := range []string{"v=spf1", "v=spf ", "spf1 ", "v:spf1", "v = spf1"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return false
}

// Weakness is a practice that RFC 7208 advises against or that does not protect the domain.
type Weakness string

// The weaknesses.
const (
	PassAll      Weakness = "pass-all"              // everyone may send
	NeutralAll   Weakness = "neutral-all"           // neutral about everyone else
	NoAll        Weakness = "no-all"                // the same, because all is missing
	UsesPTR      Weakness = "ptr"                   // RFC 7208 §5.5: do not publish
	MechanismMod Weakness = "mechanism-as-modifier" // include=… is an unknown modifier, which does nothing
	AfterAll     Weakness = "terms-after-all"       // never reached
	RedirectIdle Weakness = "redirect-beside-all"
	Long         Weakness = "long"
)

// Weaknesses lists what is weak about a record without faults.
func (r Record) Weaknesses() []Weakness {
	var list []Weakness
	add := func(w Weakness) {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	all := r.All()
	switch {
	case all == nil && r.Redirect == nil:
		add(NoAll)
	case all != nil && all.Qualifier == Pass:
		add(PassAll)
	case all != nil && all.Qualifier == Neutral:
		add(NeutralAll)
	}
	for _, t := range r.Terms {
		switch {
		case t.Kind == PTR:
			add(UsesPTR)
		case t.Kind == Unknown && mechanismName(t.Text):
			add(MechanismMod)
		case t.Kind == Redirect && all != nil:
			add(RedirectIdle)
		case all != nil && t.Offset > all.Offset && t.Qualifier != "":
			add(AfterAll)
		}
	}
	if len(r.Raw) > LongRecord {
		add(Long)
	}
	return list
}

func mechanismName(modifier string) bool {
	name, _, _ := strings.Cut(strings.ToLower(modifier), "=")
	return slices.Contains([]Kind{All, Include, A, MX, PTR, IP4, IP6, Exists}, Kind(name))
}
