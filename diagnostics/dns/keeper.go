package dns

import (
	"context"
	"errors"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
	"postier/internal/organisation"
	"postier/internal/wire"
)

// Keeper returns a name server of the zone that a domain is in: where its records are entered. It is empty when it
// cannot be told. The name server is asked for the domain, then for the domains above it up to the registered one
// (RFC 1034 §4.2.1).
func Keeper(ctx context.Context, network *wire.Network, domain string) string {
	name := lookup.Lower(strings.TrimSuffix(domain, "."))
	for registered := organisation.Of(name); registered != ""; _, name, _ = strings.Cut(name, ".") {
		answer, err := network.Resolver.Query(ctx, name+".", mdns.TypeNS)
		var failed *wire.ResolveError
		if err != nil && !(errors.As(err, &failed) && failed.Kind == wire.NotFound) {
			return ""
		}
		if servers := wire.Records[*mdns.NS](answer); len(servers) > 0 {
			return lookup.Lower(strings.TrimSuffix(servers[0].Ns, "."))
		}
		if name == registered {
			return "" // what is above it belongs to the registry
		}
	}
	return ""
}
