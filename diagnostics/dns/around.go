package dns

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
)

// tlsRPT judges the record that asks for TLS reports (RFC 8460 §3).
func (a *area) tlsRPT(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	text, result := a.oneRecord(ctx, r, "_smtp._tls."+a.domain, "TLSRPTv1", check.CauseTLSRPTMalformed, "tls-rpt")
	if result != nil {
		return *result
	}
	fields, bad := semicolonFields(text.Value)
	seen := TLSRPT{Record: remote(text.Value), RUA: remote(fields["rua"]), TTLSeconds: seconds(text.TTL)}
	if bad == "" && fields["rua"] != "" {
		for target := range strings.SplitSeq(fields["rua"], ",") {
			u, err := url.Parse(strings.TrimSpace(target))
			if err != nil || u.Scheme != "mailto" && u.Scheme != "https" {
				bad = "rua"
			}
		}
	}
	if bad != "" || fields["rua"] == "" {
		return a.about(diagnostics.Warned(check.CauseTLSRPTMalformed, seen))
	}
	return a.about(diagnostics.Passed(seen))
}

// bimi judges the record for a logo (draft-brand-indicators-for-message-identification): it needs an https image, and a
// DMARC policy that acts, which dns.dmarc judges.
func (a *area) bimi(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	text, result := a.oneRecord(ctx, r, "default._bimi."+a.domain, "BIMI1", check.CauseBIMIMalformed, "bimi")
	if result != nil {
		return *result
	}
	fields, bad := semicolonFields(text.Value)
	location, hasLocation := fields["l"]
	authority := fields["a"]
	seen := BIMI{
		Record: remote(text.Value), Location: remote(location), Authority: remote(authority),
		Declined: hasLocation && location == "" && authority == "", TTLSeconds: seconds(text.TTL),
	}
	switch {
	case bad == "" && !hasLocation:
		bad = "l"
	case bad == "" && location != "" && !httpsURL(location):
		bad = "l"
	case bad == "" && authority != "" && !httpsURL(authority):
		bad = "a"
	}
	if bad != "" {
		return a.about(diagnostics.Warned(check.CauseBIMIMalformed, seen))
	}
	return a.about(diagnostics.Passed(seen))
}

func httpsURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// tlsaPlace is one port whose certificate DNS may pin.
type tlsaPlace struct {
	host   string
	port   int
	answer []*mdns.TLSA
	ad     bool
	err    error
}

// dane looks for TLSA records of the exchangers (RFC 7672) and of the submission server, and whether DNSSEC vouches for
// them: without that nobody may use them.
func (a *area) dane(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	var places []tlsaPlace
	mxAnswer, err := r.Query(ctx, a.domain, mdns.TypeMX)
	if lookup.Temporary(err) {
		return unanswered(err)
	}
	for _, rr := range mxAnswer.Records {
		if mx, ok := rr.(*mdns.MX); ok && mx.Mx != "." && len(places) < maxMXHosts {
			places = append(places, tlsaPlace{host: lookup.Lower(mx.Mx), port: 25})
		}
	}
	if s := a.target.Submission; s.Host != "" {
		if _, literal := netip.ParseAddr(s.Host); literal != nil {
			places = append(places, tlsaPlace{host: lookup.Lower(s.Host), port: s.Port})
		}
	}
	var wg sync.WaitGroup
	for i := range places {
		wg.Go(func() { places[i].ask(ctx, r) })
	}
	wg.Wait()
	return a.judgeDANE(places, mxAnswer.AD)
}

func (p *tlsaPlace) ask(ctx context.Context, r lookup.Resolver) {
	name, ok := lookup.Name("_" + strconv.Itoa(p.port) + "._tcp." + p.host)
	if !ok {
		return
	}
	answer, err := r.Query(ctx, name, mdns.TypeTLSA)
	if lookup.Temporary(err) {
		p.err = err
	}
	p.ad = answer.AD
	for _, rr := range answer.Records {
		if tlsa, ok := rr.(*mdns.TLSA); ok {
			p.answer = append(p.answer, tlsa)
		}
	}
}

func (a *area) judgeDANE(places []tlsaPlace, mxAD bool) diagnostics.Result {
	var seen diagnostics.Evidence
	var failure error
	insecure, malformed := "", ""
	for _, p := range places {
		if p.err != nil {
			failure = p.err
		}
		for _, t := range p.answer {
			usable := usableTLSA(t)
			secure := p.ad && (p.port != 25 || mxAD)
			seen = append(seen, TLSA{
				Host: remote(p.host), Port: p.port, Usage: t.Usage, Selector: t.Selector, Matching: t.MatchingType,
				Data: remote(t.Certificate), DNSSEC: secure, Usable: usable,
			})
			if !usable {
				malformed = p.host
			} else if !secure {
				insecure = p.host
			}
		}
	}
	switch {
	case len(seen) == 0 && failure != nil:
		return unanswered(failure)
	case len(seen) == 0:
		return a.about(diagnostics.Skipped(check.CauseNotPublished, NoTLSA{DNSSEC: mxAD}))
	case malformed != "":
		return a.about(diagnostics.Warned(check.CauseDANEMalformed, seen...).With(check.Params{Host: remote(malformed)}))
	case insecure != "":
		return a.about(diagnostics.Warned(check.CauseDANEInsecure, seen...).With(check.Params{Host: remote(insecure)}))
	}
	return a.about(diagnostics.Passed(seen...))
}

// usableTLSA: SMTP uses DANE-TA(2) and DANE-EE(3) only (RFC 7672 §3.1.3), with digests of the right length (RFC 6698
// §2.1.3).
func usableTLSA(t *mdns.TLSA) bool {
	digits := map[uint8]int{1: 64, 2: 128}[t.MatchingType]
	return (t.Usage == 2 || t.Usage == 3) && t.Selector <= 1 && t.MatchingType <= 2 &&
		(digits == 0 || len(t.Certificate) == digits)
}

// ptr judges the reverse name of a sending address: many receivers refuse one whose name does not lead back (RFC 1912
// §2.1).
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
	for _, rr := range answer.Records {
		if ptr, ok := rr.(*mdns.PTR); ok && len(names) < maxMXHosts {
			names = append(names, lookup.Lower(ptr.Ptr))
		}
	}
	for _, name := range names {
		list, _, err := addresses(ctx, r, name)
		if lookup.Temporary(err) {
			return unanswered(err)
		}
		if slices.Contains(list, ip) {
			confirmed = append(confirmed, name)
		}
	}
	seen := PTR{
		IP: ip, Names: remotes(names), Confirmed: remotes(confirmed), Generic: genericName(names, ip),
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

// genericName reports whether a name spells the address, as dial-up pools do; some receivers distrust those.
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
