package dns

import (
	"context"
	"net/netip"
	"strconv"
	"sync"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/wire"
)

// tlsaPlace is one port whose certificate DNS may pin.
type tlsaPlace struct {
	host   string
	port   int
	answer []*mdns.TLSA
	ad     bool
	err    error
}

// dane looks for TLSA records of the exchangers (RFC 7672) and of the submission server, and whether DNSSEC validates
// them: without it senders must ignore them.
func (a *area) dane(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	var places []tlsaPlace
	mxAnswer, err := r.Query(ctx, a.domain, mdns.TypeMX)
	if lookup.Temporary(err) {
		return unanswered(err)
	}
	for _, mx := range wire.Records[*mdns.MX](mxAnswer) {
		if mx.Mx != "." && len(places) < maxMXHosts {
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
	p.answer = wire.Records[*mdns.TLSA](answer)
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
		return diagnostics.Skipped(check.CauseNotPublished, NoTLSA{DNSSEC: mxAD})
	case malformed != "":
		return diagnostics.Warned(check.CauseDANEMalformed, seen...).With(check.Params{Host: remote(malformed)})
	case insecure != "":
		return diagnostics.Warned(check.CauseDANEInsecure, seen...).With(check.Params{Host: remote(insecure)})
	}
	return diagnostics.Passed(seen...)
}

// usableTLSA: SMTP uses DANE-TA(2) and DANE-EE(3) only (RFC 7672 §3.1.3), with digests of the right length (RFC 6698
// §2.1.3).
func usableTLSA(t *mdns.TLSA) bool {
	digits := map[uint8]int{1: 64, 2: 128}[t.MatchingType]
	return (t.Usage == 2 || t.Usage == 3) && t.Selector <= 1 && t.MatchingType <= 2 &&
		(digits == 0 || len(t.Certificate) == digits)
}
