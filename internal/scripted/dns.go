package scripted

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"postier/internal/rehearsal/nameserver"
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
	Forged    Behaviour = "forged"    // garbage, another id and another question first; then the right answer
	FailOnce  Behaviour = "failonce"  // SERVFAIL to the first query, the right answer afterwards
	SlowReply Behaviour = "slowreply" // the right answer, after DNS.SetSlow
	FormErr   Behaviour = "formerr"   // RCODE 1 to every question, with EDNS and without
	NoEDNS    Behaviour = "noedns"    // FORMERR to a question with EDNS (RFC 6891 §7), the right answer without
	BareEDNS  Behaviour = "bareedns"  // the same, and the FORMERR does not repeat the question
	NotImpl   Behaviour = "notimpl"   // NOTIMP to a question with EDNS
	NoTCP     Behaviour = "notcp"     // TC over UDP up to 1232 octets, and TCP is closed; larger datagrams have the answer
	OnlyUDP   Behaviour = "onlyudp"   // TC over UDP whatever the size, and TCP is closed
	Invent    Behaviour = "invent"    // DNS.SetInvented for every question of type A, no other records
)

// defaultSlow is how long SlowReply waits: long enough to see an order of events, short enough for a unit test.
const defaultSlow = 50 * time.Millisecond

// defaultInvented is an address at which no one answers (RFC 5737).
var defaultInvented = netip.AddrFrom4([4]byte{192, 0, 2, 80})

// Query is one question that reached the server.
type Query struct {
	Name string // lower case, with the trailing dot
	Type string // "TXT", "MX", …
	Net  string // "udp" or "tcp"
}

type question struct {
	name  string
	qtype uint16
}

// DNS is a name server that gives the answers it is told to give, wrong ones included. Lines of its zone that begin
// with "!" give a name a behaviour, for one type or for all; names in them are absolute, with or without the trailing
// dot:
//
//	$ORIGIN example.
//	@      300 IN MX  10 mx
//	mx         IN A   127.0.0.1
//	!servfail broken.example.
//	!silent   slow.example. TXT
type DNS struct {
	*nameserver.Server
	zone *nameserver.Zone
	stop chan struct{}
	once sync.Once

	mu        sync.Mutex
	behaviour map[question]Behaviour
	everyone  Behaviour
	slow      time.Duration
	invented  netip.Addr
	queries   []Query
	failed    map[question]bool
}

// StartDNS serves a zone until the test ends.
func StartDNS(t TB, zone string) *DNS {
	t.Helper()
	s, err := ServeDNS(zone)
	if err != nil {
		t.Fatalf("scripted: %v", err)
		return nil
	}
	t.Cleanup(s.Close)
	return s
}

// ServeDNS serves a zone outside a test; Close ends it.
func ServeDNS(zone string) (*DNS, error) { return serveDNS(zone, nameserver.Serve) }

// ServeDNSAt serves a zone on an address of its own, host:port.
func ServeDNSAt(address, zone string) (*DNS, error) {
	return serveDNS(zone, func(h dns.Handler) (*nameserver.Server, error) { return nameserver.ServeAt(address, h) })
}

func serveDNS(zone string, listen func(dns.Handler) (*nameserver.Server, error)) (*DNS, error) {
	s := &DNS{
		stop: make(chan struct{}), behaviour: map[question]Behaviour{}, slow: defaultSlow, invented: defaultInvented,
		failed: map[question]bool{},
	}
	var err error
	if s.zone, err = nameserver.Parse(""); err != nil {
		return nil, err
	}
	if err = s.Add(zone); err != nil {
		return nil, err
	}
	s.Server, err = listen(dns.HandlerFunc(s.handle))
	return s, err
}

// Close stops the server and waits for its goroutines.
func (s *DNS) Close() {
	s.once.Do(func() { close(s.stop) })
	s.Server.Close()
}

// Add reads more zone text, records and behaviour lines, into the running server.
func (s *DNS) Add(zone string) error {
	var text strings.Builder
	for line := range strings.Lines(zone) {
		trimmed := strings.TrimSpace(line)
		if !strings.HasPrefix(trimmed, "!") {
			text.WriteString(line)
			continue
		}
		text.WriteString("\n") // keeps the line numbers of the parser's messages right
		if err := s.behave(trimmed[1:]); err != nil {
			return err
		}
	}
	return s.zone.Add(text.String())
}

func (s *DNS) behave(line string) error {
	words := strings.Fields(line)
	if len(words) != 2 && len(words) != 3 {
		return fmt.Errorf("behaviour line %q: want !behaviour name [type]", line)
	}
	b := Behaviour(words[0])
	switch b {
	case NXDomain, NoData, ServFail, Refused, Silent, Truncate, TruncAll, Twice, AD, Garbage, WrongID, Forged, FailOnce,
		SlowReply, FormErr, NoEDNS, BareEDNS, NotImpl, NoTCP, OnlyUDP, Invent:
	default:
		return fmt.Errorf("unknown behaviour %q", b)
	}
	qtype := dns.TypeANY
	if len(words) == 3 {
		var ok bool
		if qtype, ok = dns.StringToType[strings.ToUpper(words[2])]; !ok {
			return fmt.Errorf("unknown record type %q", words[2])
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour[question{dns.CanonicalName(words[1]), qtype}] = b
	return nil
}

// BehaveAll gives every name a behaviour, before any of the zone; the empty one ends it.
func (s *DNS) BehaveAll(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.everyone = b
}

// SetSlow sets how long SlowReply waits.
func (s *DNS) SetSlow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// SetInvented sets the IPv4 address that Invent answers with.
func (s *DNS) SetInvented(address netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invented = address
}

// Queries lists the questions so far, in order of arrival.
func (s *DNS) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Query(nil), s.queries...)
}

