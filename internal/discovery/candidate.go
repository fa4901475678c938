package discovery

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"postier/config"
	"postier/internal/organisation"
	"postier/internal/parallel"
	"postier/internal/wire"
	"postier/presets"
)

// preset makes a candidate of a provider's file.
func (f *finder) preset(match presets.Match, origin Origin, rank int) (Candidate, bool) {
	p, ok := f.book.Get(match.ID)
	if !ok {
		return Candidate{}, false
	}
	smtp, imap := p.Servers(f.address)
	source := SourcePreset
	if match.Source == presets.SourceISPDB {
		source = SourceISPDB
	}
	confidence, checked := p.Confidence()
	c := Candidate{
		Provider: p.ID, Name: p.Name, Origin: origin, Confidence: confidence, Checked: checked,
		SMTP: endpoints(smtp, source), IMAP: endpoints(imap, source), Credential: p.Credential.Type,
		SentCopy: p.SentCopy.Mode, rank: rank,
	}
	if origin == OriginMX {
		c.Via = match.On
		c.Confidence = weaker(confidence) // a domain may send through another provider than it receives with
		if match.Source == presets.SourceISPDB {
			c.Confirm = append(c.Confirm, Guess)
		}
	}
	if len(c.SMTP) > 0 && c.SMTP[0].Cleartext {
		c.Confirm = append(c.Confirm, Cleartext)
	}
	c.Notes = presetNotes(p, f.today, append(slices.Clone(smtp), imap...))
	return c, true
}

// weaker is the next lower confidence.
func weaker(c presets.Confidence) presets.Confidence {
	if c == presets.Certain {
		return presets.Likely
	}
	return presets.Guess
}

func endpoints(list []presets.Endpoint, source Source) []Server {
	out := make([]Server, 0, len(list))
	for _, e := range list {
		out = append(out, Server{
			Server: e.Server, Mechanisms: e.Mechanisms, Source: source, Ask: e.Ask,
			Cleartext: e.Cleartext,
		})
	}
	return out
}

// server builds a server that the domain announced; rule is a user-name rule of presets.
func (f *finder) server(host string, port int, security config.Security, rule string, source Source) Server {
	return Server{
		Server: config.Server{
			Host: host, Port: port, Security: security, Auth: config.MechanismAuto,
			Username: presets.Username(rule, f.address),
		},
		Source: source, Cleartext: security == config.SecurityNone,
	}
}

// custom completes a candidate that the domain published or that a probe found: it drops hosts that cannot be used,
// names a known provider, and lists what the person must confirm.
func (f *finder) custom(ctx context.Context, c Candidate) outcome {
	encryptedFirst(c.SMTP)
	encryptedFirst(c.IMAP)
	aliased := f.vet(ctx, &c)
	if len(c.SMTP) == 0 {
		return outcome{}
	}
	c.Provider, c.Name, c.Credential, c.SentCopy = Custom, f.name(), config.SecretPassword, config.SentAppend
	if len(c.IMAP) == 0 {
		c.SentCopy = config.SentNone
	}
	if c.Confidence == "" {
		c.Confidence = presets.Likely
	}
	if p, ok := f.owner(c.SMTP[0].Host); ok {
		c.Provider, c.Name, c.Credential, c.SentCopy = p.ID, p.Name, p.Credential.Type, p.SentCopy.Mode
		_, c.Checked = p.Confidence()
		c.Notes = append(c.Notes, presetNotes(p, f.today, nil)...)
	}
	f.confirm(&c, aliased)
	if len(c.Confirm) > 0 {
		c.Confidence = presets.Guess
		if c.rank < rankConfirm {
			c.rank = rankConfirm + c.rank/rankStep
		}
	}
	return outcome{candidates: []Candidate{c}}
}

// name is the domain as people read it, for a candidate that no preset names.
func (f *finder) name() string { return config.AddressDomain(config.AddressUnicode("x@" + f.domain)) }

// encryptedFirst moves encrypted servers to the front and keeps the order otherwise.
func encryptedFirst(list []Server) {
	slices.SortStableFunc(list, func(a, b Server) int {
		switch {
		case a.Cleartext == b.Cleartext:
			return 0
		case b.Cleartext:
			return -1
		}
		return 1
	})
}

