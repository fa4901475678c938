// Package organisation says which hosts belong together: those below one registrable domain of the public suffix list.
package organisation

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Of is the registrable domain of a host name in lower case, or "" for addresses and bare names.
func Of(host string) string {
	host = strings.ToLower(strings.Trim(host, "[]."))
	if _, err := netip.ParseAddr(strings.TrimPrefix(host, "ipv6:")); err == nil || !strings.Contains(host, ".") {
		return ""
	}
	if org, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return org
	}
	return host
}

// Same reports whether two hosts are equal or have one registrable domain.
func Same(a, b string) bool {
	org := Of(a)
	return strings.EqualFold(a, b) || org != "" && org == Of(b)
}