// Count is the number of questions for a name; an empty type counts all types.
func (s *DNS) Count(name, qtype string) int {
	name = dns.CanonicalName(name)
	n := 0
	for _, q := range s.Queries() {
		if q.Name == name && (qtype == "" || strings.EqualFold(q.Type, qtype)) {
			n++
		}
	}
	return n
}

func (s *DNS) handle(w dns.ResponseWriter, request *dns.Msg) {
	network := w.LocalAddr().Network()
	tcp := network == "tcp"
	behaviour := s.note(request, network)
	switch behaviour {
	case Silent:
		if tcp {
			_ = w.Close()
		}
		return
	case NoTCP, OnlyUDP:
		if tcp {
			_ = w.Close()
			return
		}
	case Garbage:
		_, _ = w.Write([]byte("\x00\x01this is not DNS"))
		return
	case SlowReply:
		if !s.pause() {
			return
		}
	}
	reply := s.answer(request, behaviour, tcp)
	if behaviour == Forged && !tcp {
		forge(w, reply)
	}
	_ = w.WriteMsg(reply)
	if behaviour == Twice {
		_ = w.WriteMsg(reply)
	}
}

// forge sends what others would send who do not see the question.
func forge(w dns.ResponseWriter, reply *dns.Msg) {
	_, _ = w.Write([]byte("\x00\x01this is not DNS"))
	wrong := reply.Copy()
	wrong.Id++
	wrong.Rcode, wrong.Answer = dns.RcodeNameError, nil
	_ = w.WriteMsg(wrong)
	wrong = wrong.Copy()
	wrong.Id = reply.Id
	wrong.Question[0].Name = "forged.example."
	_ = w.WriteMsg(wrong)
}

// note logs a query and returns the behaviour that applies to it.
func (s *DNS) note(request *dns.Msg, network string) Behaviour {
	if len(request.Question) != 1 {
		return ""
	}
	asked := request.Question[0]
	exact := question{dns.CanonicalName(asked.Name), asked.Qtype}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, Query{Name: exact.name, Type: dns.TypeToString[exact.qtype], Net: network})
	if s.everyone != "" {
		return s.everyone
	}
	b, ok := s.behaviour[exact]
	if !ok {
		b = s.behaviour[question{exact.name, dns.TypeANY}]
	}
	if b == FailOnce {
		if s.failed[exact] {
			return ""
		}
		s.failed[exact] = true
		return ServFail
	}
	return b
}

// answer is the right answer, changed by the behaviour.
func (s *DNS) answer(request *dns.Msg, behaviour Behaviour, tcp bool) *dns.Msg {
	reply := s.zone.Reply(request, tcp)
	empty := func(rcode int) { reply.Rcode, reply.Answer, reply.Ns = rcode, nil, nil }
	switch behaviour {
	case ServFail:
		empty(dns.RcodeServerFailure)
	case Refused:
		empty(dns.RcodeRefused)
	case NXDomain, NoData:
		empty(dns.RcodeSuccess)
		if behaviour == NXDomain {
			reply.Rcode = dns.RcodeNameError
		}
		absent := request.Copy() // a type that no zone has: the answer carries the SOA
		absent.Question[0].Qtype = dns.TypeNULL
		reply.Ns = s.zone.Reply(absent, tcp).Ns
	case Truncate, TruncAll:
		if behaviour == TruncAll || !tcp {
			empty(dns.RcodeSuccess)
			reply.Truncated = true
		}
	case Invent:
		empty(dns.RcodeSuccess)
		if asked := request.Question[0]; asked.Qtype == dns.TypeA {
			header := dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}
			reply.Answer = []dns.RR{&dns.A{Hdr: header, A: s.inventedAddress()}}
		}
	case NoTCP, OnlyUDP:
		if opt := request.IsEdns0(); behaviour == OnlyUDP || opt == nil || opt.UDPSize() <= 1232 {
			empty(dns.RcodeSuccess)
			reply.Truncated = true
		}
	case FormErr:
		empty(dns.RcodeFormatError)
		reply.Extra = nil
	case NoEDNS, BareEDNS, NotImpl:
		if request.IsEdns0() != nil {
			empty(dns.RcodeFormatError)
			reply.Extra = nil
			if behaviour == BareEDNS {
				reply.Question = nil
			} else if behaviour == NotImpl {
				reply.Rcode = dns.RcodeNotImplemented
			}
		}
	case AD:
		reply.AuthenticatedData = true
	case WrongID:
		reply.Id++
	}
	return reply
}

func (s *DNS) inventedAddress() net.IP {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.invented.AsSlice()
}

func (s *DNS) pause() bool {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	select {
	case <-time.After(slow):
		return true
	case <-s.stop:
		return false
	}
}
