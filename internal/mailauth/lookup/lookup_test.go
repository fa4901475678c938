package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/wire"
)

func TestTXTJoinsStringsAndUndoesEscapes(t *testing.T) {
	t.Parallel()
	r := lookuptest.Zone(t, `
		a.example. 60 IN TXT "v=spf1 " "-all"
		b.example. 60 IN TXT "semi\;colon \"quoted\" back\\slash \233\001"
		c.example. 60 IN CNAME a.example.
	`)
	for name, want := range map[string]string{
		"a.example": "v=spf1 -all",
		"b.example": "semi;colon \"quoted\" back\\slash \xe9\x01",
		"c.example": "v=spf1 -all",
	} {
		txt, err := lookup.QueryTXT(context.Background(), r, name)
		if err != nil || len(txt.Texts) != 1 || txt.Texts[0].Value != want {
			t.Errorf("%s: %v, %v; want %q", name, txt.Texts, err, want)
		}
	}
	txt, _ := lookup.QueryTXT(context.Background(), r, "c.example")
	if len(txt.Chain) != 2 || txt.Chain[1] != "a.example" {
		t.Errorf("chain %q", txt.Chain)
	}
}

func TestTXTCap(t *testing.T) {
	t.Parallel()
	var zone strings.Builder
	for range 40 {
		fmt.Fprintf(&zone, "big.example. IN TXT \"%s\"\n", strings.Repeat("x", 250))
	}
	_, err := lookup.QueryTXT(context.Background(), lookuptest.Zone(t, zone.String()), "big.example")
	if !errors.Is(err, lookup.ErrTooLarge) || !lookup.Temporary(err) {
		t.Errorf("got %v", err)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"example.com":                   "example.com",
		"example.com.":                  "example.com",
		"a b.example":                   `a\ b.example`,
		`a\b.example`:                   `a\\b.example`,
		`a"(b)';@$.example`:             `a\"\(b\)\'\;\@$.example`,
		long + ".example":               long + ".example",
		long + "a.example":              "",
		"a..example":                    "",
		".example":                      "",
		"":                              "",
		strings.Repeat("a.", 126) + "a": strings.Repeat("a.", 126) + "a",
		strings.Repeat("a.", 127) + "a": "",
	} {
		got, ok := lookup.Name(in)
		if got != want || ok != (want != "") {
			t.Errorf("Name(%q) = %q, %v; want %q", in, got, ok, want)
		}
		if !ok {
			continue
		}
		// What comes back from the wire must compare equal, and say what was meant.
		packed := make([]byte, 256)
		n, err := mdns.PackDomainName(mdns.Fqdn(got), packed, 0, nil, false)
		if err != nil {
			t.Errorf("Name(%q) = %q, which is no name: %v", in, got, err)
			continue
		}
		back, _, err := mdns.UnpackDomainName(packed[:n], 0)
		if err != nil || back != mdns.Fqdn(got) {
			t.Errorf("Name(%q) = %q comes back as %q, %v", in, got, back, err)
		}
	}
}

func TestBudgetEnds(t *testing.T) {
	t.Parallel()
	zone := lookuptest.Zone(t, "a.example. IN A 192.0.2.1\n")
	b := lookup.NewBudget(zone)
	for range wire.MaxQueries {
		if _, err := b.Query(context.Background(), "a.example", mdns.TypeA); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Query(context.Background(), "a.example", mdns.TypeA); !errors.Is(err, wire.ErrBudget) {
		t.Errorf("one too many: %v", err)
	}
	if n := len(zone.Queries()); n != wire.MaxQueries {
		t.Errorf("%d queries reached the resolver", n)
	}
}

func TestSharedAsksOnceAndForgetsTrouble(t *testing.T) {
	t.Parallel()
	zone := lookuptest.Zone(t, "a.example. IN A 192.0.2.1\n!timeout slow.example\n")
	s := lookup.Share(zone)
	for range 5 {
		if _, err := s.Query(context.Background(), "A.Example", mdns.TypeA); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Query(context.Background(), "gone.test", mdns.TypeA); !lookup.NotFound(err) {
			t.Fatalf("gone: %v", err)
		}
	}
	if n := len(zone.Queries()); n != 2 {
		t.Errorf("asked %d times: %q", n, zone.Queries())
	}
	for range 2 {
		if _, err := s.Query(context.Background(), "slow.example", mdns.TypeA); !lookup.Temporary(err) {
			t.Fatalf("slow: %v", err)
		}
	}
	if n := len(zone.Queries()); n != 4 {
		t.Errorf("a failure was remembered: %q", zone.Queries())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Query(ctx, "late.example", mdns.TypeA); !lookup.Temporary(err) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.Query(context.Background(), "late.example", mdns.TypeA); !lookup.NotFound(err) {
		t.Errorf("after a cancelled question: %v", err)
	}
}
