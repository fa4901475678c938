package discovery

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/miekg/dns"

	"postier/config"
	"postier/internal/parallel"
	"postier/internal/wire"
	"postier/presets"
)

const (
	maxMX  = 10 // RFC 7208 §4.6.4 also stops at ten; further ones are spares of the same provider
	maxSRV = 4  // targets of one service
	maxSPF = 10 // RFC 7208 §4.6.4
)

// askMX looks up the exchangers among the presets. If they belong to a mail filter, it also looks up the names in the
// SPF record.
func (f *finder) askMX(ctx context.Context) outcome {
	var targets []string
	var wg parallel.Group
	wg.Go(func() { targets = f.spfTargets(ctx) })
	hosts, err := f.exchangers(ctx)
	if err != nil {
		return outcome{err: err}
	}
	rank := rankMX
	if f.listed {
		rank = rankMXBehindDomain
	}
	var out outcome
	for i, match := range f.book.MX(hosts) {
		at := rank + i
		if match.Source == presets.SourceISPDB {
			at = rankISPDBMX + i
		}
		if c, ok := f.preset(match, OriginMX, at); ok {
			out.candidates = append(out.candidates, c)
		}
	}
	if len(out.candidates) > 0 {
		return out
	}
	filter := ""
	for _, host := range hosts {
		if name, ok := presets.MailFilter(host); ok {
			filter = name
		} else if config.ValidateHost(host).Empty() {
			out.exchangers = append(out.exchangers, host)
		}
	}
	if filter == "" {
		return out
	}
	wg.Wait()
	for i, match := range f.book.SPF(targets) {
		c, ok := f.preset(match, OriginMX, rankSPF+i)
		if !ok || len(c.IMAP) == 0 && c.SentCopy != config.SentServer {
			continue // a service that only sends has no mailboxes
		}
		c.Confidence = presets.Guess
		c.Confirm = append(c.Confirm, Guess)
		c.Notes = append(c.Notes, say("discovery.note.filter", "filter", filter))
		out.candidates = append(out.candidates, c)
	}
	return out
}

// exchangers are the MX hosts in order of preference, lower case. A null MX (RFC 7505) gives none.
func (f *finder) exchangers(ctx context.Context) ([]string, error) {
	answer, err := f.network.Resolver.Query(ctx, f.domain, dns.TypeMX)
	if err != nil {
		return nil, err
	}
	list := wire.Records[*dns.MX](answer)
	slices.SortStableFunc(list, func(a, b *dns.MX) int { return int(a.Preference) - int(b.Preference) })
	var hosts []string
	for _, mx := range list[:min(len(list), maxMX)] {
		if host := hostOf(mx.Mx); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

// spfTargets are the names that the domain's SPF record includes or redirects to. The record only gives hints here; the
// checks evaluate it.
func (f *finder) spfTargets(ctx context.Context) []string {
	answer, err := f.network.Resolver.Query(ctx, f.domain, dns.TypeTXT)
	if err != nil {
		return nil
	}
	var targets []string
	for _, txt := range wire.Records[*dns.TXT](answer) {
		terms := strings.Fields(strings.ToLower(strings.Join(txt.Txt, "")))
		if len(terms) == 0 || terms[0] != "v=spf1" { // RFC 7208 §4.5
			continue
		}
		for _, term := range terms[1:] {
			target, include := strings.CutPrefix(strings.TrimLeft(term, "+?~"), "include:")
			if !include {
				target, include = strings.CutPrefix(term, "redirect=")
			}
			if include && len(targets) < maxSPF {
				targets = append(targets, strings.TrimSuffix(target, ".")) // only compared with names of the presets
			}
		}
	}
	return targets
}

// hostOf is a name in a record or file as a host name in lower-case A-labels, or "" if it is not a valid one.
func hostOf(name string) string {
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	ascii, ok := config.DomainASCII(host)
	if !ok || !strings.Contains(ascii, ".") || isAddress(ascii) || mixed(host) {
		return ""
	}
	return ascii
}

// mixed reports whether a label has letters of several alphabets that look alike (UTR #39 §5.1): an "а" of another
// alphabet makes a name that is no one's by accident.
func mixed(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		found := 0
		for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
			if strings.ContainsFunc(label, func(r rune) bool { return unicode.Is(script, r) }) {
				found++
			}
		}
		if found > 1 {
			return true
		}
	}
	return false
}

// services are the SRV names in the order in which their servers are tried: implicit TLS first (RFC 8314 §5.1).
var services = []struct {
	name     string
	security config.Security
	imap     bool
}{
	{"_submissions._tcp.", config.SecurityTLS, false},
	{"_submission._tcp.", config.SecurityStartTLS, false},
	{"_imaps._tcp.", config.SecurityTLS, true},
	{"_imap._tcp.", config.SecurityStartTLS, true},
}

// askSRV looks up the servers that the domain announces (RFC 6186).
func (f *finder) askSRV(ctx context.Context) outcome {
	found := make([][]Server, len(services))
	var wg parallel.Group
	for i, s := range services {
		wg.Go(func() {
			for _, srv := range f.targets(ctx, s.name+f.domain) {
				found[i] = append(found[i], f.server(srv.Target, int(srv.Port), s.security, "{address}", SourceSRV))
			}
		})
	}
	wg.Wait()
	c := Candidate{Origin: OriginSRV, rank: rankSRV}
	for i, s := range services {
		if s.imap {
			c.IMAP = append(c.IMAP, found[i]...)
		} else {
			c.SMTP = append(c.SMTP, found[i]...)
		}
	}
	if len(c.SMTP) > 0 {
		c.Via = services[0].name + f.domain
		if len(found[0]) == 0 {
			c.Via = services[1].name + f.domain
		}
	}
	return f.custom(ctx, c)
}

// targets are the usable targets of one service, best first. A target of "." says that there is no such service (RFC
// 6186 §3.4); other records of the service count all the same.
func (f *finder) targets(ctx context.Context, name string) []*dns.SRV {
	answer, err := f.network.Resolver.Query(ctx, name, dns.TypeSRV)
	if err != nil {
		return nil
	}
	var list []*dns.SRV
	for _, srv := range wire.Records[*dns.SRV](answer) {
		if srv.Port == 0 {
			continue
		}
		if srv.Target = hostOf(srv.Target); srv.Target != "" {
			list = append(list, srv)
		}
	}
	// RFC 2782: the lower priority first; among equals the larger weight, so that every run gives the same order.
	slices.SortStableFunc(list, func(a, b *dns.SRV) int {
		return cmp.Or(int(a.Priority)-int(b.Priority), int(b.Weight)-int(a.Weight), strings.Compare(a.Target, b.Target))
	})
	return list[:min(len(list), maxSRV)]
}
