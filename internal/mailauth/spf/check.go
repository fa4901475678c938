// Package spf parses and evaluates SPF records (RFC 7208).
//
// Check is check_host() and returns the RFC's result for every input. Parse reads one record and locates each fault.
// Inspect reads a domain's record and all that it includes, independently of a client, and counts the look-ups that an
// evaluation can cost.
package spf

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
	"golang.org/x/net/idna"

	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
)

// Limits of RFC 7208 §4.6.4.
const (
	MaxLookups = 10
	MaxVoid    = 2
	maxHosts   = 10 // MX and PTR names each
)

// maxExplanation bounds the text that a domain's owner can display; RFC 5321 §4.5.3.1.5 gives a reply line 512 octets.
const maxExplanation = 4 << 10

// Reason says why a result is none, temperror or permerror.
type Reason string

// The reasons.
const (
	ReasonDomain    Reason = "malformed-domain"
	ReasonNoRecord  Reason = "no-record"
	ReasonNoDomain  Reason = "nxdomain"
	ReasonSeveral   Reason = "several-records"
	ReasonSyntax    Reason = "syntax"
	ReasonLookups   Reason = "too-many-lookups"
	ReasonVoid      Reason = "too-many-void-lookups"
	ReasonMX        Reason = "too-many-mx"
	ReasonInclude   Reason = "include-without-record"
	ReasonRedirect  Reason = "redirect-without-record"
	ReasonDNS       Reason = "dns-failure"
	ReasonCancelled Reason = "cancelled"
)

// Result is the result of check_host() and how it was reached.
type Result struct {
	Result Verdict `json:"result"`
	// Mechanism is the directive that matched, as written; "default" when none did.
	Mechanism safetext.Remote `json:"mechanism"`
	// Explanation is the domain owner's own text after a fail (RFC 7208 §6.2); empty when there is none.
	Explanation safetext.Remote `json:"explanation"`
	// Lookups counts the terms that cost a query, Void those that found nothing.
	Lookups int `json:"lookups"`
	Void    int `json:"void"`
	// Domain is the domain whose record gave the result: the identity checked, or the target of redirect.
	Domain string `json:"-"`
	Reason Reason `json:"reason,omitempty"`
	// Fault is the first fault when Reason is syntax.
	Fault *Fault `json:"-"`
	Trace []Step `json:"-"`
}

// Step is one term that was evaluated.
type Step struct {
	Depth  int
	Domain string
	Term   string
	// Outcome is match, no match, or the verdict of a whole record when Term is empty.
	Outcome string
	Record  string
}

// Checker evaluates with a resolver.
type Checker struct {
	Resolver lookup.Resolver
	// Receiver is the name for %{r}; empty gives "unknown".
	Receiver string
	// Now is the clock for %{t}; nil means time.Now.
	Now func() time.Time
}

// Check evaluates the envelope sender, or postmaster at the HELO name when the sender is null (RFC 7208 §2.4).
func Check(ctx context.Context, r lookup.Resolver, ip netip.Addr, helo, sender string) Result {
	return Checker{Resolver: r}.Check(ctx, ip, helo, sender)
}

// Check is the function of the same name.
func (c Checker) Check(ctx context.Context, ip netip.Addr, helo, sender string) Result {
	sender = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(sender), "<"), ">")
	helo = strings.TrimSuffix(helo, ".")
	if sender == "" {
		sender = "postmaster@" + helo
	}
	local, domain := "", sender
	if at := strings.LastIndexByte(sender, '@'); at >= 0 {
		local, domain = sender[:at], sender[at+1:]
	}
	if local == "" { // RFC 7208 §4.3
		local = "postmaster"
	}
	domain = toASCII(strings.TrimSuffix(domain, "."))
	e := &evaluation{
		checker: c, resolver: c.Resolver, ip: ip.Unmap().WithZone(""), helo: toASCII(helo),
		local: local, senderDomain: domain, forward: map[string]forward{},
	}
	out := e.checkHost(ctx, domain, 0)
	result := Result{
		Result: out.verdict, Lookups: e.lookups, Void: e.void, Trace: e.trace,
		Domain: out.domain, Reason: out.reason, Fault: out.fault,
	}
	if out.term != "" {
		result.Mechanism = safetext.FromRemote(out.term)
	}
	if out.verdict == Fail && out.exp != nil {
		result.Explanation = safetext.FromRemote(e.explanation(ctx, out.exp, out.domain))
	}
	return result
}

