package wire

import (
	"net"
	"net/netip"
)

// Routes is how this machine is connected.
type Routes struct {
	// IPv4 and IPv6 tell whether there is a way to addresses outside; Loopback whether the machine reaches itself.
	IPv4     bool
	IPv6     bool
	Loopback bool
	// Addresses are those of the interfaces that are up, without loopback and link-local ones.
	Addresses []netip.Addr
}

// Outside reports whether anything beyond this machine can be reached.
func (r Routes) Outside() bool { return r.IPv4 || r.IPv6 }

// Addresses by which the kernel is asked for a route. Nothing is sent to them: connecting a datagram socket only looks
// the route up.
const (
	route4 = "198.41.0.4:53" // a.root-servers.net
	route6 = "[2001:503:ba3e::2:30]:53"
	route0 = "127.0.0.1:53"
)

// Routes tells how this machine is connected. It asks the kernel; no packet leaves the machine.
func (n *Network) Routes() Routes {
	if n.Links != nil {
		return n.Links()
	}
	r := Routes{IPv4: routed("udp4", route4), IPv6: routed("udp6", route6), Loopback: routed("udp4", route0)}
	interfaces, err := net.Interfaces()
	if err != nil {
		return r
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
				r.Addresses = append(r.Addresses, prefix.Addr())
			}
		}
	}
	return r
}

func routed(network, address string) bool {
	conn, err := net.Dial(network, address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
