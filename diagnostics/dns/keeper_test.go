package dns_test

import (
	"testing"

	"postier/diagnostics/dns"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// TestKeeper: a subdomain's records are kept where those of the domain are, unless it has name servers of its own.
func TestKeeper(t *testing.T) {
	t.Parallel()
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, `durand.example. IN NS NS7.Host.Example.
shop.durand.example. IN NS ns.shop.example.
mail.durand.example. IN A 192.0.2.1
other.example. IN A 192.0.2.2
co.uk. IN NS dns1.nic.uk.
example. IN NS dns1.registry.example.
!servfail silent.co.uk NS
durand.co.uk. IN NS ns.host.example.
`).Addr())
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]string{
		"durand.example": "ns7.host.example", "Mail.Durand.Example.": "ns7.host.example",
		"deep.shop.durand.example": "ns.shop.example", "other.example": "", "nowhere.example": "",
		"silent.co.uk": "", "gone.co.uk": "",
		"mail.durand.co.uk": "ns.host.example",
	} {
		if got := dns.Keeper(t.Context(), &wire.Network{Resolver: resolver}, domain); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
}
