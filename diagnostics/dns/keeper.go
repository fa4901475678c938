package dns

import (
	"context"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
	"postier/internal/wire"
)

// Keeper returns a name server of the zone that a domain is in: where its records are entered. It is empty when it
// cannot be told. The name server is asked for the domain, then for the domains above it (RFC 1034 §4.2.1).
func Keeper(ctx context.Context, network *wire.Network, domain string) string {
	name := lookup.Lower(strings.TrimSuffix(domain, "."))
	for strings.Contains(name, ".") {
		answer, err := network.Resolver.Query(ctx, name+".", mdns.TypeNS)
		if err != nil && ctx.Err() != nil {
			return ""
		}
		if servers := wire.Records[*mdns.NS](answer); len(servers) > 0 {
			return lookup.Lower(strings.TrimSuffix(servers[0].Ns, "."))
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return ""
}
