package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"postier/internal/scripted"
)

const zone = `
$ORIGIN durand.example.
@        300 IN TXT   "v=spf1 -all"
smtp     300 IN A     192.0.2.1
smtp     200 IN A     192.0.2.2
smtp     300 IN AAAA  2001:db8::1
alias    300 IN CNAME middle
middle   300 IN CNAME smtp
loop     300 IN CNAME loop2
loop2    300 IN CNAME loop
text     300 IN TXT   "only text"
big      300 IN TXT   "big"
flaky    300 IN A     192.0.2.9
signed   300 IN A     192.0.2.8
!truncate big.durand.example.
!truncall cut.durand.example.
!servfail ill.durand.example.
!refused  no.durand.example.
!silent   mute.durand.example.
!garbage  junk.durand.example.
!wrongid  other.durand.example.
!failonce flaky.durand.example.
!ad       signed.durand.example.
!twice    smtp.durand.example. A
`

func resolver(t *testing.T, addresses ...string) *Resolver {
	t.Helper()
	return &Resolver{pinned: addresses}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone)
	r := resolver(t, server.Addr())
	for _, test := range []struct {
		name    string
		qtype   uint16
		records int
		chain   string
		kind    Failure
	}{
		{"durand.example", dns.TypeTXT, 1, "durand.example", ""},
		{"DURAND.Example.", dns.TypeTXT, 1, "durand.example", ""},
		{"smtp.durand.example", dns.TypeA, 2, "smtp.durand.example", ""},
		{"alias.durand.example", dns.TypeA, 2, "alias.durand.example middle.durand.example smtp.durand.example", ""},
		{"alias.durand.example", dns.TypeCNAME, 1, "alias.durand.example", ""},
		{"text.durand.example", dns.TypeA, 0, "text.durand.example", ""},
		{"big.durand.example", dns.TypeTXT, 1, "big.durand.example", ""},
		{"flaky.durand.example", dns.TypeA, 1, "flaky.durand.example", ""},
		{"nobody.durand.example", dns.TypeA, 0, "", NotFound},
		{"loop.durand.example", dns.TypeA, 0, "", Malformed},
		{"cut.durand.example", dns.TypeTXT, 0, "", Malformed},
		{"ill.durand.example", dns.TypeA, 0, "", ServFail},
		{"no.durand.example", dns.TypeA, 0, "", Refused},
	} {
		t.Run(test.name+" "+dns.TypeToString[test.qtype], func(t *testing.T) {
			t.Parallel()
			answer, err := r.Query(t.Context(), test.name, test.qtype)
			if test.kind != "" {
				var failed *ResolveError
				if !errors.As(err, &failed) || failed.Kind != test.kind {
					t.Errorf("%v, want %s", err, test.kind)
				}
				return
			}
			if err != nil || len(answer.Records) != test.records || strings.Join(answer.Chain, " ") != test.chain {
				t.Errorf("%d records, chain %q, %v", len(answer.Records), answer.Chain, err)
			}
		})
	}
	if answer, err := r.Query(t.Context(), "signed.durand.example", dns.TypeA); err != nil || !answer.AD {
		t.Errorf("AD %t, %v", answer.AD, err)
	}
	if answer, err := r.Query(t.Context(), "smtp.durand.example", dns.TypeA); err != nil || answer.AD ||
		answer.TTL() != 200*time.Second {
		t.Errorf("AD %t, TTL %s, %v", answer.AD, answer.TTL(), err)
	}
}

// TestWithoutEDNS: a server that refuses EDNS is asked without it, and once it has answered, only without it.
func TestWithoutEDNS(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []scripted.Behaviour{scripted.NoEDNS, scripted.BareEDNS, scripted.NotImpl} {
		server := scripted.StartDNS(t, zone)
		server.BehaveAll(behaviour)
		r := resolver(t, server.Addr())
		for range 2 {
			if answer, err := r.Query(t.Context(), "durand.example", dns.TypeTXT); err != nil || len(answer.Records) != 1 {
				t.Errorf("%s: %v", behaviour, err)
			}
		}
		if n := server.Count("durand.example", "TXT"); n != 3 {
			t.Errorf("%s: %d questions for two answers", behaviour, n)
		}
	}
	server := scripted.StartDNS(t, zone)
	server.BehaveAll(scripted.ServFail)
	if _, err := resolver(t, server.Addr()).Query(t.Context(), "durand.example", dns.TypeTXT); err == nil {
		t.Error("a failure became an answer")
	}
	if n := server.Count("durand.example", "TXT"); n != rounds {
		t.Errorf("SERVFAIL is no refusal of EDNS: %d questions", n)
	}
}

// TestForgedDatagrams: what does not answer the question is passed over until what does.
func TestForgedDatagrams(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone)
	server.BehaveAll(scripted.Forged)
	answer, err := resolver(t, server.Addr()).Query(t.Context(), "durand.example", dns.TypeTXT)
	if err != nil || len(answer.Records) != 1 {
		t.Errorf("%d records, %v", len(answer.Records), err)
	}
	if n := server.Count("durand.example", "TXT"); n != 1 {
		t.Errorf("%d questions", n)
	}
}

