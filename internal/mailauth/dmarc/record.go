// Package dmarc reads DMARC policy records, finds the one that applies to a domain by the DNS tree walk, and evaluates
// a message's SPF and DKIM results against it (RFC 9989; reports: RFC 9990, 9991). Records of the RFC 7489 era are read
// as RFC 9989 says: pct, rf and ri no longer have a meaning.
package dmarc

import (
	"net/url"
	"slices"
	"strings"
)

// Policy is what a domain's owner asks for mail that fails.
type Policy string

// The policies, from the weakest.
const (
	None       Policy = "none"
	Quarantine Policy = "quarantine"
	Reject     Policy = "reject"
)

// Mode is how closely domains must agree.
type Mode string

// The modes of alignment (RFC 9989 §4.4).
const (
	Relaxed Mode = "relaxed"
	Strict  Mode = "strict"
)

// FaultKind names what is wrong with a tag.
type FaultKind string

// The faults and remarks. Only FaultVersion and FaultTagList make the whole record invalid; a bad p, sp or np changes
// the policy; the others fall back to the tag's default.
const (
	FaultVersion  FaultKind = "version"   // does not begin with v=DMARC1
	FaultTagList  FaultKind = "tag-list"  // text that is no tag=value
	FaultTwice    FaultKind = "twice"     // a tag appears again; the first counts
	FaultValue    FaultKind = "value"     // a value that the tag does not have
	FaultPolicy   FaultKind = "policy"    // p, sp or np is missing or unknown
	FaultURI      FaultKind = "uri"       // rua or ruf holds something that is no URI
	FaultScheme   FaultKind = "scheme"    // a URI that receivers do not report to; they use only mailto (RFC 9990 §3)
	FaultHistoric FaultKind = "historic"  // pct, rf or ri, gone with RFC 9989
	FaultUnknown  FaultKind = "unknown"   // a tag that is not registered
	FaultOrder    FaultKind = "order"     // p is not second, as RFC 7489 wanted
	FaultIdle     FaultKind = "no-effect" // fo without ruf
)

// Fault is one fault with its place in the record, in octets.
type Fault struct {
	Kind   FaultKind
	Tag    string
	Value  string
	Offset int
}

// Record is a parsed policy record. Absent or invalid tags hold their defaults.
type Record struct {
	Raw string
	// P, SP and NP are empty when absent.
	P, SP, NP Policy
	// BadPolicy says that p is missing or that p, sp or np has an unknown value (RFC 9989 §4.10.1).
	BadPolicy   bool
	ADKIM, ASPF Mode
	// PSD is y, n or u.
	PSD     string
	Testing bool
	RUA     []URI
	RUF     []URI
	FO      []string
	Faults  []Fault
}

// URI is one address for reports.
type URI struct {
	// Text is the URI as written, without the size limit of RFC 7489.
	Text string
	// Mailbox is the address of a mailto URI, empty for other schemes.
	Mailbox string
}

// Domain is the domain of the mailbox, in lower case.
func (u URI) Domain() string {
	if at := strings.LastIndexByte(u.Mailbox, '@'); at >= 0 {
		return strings.ToLower(strings.TrimSuffix(u.Mailbox[at+1:], "."))
	}
	return ""
}

// version is the value of v=; it is case-sensitive (RFC 9989 §4.8).
const version = "DMARC1"

// IsRecord reports whether a TXT record is a DMARC record: the first tag is v with exactly the value DMARC1.
func IsRecord(txt string) bool {
	first, _, _ := strings.Cut(txt, ";")
	name, value, found := strings.Cut(first, "=")
	return found && strings.EqualFold(strings.TrimRight(name, wsp), "v") && strings.Trim(value, wsp) == version
}

// Meant reports whether a TXT record was probably meant as a DMARC record but is none.
func Meant(txt string) bool {
	lower := strings.ToLower(strings.Trim(strings.TrimSpace(txt), "\"'“”\\"))
	return !IsRecord(txt) &&
		(strings.HasPrefix(strings.ReplaceAll(lower, " ", ""), "v=dmarc") || strings.HasPrefix(lower, "dmarc1") ||
			strings.HasPrefix(strings.ReplaceAll(lower, " ", ""), "p=") && strings.Contains(lower, ";"))
}

const wsp = " \t"

// Parse reads a record by RFC 9989 §4.7 and §4.8. ok is false if it is not a DMARC record at all. Unknown tags are
// ignored, and a faulty tag after the version keeps its default.
func Parse(txt string) (r Record, ok bool) {
	r = Record{Raw: txt, ADKIM: Relaxed, ASPF: Relaxed, PSD: "u", FO: []string{"0"}}
	if !IsRecord(txt) {
		r.fault(FaultVersion, "v", txt, 0)
		return r, false
	}
	seen := []string{}
	offset := 0
	for field := range strings.SplitSeq(txt, ";") {
		start := offset
		offset += len(field) + 1
		r.field(field, start, &seen)
	}
	if !slices.Contains(seen, "p") {
		r.BadPolicy = true
		r.fault(FaultPolicy, "p", "", len(txt))
	}
	if slices.Contains(seen, "fo") && len(r.RUF) == 0 {
		r.fault(FaultIdle, "fo", "", 0)
	}
	return r, true
}

