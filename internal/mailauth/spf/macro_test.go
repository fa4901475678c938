package spf_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/mailauth/spf"
)

// TestExpansion reads the name of the query that a macro leads to. The sender, domain and addresses are those of the
// table in RFC 7208 §7.4.
func TestExpansion(t *testing.T) {
	t.Parallel()
	const nibbles6 = "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1"
	const reversed6 = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
	for _, c := range []struct{ macro, v4, v6 string }{
		{"%{s}", `strong-bad\@email.example.com`, `strong-bad\@email.example.com`},
		{"%{o}", "email.example.com", ""},
		{"%{d}", "email.example.com", ""},
		{"%{d4}", "email.example.com", ""},
		{"%{d3}", "email.example.com", ""},
		{"%{d2}", "example.com", ""},
		{"%{d1}.x.example", "com.x.example", ""},
		{"%{dr}", "com.example.email", ""},
		{"%{d2r}", "example.email", ""},
		{"%{l}.x.example", "strong-bad.x.example", ""},
		{"%{l-}.x.example", "strong.bad.x.example", ""},
		{"%{lr}.x.example", "strong-bad.x.example", ""},
		{"%{lr-}.x.example", "bad.strong.x.example", ""},
		{"%{l1r-}.x.example", "strong.x.example", ""},
		{"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", reversed6 + ".ip6._spf.example.com"},
		{"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", ""},
		{
			"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
			"bad.strong.lp." + reversed6 + ".ip6._spf.example.com",
		},
		{"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com", ""},
		{"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", ""},
		{"%{i}.x.example", "192.0.2.3.x.example", nibbles6 + ".x.example"},
		{"%{h}", "mx.example.org", ""},
		{"%{h2r}.x.example", "example.mx.x.example", ""},
		{"%{d001}.x.example", "com.x.example", ""},
		{"%{D}", "email.example.com", ""},
		{"%{S}", "strong-bad%40email.example.com", ""},
		{"a%%b%_c%-d.example", `a%b\ c%20d.example`, ""},
		{"%{l.-+,/_=}.x.example", "strong.bad.x.example", ""},
		{"%{p}.x.example", "mail.email.example.com.x.example", "unknown.x.example"},
	} {
		z := lookuptest.Zone(t, `
			email.example.com. IN TXT "v=spf1 exists:`+c.macro+` -all"
			3.2.0.192.in-addr.arpa. IN PTR far.example.net.
			3.2.0.192.in-addr.arpa. IN PTR wrong.email.example.com.
			3.2.0.192.in-addr.arpa. IN PTR mail.email.example.com.
			far.example.net. IN A 192.0.2.3
			wrong.email.example.com. IN A 192.0.2.4
			mail.email.example.com. IN A 192.0.2.3
		`)
		for ip, want := range map[string]string{"192.0.2.3": c.v4, "2001:db8::cb01": c.v6} {
			if want == "" {
				continue
			}
			before := len(z.Queries())
			spf.Check(context.Background(), z, netip.MustParseAddr(ip), "mx.example.org", "strong-bad@email.example.com")
			queries := z.Queries()[before:]
			if got := queries[len(queries)-1]; got != strings.ToLower(want)+". A" {
				t.Errorf("%s for %s asks %q, want %q", c.macro, ip, got, want)
			}
		}
	}
}

// TestDomainFollowsInclude: %{d} is the domain of the record being read, %{o} stays (RFC 7208 §7.2).
func TestDomainFollowsInclude(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, `
		a.example. IN TXT "v=spf1 include:b.example -all"
		b.example. IN TXT "v=spf1 exists:%{d}.%{o}.x.example -all"
		b.example.a.example.x.example. IN A 127.0.0.2
	`)
	if got := spf.Check(context.Background(), z, client4, "h.example", "u@a.example"); got.Result != spf.Pass {
		t.Errorf("got %+v, asked %q", got, z.Queries())
	}
}

