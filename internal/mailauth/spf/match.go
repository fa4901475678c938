package spf

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
	"postier/internal/wire"
)

// errNoName says that a domain-spec expands to text that cannot be a domain name. The mechanism then does not match
// (RFC 7208 §4.8 leaves this open; RFC 8616 §4 says it for local parts beyond ASCII).
var errNoName = errors.New("the expansion is no domain name")

// match evaluates one mechanism (RFC 7208 §5).
func (e *evaluation) match(ctx context.Context, t *Term, domain string, depth int) (bool, error) {
	if t.Lookup() {
		if err := e.count(); err != nil {
			return false, err
		}
	}
	switch t.Kind {
	case All:
		return true, nil
	case IP4, IP6:
		return t.Network.Addr().BitLen() == e.ip.BitLen() && t.Network.Contains(e.ip), nil
	}
	target := domain
	if t.Spec != nil {
		var err error
		if target, err = e.expandName(ctx, t.Spec, domain); err != nil && t.Kind != Include {
			return false, ignoreNoName(err)
		} else if errors.Is(err, errNoName) {
			// check_host() of a malformed domain is none (§4.3), and that is permerror (§5.2)
			return false, permError(ReasonInclude)
		} else if err != nil {
			return false, err
		}
	}
	switch t.Kind {
	case Include:
		return e.include(ctx, target, depth)
	case A:
		return e.address(ctx, target, t)
	case MX:
		return e.exchangers(ctx, target, t)
	case PTR:
		return e.reverse(ctx, target)
	default:
		return e.exists(ctx, target)
	}
}

func ignoreNoName(err error) error {
	if errors.Is(err, errNoName) {
		return nil
	}
	return err
}

// include is RFC 7208 §5.2.
func (e *evaluation) include(ctx context.Context, target string, depth int) (bool, error) {
	inner, err := e.evaluate(ctx, target, depth+1)
	if err != nil {
		return false, err
	}
	e.note(depth+1, target, "", string(inner.verdict), "")
	switch inner.verdict {
	case Pass:
		return true, nil
	case None:
		return false, permError(ReasonInclude)
	}
	return false, nil
}

// query asks for what a term names, and counts a void look-up. A DNS error is a temperror. RFC 7208 §4.6.4 counts
// terms, so the addresses of the hosts that mx and ptr lead to are not counted individually.
func (e *evaluation) query(ctx context.Context, target string, qtype uint16) (wire.Answer, error) {
	name, ok := lookup.Name(target)
	if !ok {
		return wire.Answer{}, errNoName
	}
	answer, err := e.resolver.Query(ctx, name, qtype)
	switch {
	case lookup.Void(answer, err):
		return wire.Answer{}, e.countVoid()
	case err != nil:
		return wire.Answer{}, tempError(ctx)
	}
	return answer, nil
}

// address is RFC 7208 §5.3.
func (e *evaluation) address(ctx context.Context, target string, t *Term) (bool, error) {
	answer, err := e.query(ctx, target, e.addressType())
	if err != nil {
		return false, ignoreNoName(err)
	}
	return e.matchesAddress(answer.Addresses(), t), nil
}

// exists is RFC 7208 §5.7: always an A query, whatever the client's family.
func (e *evaluation) exists(ctx context.Context, target string) (bool, error) {
	answer, err := e.query(ctx, target, mdns.TypeA)
	if err != nil {
		return false, ignoreNoName(err)
	}
	return len(answer.Records) > 0, nil
}

// exchangers is RFC 7208 §5.4. A domain without MX does not match: the implicit MX of SMTP is not used here.
func (e *evaluation) exchangers(ctx context.Context, target string, t *Term) (bool, error) {
	answer, err := e.query(ctx, target, mdns.TypeMX)
	if err != nil {
		return false, ignoreNoName(err)
	}
	hosts := wire.Records[*mdns.MX](answer)
	if len(hosts) > maxHosts { // RFC 7208 §4.6.4
		return false, permError(ReasonMX)
	}
	slices.SortStableFunc(hosts, func(x, y *mdns.MX) int { return int(x.Preference) - int(y.Preference) })
	found := make([]forward, len(hosts))
	var wg sync.WaitGroup
	for i, mx := range hosts {
		if mx.Mx == "." { // a null MX names no host (RFC 7505 §3)
			continue
		}
		wg.Go(func() {
			answer, err := e.resolver.Query(ctx, mx.Mx, e.addressType())
			found[i] = forward{answer.Addresses(), err}
		})
	}
	wg.Wait()
	for _, f := range found {
		if lookup.Temporary(f.err) {
			return false, tempError(ctx)
		}
		if e.matchesAddress(f.addresses, t) {
			return true, nil
		}
	}
	return false, nil
}

