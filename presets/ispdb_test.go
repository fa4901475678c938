package presets

import (
	"slices"
	"testing"

	"postier/config"
)

// TestEveryISPDBDomain: each domain of the second source leads to its own first encrypted server, or to the flagship
// that the provider is, and a server without encryption never comes before an encrypted one.
func TestEveryISPDBDomain(t *testing.T) {
	t.Parallel()
	domains, flagships, cleartext := 0, 0, 0
	for _, p := range every(t, SourceISPDB) {
		encrypted := slices.IndexFunc(p.SMTP, func(s Server) bool { return s.Security != config.SecurityNone })
		for _, domain := range p.Domains {
			domains++
			match, ok := Default().Domain(domain)
			switch {
			case !ok:
				t.Errorf("%s: %s is not found", p.ID, domain)
				continue
			case match.Source == SourceFlagship:
				if p.SameAs == "" {
					t.Errorf("%s: %s leads to %s, which it is not said to be", p.ID, domain, match.ID)
				}
				flagships++
				if encrypted >= 0 && !offers(match.ID, domain, p.SMTP[encrypted]) {
					t.Errorf("%s: %s leads to %s, which does not offer %+v", p.ID, domain, match.ID, p.SMTP[encrypted])
				}
				continue
			case match.ID != p.ID:
				t.Errorf("%s: %s leads to %s", p.ID, domain, match.ID)
				continue
			}
			found, _ := Default().Get(match.ID)
			smtp, _ := found.Servers("marie@" + domain)
			switch {
			case encrypted >= 0 && (len(smtp) == 0 || smtp[0].Host != Username(p.SMTP[encrypted].Host, "marie@"+domain) ||
				smtp[0].Port != p.SMTP[encrypted].Port || smtp[0].Cleartext):
				t.Errorf("%s: %s gives %+v, want %+v", p.ID, domain, smtp, p.SMTP[encrypted])
			case encrypted < 0 && len(smtp) > 0:
				cleartext++
				if !smtp[0].Cleartext && !loopback(smtp[0].Host) {
					t.Errorf("%s: %s has no encryption and does not say so", p.ID, domain)
				}
			}
		}
	}
	if domains < 1200 {
		t.Errorf("only %d domains", domains)
	}
	t.Logf("%d domains, %d of them at flagships, %d with servers without encryption only", domains, flagships, cleartext)
}

// offers reports whether a flagship has the server for an address of the domain.
func offers(id, domain string, s Server) bool {
	p, _ := Default().Get(id)
	smtp, _ := p.Servers("marie@" + domain)
	return slices.ContainsFunc(smtp, func(e Endpoint) bool {
		return e.Host == Username(s.Host, "marie@"+domain) && e.Port == s.Port && e.Security == s.Security
	})
}

// TestLookupIsFree: the address that a person typed is looked up without an allocation and without reading a file.
func TestLookupIsFree(t *testing.T) {
	for _, domain := range []string{"gmail.com", "GMX.fr", "usa.com", "durand.example", "xn--bcher-kva.example"} {
		if n := testing.AllocsPerRun(100, func() { Default().Domain(domain) }); n != 0 {
			t.Errorf("%s: %.0f allocations", domain, n)
		}
	}
}