// TestPMacro is the order of preference in RFC 7208 §7.3.
func TestPMacro(t *testing.T) {
	t.Parallel()
	const head = `d.example. IN TXT "v=spf1 exists:%{p}.x.example -all"
	`
	for _, c := range []struct{ name, zone, want string }{
		{"equal before subdomain", `
			10.2.0.192.in-addr.arpa. IN PTR sub.d.example.
			10.2.0.192.in-addr.arpa. IN PTR D.example.
			sub.d.example. IN A 192.0.2.10
			d.example. IN A 192.0.2.10`, "d.example"},
		{"any", `
			10.2.0.192.in-addr.arpa. IN PTR far.test.
			far.test. IN A 192.0.2.10`, "far.test"},
		{"not validated", `
			10.2.0.192.in-addr.arpa. IN PTR far.test.
			far.test. IN A 192.0.2.11`, "unknown"},
		{"no name", "", "unknown"},
		{"timeout", "!timeout 10.2.0.192.in-addr.arpa", "unknown"},
	} {
		z := lookuptest.Zone(t, head+c.zone)
		spf.Check(context.Background(), z, client4, "h.example", "u@d.example")
		queries := z.Queries()
		if got := queries[len(queries)-1]; got != c.want+".x.example. A" {
			t.Errorf("%s: asks %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTruncation: labels go from the left until 253 characters are left (RFC 7208 §7.3).
func TestTruncation(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, `d.example. IN TXT "v=spf1 exists:%{l}.x.example -all"`)
	local := "first." + strings.Repeat("abcdefghi.", 24) + "z"
	spf.Check(context.Background(), z, client4, "h.example", local+"@d.example")
	queries := z.Queries()
	got := strings.TrimSuffix(queries[len(queries)-1], ". A")
	if len(got) > 253 || strings.Contains(got, "first") || !strings.HasPrefix(got, "abcdefghi.") ||
		!strings.HasSuffix(got, "abcdefghi.z.x.example") {
		t.Errorf("asks %q (%d)", got, len(got))
	}
}

// TestNoName: an expansion that no domain can be called does not match, and asks nothing (RFC 7208 §4.8).
func TestNoName(t *testing.T) {
	t.Parallel()
	for _, record := range []string{
		"exists:%{l}.x.example", "a:%{l}.x.example", "mx:%{l}.x.example",
		"ptr:%{l}.x.example",
	} {
		for _, local := range []string{"a..b", ".a", strings.Repeat("l", 64), "münchen"} {
			z := lookuptest.Zone(t, `d.example. IN TXT "v=spf1 `+record+` ?all"`)
			got := spf.Check(context.Background(), z, client4, "h.example", local+"@d.example")
			if got.Result != spf.Neutral {
				t.Errorf("%s with %q: %+v", record, local, got)
			}
		}
	}
	z := lookuptest.Zone(t, `d.example. IN TXT "v=spf1 redirect=%{l}.x.example"
		i.example. IN TXT "v=spf1 include:%{l}.x.example ?all"`)
	for _, domain := range []string{"d.example", "i.example"} {
		if got := spf.Check(context.Background(), z, client4, "h.example", "a..b@"+domain); got.Result != spf.PermError {
			t.Errorf("%s: %+v", domain, got)
		}
	}
}

// TestExplanation is RFC 7208 §6.2.
func TestExplanation(t *testing.T) {
	t.Parallel()
	const base = `
		good.example. IN TXT "%{i} is not one of %{d}'s%_servers, says %{r} at %{t} to %{c} %{h} %{p} 100%%"
		url.example. IN TXT "http://x.example/?s=%{S}&l=%{L}"
		split.example. IN TXT "two " "strings"
		several.example. IN TXT "one"
		several.example. IN TXT "two"
		bad.example. IN TXT "%{x} broken"
		badend.example. IN TXT "broken %"
		ascii.example. IN TXT "caf\195\169"
		nodata.example. IN A 192.0.2.1
		!timeout slow.example
		inner.example. IN TXT "v=spf1 -all exp=innerwhy.example"
		innerwhy.example. IN TXT "inner %{d}"
		outerwhy.example. IN TXT "outer %{d}"
		noexp.example. IN TXT "v=spf1 -all"
	`
	for _, c := range []struct{ record, want string }{
		{
			"-all exp=good.example",
			"192.0.2.10 is not one of d.example's servers, says mx.receiver.example at 1700000000 to 192.0.2.10 helo.example " +
				"unknown 100%",
		},
		{"-all exp=url.example", "http://x.example/?s=jack%26jill%3Dup-b3.c%40d.example&l=jack%26jill%3Dup-b3.c"},
		{"-all exp=split.example", "two strings"},
		{"-all exp=several.example", ""},
		{"-all exp=bad.example", ""},
		{"-all exp=badend.example", ""},
		{"-all exp=ascii.example", ""},
		{"-all exp=nodata.example", ""},
		{"-all exp=slow.example", ""},
		{"-all exp=gone.test", ""},
		{"-all exp=a..example", ""},
		{"~all exp=good.example", ""},
		{"-all", ""},
		{"exp=outerwhy.example include:inner.example -all", "outer d.example"},
		{"exp=outerwhy.example redirect=inner.example", "inner inner.example"},
		{"exp=outerwhy.example redirect=noexp.example", ""},
	} {
		z := lookuptest.Zone(t, base+`d.example. IN TXT "v=spf1 `+c.record+`"`)
		got := checker(z).Check(context.Background(), client4, "helo.example", "jack&jill=up-b3.c@d.example")
		if got.Explanation.Raw() != c.want {
			t.Errorf("%s: %q, want %q", c.record, got.Explanation.Raw(), c.want)
		}
	}
}

// TestExplanationOnlyAfterFail: nothing is fetched for other results (docs/security.md T10).
func TestExplanationOnlyAfterFail(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, `d.example. IN TXT "v=spf1 ~all exp=why.example"`)
	spf.Check(context.Background(), z, client4, "h.example", "u@d.example")
	if len(z.Queries()) != 1 {
		t.Errorf("asked %q", z.Queries())
	}
}