// confirm adds the reasons of docs/security.md T5 that follow from the hosts.
func (f *finder) confirm(c *Candidate, aliased bool) {
	add := func(r Reason) {
		if !slices.Contains(c.Confirm, r) {
			c.Confirm = append(c.Confirm, r)
		}
	}
	for _, s := range append(slices.Clone(c.SMTP), c.IMAP...) {
		if _, known := f.owner(s.Host); !known && !organisation.Same(s.Host, f.domain) {
			add(OtherDomain)
		}
	}
	if aliased && c.Provider == Custom {
		add(Alias)
	}
	if c.SMTP[0].Cleartext {
		add(Cleartext)
	}
}

// vet drops servers whose host has no address, or an address that the policy forbids, and reports whether a host of the
// domain is an alias for one elsewhere. If the name service does not answer, the host is kept.
func (f *finder) vet(ctx context.Context, c *Candidate) (aliased bool) {
	type verdict struct{ usable, aliased bool }
	verdicts := map[string]*verdict{}
	for _, s := range append(slices.Clone(c.SMTP), c.IMAP...) {
		verdicts[s.Host] = &verdict{}
	}
	var wg parallel.Group
	for host, v := range verdicts {
		port := 0
		for _, s := range append(slices.Clone(c.SMTP), c.IMAP...) {
			if s.Host == host {
				port = s.Port
			}
		}
		wg.Go(func() { v.usable = f.usable(ctx, host, port) })
		if organisation.Same(host, f.domain) {
			wg.Go(func() { v.aliased = f.aliased(ctx, host) })
		}
	}
	wg.Wait()
	drop := func(s Server) bool { return !verdicts[s.Host].usable }
	c.SMTP, c.IMAP = slices.DeleteFunc(c.SMTP, drop), slices.DeleteFunc(c.IMAP, drop)
	for _, s := range append(slices.Clone(c.SMTP), c.IMAP...) {
		aliased = aliased || verdicts[s.Host].aliased
	}
	return aliased
}

func (f *finder) usable(ctx context.Context, host string, port int) bool {
	addresses, err := f.network.Addresses(ctx, host)
	if err != nil {
		var failed *wire.ResolveError
		return !errors.As(err, &failed) || failed.Kind != wire.NotFound && failed.Kind != wire.NoAddress
	}
	return slices.ContainsFunc(addresses, func(a netip.Addr) bool {
		return f.network.Permit(netip.AddrPortFrom(a,
			uint16(port))) == nil //nolint:gosec // ports come from SRV and from checked text
	})
}

// aliased reports whether CNAMEs lead out of the address's organisation to a host that no preset knows.
func (f *finder) aliased(ctx context.Context, host string) bool {
	answer, err := f.network.Resolver.Query(ctx, host, dns.TypeA)
	if err != nil || len(answer.Chain) < 2 {
		return false
	}
	end := strings.ToLower(answer.Chain[len(answer.Chain)-1])
	_, known := f.owner(end)
	return !known && !organisation.Same(end, f.domain)
}

// owner is the preset that has the host among its servers.
func (f *finder) owner(host string) (*presets.Provider, bool) {
	id, ok := owners(f.book)[host]
	if !ok {
		return nil, false
	}
	return f.book.Get(id)
}

// byBook caches the hosts of each book's mailbox providers; a program has one book, a test a few.
var byBook sync.Map // *presets.Book -> func() map[string]string

func owners(book *presets.Book) map[string]string {
	build, _ := byBook.LoadOrStore(book, sync.OnceValue(func() map[string]string {
		out := map[string]string{}
		for _, entry := range book.All() {
			if entry.Source == presets.SourceISPDB || entry.Kind != presets.KindMailbox {
				continue
			}
			p, ok := book.Get(entry.ID)
			if !ok {
				continue
			}
			for _, s := range append(slices.Clone(p.SMTP), p.IMAP...) {
				if _, ok := out[s.Host]; !ok && !strings.Contains(s.Host, "{") {
					out[s.Host] = p.ID
				}
			}
		}
		return out
	}))
	return build.(func() map[string]string)()
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
