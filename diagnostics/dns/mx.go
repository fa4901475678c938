package dns

import (
	"context"
	"net/netip"
	"slices"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/parallel"
	"postier/internal/wire"
)

// maxMXHosts is how many exchangers have their addresses looked up: more than any provider publishes, far below the
// budget.
const maxMXHosts = 10

type exchanger struct {
	host       string
	preference uint16
	addresses  []netip.Addr
	err        error
	alias      bool
}

// mx judges where the domain receives mail. Replies and bounces go there, and many receivers refuse senders without it.
func (a *area) mx(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	answer, err := r.Query(ctx, a.domain, mdns.TypeMX)
	switch {
	case lookup.NotFound(err):
		return diagnostics.Failed(check.CauseSenderDomainInvalid,
			failedLookup(err)).With(check.Params{Host: remote(a.domain)})
	case err != nil:
		return unanswered(err)
	}
	var hosts []exchanger
	for _, mx := range wire.Records[*mdns.MX](answer) {
		hosts = append(hosts, exchanger{host: lookup.Lower(mx.Mx), preference: mx.Preference})
	}
	slices.SortStableFunc(hosts, func(x, y exchanger) int { return int(x.preference) - int(y.preference) })
	if len(hosts) == 0 {
		return a.implicitMX(ctx, r)
	}
	// RFC 7505 §3: a null MX is a single record, preference 0, with the root as exchanger.
	if slices.ContainsFunc(hosts, func(e exchanger) bool { return e.host == "" }) {
		seen := mxEvidence(hosts, answer)
		if len(hosts) > 1 {
			return diagnostics.Failed(check.CauseMXMalformed, seen)
		}
		return diagnostics.Failed(check.CauseNullMX, seen)
	}
	resolveHosts(ctx, r, hosts[:min(len(hosts), maxMXHosts)])
	return a.judgeMX(hosts, answer)
}

func (a *area) judgeMX(hosts []exchanger, answer wire.Answer) diagnostics.Result {
	seen := mxEvidence(hosts, answer)
	reachable, dangling, literal := 0, []string{}, []string{}
	for _, h := range hosts {
		switch _, err := netip.ParseAddr(h.host); {
		case err == nil: // RFC 5321 §5.1: the data of an MX record is a name, never an address
			literal = append(literal, h.host)
		case len(h.addresses) > 0 || lookup.Temporary(h.err):
			reachable++
		default:
			dangling = append(dangling, h.host)
		}
	}
	switch {
	case len(literal) > 0:
		return diagnostics.Warned(check.CauseMXMalformed, seen).With(check.Params{Host: remote(join(literal))})
	case reachable == 0:
		return diagnostics.Failed(check.CauseMXAddressMissing, seen).With(check.Params{Host: remote(join(dangling))})
	case len(dangling) > 0:
		return diagnostics.Warned(check.CauseMXAddressMissing, seen).With(check.Params{Host: remote(join(dangling))})
	}
	return diagnostics.Passed(seen)
}

// implicitMX judges a domain without MX records, whose own address receives the mail (RFC 5321 §5.1).
func (a *area) implicitMX(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	self := []exchanger{{host: a.domain}}
	resolveHosts(ctx, r, self)
	switch {
	case len(self[0].addresses) > 0:
		return diagnostics.Warned(check.CauseMXMissing, MX{Implicit: new(true), Hosts: mxHosts(self)})
	case lookup.Temporary(self[0].err):
		return unanswered(self[0].err)
	}
	return diagnostics.Failed(check.CauseMXMissing, MX{Implicit: new(false)})
}

// resolveHosts fills in the addresses of all hosts at once.
func resolveHosts(ctx context.Context, r lookup.Resolver, hosts []exchanger) {
	var wg parallel.Group
	for i := range hosts {
		wg.Go(func() {
			h := &hosts[i]
			h.addresses, h.alias, h.err = addresses(ctx, r, h.host)
		})
	}
	wg.Wait()
}

// addresses looks up both families at once. err is set only when neither has an address.
func addresses(ctx context.Context, r lookup.Resolver, host string) (list []netip.Addr, alias bool, err error) {
	name, ok := lookup.Name(host)
	if !ok {
		return nil, false, &wire.ResolveError{Name: host, Type: mdns.TypeA, Kind: wire.NotFound}
	}
	types := []uint16{mdns.TypeA, mdns.TypeAAAA}
	answers := make([]wire.Answer, len(types))
	errs := make([]error, len(types))
	var wg parallel.Group
	for i, qtype := range types {
		wg.Go(func() { answers[i], errs[i] = r.Query(ctx, name, qtype) })
	}
	wg.Wait()
	for i, answer := range answers {
		list = append(list, answer.Addresses()...)
		alias = alias || len(answer.Chain) > 1
		if err == nil || lookup.Temporary(errs[i]) {
			err = errs[i]
		}
	}
	if len(list) > 0 {
		err = nil
	}
	return list, alias, err
}

func mxEvidence(hosts []exchanger, answer wire.Answer) MX {
	return MX{Hosts: mxHosts(hosts), TTLSeconds: new(seconds(answer.TTL())), DNSSEC: new(answer.AD)}
}

func mxHosts(hosts []exchanger) []MXHost {
	list := make([]MXHost, 0, len(hosts))
	for _, h := range hosts {
		list = append(list, MXHost{
			Host: remote(h.host), Preference: h.preference, Addresses: append([]netip.Addr{}, h.addresses...), Alias: h.alias,
		})
	}
	return list
}