// reverse is RFC 7208 §5.5: errors of any kind mean no match.
func (e *evaluation) reverse(ctx context.Context, target string) (bool, error) {
	names := e.reverseNames(ctx)
	if e.ptrVoid {
		return false, e.countVoid()
	}
	for _, name := range names {
		if lookup.Within(name, target) && e.validated(ctx, name) {
			return true, nil
		}
	}
	return false, nil
}

// reverseNames are the first ten PTR names of the client.
func (e *evaluation) reverseNames(ctx context.Context) []string {
	if e.asked || !e.ip.IsValid() {
		return e.names
	}
	e.asked = true
	arpa, err := mdns.ReverseAddr(e.ip.String())
	if err != nil {
		return nil
	}
	answer, err := e.resolver.Query(ctx, arpa, mdns.TypePTR)
	e.ptrVoid = lookup.Void(answer, err)
	names := wire.Records[*mdns.PTR](answer)
	for _, ptr := range names[:min(len(names), maxHosts)] {
		e.names = append(e.names, strings.TrimSuffix(ptr.Ptr, "."))
	}
	return e.names
}

// validated reports whether a PTR name leads back to the client.
func (e *evaluation) validated(ctx context.Context, name string) bool {
	f, known := e.forward[name]
	if !known {
		answer, err := e.resolver.Query(ctx, name, e.addressType())
		f = forward{answer.Addresses(), err}
		e.forward[name] = f
	}
	return f.err == nil && slices.Contains(f.addresses, e.ip)
}

// validatedName is the value of %{p} (RFC 7208 §7.3): the domain itself, else a name below it, else any, else
// "unknown".
func (e *evaluation) validatedName(ctx context.Context, domain string) string {
	ranked := slices.Clone(e.reverseNames(ctx))
	rank := func(name string) int {
		switch {
		case strings.EqualFold(name, domain):
			return 0
		case lookup.Within(name, domain):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(ranked, func(x, y string) int { return rank(x) - rank(y) })
	for _, name := range ranked {
		if e.validated(ctx, name) {
			return name
		}
	}
	return "unknown"
}

// expandName expands a domain-spec into a name for a query.
func (e *evaluation) expandName(ctx context.Context, spec Macro, domain string) (string, error) {
	if (spec.uses('l') || spec.uses('s')) && strings.IndexFunc(e.local, func(r rune) bool { return r >= 0x80 }) >= 0 {
		return "", errNoName // RFC 8616 §4
	}
	text, err := e.expand(ctx, spec, domain)
	if err != nil {
		return "", err
	}
	name := truncate(text)
	if !lookup.WellFormed(name) {
		return "", errNoName
	}
	return name, nil
}

// expand applies RFC 7208 §7.
func (e *evaluation) expand(ctx context.Context, m Macro, domain string) (string, error) {
	var b strings.Builder
	for _, p := range m {
		if p.letter == 0 {
			b.WriteString(p.literal)
			continue
		}
		b.WriteString(p.expand(e.value(ctx, p.letter, domain)))
		if b.Len() > lookup.MaxTXT {
			return "", errNoName
		}
	}
	return b.String(), nil
}

// value is the value of a macro letter (RFC 7208 §7.2).
func (e *evaluation) value(ctx context.Context, letter byte, domain string) string {
	switch letter {
	case 's':
		return e.local + "@" + e.senderDomain
	case 'l':
		return e.local
	case 'o':
		return e.senderDomain
	case 'd':
		return domain
	case 'i':
		return dotted(e.ip)
	case 'p':
		return e.validatedName(ctx, domain)
	case 'v':
		if e.ip.Is4() {
			return "in-addr"
		}
		return "ip6"
	case 'h':
		return e.helo
	case 'c':
		return e.ip.String()
	case 'r':
		return cmp.Or(e.checker.Receiver, "unknown")
	default: // t
		now := time.Now
		if e.checker.Now != nil {
			now = e.checker.Now
		}
		return strconv.FormatInt(now().Unix(), 10)
	}
}

// dotted is the address for %{i}: IPv6 as 32 nibbles (RFC 7208 §7.3).
func dotted(ip netip.Addr) string {
	if !ip.Is6() {
		return ip.String()
	}
	const hex = "0123456789abcdef"
	raw := ip.As16()
	out := make([]byte, 0, 63)
	for i, b := range raw {
		if i > 0 {
			out = append(out, '.')
		}
		out = append(out, hex[b>>4], '.', hex[b&15])
	}
	return string(out)
}
