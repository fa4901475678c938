// Package wire is the only part of the program that dials.
//
// It resolves through the chosen resolver, applies the address policy to the final address, gives every step an
// absolute deadline that received bytes never extend, caps what a peer may send, records a transcript in which secrets
// are masked by position, refuses bytes after STARTTLS, and verifies certificates itself so that a bad chain can still
// be shown. See docs/security.md T1, T2, T4, T9, T12 and T15.
package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Network is how checks and clients reach the network.
type Network struct {
	Resolver *Resolver
	// Roots are trusted in place of the system's; nil means the system's. Trusting adds to them.
	Roots *x509.CertPool
	extra []*x509.Certificate
	// Route maps a host and port to the address really dialled; the demo and tests set it. network is tcp4 or tcp6. nil
	// dials the resolved address.
	Route func(network, host string, port int) (address string, ok bool)
	// Links asks how this machine is connected; nil asks the kernel.
	Links func() Routes
	// Served restricts targets to public unicast addresses and the ports of mail (docs/security.md T15); Allowed are
	// networks that may be reached in addition.
	Served  bool
	Allowed []netip.Prefix
	// Quota limits how much is connected to; nil is no limit.
	Quota *Quota
	// Permitted, if it is set, refuses addresses in addition to what the other fields refuse.
	Permitted func(netip.Addr) bool
	// Policy holds the restrictions of the vendor file.
	Policy Policy
	// Now is the clock for certificates; nil means time.Now.
	Now func() time.Time
	// Timeout replaces a step's deadline if it is shorter; 0 keeps the step's own.
	Timeout time.Duration
}

// Deadlines of the steps. A person is watching, so they are shorter than RFC 5321 §4.5.3.2 asks of mail servers;
// where real servers are known to be slow (tarpits before the banner, delayed refusals of AUTH) they are long enough
// for that.
const (
	ResolveDeadline   = 10 * time.Second
	ConnectDeadline   = 10 * time.Second // each address
	ConnectTotal      = 20 * time.Second
	GreetingDeadline  = 35 * time.Second
	HandshakeDeadline = 15 * time.Second
	CommandDeadline   = 30 * time.Second
	AuthDeadline      = 45 * time.Second
	DataDeadline      = 120 * time.Second // after the final dot, while a person is waiting
)

// Attempt is one try to connect to one address.
type Attempt struct {
	Address netip.AddrPort
	Err     error
	Took    time.Duration
}

// IPv6 tells the family.
func (a Attempt) IPv6() bool { return a.Address.Addr().Is6() && !a.Address.Addr().Is4In6() }

// deadline is step, or the person's --timeout if that is shorter.
func (n *Network) deadline(step time.Duration) time.Duration {
	if n.Timeout > 0 && n.Timeout < step {
		return n.Timeout
	}
	return step
}

// Part is a shorter deadline within a step, after which there is another way to try: at most half of the step's.
func (n *Network) Part(step, shorter time.Duration) time.Duration {
	const half = 2
	return min(shorter, n.deadline(step)/half)
}

// Clock is the time that certificates are judged by.
func (n *Network) Clock() time.Time {
	if n.Now != nil {
		return n.Now()
	}
	return time.Now()
}

// Addresses resolves host, or parses it when it is an IP literal (with or without brackets).
func (n *Network) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(trimBrackets(host)); err == nil {
		return []netip.Addr{ip}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, n.deadline(ResolveDeadline))
	defer cancel()
	return n.Resolver.Addresses(ctx, host)
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// ErrNoAddress says that there was no address to try.
var ErrNoAddress = errors.New("no address to connect to")

// Connect tries the addresses one after another, at most maxAddresses, and returns the first connection that was
// established, with all attempts. The connection is nil if every attempt failed; the attempts say why.
func (n *Network) Connect(ctx context.Context, host string, port int, addresses []netip.Addr,
	recorder *Recorder,
) (*Conn, []Attempt) {
	ctx, cancel := context.WithTimeout(ctx, n.deadline(ConnectTotal))
	defer cancel()
	var attempts []Attempt
	for _, addr := range addresses[:min(len(addresses), maxAddresses)] {
		target := netip.AddrPortFrom(addr.Unmap(), uint16(port))
		start := time.Now()
		raw, err := n.dial(ctx, host, target)
		attempts = append(attempts, Attempt{Address: target, Err: err, Took: time.Since(start)})
		if err == nil {
			conn := newConn(raw, n, recorder)
			conn.target = target
			return conn, attempts
		}
	}
	return nil, attempts
}

// Families parts addresses by family, IPv4 first.
func Families(addresses []netip.Addr) (v4, v6 []netip.Addr) {
	for _, a := range addresses {
		if a.Unmap().Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	return v4, v6
}

// ConnectAny connects over both families at once and returns the first connection that was established; the other is
// closed. Attempts of the family that lost the race may be missing.
func (n *Network) ConnectAny(ctx context.Context, host string, port int, addresses []netip.Addr,
	recorder *Recorder,
) (*Conn, []Attempt) {
	race := n.Race(ctx, host, port, addresses, recorder)
	defer race.Stop()
	return race.First(Settle, 0)
}

// Settle is how long IPv4 is waited for once IPv6 is connected: the Connection Attempt Delay of RFC 8305 §5.
const Settle = 250 * time.Millisecond

// ConnectBoth is ConnectAny for reports: it also returns the attempts of the family that lost the race if they end
// within a grace period.
func (n *Network) ConnectBoth(ctx context.Context, host string, port int, addresses []netip.Addr, recorder *Recorder,
	grace time.Duration,
) (*Conn, []Attempt) {
	race := n.Race(ctx, host, port, addresses, recorder)
	defer race.Stop()
	return race.First(grace, grace)
}

// DialContext is for net/http: it resolves through the chosen resolver and connects under the address policy. address
// is host:port. Caps and deadlines are the caller's: net/http reads headers under its own, bodies need a limited
// reader.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, err
	}
	addresses, err := n.Addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	conn, attempts := n.ConnectAny(ctx, host, int(port), addresses, nil)
	if conn != nil {
		return conn.raw, nil
	}
	err = ErrNoAddress
	for _, a := range attempts {
		err = a.Err
	}
	return nil, err
}

// maxAddresses bounds the addresses tried in one family; providers publish up to a dozen, which all behave alike.
const maxAddresses = 3

// dial is the only function in the tree that opens a connection.
func (n *Network) dial(ctx context.Context, host string, target netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, n.deadline(ConnectDeadline))
	defer cancel()
	address := target.String()
	if n.Route != nil {
		network := "tcp4"
		if target.Addr().Is6() {
			network = "tcp6"
		}
		if routed, ok := n.Route(network, host, int(target.Port())); ok {
			address = routed
		}
	}
	if err := n.Quota.take(target, time.Now()); err != nil {
		return nil, err
	}
	dialer := net.Dialer{Control: n.control}
	return dialer.DialContext(ctx, "tcp", address)
}