// TestWithoutTCP: an answer that does not fit and a server without TCP is a fault of its own, not silence.
func TestWithoutTCP(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone+"!notcp big.durand.example.\n!onlyudp durand.example.\n")
	r := resolver(t, server.Addr())
	if answer, err := r.Query(t.Context(), "big.durand.example", dns.TypeTXT); err != nil || len(answer.Records) != 1 {
		t.Errorf("a larger datagram has it: %v", err)
	}
	_, err := r.Query(t.Context(), "durand.example", dns.TypeTXT)
	var failed *ResolveError
	if !errors.As(err, &failed) || failed.Kind != NoTCP {
		t.Errorf("%v, want %s", err, NoTCP)
	}
}

// TestSilenceIsNotADenial: what keeps a name server from answering says nothing about the name.
func TestSilenceIsNotADenial(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone)
	closed := closedPort(t)
	for _, test := range []struct {
		server, name string
		kinds        string
	}{
		{server.Addr(), "mute.durand.example", "timeout"},
		{server.Addr(), "other.durand.example", "timeout malformed"},
		{server.Addr(), "junk.durand.example", "malformed timeout"},
		{closed, "smtp.durand.example", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := resolver(t, test.server).Query(ctx, test.name, dns.TypeA)
			var failed *ResolveError
			if !errors.As(err, &failed) || !strings.Contains(test.kinds, string(failed.Kind)) {
				t.Errorf("%v, want %s", err, test.kinds)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().String()
}

func TestSecondServerIsAskedWhenTheFirstCannotAnswer(t *testing.T) {
	t.Parallel()
	good := scripted.StartDNS(t, zone)
	ill := scripted.StartDNS(t, "!servfail smtp.durand.example.\n")
	refusing := scripted.StartDNS(t, "!refused smtp.durand.example.\n")
	denying := scripted.StartDNS(t, "other.example. IN A 192.0.2.1\n!nxdomain smtp.durand.example.\n")
	for name, first := range map[string]string{
		"closed": closedPort(t), "servfail": ill.Addr(),
		"refused": refusing.Addr(),
	} {
		answer, err := resolver(t, first, good.Addr()).Query(t.Context(), "smtp.durand.example", dns.TypeA)
		if err != nil || len(answer.Records) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	before := good.Count("smtp.durand.example", "A")
	var failed *ResolveError
	if _, err := resolver(t, denying.Addr(), good.Addr()).Query(t.Context(), "smtp.durand.example",
		dns.TypeA); !errors.As(err, &failed) || failed.Kind != NotFound {
		t.Errorf("a denial is an answer: %v", err)
	}
	if good.Count("smtp.durand.example", "A") != before {
		t.Error("the second server was asked after a denial")
	}
}

func TestQueriesAreBounded(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone)
	r := resolver(t, server.Addr())
	ctx := WithBudget(t.Context())
	for i := range MaxQueries + 2 {
		_, err := r.Query(ctx, "smtp.durand.example", dns.TypeA)
		if (i >= MaxQueries) != errors.Is(err, ErrBudget) {
			t.Errorf("question %d: %v", i+1, err)
		}
	}
	if n := server.Count("smtp.durand.example", "A"); n != MaxQueries {
		t.Errorf("%d questions reached the server", n)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, zone+"half 300 IN A 192.0.2.7\n!servfail half.durand.example. AAAA\n")
	r := resolver(t, server.Addr())
	for name, want := range map[string]string{
		"smtp.durand.example":   "192.0.2.1 192.0.2.2 2001:db8::1",
		"alias.durand.example":  "192.0.2.1 192.0.2.2 2001:db8::1",
		"half.durand.example":   "192.0.2.7",
		"text.durand.example":   "no-address",
		"nobody.durand.example": "nxdomain",
		"ill.durand.example":    "servfail",
	} {
		list, err := r.Addresses(t.Context(), name)
		var words []string
		for _, a := range list {
			words = append(words, a.String())
		}
		got := strings.Join(words, " ")
		var failed *ResolveError
		if errors.As(err, &failed) {
			got = string(failed.Kind)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSystemResolverKnowsTheHostsFile(t *testing.T) {
	t.Parallel()
	list, err := SystemResolver().Addresses(t.Context(), "localhost")
	if err != nil || len(list) == 0 || !list[0].IsLoopback() {
		t.Errorf("%v %v", list, err)
	}
}

func TestResolverAt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353", "2001:db8::1": "[2001:db8::1]:53",
		"[2001:db8::1]:5353": "[2001:db8::1]:5353",
		"":                   "", "dns.example": "", "192.0.2.1:x": "", "192.0.2.1:99999": "",
	} {
		r, err := ResolverAt(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was taken", in)
		case want != "" && (err != nil || fmt.Sprint(r.pinned) != "["+want+"]"):
			t.Errorf("%q: %v %v", in, r, err)
		}
	}
}
