// Package nameserver is a DNS server on loopback that gives the answers it is told to give, wrong ones included.
//
// It behaves like a recursive resolver: it follows aliases, answers NXDOMAIN with the SOA of the enclosing zone (RFC
// 2308 §3), and sets RA. Every package's tests start it; the demonstration uses it as its name server, so the package
// itself does not import testing.
//
// A zone is text in the master-file format (RFC 1035 §5). Lines that begin with "!" give a name a behaviour:
//
//	$ORIGIN example.
//	@      300 IN MX  10 mx
//	mx         IN A   127.0.0.1
//	!servfail broken.example.
//	!silent   slow.example. TXT
//
// Names in behaviour lines are absolute; the trailing dot may be left out.
package nameserver

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Behaviour is a way in which the server deviates from its zone.
type Behaviour string

// The behaviours. All keep to the protocol except Garbage, WrongID and Silent.
const (
	NXDomain  Behaviour = "nxdomain"  // the name does not exist, whatever the zone says
	NoData    Behaviour = "nodata"    // the name exists, this type does not (RFC 2308 §2.2)
	ServFail  Behaviour = "servfail"  // RCODE 2
	Refused   Behaviour = "refused"   // RCODE 5
	Silent    Behaviour = "silent"    // no answer at all; over TCP the connection is closed without one
	Truncate  Behaviour = "truncate"  // TC over UDP, the whole answer over TCP (RFC 7766 §5)
	TruncAll  Behaviour = "truncall"  // TC over UDP and over TCP
	Twice     Behaviour = "twice"     // two datagrams with the same answer
	AD        Behaviour = "ad"        // the answer is marked as validated (RFC 4035 §3.2.3)
	Garbage   Behaviour = "garbage"   // bytes that are no DNS message
	WrongID   Behaviour = "wrongid"   // an answer with the id of another query, and none with the right id
	FailOnce  Behaviour = "failonce"  // SERVFAIL to the first query, the right answer afterwards
	SlowReply Behaviour = "slowreply" // the right answer, after Server.Slow
)

// defaultSlow is how long SlowReply waits: long enough to see an order of events, short enough for a unit test.
const defaultSlow = 50 * time.Millisecond

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Query is one question that reached the server.
type Query struct {
	Name string // lower case, with the trailing dot
	Type string // "TXT", "MX", …
	Net  string // "udp" or "tcp"
}

type key struct {
	name  string
	qtype uint16
}

// Server is a running DNS server. Its zone may be changed while it runs.
type Server struct {
	udp, tcp *dns.Server
	addr     string
	done     sync.WaitGroup
	closing  sync.Once
	stop     chan struct{}

	mu        sync.Mutex
	records   map[key][]dns.RR
	names     map[string]bool // every owner name
	inner     map[string]int  // every name above an owner name, with how many are below it
	behaviour map[key]Behaviour
	everyone  Behaviour
	slow      time.Duration
	queries   []Query
	failed    map[key]bool
}

// Start serves a zone until the test ends.
func Start(t TB, zone string) *Server {
	t.Helper()
	s, err := Serve(zone)
	if err != nil {
		t.Fatalf("nameserver: %v", err)
		return nil
	}
	t.Cleanup(s.Close)
	return s
}

// Serve starts a server for a zone on a free port of 127.0.0.1, the same one for UDP and TCP. Close ends it.
func Serve(zone string) (*Server, error) {
	s := &Server{
		stop:      make(chan struct{}),
		records:   map[key][]dns.RR{},
		names:     map[string]bool{},
		inner:     map[string]int{},
		behaviour: map[key]Behaviour{},
		slow:      defaultSlow,
		failed:    map[key]bool{},
	}
	if err := s.Add(zone); err != nil {
		return nil, err
	}
	listener, conn, err := listenBoth()
	if err != nil {
		return nil, err
	}
	s.addr = conn.LocalAddr().String()
	handler := dns.HandlerFunc(s.handle)
	started := make(chan struct{}, 2)
	notify := func() { started <- struct{}{} }
	s.udp = &dns.Server{PacketConn: conn, Handler: handler, NotifyStartedFunc: notify}
	s.tcp = &dns.Server{Listener: listener, Handler: handler, NotifyStartedFunc: notify}
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		s.done.Go(func() { _ = server.ActivateAndServe() })
	}
	<-started
	<-started
	return s, nil
}

