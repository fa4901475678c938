package spf

import (
	"net/netip"
	"strconv"
	"strings"

	"postier/internal/pattern"
)

// Verdict is a result of check_host() (RFC 7208 §2.6).
type Verdict string

// The seven results.
const (
	None      Verdict = "none"
	Neutral   Verdict = "neutral"
	Pass      Verdict = "pass"
	Fail      Verdict = "fail"
	SoftFail  Verdict = "softfail"
	TempError Verdict = "temperror"
	PermError Verdict = "permerror"
)

// Kind is what a term is.
type Kind string

// The mechanisms and modifiers of RFC 7208 §5 and §6; Unknown is any other modifier.
const (
	All      Kind = "all"
	Include  Kind = "include"
	A        Kind = "a"
	MX       Kind = "mx"
	PTR      Kind = "ptr"
	IP4      Kind = "ip4"
	IP6      Kind = "ip6"
	Exists   Kind = "exists"
	Redirect Kind = "redirect"
	Exp      Kind = "exp"
	Unknown  Kind = "unknown-modifier"
)

// Term is one directive or modifier.
type Term struct {
	Kind Kind
	// Text is the term as written, Offset its place in the record in octets.
	Text   string
	Offset int
	// Qualifier is what a match of a mechanism means; empty for modifiers.
	Qualifier Verdict
	// Spec is the domain-spec; nil means the domain under evaluation.
	Spec Macro
	// Network is the range of ip4 and ip6.
	Network netip.Prefix
	// Bits4 and Bits6 are the prefix lengths of a and mx.
	Bits4, Bits6 int
}

// Lookup reports whether the term counts towards the ten (RFC 7208 §4.6.4).
func (t Term) Lookup() bool {
	switch t.Kind {
	case Include, A, MX, PTR, Exists, Redirect:
		return true
	}
	return false
}

// FaultKind names what is wrong with a term.
type FaultKind string

// The faults of syntax. Each makes the whole record a permerror (RFC 7208 §4.6).
const (
	FaultCharacter FaultKind = "character"  // an octet outside %x21-7E
	FaultMechanism FaultKind = "mechanism"  // no mechanism has this name
	FaultModifier  FaultKind = "modifier"   // no modifier can have this name
	FaultArgument  FaultKind = "argument"   // this mechanism takes no argument
	FaultMissing   FaultKind = "missing"    // the domain or address is missing
	FaultDomain    FaultKind = "domain"     // not a domain-spec
	FaultMacro     FaultKind = "macro"      // not a macro-string
	FaultAddress   FaultKind = "address"    // not an address of this family
	FaultPrefix    FaultKind = "prefix"     // not a prefix length
	FaultTwice     FaultKind = "twice"      // redirect or exp a second time
	FaultVersion   FaultKind = "version"    // does not begin with v=spf1
	FaultQualifier FaultKind = "qualifier"  // a qualifier before a modifier
	FaultSeparator FaultKind = "whitespace" // a tab or line break where a space belongs
)

// Fault is one fault with its place in the record, in octets.
type Fault struct {
	Kind   FaultKind
	Offset int
	Token  string
}

// Record is a parsed record. A record with Faults evaluates to permerror.
type Record struct {
	Raw    string
	Terms  []Term
	Faults []Fault
	// Redirect and Exp point into Terms; nil when absent.
	Redirect, Exp *Term
}

// Version is the version section (RFC 7208 §4.5).
const Version = "v=spf1"

// IsRecord reports whether a TXT record is selected as an SPF record: it begins with the version section, which a space
// or the end follows. ABNF literals are case-insensitive (RFC 5234 §2.3).
func IsRecord(txt string) bool {
	return len(txt) >= len(Version) && strings.EqualFold(txt[:len(Version)], Version) &&
		(len(txt) == len(Version) || txt[len(Version)] == ' ')
}

// Parse reads a record by the grammar of RFC 7208 §12 and collects every fault.
func Parse(txt string) Record {
	r := Record{Raw: txt}
	if !IsRecord(txt) {
		r.Faults = []Fault{{FaultVersion, 0, firstToken(txt)}}
		return r
	}
	for offset := len(Version); offset < len(txt); {
		if txt[offset] == ' ' {
			offset++
			continue
		}
		end := offset
		for end < len(txt) && txt[end] != ' ' {
			end++
		}
		token := txt[offset:end]
		term, fault := parseTerm(token)
		if fault != nil {
			fault.Offset += offset
			r.Faults = append(r.Faults, *fault)
		} else {
			term.Text, term.Offset = token, offset
			r.Terms = append(r.Terms, term)
		}
		offset = end
	}
	r.linkModifiers()
	return r
}

// linkModifiers finds redirect and exp; each may appear once (RFC 7208 §6).
func (r *Record) linkModifiers() {
	for i := range r.Terms {
		t := &r.Terms[i]
		var slot **Term
		switch t.Kind {
		case Redirect:
			slot = &r.Redirect
		case Exp:
			slot = &r.Exp
		default:
			continue
		}
		if *slot != nil {
			r.Faults = append(r.Faults, Fault{FaultTwice, t.Offset, t.Text})
			continue
		}
		*slot = t
	}
}

func firstToken(s string) string {
	token, _, _ := strings.Cut(s, " ")
	return token
}