// toASCII turns U-labels into A-labels (RFC 8616 §3); other names stay unchanged.
func toASCII(domain string) string {
	if strings.IndexFunc(domain, func(r rune) bool { return r >= 0x80 }) < 0 {
		return domain
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

// evaluation is the state of one check_host() with all its recursions.
type evaluation struct {
	checker             Checker
	resolver            lookup.Resolver
	ip                  netip.Addr
	helo                string
	local, senderDomain string
	lookups, void       int
	trace               []Step

	asked   bool // for PTR
	names   []string
	ptrVoid bool
	forward map[string]forward
}

type forward struct {
	addresses []netip.Addr
	err       error
}

// outcome is the result of one record.
type outcome struct {
	verdict Verdict
	term    string
	domain  string
	reason  Reason
	fault   *Fault
	exp     *Term
}

// stop is a temperror or permerror that ends the evaluation.
type stop struct {
	verdict Verdict
	reason  Reason
	fault   *Fault
}

func (s *stop) Error() string { return string(s.verdict) + ": " + string(s.reason) }

func permError(reason Reason) error { return &stop{verdict: PermError, reason: reason} }
func tempError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &stop{verdict: TempError, reason: ReasonCancelled}
	}
	return &stop{verdict: TempError, reason: ReasonDNS}
}

func (e *evaluation) checkHost(ctx context.Context, domain string, depth int) outcome {
	out, err := e.evaluate(ctx, domain, depth)
	var s *stop
	if errors.As(err, &s) {
		out = outcome{verdict: s.verdict, reason: s.reason, fault: s.fault, domain: domain, term: out.term}
	}
	e.note(depth, domain, "", string(out.verdict), "")
	return out
}

func (e *evaluation) note(depth int, domain, term, what, record string) {
	e.trace = append(e.trace, Step{Depth: depth, Domain: domain, Term: term, Outcome: what, Record: record})
}

// evaluate follows RFC 7208 §4.3 to §4.7.
func (e *evaluation) evaluate(ctx context.Context, domain string, depth int) (outcome, error) {
	found, _, problem, _ := records(ctx, e.resolver, domain)
	switch problem {
	case "":
	case ReasonDNS:
		return outcome{domain: domain}, tempError(ctx)
	case ReasonSeveral:
		return outcome{domain: domain}, permError(problem)
	default:
		return outcome{verdict: None, domain: domain, reason: problem}, nil
	}
	text := found[0].Value
	record := Parse(text)
	e.note(depth, domain, "", "record", text)
	if len(record.Faults) > 0 {
		return outcome{domain: domain}, &stop{verdict: PermError, reason: ReasonSyntax, fault: &record.Faults[0]}
	}
	for i := range record.Terms {
		t := &record.Terms[i]
		if t.Qualifier == "" {
			continue
		}
		matched, err := e.match(ctx, t, domain, depth)
		if err != nil {
			return outcome{domain: domain, term: t.Text}, err
		}
		if !matched {
			e.note(depth, domain, t.Text, "no match", "")
			continue
		}
		e.note(depth, domain, t.Text, "match", "")
		return outcome{verdict: t.Qualifier, term: t.Text, domain: domain, exp: record.Exp}, nil
	}
	if record.Redirect != nil {
		return e.redirect(ctx, record.Redirect, domain, depth)
	}
	return outcome{verdict: Neutral, term: "default", domain: domain}, nil // RFC 7208 §4.7
}

