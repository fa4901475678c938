package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Resolver asks DNS. With a pinned server every question goes there, host addresses included; otherwise host addresses
// come from the system (hosts file and all) and the records from the servers of resolv.conf.
type Resolver struct {
	server string // host:port of the pinned server, empty for the system's
	system []string
}

// ResolverAt asks one server and no other; address is IP or IP:port.
func ResolverAt(address string) (*Resolver, error) {
	if ip, err := netip.ParseAddr(address); err == nil {
		return &Resolver{server: netip.AddrPortFrom(ip, 53).String()}, nil
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("resolver %q is not an IP address with or without a port", address)
	}
	return &Resolver{server: target.String()}, nil
}

// SystemResolver uses the system's configuration. It reads resolv.conf at the first question.
func SystemResolver() *Resolver { return &Resolver{} }

// Failure says how a look-up failed.
type Failure string

// The ways to fail. NotFound speaks about the name (NXDOMAIN), the others only about the name service.
const (
	NotFound    Failure = "nxdomain"
	NoAnswer    Failure = "timeout"
	ServFail    Failure = "servfail"
	Refused     Failure = "refused"
	Unreachable Failure = "unreachable"
	Malformed   Failure = "malformed"
)

// ResolveError is a failed look-up.
type ResolveError struct {
	Name   string
	Type   uint16
	Kind   Failure
	Server string
	Err    error
}

func (e *ResolveError) Error() string {
	return fmt.Sprintf("looking up %s %s: %s", e.Name, dns.TypeToString[e.Type], e.Kind)
}

func (e *ResolveError) Unwrap() error { return e.Err }

// Answer is the answer to one question.
type Answer struct {
	Records []dns.RR // of the asked type, at the end of the CNAME chain
	// Chain are the names that CNAMEs led through, without trailing dots, the last one owning Records.
	Chain []string
	AD    bool // the resolver says that it validated (RFC 4035 §3.2.3)
	Took  time.Duration
}

// TTL is the smallest TTL among the records.
func (a Answer) TTL() time.Duration {
	var ttl uint32
	for i, rr := range a.Records {
		if i == 0 || rr.Header().Ttl < ttl {
			ttl = rr.Header().Ttl
		}
	}
	return time.Duration(ttl) * time.Second
}

const (
	queryDeadline = 4 * time.Second // one exchange; ResolveDeadline leaves room for a second try
	maxCNAME      = 8
	udpSize       = 1232 // RFC 9715: no fragments
)

// Query asks for the records of one type. A name without such records gives an Answer without Records and no error;
// a name that does not exist gives a ResolveError of kind NotFound.
func (r *Resolver) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	servers, err := r.servers()
	if err != nil {
		return Answer{}, &ResolveError{Name: name, Type: qtype, Kind: Unreachable, Err: err}
	}
	start := time.Now()
	var last error
	for range 2 { // one datagram may be lost
		for _, server := range servers {
			answer, err := ask(ctx, server, name, qtype)
			answer.Took = time.Since(start)
			if err == nil {
				return answer, nil
			}
			last = err
			var failed *ResolveError
			if errors.As(err, &failed) && failed.Kind != NoAnswer && failed.Kind != Unreachable {
				return answer, err
			}
			if ctx.Err() != nil {
				return answer, last
			}
		}
	}
	return Answer{Took: time.Since(start)}, last
}

func ask(ctx context.Context, server, name string, qtype uint16) (Answer, error) {
	fail := func(kind Failure, err error) error {
		return &ResolveError{Name: strings.TrimSuffix(name, "."), Type: qtype, Kind: kind, Server: server, Err: err}
	}
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(name), qtype)
	question.SetEdns0(udpSize, false)
	question.AuthenticatedData = true
	client := &dns.Client{Timeout: queryDeadline, UDPSize: udpSize}
	reply, _, err := client.ExchangeContext(ctx, question, server)
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, question, server)
	}
	switch {
	case err != nil && (IsTimeout(err) || ctx.Err() != nil):
		return Answer{}, fail(NoAnswer, err)
	case errors.As(err, new(*net.OpError)):
		return Answer{}, fail(Unreachable, err)
	case err != nil:
		return Answer{}, fail(Malformed, err)
	case reply.Rcode == dns.RcodeNameError:
		return Answer{}, fail(NotFound, nil)
	case reply.Rcode == dns.RcodeRefused:
		return Answer{}, fail(Refused, nil)
	case reply.Rcode != dns.RcodeSuccess:
		return Answer{}, fail(ServFail, fmt.Errorf("rcode %s", dns.RcodeToString[reply.Rcode]))
	}
	answer := Answer{AD: reply.AuthenticatedData}
	owner := dns.CanonicalName(name)
	answer.Chain = append(answer.Chain, strings.TrimSuffix(owner, "."))
	for range maxCNAME {
		next := ""
		for _, rr := range reply.Answer {
			if cname, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(rr.Header().Name) == owner && qtype != dns.TypeCNAME {
				next = dns.CanonicalName(cname.Target)
			}
		}
		if next == "" {
			break
		}
		owner = next
		answer.Chain = append(answer.Chain, strings.TrimSuffix(owner, "."))
	}
	for _, rr := range reply.Answer {
		if rr.Header().Rrtype == qtype && dns.CanonicalName(rr.Header().Name) == owner {
			answer.Records = append(answer.Records, rr)
		}
	}
	return answer, nil
}

func (r *Resolver) servers() ([]string, error) {
	if r.server != "" {
		return []string{r.server}, nil
	}
	conf, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, err
	}
	var servers []string
	for _, s := range conf.Servers {
		servers = append(servers, net.JoinHostPort(s, conf.Port))
	}
	if len(servers) == 0 {
		return nil, os.ErrNotExist
	}
	return servers, nil
}

// Addresses returns the addresses of a host, IPv4 first.
func (r *Resolver) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if r.server == "" {
		return systemAddresses(ctx, host)
	}
	type half struct {
		addresses []netip.Addr
		err       error
	}
	halves := [2]chan half{make(chan half, 1), make(chan half, 1)}
	for i, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		go func() {
			answer, err := r.Query(ctx, host, qtype)
			var list []netip.Addr
			for _, rr := range answer.Records {
				var ip net.IP
				switch rr := rr.(type) {
				case *dns.A:
					ip = rr.A
				case *dns.AAAA:
					ip = rr.AAAA
				}
				if a, ok := netip.AddrFromSlice(ip); ok {
					list = append(list, a.Unmap())
				}
			}
			halves[i] <- half{list, err}
		}()
	}
	v4, v6 := <-halves[0], <-halves[1]
	addresses := append(v4.addresses, v6.addresses...)
	switch {
	case len(addresses) > 0:
		return addresses, nil
	case v4.err != nil:
		return nil, v4.err
	case v6.err != nil:
		return nil, v6.err
	}
	return nil, &ResolveError{Name: host, Type: dns.TypeA, Kind: NotFound, Server: r.server}
}

func systemAddresses(ctx context.Context, host string) ([]netip.Addr, error) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		kind := ServFail
		var dnsErr *net.DNSError
		switch {
		case errors.As(err, &dnsErr) && dnsErr.IsNotFound:
			kind = NotFound
		case IsTimeout(err):
			kind = NoAnswer
		}
		return nil, &ResolveError{Name: host, Type: dns.TypeA, Kind: kind, Err: err}
	}
	for i := range addresses {
		addresses[i] = addresses[i].Unmap()
	}
	v4, v6 := Families(addresses)
	return append(v4, v6...), nil
}
