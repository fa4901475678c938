package dns

import (
	"context"
	"crypto/x509"
	"net/netip"
	"slices"
	"strconv"

	mdns "github.com/miekg/dns"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/parallel"
	"postier/internal/sasl"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// tlsaPlace is one port whose certificate DNS may pin.
type tlsaPlace struct {
	host   string
	port   int
	answer []*mdns.TLSA
	ad     bool
	err    error
	// chain is what the server shows; it is asked for only where TLSA records are usable, and empty when the server
	// could not be reached.
	chain []*x509.Certificate
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
	var wg parallel.Group
	for i := range places {
		wg.Go(func() {
			places[i].ask(ctx, r)
			places[i].look(ctx, a)
		})
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

// look reads the certificate that the records are for. An exchanger is named by the domain, and no domain may lead this
// program to addresses of this machine or a private network (docs/security.md T6).
func (p *tlsaPlace) look(ctx context.Context, a *area) {
	if !slices.ContainsFunc(p.answer, usableTLSA) || a.network == nil || a.network.Resolver == nil {
		return
	}
	server := a.target.Submission
	own := lookup.Lower(server.Host) == p.host && server.Port == p.port
	if !own {
		server = config.Server{Host: p.host, Port: p.port, Security: config.SecurityStartTLS}
	}
	server.Username = ""
	client := smtp.New(a.network, sasl.Account{Server: server})
	defer client.Close()
	found, err := client.Resolve(ctx)
	private := slices.ContainsFunc(slices.Concat(found.V4, found.V6), func(ip netip.Addr) bool { return !wire.Public(ip) })
	if err != nil || private && !own {
		return
	}
	if _, err := client.Connect(ctx); err == nil {
		report, _ := client.Secure(ctx)
		p.chain = report.Chain
	}
}

// fits reports whether a record is for the certificate that the server shows: DANE-EE for the first one, DANE-TA for
// one above it (RFC 7671 §5.1, §5.2).
func (p *tlsaPlace) fits(t *mdns.TLSA) bool {
	candidates := p.chain[:1]
	if t.Usage == 2 {
		candidates = p.chain[1:]
	}
	return slices.ContainsFunc(candidates, func(c *x509.Certificate) bool { return t.Verify(c) == nil })
}

func (a *area) judgeDANE(places []tlsaPlace, mxAD bool) diagnostics.Result {
	var seen diagnostics.Evidence
	var failure error
	insecure, malformed := "", ""
	var mismatch *tlsaPlace
	for i, p := range places {
		if p.err != nil {
			failure = p.err
		}
		secure := p.ad && (p.port != 25 || mxAD)
		fitting := len(p.chain) == 0
		for _, t := range p.answer {
			usable := usableTLSA(t)
			var matches *bool
			if usable && len(p.chain) > 0 {
				matches = new(p.fits(t))
				fitting = fitting || *matches
			}
			seen = append(seen, TLSA{
				Host: remote(p.host), Port: p.port, Usage: t.Usage, Selector: t.Selector, Matching: t.MatchingType,
				Data: remote(t.Certificate), DNSSEC: secure, Usable: usable,
				Matches: matches,
			})
			if !usable {
				malformed = p.host
			} else if !secure {
				insecure = p.host
			}
		}
		if !fitting && secure { // without DNSSEC, senders do not look at the record
			mismatch = &places[i]
		}
	}
	switch {
	case len(seen) == 0 && failure != nil:
		return unanswered(failure)
	case len(seen) == 0:
		return diagnostics.Skipped(check.CauseNotPublished, NoTLSA{DNSSEC: mxAD})
	case mismatch != nil:
		return diagnostics.Failed(check.CauseDANEMismatch, seen...).With(check.Params{
			Host: remote(mismatch.host), Port: check.Number(mismatch.port),
		})
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
