package config

import (
	"maps"
	"slices"
	"strings"
)

// RouteReason says why a profile was selected.
type RouteReason string

// The reasons, strongest first.
const (
	RouteAddress  RouteReason = "address"  // the sender is listed in senders, or is the profile's own address
	RouteDomain   RouteReason = "domain"   // the sender's domain is listed in senders
	RouteDefault  RouteReason = "default"  // nothing matched
	RouteFallback RouteReason = "fallback" // nothing matched and the default is switched off (D-5)
	RouteNone     RouteReason = "none"     // no profile is switched on
)

// Route returns the profile that sends for the envelope sender address (P-1, P-3). A whole address wins over a domain,
// a domain over the default; a profile that is switched off is passed over (D-1). If two profiles match equally well,
// the default wins, then the first name in the alphabet. The name is "" with RouteNone.
func Route(f *File, address string) (name string, reason RouteReason) {
	domain, _ := DomainASCII(AddressDomain(address))
	best, reason := "", RouteNone
	for _, name := range f.namesDefaultFirst() {
		p := f.Profiles[name]
		if p == nil || !p.Enabled {
			continue
		}
		if p.sendsAddress(address) {
			return name, RouteAddress
		}
		if best == "" && domain != "" && p.sendsDomain(domain) {
			best, reason = name, RouteDomain
		}
	}
	if best != "" {
		return best, reason
	}
	if p := f.Profiles[f.Default]; p != nil && p.Enabled {
		return f.Default, RouteDefault
	}
	if p := f.Profiles[f.Fallback]; p != nil && p.Enabled {
		return f.Fallback, RouteFallback
	}
	return "", RouteNone
}

// Carriers are the profiles that may carry a message about a profile to somebody else, the best first: the profile
// itself, if it works, or the default where the message is about none; the fallback; and the default where the message
// is about the fallback.
func (f *File) Carriers(about string, works bool) []string {
	var list []string
	add := func(name string, may bool) {
		if p := f.Profiles[name]; may && p != nil && p.Enabled && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	add(about, works)
	add(f.Default, about == "") // whether it works is not known: the checks were of something else
	add(f.Fallback, f.Fallback != about)
	add(f.Default, f.Fallback == about && f.Default != about)
	return list
}

func (f *File) namesDefaultFirst() []string {
	names := f.Names()
	if at := slices.Index(names, f.Default); at > 0 {
		names = slices.Insert(slices.Delete(names, at, at+1), 0, f.Default)
	}
	return names
}

// Names lists the profiles in alphabetical order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Profiles)) }

func (p *Profile) sendsAddress(address string) bool {
	if sameAddress(p.From.Address, address) {
		return true
	}
	for _, sender := range p.Senders {
		if strings.Contains(sender, "@") && sameAddress(sender, address) {
			return true
		}
	}
	return false
}

func (p *Profile) sendsDomain(ascii string) bool {
	for _, sender := range p.Senders {
		if strings.Contains(sender, "@") {
			continue
		}
		if own, ok := DomainASCII(sender); ok && own == ascii {
			return true
		}
	}
	return false
}

// sameAddress compares without case. RFC 5321 §2.4 lets only the receiving host do so for the local part; here both
// sides belong to the same owner, who does not expect Contact@ and contact@ to be two senders.
func sameAddress(a, b string) bool {
	return a != "" && strings.EqualFold(AddressASCIIDomain(a), AddressASCIIDomain(b))
}