func (r *Record) fault(kind FaultKind, tag, value string, offset int) {
	r.Faults = append(r.Faults, Fault{kind, tag, value, offset})
}

func (r *Record) field(field string, start int, seen *[]string) {
	trimmed := strings.Trim(field, wsp)
	if trimmed == "" {
		return // the separator that may end the record, or one too many
	}
	at := start + strings.Index(field, trimmed)
	name, value, found := strings.Cut(trimmed, "=")
	name, value = strings.ToLower(strings.TrimRight(name, wsp)), strings.TrimLeft(value, wsp)
	if !found || !letters(name) || value == "" || !printable(value) {
		r.fault(FaultTagList, name, value, at)
		if slices.Contains([]string{"p", "sp", "np"}, name) {
			r.BadPolicy = true
			*seen = append(*seen, name)
		}
		return
	}
	if slices.Contains(*seen, name) {
		r.fault(FaultTwice, name, value, at)
		return
	}
	*seen = append(*seen, name)
	if name == "p" && len(*seen) != 2 {
		r.fault(FaultOrder, name, value, at)
	}
	r.tag(name, value, at)
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// tag reads the value of one tag. Literals of the grammar are case-insensitive (RFC 5234 §2.3).
func (r *Record) tag(name, value string, at int) {
	lower := strings.ToLower(value)
	switch name {
	case "v":
	case "p", "sp", "np":
		p := Policy(lower)
		if p != None && p != Quarantine && p != Reject {
			r.BadPolicy = true
			r.fault(FaultPolicy, name, value, at)
			return
		}
		*map[string]*Policy{"p": &r.P, "sp": &r.SP, "np": &r.NP}[name] = p
	case "adkim", "aspf":
		mode, known := map[string]Mode{"r": Relaxed, "s": Strict}[lower]
		if !known {
			r.fault(FaultValue, name, value, at)
			return
		}
		*map[string]*Mode{"adkim": &r.ADKIM, "aspf": &r.ASPF}[name] = mode
	case "psd":
		if lower != "y" && lower != "n" && lower != "u" {
			r.fault(FaultValue, name, value, at)
			return
		}
		r.PSD = lower
	case "t":
		if lower != "y" && lower != "n" {
			r.fault(FaultValue, name, value, at)
			return
		}
		r.Testing = lower == "y"
	case "fo":
		r.failureOptions(lower, at)
	case "rua":
		r.RUA = r.uris(name, value, at)
	case "ruf":
		r.RUF = r.uris(name, value, at)
	case "pct", "rf", "ri":
		r.fault(FaultHistoric, name, value, at)
	default:
		r.fault(FaultUnknown, name, value, at)
	}
}

func (r *Record) failureOptions(value string, at int) {
	var options []string
	for option := range strings.SplitSeq(value, ":") {
		option = strings.Trim(option, wsp)
		if !slices.Contains([]string{"0", "1", "d", "s"}, option) {
			r.fault(FaultValue, "fo", value, at)
			return
		}
		options = append(options, option)
	}
	r.FO = options
}

// uris reads a list of URIs. RFC 7489 allowed "!10m" after one; RFC 9989 dropped that, but readers still have to cut it
// off.
func (r *Record) uris(tag, value string, at int) []URI {
	var list []URI
	for text := range strings.SplitSeq(value, ",") {
		text = strings.Trim(text, wsp)
		text, _, _ = strings.Cut(text, "!")
		parsed, err := url.Parse(text)
		if err != nil || parsed.Scheme == "" || strings.ContainsAny(text, " \t<>\"\\^`{|}") {
			r.fault(FaultURI, tag, text, at)
			continue
		}
		u := URI{Text: text}
		if strings.EqualFold(parsed.Scheme, "mailto") {
			mailbox, err := url.PathUnescape(parsed.Opaque)
			local, domain, _ := strings.Cut(mailbox, "@")
			if err != nil || local == "" || domain == "" || strings.Contains(domain, "@") {
				r.fault(FaultURI, tag, text, at)
				continue
			}
			u.Mailbox = mailbox
		} else {
			r.fault(FaultScheme, tag, text, at)
		}
		list = append(list, u)
	}
	return list
}

// Effective is the policy for a domain: of the record's own domain by p, of an existing subdomain by sp, of one that
// does not exist by np, each falling back on the one before (RFC 9989 §4.10.1). applies is false when the record asks
// for nothing: a bad policy without an address for reports.
func (r Record) Effective(subdomain, exists bool) (p Policy, applies bool) {
	if r.BadPolicy {
		return None, len(r.RUA) > 0
	}
	p = r.P
	if subdomain && r.SP != "" {
		p = r.SP
	}
	if subdomain && !exists && r.NP != "" {
		p = r.NP
	}
	return p, true
}

// Applied is the policy one step lower while the owner tests it: t=y (RFC 9989 §4.7).
func (r Record) Applied(p Policy) Policy {
	if !r.Testing {
		return p
	}
	if p == Reject {
		return Quarantine
	}
	return None
}