// listenBoth finds a port that is free for TCP and for UDP.
func listenBoth() (net.Listener, net.PacketConn, error) {
	const attempts = 20 // another process may hold the UDP port of the number that TCP was given
	var last error
	for range attempts {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("listen for DNS over TCP: %w", err)
		}
		conn, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return listener, conn, nil
		}
		last = err
		_ = listener.Close()
	}
	return nil, nil, fmt.Errorf("listen for DNS on one port for UDP and TCP: %w", last)
}

// Addr is the server's address, host:port, for UDP and TCP.
func (s *Server) Addr() string { return s.addr }

// Close stops the server and waits for its goroutines.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.stop)
		_ = s.udp.Shutdown()
		_ = s.tcp.Shutdown()
		s.done.Wait()
	})
}

// Add reads more zone text, records and behaviour lines, into the running server.
func (s *Server) Add(zone string) error {
	var text strings.Builder
	for line := range strings.Lines(zone) {
		trimmed := strings.TrimSpace(line)
		if !strings.HasPrefix(trimmed, "!") {
			text.WriteString(line)
			continue
		}
		text.WriteString("\n") // keeps the line numbers of the parser's messages right
		if err := s.behaviourLine(trimmed[1:]); err != nil {
			return err
		}
	}
	const defaultTTL = 300
	parser := dns.NewZoneParser(strings.NewReader(text.String()), ".", "zone")
	parser.SetDefaultTTL(defaultTTL)
	s.mu.Lock()
	defer s.mu.Unlock()
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := dns.CanonicalName(rr.Header().Name)
		k := key{name, rr.Header().Rrtype}
		s.records[k] = append(s.records[k], rr)
		s.own(name, true)
	}
	return parser.Err()
}

// own records that a name has records, or no longer has any.
func (s *Server) own(name string, has bool) {
	if s.names[name] == has {
		return
	}
	count := -1
	if delete(s.names, name); has {
		s.names[name], count = true, 1
	}
	for _, above, found := strings.Cut(name, "."); found && above != ""; _, above, found = strings.Cut(above, ".") {
		s.inner[above] += count
	}
}

func (s *Server) behaviourLine(line string) error {
	words := strings.Fields(line)
	if len(words) != 2 && len(words) != 3 {
		return fmt.Errorf("behaviour line %q: want !behaviour name [type]", line)
	}
	var types []string
	if len(words) == 3 {
		types = words[2:]
	}
	return s.Behave(words[1], Behaviour(words[0]), types...)
}

// Behave sets the behaviour of a name, for the given types or, without any, for all.
func (s *Server) Behave(name string, b Behaviour, types ...string) error {
	switch b {
	case NXDomain, NoData, ServFail, Refused, Silent, Truncate, TruncAll, Twice, AD, Garbage, WrongID, FailOnce, SlowReply:
	default:
		return fmt.Errorf("unknown behaviour %q", b)
	}
	name = dns.CanonicalName(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(types) == 0 {
		s.behaviour[key{name, dns.TypeANY}] = b
		return nil
	}
	for _, t := range types {
		qtype, ok := dns.StringToType[strings.ToUpper(t)]
		if !ok {
			return fmt.Errorf("unknown record type %q", t)
		}
		s.behaviour[key{name, qtype}] = b
	}
	return nil
}

// BehaveAll sets a behaviour for every name, which wins over those that Behave sets; an empty one removes it.
func (s *Server) BehaveAll(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.everyone = b
}

// SetSlow sets how long SlowReply waits.
func (s *Server) SetSlow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Remove deletes the records of a name, of one type or, with an empty type, of all.
func (s *Server) Remove(name, qtype string) error {
	t, known := dns.StringToType[strings.ToUpper(qtype)]
	if qtype != "" && !known {
		return fmt.Errorf("unknown record type %q", qtype)
	}
	name = dns.CanonicalName(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	left := false
	for k := range s.records {
		if k.name != name {
			continue
		}
		if qtype == "" || k.qtype == t {
			delete(s.records, k)
		} else {
			left = true
		}
	}
	if !left {
		s.own(name, false)
	}
	return nil
}

// Queries lists the questions so far, in order of arrival.
func (s *Server) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Query(nil), s.queries...)
}

// Count is the number of questions for a name; an empty type counts all types.
func (s *Server) Count(name, qtype string) int {
	name = dns.CanonicalName(name)
	n := 0
	for _, q := range s.Queries() {
		if q.Name == name && (qtype == "" || strings.EqualFold(q.Type, qtype)) {
			n++
		}
	}
	return n
}

// errNoRecords is what LookupTXT returns when there is nothing; it satisfies the resolvers that ask net.DNSError.
var errNoRecords = errors.New("no such record")
