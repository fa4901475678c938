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
`

// start serves the zone of the tests until the test ends.
func start(t *testing.T) (*Zone, *Server) {
	t.Helper()
	z, err := Parse(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return z, s
}

func ask(t *testing.T, s *Server, network, name string, qtype uint16) (*dns.Msg, error) {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: 200 * time.Millisecond}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype), s.Addr())
	return reply, err
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	_, s := start(t)
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
		{"mx.example.", dns.TypeAAAA, dns.RcodeSuccess, 1, ""},
		{"alias.example.", dns.TypeA, dns.RcodeSuccess, 2, ""},
		{"alias.example.", dns.TypeCNAME, dns.RcodeSuccess, 1, ""},
		{"dangling.example.", dns.TypeA, dns.RcodeNameError, 1, "example."},
		{"loop.example.", dns.TypeA, dns.RcodeSuccess, maxAliases, "example."},
		{"empty.example.", dns.TypeA, dns.RcodeSuccess, 0, "example."},
		{"x.y.wild.example.", dns.TypeTXT, dns.RcodeSuccess, 1, ""},
		{"x.wild.example.", dns.TypeA, dns.RcodeSuccess, 0, "example."},
		{"nowhere.example.", dns.TypeA, dns.RcodeNameError, 0, "example."},
		{"other.test.", dns.TypeA, dns.RcodeNameError, 0, "test."},
		{"_imaps._tcp.example.", dns.TypeSRV, dns.RcodeSuccess, 1, ""},
		{"_25._tcp.mx.example.", dns.TypeTLSA, dns.RcodeSuccess, 1, ""},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, 1, ""},
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
	_, s := start(t)
	for _, c := range []struct {
		network, name string
		truncated     bool
	}{
		{"udp", "big.example.", true},
		{"tcp", "big.example.", false},
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

func TestChangesWhileRunning(t *testing.T) {
	t.Parallel()
	z, s := start(t)
	resolver := s.Resolver()
	if _, err := resolver.LookupTXT(context.Background(), "_dmarc.example"); !isNotFound(err) {
		t.Fatalf("before: %v", err)
	}
	if err := z.Add(`_dmarc.example. IN TXT "v=DMARC1; p=none"`); err != nil {
		t.Fatal(err)
	}
	if got, err := resolver.LookupTXT(context.Background(), "_dmarc.example"); err != nil || len(got) != 1 {
		t.Fatalf("after: %q, %v", got, err)
	}
	if err := z.Remove("_dmarc.example.", "TXT"); err != nil {
		t.Fatal(err)
	}
	if _, err := resolver.LookupTXT(context.Background(), "_dmarc.example"); !isNotFound(err) {
		t.Errorf("removed, but: %v", err)
	}
}

func isNotFound(err error) bool {
	var dnsErr *net.DNSError
	return errors.As(err, &dnsErr) && dnsErr.IsNotFound
}

func TestBadZone(t *testing.T) {
	t.Parallel()
	if _, err := Parse("example. IN A not-an-address"); err == nil {
		t.Error("an address that is none was taken")
	}
	z, _ := start(t)
	if err := z.Remove("example.", "NOTYPE"); err == nil {
		t.Error("an unknown type was taken")
	}
}
