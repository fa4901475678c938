package dns

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// ptr judges the reverse name of a sending address. Many receivers refuse an address whose name does not resolve back
// to it (RFC 1912 §2.1).
func (a *area) ptr(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	ip := a.opts.IP.Unmap().WithZone("")
	if !ip.IsValid() {
		return diagnostics.Skipped(check.CauseNoSendingAddress)
	}
	arpa, err := mdns.ReverseAddr(ip.String())
	if err != nil {
		return diagnostics.Skipped(check.CauseNoSendingAddress)
	}
	answer, err := r.Query(ctx, arpa, mdns.TypePTR)
	if lookup.Temporary(err) {
		return unanswered(err)
	}
	var names, confirmed []string
	list := wire.Records[*mdns.PTR](answer)
	for _, ptr := range list[:min(len(list), maxMXHosts)] {
		names = append(names, lookup.Lower(ptr.Ptr))
	}
	for _, name := range names {
		addresses, _, err := addresses(ctx, r, name)
		if lookup.Temporary(err) {
			return unanswered(err)
		}
		if slices.Contains(addresses, ip) {
			confirmed = append(confirmed, name)
		}
	}
	seen := PTR{
		IP: ip, Names: safetext.FromRemotes(names), Confirmed: safetext.FromRemotes(confirmed),
		Generic: genericName(names, ip),
	}
	switch {
	case len(names) == 0:
		return diagnostics.Warned(check.CausePTRMissing, seen).With(check.Params{IP: remote(ip.String())})
	case len(confirmed) == 0:
		return diagnostics.Warned(check.CausePTRMismatch,
			seen).With(check.Params{IP: remote(ip.String()), Name: remote(names[0])})
	}
	return diagnostics.Passed(seen).With(check.Params{IP: remote(ip.String())})
}

// genericName reports whether a name contains the address, as names of dial-up pools do. Some receivers distrust those.
func genericName(names []string, ip netip.Addr) bool {
	if !ip.Is4() {
		return false
	}
	octets := strings.Split(ip.String(), ".")
	for _, name := range names {
		numbers := strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' })
		found := 0
		for _, o := range octets {
			if slices.Contains(numbers, o) {
				found++
			}
		}
		if found == len(octets) {
			return true
		}
	}
	return false
}
