package dns

import (
	"context"
	"slices"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/parallel"
	"postier/internal/wire"
)

// services are the SRV names under which mail programs look for servers (RFC 6186 §3, RFC 8314 §5.1, and Microsoft's
// own).
var services = []string{"_submissions._tcp", "_submission._tcp", "_imaps._tcp", "_imap._tcp", "_autodiscover._tcp"}

// maxSRV bounds the targets of one service that are looked at.
const maxSRV = 4

type service struct {
	name    string
	targets []*mdns.SRV
	missing []string // targets without an address
	absent  bool     // the domain says that it has no such service
	err     error
}

// discovery judges the records from which mail programs configure themselves.
func (a *area) discovery(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	found := make([]service, len(services))
	hosts := []exchanger{{host: "autoconfig." + a.domain}, {host: "autodiscover." + a.domain}}
	var wg parallel.Group
	for i, name := range services {
		wg.Go(func() { found[i] = askService(ctx, r, name, a.domain) })
	}
	wg.Go(func() { resolveHosts(ctx, r, hosts) })
	wg.Wait()

	var seen diagnostics.Evidence
	var failure error
	missing := ""
	for _, s := range found {
		if s.err != nil {
			failure = s.err
		}
		seen = append(seen, s.evidence()...)
		if len(s.missing) > 0 {
			missing = s.missing[0]
		}
	}
	for _, h := range hosts {
		if len(h.addresses) > 0 {
			seen = append(seen, Autoconfig{Host: remote(h.host)})
		}
	}
	switch {
	case missing != "":
		return diagnostics.Warned(check.CauseSRVTargetMissing, seen...).With(check.Params{Host: remote(missing)})
	case len(seen) > 0:
		return diagnostics.Passed(seen...)
	case failure != nil:
		return unanswered(failure)
	}
	return diagnostics.Skipped(check.CauseNotPublished)
}

func askService(ctx context.Context, r lookup.Resolver, name, domain string) service {
	s := service{name: name}
	full, ok := lookup.Name(name + "." + domain)
	if !ok {
		return s
	}
	answer, err := r.Query(ctx, full, mdns.TypeSRV)
	if lookup.Temporary(err) {
		s.err = err
	}
	for _, srv := range wire.Records[*mdns.SRV](answer) {
		switch {
		case len(s.targets) == maxSRV:
		case srv.Target == ".": // RFC 6186 §3.4: decidedly not available
			s.absent = true
		default:
			s.targets = append(s.targets, srv)
		}
	}
	slices.SortStableFunc(s.targets, func(x, y *mdns.SRV) int { return int(x.Priority) - int(y.Priority) })
	for _, srv := range s.targets {
		if list, _, err := addresses(ctx, r, srv.Target); len(list) == 0 && !lookup.Temporary(err) {
			s.missing = append(s.missing, lookup.Lower(srv.Target))
		}
	}
	return s
}

func (s service) evidence() diagnostics.Evidence {
	var list diagnostics.Evidence
	if s.absent {
		list = append(list, NoSRV{Service: s.name})
	}
	for _, t := range s.targets {
		list = append(list, SRV{
			Service: s.name, Host: remote(lookup.Lower(t.Target)), Port: t.Port, Priority: t.Priority, Weight: t.Weight,
		})
	}
	return list
}
