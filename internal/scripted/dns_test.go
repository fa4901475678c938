package scripted

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const zone = `
$ORIGIN example.
$TTL 120
@       IN SOA  ns hostmaster 1 3600 600 86400 30
@       IN NS   ns
@       IN MX   10 mx
mx      IN A    127.0.0.1
mx      IN AAAA ::1
@       IN TXT  "v=spf1 " "-all"
cut     IN TXT "whole"
cutall  IN TXT "whole"
twice   IN A   192.0.2.2
signed  IN A   192.0.2.3
once    IN A   192.0.2.4
slow    IN A   192.0.2.5
!servfail broken.example.
!refused  private.example
!silent   lost.example.
!truncate cut.example. TXT
!truncall cutall.example. TXT
!twice    twice.example.
!ad       signed.example. A
!failonce once.example.
!garbage  noise.example.
!wrongid  stray.example.
!nodata   mx.example. AAAA
!nxdomain gone.example.
!slowreply slow.example.
`

func ask(t *testing.T, s *DNS, network, name string, qtype uint16) (*dns.Msg, error) {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: 200 * time.Millisecond}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype), s.Addr())
	return reply, err
}

func TestBentAnswers(t *testing.T) {
	t.Parallel()
	s := StartDNS(t, zone)
	for _, c := range []struct {
		name    string
		qtype   uint16
		rcode   int
		answers int
		soa     string // owner of the SOA in the authority section
	}{
		{"mx.example.", dns.TypeA, dns.RcodeSuccess, 1, ""},
		{"mx.example.", dns.TypeAAAA, dns.RcodeSuccess, 0, "example."},
		{"gone.example.", dns.TypeA, dns.RcodeNameError, 0, "example."},
		{"broken.example.", dns.TypeA, dns.RcodeServerFailure, 0, ""},
		{"private.example.", dns.TypeA, dns.RcodeRefused, 0, ""},
		{"twice.example.", dns.TypeA, dns.RcodeSuccess, 1, ""},
		{"slow.example.", dns.TypeA, dns.RcodeSuccess, 1, ""},
	} {
		for _, network := range []string{"udp", "tcp"} {
			reply, err := ask(t, s, network, c.name, c.qtype)
			if err != nil {
				t.Errorf("%s %s over %s: %v", c.name, dns.TypeToString[c.qtype], network, err)
				continue
			}
			soa := ""
			if len(reply.Ns) == 1 {
				soa = reply.Ns[0].(*dns.SOA).Hdr.Name
			}
			if reply.Rcode != c.rcode || len(reply.Answer) != c.answers || soa != c.soa {
				t.Errorf("%s %s over %s: rcode %d, %d answers, soa %q; want %d, %d, %q",
					c.name, dns.TypeToString[c.qtype], network, reply.Rcode, len(reply.Answer), soa, c.rcode, c.answers, c.soa)
			}
		}
	}
	if reply, _ := ask(t, s, "udp", "mx.example.", dns.TypeA); reply.Answer[0].Header().Ttl != 120 {
		t.Errorf("ttl %d, want that of the zone text", reply.Answer[0].Header().Ttl)
	}
}

func TestTruncation(t *testing.T) {
	t.Parallel()
	s := StartDNS(t, zone)
	for _, c := range []struct {
		network, name string
		truncated     bool
	}{
		{"udp", "cut.example.", true},
		{"tcp", "cut.example.", false},
		{"udp", "cutall.example.", true},
		{"tcp", "cutall.example.", true},
	} {
		reply, err := ask(t, s, c.network, c.name, dns.TypeTXT)
		if err != nil || reply.Truncated != c.truncated {
			t.Errorf("%s over %s: truncated %v, %v; want %v", c.name, c.network, reply.Truncated, err, c.truncated)
		}
	}
}

func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	s := StartDNS(t, zone)
	for _, name := range []string{"lost.example.", "noise.example.", "stray.example."} {
		if reply, err := ask(t, s, "udp", name, dns.TypeA); err == nil {
			t.Errorf("%s answered: %v", name, reply)
		}
	}
	if reply, err := ask(t, s, "tcp", "lost.example.", dns.TypeA); err == nil {
		t.Errorf("silent over TCP answered: %v", reply)
	}
	for _, want := range []int{dns.RcodeServerFailure, dns.RcodeSuccess} {
		if reply, err := ask(t, s, "udp", "once.example.", dns.TypeA); err != nil || reply.Rcode != want {
			t.Errorf("failonce: %v, %v; want rcode %d", reply, err, want)
		}
	}
	if reply, err := ask(t, s, "udp", "signed.example.", dns.TypeA); err != nil || !reply.AuthenticatedData {
		t.Errorf("no AD flag: %v", err)
	}
	if n := s.Count("once.example", "a"); n != 2 {
		t.Errorf("query log counts %d, want 2", n)
	}
	s.BehaveAll(Refused)
	if reply, err := ask(t, s, "udp", "mx.example.", dns.TypeA); err != nil || reply.Rcode != dns.RcodeRefused {
		t.Errorf("BehaveAll: %v, %v", reply, err)
	}
}

func TestTwice(t *testing.T) {
	t.Parallel()
	s := StartDNS(t, zone)
	conn, err := net.Dial("udp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	packed, _ := new(dns.Msg).SetQuestion("twice.example.", dns.TypeA).Pack()
	if _, err := conn.Write(packed); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	for i := range 2 {
		if _, err := conn.Read(make([]byte, 512)); err != nil {
			t.Errorf("answer %d: %v", i+1, err)
		}
	}
}

func TestBadZone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"example. IN A not-an-address", "!explode example.", "!silent",
		"!silent a.example. NOTYPE",
	} {
		if s, err := ServeDNS(text); err == nil {
			s.Close()
			t.Errorf("%q was taken", text)
		}
	}
}