func parseTerm(token string) (Term, *Fault) {
	for i := range len(token) {
		switch c := token[i]; {
		case c == '\t' || c == '\r' || c == '\n':
			return Term{}, &Fault{FaultSeparator, i, token}
		case c < 0x21 || c > 0x7e:
			return Term{}, &Fault{FaultCharacter, i, token}
		}
	}
	end := strings.IndexAny(token, ":/=")
	if end >= 0 && token[end] == '=' {
		return parseModifier(token, end)
	}
	if end < 0 {
		end = len(token)
	}
	return parseMechanism(token, end)
}

var qualifiers = map[byte]Verdict{'+': Pass, '-': Fail, '~': SoftFail, '?': Neutral}

func parseModifier(token string, equals int) (Term, *Fault) {
	name, value := token[:equals], token[equals+1:]
	if name != "" && qualifiers[name[0]] != "" {
		return Term{}, &Fault{FaultQualifier, 0, token}
	}
	if !modifierName(name) {
		return Term{}, &Fault{FaultModifier, 0, token}
	}
	t := Term{Kind: Unknown}
	switch {
	case strings.EqualFold(name, "redirect"):
		t.Kind = Redirect
	case strings.EqualFold(name, "exp"):
		t.Kind = Exp
	default:
		macro, fault := parseMacro(value, false)
		t.Spec = macro
		return t, shift(fault, equals+1, token)
	}
	var fault *Fault
	t.Spec, fault = parseDomainSpec(value)
	return t, shift(fault, equals+1, token)
}

// modifierName is "name" of the grammar: ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ).
func modifierName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !alpha(c) && (i == 0 || !digit(c) && c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return name != ""
}

func parseMechanism(token string, end int) (Term, *Fault) {
	start := 0
	t := Term{Qualifier: Pass, Bits4: 32, Bits6: 128}
	if q := qualifiers[token[0]]; q != "" {
		t.Qualifier, start = q, 1
	}
	if start > end {
		return Term{}, &Fault{FaultMechanism, 0, token}
	}
	t.Kind = Kind(strings.ToLower(token[start:end]))
	rest := token[end:]
	var fault *Fault
	switch t.Kind {
	case All:
		if rest != "" {
			return Term{}, &Fault{FaultArgument, end, token}
		}
	case Include, Exists:
		if len(rest) < 2 || rest[0] != ':' {
			return Term{}, &Fault{FaultMissing, end, token}
		}
		t.Spec, fault = parseDomainSpec(rest[1:])
		fault = shift(fault, end+1, token)
	case PTR:
		if rest == "" {
			break
		}
		if rest[0] != ':' {
			return Term{}, &Fault{FaultArgument, end, token}
		}
		t.Spec, fault = parseDomainSpec(rest[1:])
		fault = shift(fault, end+1, token)
	case A, MX:
		fault = t.parseAddressMechanism(rest, end, token)
	case IP4, IP6:
		fault = t.parseNetwork(rest, end, token)
	default:
		return Term{}, &Fault{FaultMechanism, 0, token}
	}
	return t, fault
}

// dualCIDR is dual-cidr-length at the end of a term; the domain-spec before it may hold slashes of its own.
var dualCIDR = pattern.Of(`(?:/([0-9]+))?(?://([0-9]+))?$`)

// parseAddressMechanism reads [":" domain-spec] [dual-cidr-length] (RFC 7208 §5.3, §5.4).
func (t *Term) parseAddressMechanism(rest string, offset int, token string) *Fault {
	if rest == "" {
		return nil
	}
	m := dualCIDR().FindStringSubmatchIndex(rest)
	for i, bits := range []*int{&t.Bits4, &t.Bits6} {
		if m[2+2*i] < 0 {
			continue
		}
		n, ok := prefixLength(rest[m[2+2*i]:m[3+2*i]], *bits)
		if !ok {
			return &Fault{FaultPrefix, offset + m[2+2*i], token}
		}
		*bits = n
	}
	rest = rest[:m[0]]
	switch {
	case rest == "":
		return nil
	case rest[0] != ':':
		return &Fault{FaultPrefix, offset, token}
	}
	var fault *Fault
	t.Spec, fault = parseDomainSpec(rest[1:])
	return shift(fault, offset+1, token)
}

// parseNetwork reads ":" network [cidr-length] (RFC 7208 §5.6).
func (t *Term) parseNetwork(rest string, offset int, token string) *Fault {
	if len(rest) < 2 || rest[0] != ':' {
		return &Fault{FaultMissing, offset, token}
	}
	text, length, hasLength := strings.Cut(rest[1:], "/")
	ip, err := netip.ParseAddr(text)
	// The grammar has no zone; ip4 is four numbers without leading zeros.
	if err != nil || ip.Zone() != "" || strings.Contains(text, "%") || (t.Kind == IP4) != ip.Is4() {
		return &Fault{FaultAddress, offset + 1, token}
	}
	bits := ip.BitLen()
	if hasLength {
		n, ok := prefixLength(length, bits)
		if !ok {
			return &Fault{FaultPrefix, offset + 2 + len(text), token}
		}
		bits = n
	}
	t.Network = netip.PrefixFrom(ip, bits).Masked()
	return nil
}

// prefixLength reads a length without leading zeros, at most limit.
func prefixLength(s string, limit int) (int, bool) {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if !digit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= limit
}

func shift(f *Fault, by int, token string) *Fault {
	if f == nil {
		return nil
	}
	f.Offset += by
	f.Token = token
	return f
}

func alpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }
