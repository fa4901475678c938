package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"postier/internal/parallel"
)

// Resolver sends DNS queries. With a pinned server, every query goes there, including those for host addresses;
// otherwise host addresses come from the system (including the hosts file) and records from the servers in resolv.conf.
type Resolver struct {
	pinned []string // host:port of the servers to ask, empty for the system's
	// plain has the servers that refused EDNS. They are asked without it from then on.
	plain sync.Map
	tally tally
	// shared are the sockets of a run over many names; without it, each question has its own.
	shared atomic.Pointer[sockets]
}

// ResolverAt queries one server and no other; address is IP or IP:port.
func ResolverAt(address string) (*Resolver, error) {
	if ip, err := netip.ParseAddr(address); err == nil {
		return &Resolver{pinned: []string{netip.AddrPortFrom(ip, 53).String()}}, nil
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("resolver %q is not an IP address with or without a port", address)
	}
	return &Resolver{pinned: []string{target.String()}}, nil
}

// SystemResolver uses the system's configuration. It reads resolv.conf at the first query.
func SystemResolver() *Resolver { return &Resolver{} }

var (
	errOtherQuestion = errors.New("the answer is to another question")
	errOtherID       = errors.New("the answer has another identifier")
	errAliases       = errors.New("too many aliases in a row")
	errTruncated     = errors.New("the answer is truncated over TCP too")
	errNoTCP         = errors.New("the answer is too large for a datagram, and the server does not answer over TCP")
)

// Failure says how a look-up failed.
type Failure string

// The ways to fail. NotFound (NXDOMAIN) and NoAddress say something about the name, the others only about the name
// service.
const (
	NotFound    Failure = "nxdomain"
	NoAddress   Failure = "no-address" // the name exists and has neither A nor AAAA
	NoAnswer    Failure = "timeout"
	ServFail    Failure = "servfail"
	Refused     Failure = "refused"
	Unreachable Failure = "unreachable"
	NoTCP       Failure = "no-tcp" // the answer needs TCP, and the server does not speak it
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

// Records returns the records of a type T.
func Records[T dns.RR](a Answer) []T {
	var list []T
	for _, rr := range a.Records {
		if r, ok := rr.(T); ok {
			list = append(list, r)
		}
	}
	return list
}

// Addresses are those in the answer to a question of type A or AAAA. An IPv4-mapped address comes back as IPv4.
func (a Answer) Addresses() []netip.Addr {
	var list []netip.Addr
	for _, rr := range a.Records {
		var raw net.IP
		switch rr := rr.(type) {
		case *dns.A:
			raw = rr.A
		case *dns.AAAA:
			raw = rr.AAAA
		}
		if ip, ok := netip.AddrFromSlice(raw); ok {
			list = append(list, ip.Unmap())
		}
	}
	return list
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
	queryDeadline = 2 * time.Second // one exchange; ResolveDeadline leaves room for both servers and a second round
	maxCNAME      = 8
	udpSize       = 1232 // RFC 9715: no fragments
	largestUDP    = 4096 // RFC 6891 §6.2.5; for a server that truncates and speaks no TCP
	maxServers    = 3    // as resolv.conf(5) has it
	rounds        = 2    // one datagram may be lost, one SERVFAIL may be temporary
)

// MaxQueries is how many questions one check may ask (docs/security.md T10): a normal domain needs fewer than 40, and a
// person is waiting.
const MaxQueries = 60

// ErrBudget says that a check has used up its questions.
var ErrBudget = fmt.Errorf("more than %d DNS queries in one check", MaxQueries)

// Budget counts the questions of one check. The search for servers carries it in its context, so that it also counts
// the questions for the addresses that the search dials. The checks of a domain share a cache, and each has a budget
// above it (lookup.Budget), so that what one may ask does not depend on what another one asked before.
type Budget struct{ asked atomic.Int64 }

// Spend counts a question; beyond MaxQueries it returns a ResolveError with ErrBudget.
func (b *Budget) Spend(name string, qtype uint16) error {
	if b.asked.Add(1) > MaxQueries {
		return &ResolveError{Name: name, Type: qtype, Kind: NoAnswer, Err: ErrBudget}
	}
	return nil
}

type budgetKey struct{}

// WithBudget gives the questions that are asked under the returned context one budget.
func WithBudget(ctx context.Context) context.Context {
	return context.WithValue(ctx, budgetKey{}, new(Budget))
}

// Query asks for the records of one type. A name without such records gives an Answer without Records and no error;
// a name that does not exist gives a ResolveError of kind NotFound, with the Chain that led there. It ends within
// ResolveDeadline.
func (r *Resolver) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	if budget, ok := ctx.Value(budgetKey{}).(*Budget); ok {
		if err := budget.Spend(name, qtype); err != nil {
			return Answer{}, err
		}
	}
	start := time.Now()
	answer, err := r.query(ctx, name, qtype)
	answer.Took = time.Since(start)
	r.tally.count(len(answer.Records) > 0, err)
	return answer, err
}

func (r *Resolver) query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	servers, err := r.servers()
	if err != nil {
		return Answer{}, &ResolveError{Name: name, Type: qtype, Kind: Unreachable, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, ResolveDeadline)
	defer cancel()
	var last error
	for range rounds {
		for _, server := range servers[:min(len(servers), maxServers)] {
			answer, err := r.ask(ctx, server, name, qtype)
			if err == nil {
				return answer, nil
			}
			// RFC 2308 §7: a server that cannot answer says nothing about the name, so ask the next one. A denial is an answer.
			var failed *ResolveError
			if errors.As(err, &failed) && failed.Kind == NotFound {
				return answer, err
			}
			last = worse(last, err)
			if ctx.Err() != nil {
				return Answer{}, last
			}
		}
	}
	return Answer{}, last
}

// worse returns the more telling failure: a server's answer before a timeout, a timeout before a closed port.
func worse(a, b error) error {
	rank := func(err error) int {
		var failed *ResolveError
		if !errors.As(err, &failed) {
			return 0
		}
		switch failed.Kind {
		case Unreachable:
			return 1
		case NoAnswer:
			return 2
		}
		return 3
	}
	if rank(a) > rank(b) {
		return a
	}
	return b
}

// ask asks one server: with EDNS, or without where the server refuses it (RFC 6891 §7).
func (r *Resolver) ask(ctx context.Context, server, name string, qtype uint16) (Answer, error) {
	fail := func(kind Failure, err error) error {
		return &ResolveError{Name: strings.TrimSuffix(name, "."), Type: qtype, Kind: kind, Server: server, Err: err}
	}
	_, plain := r.plain.Load(server)
	reply, err := r.exchange(ctx, server, name, qtype, !plain)
	if err == nil && !plain && refusesEDNS(reply.Rcode) {
		if again, failed := r.exchange(ctx, server, name, qtype, false); failed == nil && !refusesEDNS(again.Rcode) {
			r.plain.Store(server, true)
			reply = again
		}
	}
	switch {
	case errors.Is(err, errNoTCP):
		return Answer{}, fail(NoTCP, err)
	case err != nil && (IsTimeout(err) || ctx.Err() != nil):
		return Answer{}, fail(NoAnswer, err)
	case errors.As(err, new(*net.OpError)):
		return Answer{}, fail(Unreachable, err)
	case err != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return Answer{}, fail(NoAnswer, err)
	case err != nil:
		return Answer{}, fail(Malformed, err)
	case refusesEDNS(reply.Rcode):
		// Such a reply need not repeat the question.
		return Answer{}, fail(ServFail, fmt.Errorf("rcode %s", dns.RcodeToString[reply.Rcode]))
	case len(reply.Question) != 1 || dns.CanonicalName(reply.Question[0].Name) != dns.CanonicalName(name) ||
		reply.Question[0].Qtype != qtype:
		return Answer{}, fail(Malformed, errOtherQuestion)
	case reply.Truncated:
		return Answer{}, fail(Malformed, errTruncated)
	case reply.Rcode == dns.RcodeNameError:
		// The name that does not exist is the last one of the chain (RFC 6604 §3), which is told with the error.
		answer, _ := collect(reply, dns.CanonicalName(name), qtype)
		return Answer{Chain: answer.Chain}, fail(NotFound, nil)
	case reply.Rcode == dns.RcodeRefused:
		return Answer{}, fail(Refused, nil)
	case reply.Rcode != dns.RcodeSuccess:
		return Answer{}, fail(ServFail, fmt.Errorf("rcode %s", dns.RcodeToString[reply.Rcode]))
	}
	answer, err := collect(reply, dns.CanonicalName(name), qtype)
	if err != nil {
		return answer, fail(Malformed, err)
	}
	return answer, nil
}

// refusesEDNS reports whether a server that knows no EDNS may answer so to a question that has it: FORMERR or NOTIMP
// from one that knows nothing of it, BADVERS from one that knows another version (RFC 6891 §6.1.3, §7).
func refusesEDNS(rcode int) bool {
	return rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers
}

// exchange sends one question, over TCP when the answer did not fit a datagram. Where TCP is closed or silent, the
// question is asked once more with the largest datagram, because a resolver in the same network can deliver that.
func (r *Resolver) exchange(ctx context.Context, server, name string, qtype uint16, edns bool) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(name), qtype)
	question.AuthenticatedData = true // RFC 6840 §5.7: "tell me whether you validated"
	if edns {
		question.SetEdns0(udpSize, false)
	}
	reply, err := r.datagram(ctx, server, question, udpSize)
	if err != nil || !reply.Truncated {
		return reply, err
	}
	client := &dns.Client{Net: "tcp", Timeout: queryDeadline}
	whole, _, err := client.ExchangeContext(ctx, question, server)
	if err == nil || ctx.Err() != nil || !edns {
		return whole, noTCP(ctx, err)
	}
	question.IsEdns0().SetUDPSize(largestUDP)
	if whole, failed := r.datagram(ctx, server, question, largestUDP); failed == nil && !whole.Truncated {
		return whole, nil
	}
	return nil, noTCP(ctx, err)
}

// datagram sends one question over UDP and takes the first datagram that answers it. Others may come from whoever
// guesses at the question, so they are passed over until the deadline (RFC 5452 §9.1); without an answer, the last of
// them is the fault.
func (r *Resolver) datagram(ctx context.Context, server string, question *dns.Msg, size uint16) (*dns.Msg, error) {
	if shared := r.shared.Load(); shared != nil {
		return shared.exchange(ctx, server, question)
	}
	ctx, cancel := context.WithTimeout(ctx, queryDeadline)
	defer cancel()
	conn, err := socketTo(ctx, server, size)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := conn.WriteMsg(question); err != nil {
		return nil, err
	}
	var strange error
	for {
		reply, err := conn.ReadMsg()
		switch {
		case isSystem(err):
			return nil, cmp.Or(strange, err)
		case err != nil:
			strange = err
		case reply.Id != question.Id || !reply.Response:
			strange = errOtherID
		case !sameQuestion(reply, question):
			strange = errOtherQuestion
		default:
			return reply, nil
		}
	}
}

// socketTo is a socket for datagrams of a size to and from a server.
func socketTo(ctx context.Context, server string, size uint16) (*dns.Conn, error) {
	conn, err := new(dns.Client).DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	conn.UDPSize = size
	return conn, nil
}

// isSystem reports whether an error is of the system; what cannot be read as DNS gives a *dns.Error.
func isSystem(err error) bool { return errors.As(err, new(net.Error)) }

// sameQuestion reports whether a reply repeats the question. A refusal of EDNS need not.
func sameQuestion(reply, question *dns.Msg) bool {
	asked := question.Question[0]
	if len(reply.Question) == 0 {
		return refusesEDNS(reply.Rcode)
	}
	return len(reply.Question) == 1 && reply.Question[0].Qtype == asked.Qtype &&
		dns.CanonicalName(reply.Question[0].Name) == dns.CanonicalName(asked.Name)
}

// noTCP marks an error of the attempt over TCP, which says that the name service is there and cannot deliver.
func noTCP(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errNoTCP, err)
}

// collect follows the CNAMEs inside one answer (RFC 1034 §4.3.2) and takes the records at their end.
func collect(reply *dns.Msg, owner string, qtype uint16) (Answer, error) {
	answer := Answer{AD: reply.AuthenticatedData, Chain: []string{strings.TrimSuffix(owner, ".")}}
	for {
		next := ""
		for _, rr := range reply.Answer {
			if cname, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(rr.Header().Name) == owner && qtype != dns.TypeCNAME {
				next = dns.CanonicalName(cname.Target)
			}
		}
		if next == "" {
			break
		}
		if len(answer.Chain) > maxCNAME {
			return answer, errAliases
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
	if len(r.pinned) > 0 {
		return r.pinned, nil
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
	if len(r.pinned) == 0 {
		addresses, err := systemAddresses(ctx, host)
		r.tally.count(len(addresses) > 0, err)
		return addresses, err
	}
	type half struct {
		addresses []netip.Addr
		err       error
		broken    *parallel.Panic
	}
	halves := [2]chan half{make(chan half, 1), make(chan half, 1)}
	for i, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		go func() {
			var h half
			h.broken = parallel.Catch(func() {
				answer, err := r.Query(ctx, host, qtype)
				h.addresses, h.err = answer.Addresses(), err
			})
			halves[i] <- h
		}()
	}
	v4, v6 := <-halves[0], <-halves[1]
	v4.broken.Rethrow()
	v6.broken.Rethrow()
	addresses := append(v4.addresses, v6.addresses...)
	switch {
	case len(addresses) > 0:
		return addresses, nil
	case v4.err != nil:
		return nil, v4.err
	case v6.err != nil:
		return nil, v6.err
	}
	return nil, &ResolveError{Name: host, Type: dns.TypeA, Kind: NoAddress, Server: r.pinned[0]}
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