// validDomain applies RFC 7208 §4.3: well-formed and of more than one label.
func validDomain(domain string) bool {
	return lookup.WellFormed(domain) && strings.Contains(domain, ".") && domain[0] != '['
}

// records parts the TXT records of a domain into those of SPF and the others (RFC 7208 §4.4, §4.5). problem says why
// there is not exactly one of SPF.
func records(ctx context.Context, r lookup.Resolver, domain string) (found, others []lookup.Text, problem Reason,
	err error,
) {
	name, ok := lookup.Name(domain)
	if !ok || !validDomain(domain) {
		return nil, nil, ReasonDomain, nil
	}
	txt, err := lookup.QueryTXT(ctx, r, name)
	switch {
	case lookup.NotFound(err):
		return nil, nil, ReasonNoDomain, err
	case err != nil:
		return nil, nil, ReasonDNS, err
	}
	for _, t := range txt.Texts {
		if IsRecord(t.Value) {
			found = append(found, t)
		} else {
			others = append(others, t)
		}
	}
	switch len(found) {
	case 0:
		problem = ReasonNoRecord
	case 1:
	default:
		problem = ReasonSeveral
	}
	return found, others, problem, nil
}

func (e *evaluation) redirect(ctx context.Context, t *Term, domain string, depth int) (outcome, error) {
	out := outcome{domain: domain, term: t.Text}
	if err := e.count(); err != nil {
		return out, err
	}
	target, err := e.expandName(ctx, t.Spec, domain)
	if err != nil {
		return out, permError(ReasonRedirect) // RFC 7208 §6.1: a malformed target
	}
	e.note(depth, domain, t.Text, "redirect", "")
	// RFC 7208 §6.1: the target's result is the result, with the target's own exp; none becomes permerror.
	inner, err := e.evaluate(ctx, target, depth+1)
	if err != nil {
		return inner, err
	}
	if inner.verdict == None {
		return out, permError(ReasonRedirect)
	}
	return inner, nil
}

// count counts a term that costs a query.
func (e *evaluation) count() error {
	e.lookups++
	if e.lookups > MaxLookups {
		return permError(ReasonLookups)
	}
	return nil
}

func (e *evaluation) countVoid() error {
	e.void++
	if e.void > MaxVoid {
		return permError(ReasonVoid)
	}
	return nil
}

// explanation fetches and expands the explanation string; any error gives none (RFC 7208 §6.2).
func (e *evaluation) explanation(ctx context.Context, exp *Term, domain string) string {
	target, err := e.expandName(ctx, exp.Spec, domain)
	if err != nil {
		return ""
	}
	name, ok := lookup.Name(target)
	if !ok {
		return ""
	}
	txt, err := lookup.QueryTXT(ctx, e.resolver, name)
	if err != nil || len(txt.Texts) != 1 {
		return ""
	}
	macro, fault := parseMacro(txt.Texts[0].Value, true)
	if fault != nil {
		return ""
	}
	text, err := e.expand(ctx, macro, domain)
	if err != nil || len(text) > maxExplanation {
		return ""
	}
	return text
}

// matchesAddress compares with a prefix of the client's family.
func (e *evaluation) matchesAddress(addresses []netip.Addr, t *Term) bool {
	bits := t.Bits6
	if e.ip.Is4() {
		bits = t.Bits4
	}
	return slices.ContainsFunc(addresses, func(a netip.Addr) bool {
		if a.BitLen() != e.ip.BitLen() {
			return false
		}
		prefix, err := a.Prefix(bits)
		return err == nil && prefix.Contains(e.ip)
	})
}

// addressType is the type to ask for: that of the client's family (RFC 7208 §5).
func (e *evaluation) addressType() uint16 {
	if e.ip.Is4() {
		return mdns.TypeA
	}
	return mdns.TypeAAAA
}
