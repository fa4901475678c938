package nameserver

import (
	"context"
	"errors"
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
alias   IN CNAME mx
dangling IN CNAME nowhere
loop    IN CNAME loop
deep.empty IN A 192.0.2.1
*.wild  IN TXT  "any"
_imaps._tcp IN SRV 0 1 993 mx
_25._tcp.mx IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
1.0.0.127.in-addr.arpa. IN PTR mx.example.
big     IN TXT "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big     IN TXT "1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big     IN TXT "2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big     IN TXT "3123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
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

func ask(t *testing.T, s *Server, network, name string, qtype uint16) (*dns.Msg, error) {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: 200 * time.Millisecond}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype), s.Addr())
	return reply, err
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := Start(t, zone)
	for _, c := range []struct {
		name    string
		qtype   uint16
		rcode   int
		answers int
		soa     string // owner of the SOA in the authority section
	}{
		{"example.", dns.TypeMX, dns.RcodeSuccess, 1, ""},
		{"EXAMPLE.", dns.TypeTXT, dns.RcodeSuccess, 1, ""},
		{"mx.example.", dns.TypeA, dns.RcodeSuccess, 1, ""},
		{"mx.example.", dns.TypeAAAA, dns.RcodeSuccess, 0, "example."},
		{"alias.example.", dns.TypeA, dns.RcodeSuccess, 2, ""},
		{"alias.example.", dns.TypeCNAME, dns.RcodeSuccess, 1, ""},
		{"dangling.example.", dns.TypeA, dns.RcodeNameError, 1, "example."},
		{"loop.example.", dns.TypeA, dns.RcodeSuccess, maxAliases, "example."},
		{"empty.example.", dns.TypeA, dns.RcodeSuccess, 0, "example."},
		{"x.y.wild.example.", dns.TypeTXT, dns.RcodeSuccess, 1, ""},
		{"x.wild.example.", dns.TypeA, dns.RcodeSuccess, 0, "example."},
		{"nowhere.example.", dns.TypeA, dns.RcodeNameError, 0, "example."},
		{"other.test.", dns.TypeA, dns.RcodeNameError, 0, "test."},
		{"gone.example.", dns.TypeA, dns.RcodeNameError, 0, "example."},
		{"_imaps._tcp.example.", dns.TypeSRV, dns.RcodeSuccess, 1, ""},
		{"_25._tcp.mx.example.", dns.TypeTLSA, dns.RcodeSuccess, 1, ""},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, 1, ""},
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
	s := Start(t, zone)
	for _, c := range []struct {
		network, name string
		truncated     bool
	}{
		{"udp", "big.example.", true},
		{"tcp", "big.example.", false},
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
	client := new(dns.Client)
	request := new(dns.Msg).SetQuestion("big.example.", dns.TypeTXT).SetEdns0(1232, true)
	if reply, _, err := client.Exchange(request, s.Addr()); err != nil || reply.Truncated || reply.IsEdns0() == nil {
		t.Errorf("an EDNS client takes the whole answer: %v, %v", reply, err)
	}
}

func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	s := Start(t, zone)
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
	s := Start(t, zone)
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

func TestChangesWhileRunning(t *testing.T) {
	t.Parallel()
	s := Start(t, zone)
	resolver := s.Resolver()
	if _, err := resolver.LookupTXT(context.Background(), "_dmarc.example"); !isNotFound(err) {
		t.Fatalf("before: %v", err)
	}
	if err := s.Add(`_dmarc.example. IN TXT "v=DMARC1; p=none"`); err != nil {
		t.Fatal(err)
	}
	if got, err := resolver.LookupTXT(context.Background(), "_dmarc.example"); err != nil || len(got) != 1 {
		t.Fatalf("after: %q, %v", got, err)
	}
	if got, err := s.LookupTXT("example"); err != nil || len(got) != 1 || got[0] != "v=spf1 -all" {
		t.Errorf("LookupTXT: %q, %v", got, err)
	}
	if err := s.Remove("_dmarc.example.", "TXT"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LookupTXT("_dmarc.example"); !isNotFound(err) {
		t.Errorf("removed, but: %v", err)
	}
	var dnsErr *net.DNSError
	if _, err := s.LookupTXT("broken.example"); !errors.As(err, &dnsErr) || !dnsErr.IsTemporary {
		t.Errorf("servfail: %v", err)
	}
}

func isNotFound(err error) bool {
	var dnsErr *net.DNSError
	return errors.As(err, &dnsErr) && dnsErr.IsNotFound
}

func TestBadZone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"example. IN A not-an-address", "!explode example.", "!silent",
		"!silent a.example. NOTYPE",
	} {
		if s, err := Serve(text); err == nil {
			s.Close()
			t.Errorf("%q was taken", text)
		}
	}
}
