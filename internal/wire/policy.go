package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// ErrAddressRefused says that the address policy forbids a target (docs/security.md T15).
var ErrAddressRefused = errors.New("this address may not be dialled")

// metadata are the addresses at which clouds hand out credentials; no mail server uses them.
var metadata = []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}

// servedPorts are the ports a served wizard may reach.
var servedPorts = map[uint16]bool{25: true, 465: true, 587: true, 2525: true, 143: true, 993: true, 443: true}

// special are ranges that are not public unicast and that netip's own predicates do not cover.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

// control checks the final address, after name resolution and redirects.
func (n *Network) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddressRefused, address)
	}
	return n.Permit(target)
}

// Public reports whether an address is one of the internet, and neither of this machine nor of a private network.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// serves reports whether a served wizard may reach an address: one of the internet, or one that the operator allows.
func (n *Network) serves(ip netip.Addr) bool {
	return Public(ip) || slices.ContainsFunc(n.Allowed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Permit says in advance whether a target would be refused: nil, or ErrAddressRefused. The dialer checks again.
func (n *Network) Permit(target netip.AddrPort) error {
	ip := target.Addr().Unmap().WithZone("")
	if slices.Contains(metadata, ip) || n.Served && (!n.serves(ip) || !servedPorts[target.Port()]) {
		return ErrAddressRefused
	}
	if n.Permitted != nil && !n.Permitted(ip) {
		return ErrAddressRefused
	}
	return nil
}
