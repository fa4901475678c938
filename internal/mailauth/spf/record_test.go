package spf_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	blitiri "blitiri.com.ar/go/spf"
	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/mailauth/spf"
)

func TestFaultsHavePlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record string
		want   []spf.Fault
	}{
		{"v=spf1 mx ~al", []spf.Fault{{Kind: spf.FaultMechanism, Offset: 10, Token: "~al"}}},
		{
			"v=spf1 ipv4:1.2.3.4 a: -all",
			[]spf.Fault{
				{Kind: spf.FaultMechanism, Offset: 7, Token: "ipv4:1.2.3.4"},
				{Kind: spf.FaultMissing, Offset: 22, Token: "a:"},
			},
		},
		{"v=spf1 ip4:1.2.3.4/33 -all", []spf.Fault{{Kind: spf.FaultPrefix, Offset: 19, Token: "ip4:1.2.3.4/33"}}},
		{"v=spf1 ip4:1.2.3 -all", []spf.Fault{{Kind: spf.FaultAddress, Offset: 11, Token: "ip4:1.2.3"}}},
		{"v=spf1 a:host/24 -all", []spf.Fault{{Kind: spf.FaultDomain, Offset: 9, Token: "a:host/24"}}},
		{"v=spf1 a/33", []spf.Fault{{Kind: spf.FaultPrefix, Offset: 9, Token: "a/33"}}},
		{"v=spf1 exists:a%{x}.example", []spf.Fault{{Kind: spf.FaultMacro, Offset: 15, Token: "exists:a%{x}.example"}}},
		{
			"v=spf1 redirect=a.example redirect=b.example",
			[]spf.Fault{{Kind: spf.FaultTwice, Offset: 26, Token: "redirect=b.example"}},
		},
		{"v=spf1 a\tmx", []spf.Fault{{Kind: spf.FaultSeparator, Offset: 8, Token: "a\tmx"}}},
		{"v=spf1 +x=1", []spf.Fault{{Kind: spf.FaultQualifier, Offset: 7, Token: "+x=1"}}},
		{"v=spf1 1x=1", []spf.Fault{{Kind: spf.FaultModifier, Offset: 7, Token: "1x=1"}}},
		{"v=spf1 -all:x", []spf.Fault{{Kind: spf.FaultArgument, Offset: 11, Token: "-all:x"}}},
		{"hello", []spf.Fault{{Kind: spf.FaultVersion, Offset: 0, Token: "hello"}}},
	} {
		got := spf.Parse(c.record).Faults
		if len(got) != len(c.want) {
			t.Errorf("%q: %+v, want %+v", c.record, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: %+v, want %+v", c.record, got[i], c.want[i])
			}
		}
	}
}

func TestWeaknesses(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]string{
		"v=spf1 mx -all":                 "",
		"v=spf1 redirect=a.example":      "",
		"v=spf1 mx":                      "no-all",
		"v=spf1 +all":                    "pass-all",
		"v=spf1 mx all":                  "pass-all",
		"v=spf1 ?all":                    "neutral-all",
		"v=spf1 ptr ~all":                "ptr",
		"v=spf1 include=a.example ~all":  "mechanism-as-modifier",
		"v=spf1 ~all a mx":               "terms-after-all",
		"v=spf1 ~all redirect=a.example": "redirect-beside-all",
		"v=spf1 " + strings.Repeat("ip4:192.0.2.1 ", 32) + "-all": "long",
	} {
		var got []string
		for _, w := range spf.Parse(record).Weaknesses() {
			got = append(got, string(w))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", record, got, want)
		}
	}
}

func TestPropose(t *testing.T) {
	t.Parallel()
	google := spf.Need{Include: []string{"_spf.google.com"}}
	strato := spf.Need{Redirect: "smtp.rzone.de"}
	for _, c := range []struct {
		name string
		old  []string
		need spf.Need
		want string
	}{
		{"new", nil, google, "v=spf1 include:_spf.google.com ~all"},
		{"new with redirect", nil, strato, "v=spf1 redirect=smtp.rzone.de"},
		{"new for a server", nil, spf.Need{Terms: []string{"mx", "a:smtp.example.com"}}, "v=spf1 mx a:smtp.example.com ~all"},
		{
			"before all",
			[]string{"v=spf1 mx ip4:192.0.2.1 -all"},
			google,
			"v=spf1 mx ip4:192.0.2.1 include:_spf.google.com -all",
		},
		{"there already", []string{"v=spf1 include:_SPF.google.com -all"}, google, "v=spf1 include:_SPF.google.com -all"},
		{"no all", []string{"v=spf1 mx"}, google, "v=spf1 mx include:_spf.google.com ~all"},
		{"pass all", []string{"v=spf1 mx +all"}, google, "v=spf1 mx include:_spf.google.com ~all"},
		{
			"before redirect",
			[]string{"v=spf1 redirect=a.example"},
			google,
			"v=spf1 include:_spf.google.com redirect=a.example",
		},
		{"redirect wanted, all there", []string{"v=spf1 mx -all"}, strato, "v=spf1 mx include:smtp.rzone.de -all"},
		{"redirect wanted, no all", []string{"v=spf1 mx"}, strato, "v=spf1 mx redirect=smtp.rzone.de"},
		{
			"redirect wanted, another there",
			[]string{"v=spf1 redirect=a.example"},
			strato,
			"v=spf1 include:smtp.rzone.de redirect=a.example",
		},
		{"redirect there", []string{"v=spf1 redirect=smtp.rzone.de"}, strato, "v=spf1 redirect=smtp.rzone.de"},
		{
			"several",
			[]string{"v=spf1 mx -all", "v=spf1 +mx include:b.example ~all"},
			google,
			"v=spf1 mx include:b.example include:_spf.google.com ~all",
		},
		{
			"several, one redirects",
			[]string{"v=spf1 mx -all", "v=spf1 redirect=b.example"},
			spf.Need{},
			"v=spf1 mx include:b.example -all",
		},
		{
			"exp kept, once",
			[]string{"v=spf1 exp=a.example -all", "v=spf1 exp=b.example -all"},
			google,
			"v=spf1 include:_spf.google.com -all exp=a.example",
		},
		{
			"slips mended",
			[]string{"v=spf1 ipv4:192.0.2.1, includes:b.example include=c.example -al"},
			spf.Need{},
			"v=spf1 ip4:192.0.2.1 include:b.example include:c.example -all",
		},
		{"nonsense left out", []string{"v=spf1 hello mx -all"}, spf.Need{}, "v=spf1 mx -all"},
		{
			"bare addresses",
			[]string{"v=spf1 192.0.2.1 2602:fd3f:0:ff06::/64 -all"},
			spf.Need{},
			"v=spf1 ip4:192.0.2.1 ip6:2602:fd3f:0:ff06::/64 -all",
		},
		{
			"the other family",
			[]string{"v=spf1 ip6:192.0.2.1 ip4:2001:db8::1 -all"},
			spf.Need{},
			"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all",
		},
		{"a dash of a word processor", []string{"v=spf1 mx \u2013all"}, spf.Need{}, "v=spf1 mx -all"},
		{
			"strings joined",
			[]string{"v=spf1 ip4:192.0.2.1include:a.example ~all"},
			spf.Need{},
			"v=spf1 ip4:192.0.2.1 include:a.example ~all",
		},
		{"no space before all", []string{"v=spf1 ip4:203.0.113.7~all"}, spf.Need{}, "v=spf1 ip4:203.0.113.7 ~all"},
		{"no space before -all", []string{"v=spf1 ip4:203.0.113.7-all"}, spf.Need{}, "v=spf1 ip4:203.0.113.7 -all"},
		{
			"a domain with a hyphen stays",
			[]string{"v=spf1 include:spf-all.example -all"},
			spf.Need{},
			"v=spf1 include:spf-all.example -all",
		},
		{
			"a space too many",
			[]string{"v=spf1 include: a.example ip4: 192.0.2.1 -all"},
			spf.Need{},
			"v=spf1 include:a.example ip4:192.0.2.1 -all",
		},
		{"a broken address left out", []string{"v=spf1 ip4:192.0.2.1.5 mx -all"}, spf.Need{}, "v=spf1 mx -all"},
		{"quotes and semicolons", []string{`"v=spf1;mx;-all"`}, google, "v=spf1 mx include:_spf.google.com -all"},
		{
			"no space behind the version",
			[]string{"v=spf1include:b.example -all"},
			google,
			"v=spf1 include:b.example include:_spf.google.com -all",
		},
	} {
		var old []lookup.Text
		for _, o := range c.old {
			old = append(old, lookup.Text{Value: o})
		}
		proposal := spf.Propose(old, c.need)
		got, lost := proposal.Record, proposal.Lost()
		if got != c.want || (len(lost) > 0) != strings.Contains(c.name, "left out") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if faults := spf.Parse(got).Faults; len(faults) > 0 {
			t.Errorf("%s: %q has %+v", c.name, got, faults)
		}
	}
}

func TestMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=spf1 -all": false, "hello": false, "v=DMARC1; p=none": false, "v=spf10 x": true, `"v=spf1 -all"`: true,
		"spf1 mx": true, "v=spf1;mx": true, " v=spf1 mx": true, "v=spf mx -all": true,
	} {
		if got := spf.Meant(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, world+`
		d.example. 600 IN TXT "v=spf1 mx:mx.example include:p.example a:gone.test exists:%{i}.x.example -all"
		p.example. IN TXT "v=spf1 ip4:192.0.2.0/24 ~include:q.example include:%{d}x.example ?all"
		q.example. IN TXT "v=spf1 ip6:2001:db8::/32 redirect=r.example"
		r.example. IN TXT "v=spf1 include:q.example -all"
		p.examplex.example. IN TXT "v=spf1 -all"
		macro.example. IN TXT "v=spf1 include:%{i}.example -all"
		idle.example. IN TXT "v=spf1 -all include:p.example redirect=q.example"
		deep.example. IN TXT "v=spf1 include:gone.test include:twice.example include:slow.example -all"
	`)
	n := spf.Inspect(context.Background(), z, "D.example.")
	// mx, include p (q: include, redirect r: redirect; r includes q again: a loop, and its include), p.examplex, a,
	// exists.
	if n.Lookups != 8 || n.Void != 1 || n.Problem != "" || n.Text.TTL.Seconds() != 600 {
		t.Errorf("lookups %d void %d problem %q ttl %v", n.Lookups, n.Void, n.Problem, n.Text.TTL)
	}
	if got := strings.Join(n.Includes(), " "); got != "p.example q.example r.example p.examplex.example" {
		t.Errorf("includes %q", got)
	}
	if !n.LeadsTo("p.example") || n.LeadsTo("q.example") || !n.LeadsTo("p.examplex.example") ||
		n.LeadsTo("other.example") {
		t.Error("LeadsTo: only includes that pass count")
	}
	if got := n.Networks(5); len(got) != 2 {
		t.Errorf("networks %v", got)
	}
	if broken := n.Broken(); broken == nil || broken.Problem != spf.ReasonLoop {
		t.Errorf("broken %+v", broken)
	}
	if n := spf.Inspect(context.Background(), z, "idle.example"); n.Lookups != 0 || len(n.Children) != 0 {
		t.Errorf("behind all: %+v", n)
	}
	if n := spf.Inspect(context.Background(), z, "macro.example"); n.Children[0].Problem != spf.ReasonMacro ||
		n.Broken() != nil {
		t.Errorf("macro: %+v", n.Children[0])
	}
	n = spf.Inspect(context.Background(), z, "deep.example")
	if n.Broken().Domain != "gone.test" || n.Unanswered() == nil || n.Void != 1 {
		t.Errorf("deep: %+v", n)
	}
	for domain, want := range map[string]spf.Reason{
		"gone.test": spf.ReasonNoDomain, "txtonly.example": spf.ReasonNoRecord, "twice.example": spf.ReasonSeveral,
		"faulty.example": spf.ReasonSyntax, "slow.example": spf.ReasonDNS, "single": spf.ReasonDomain,
	} {
		if n := spf.Inspect(context.Background(), z, domain); n.Problem != want {
			t.Errorf("%s: %q, want %q", domain, n.Problem, want)
		}
	}
	if n := spf.InspectText(context.Background(), z, "new.example", "v=spf1 include:p.example -all"); n.Lookups != 5 {
		t.Errorf("text: %d look-ups", n.Lookups)
	}
}

// secondOpinion gives a zone to blitiri.com.ar/go/spf.
type secondOpinion struct{ z *lookuptest.Resolver }

func (s secondOpinion) ask(ctx context.Context, name string, qtype uint16) ([]mdns.RR, error) {
	answer, err := s.z.Query(ctx, name, qtype)
	switch {
	case lookup.Void(answer, err):
		return nil, &net.DNSError{Name: name, IsNotFound: true}
	case err != nil:
		return nil, &net.DNSError{Name: name, IsTimeout: true, IsTemporary: true}
	}
	return answer.Records, nil
}

func (s secondOpinion) LookupTXT(ctx context.Context, name string) ([]string, error) {
	rrs, err := s.ask(ctx, name, mdns.TypeTXT)
	var out []string
	for _, rr := range rrs {
		out = append(out, strings.Join(rr.(*mdns.TXT).Txt, ""))
	}
	return out, err
}

func (s secondOpinion) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	rrs, err := s.ask(ctx, name, mdns.TypeMX)
	var out []*net.MX
	for _, rr := range rrs {
		out = append(out, &net.MX{Host: rr.(*mdns.MX).Mx, Pref: rr.(*mdns.MX).Preference})
	}
	return out, err
}

func (s secondOpinion) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	var out []net.IPAddr
	v4, err4 := s.ask(ctx, name, mdns.TypeA)
	v6, err6 := s.ask(ctx, name, mdns.TypeAAAA)
	for _, rr := range append(v4, v6...) {
		switch rr := rr.(type) {
		case *mdns.A:
			out = append(out, net.IPAddr{IP: rr.A})
		case *mdns.AAAA:
			out = append(out, net.IPAddr{IP: rr.AAAA})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if err4 != nil {
		return nil, err4
	}
	return nil, err6
}

func (s secondOpinion) LookupAddr(ctx context.Context, ip string) ([]string, error) {
	name, err := mdns.ReverseAddr(ip)
	if err != nil {
		return nil, err
	}
	rrs, err := s.ask(ctx, name, mdns.TypePTR)
	var out []string
	for _, rr := range rrs {
		out = append(out, rr.(*mdns.PTR).Ptr)
	}
	return out, err
}

// TestSecondOpinion compares with another implementation where that one is as strict as the RFC.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	for _, record := range []string{
		"v=spf1 -all", "v=spf1 mx:mx.example -all", "v=spf1 a:host.example ~all", "v=spf1 a:near.example/24//64 -all",
		"v=spf1 include:pass.example -all",
		"v=spf1 include:fail.example ?all", "v=spf1 include:gone.test -all", "v=spf1 redirect=soft.example",
		"v=spf1 redirect=gone.test",
		"v=spf1 exists:%{ir}.x.example -all", "v=spf1 ptr:host.example -all", "v=spf1 ip4:192.0.2.0/28 -all",
		"v=spf1 ip6:2001:db8::/64 -all",
		"v=spf1 a:slow.example -all", "v=spf1 mx:mxslow.example -all", "v=spf1 include:broken.example -all",
		"v=spf1 foo -all",
		"v=spf1 a:v1.test a:v2.test a:v3.test -all", "v=spf1 ip4:1.2.3.4/33 -all",
	} {
		z := lookuptest.Zone(t, world+"d.example. IN TXT \""+record+"\"\n")
		for _, ip := range []netip.Addr{client4, client6} {
			got := spf.Check(context.Background(), z, ip, "helo.example", "u@d.example").Result
			other, _ := blitiri.CheckHostWithSender(net.IP(ip.AsSlice()), "helo.example", "u@d.example",
				blitiri.WithResolver(secondOpinion{z}))
			if string(got) != string(other) {
				t.Errorf("%q from %s: %s, the other says %s", record, ip, got, other)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"v=spf1 -all", "v=spf1 a/24//64 mx:%{d}/24 include:%{l1r-}.x.example ip6:::/0 redirect=%{d2} exp=a.example x=%%%_%-",
		"v=spf1 a:%{", "v=spf1 %", "v=spf1 \x00\xff", "v=spf1 +", "v=spf1 =", "v=spf1 a//", `"v=spf1;ipv4:1 al`,
		"v=spf1 redirect=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := spf.Parse(text)
		for _, fault := range r.Faults {
			if fault.Offset < 0 || fault.Offset > len(text) {
				t.Errorf("%q: fault at %d", text, fault.Offset)
			}
		}
		for _, term := range r.Terms {
			if text[term.Offset:term.Offset+len(term.Text)] != term.Text {
				t.Errorf("%q: term %q is not at %d", text, term.Text, term.Offset)
			}
		}
		r.Weaknesses()
		r.Effective()
		proposal := spf.Propose([]lookup.Text{{Value: text}}, spf.Need{Include: []string{"p.example"}}).Record
		if again := spf.Parse(proposal); len(again.Faults) > 0 {
			t.Errorf("%q: proposal %q has %+v", text, proposal, again.Faults)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add("v=spf1 exists:%{lr-}.%{ir}.%{v}.%{h}.%{p}.x.example -all exp=why.example", "%{S} %{c}", "user", "helo.example")
	f.Add("v=spf1 include:%{l} a:%{s}/0 mx:%{o2r+,} ptr:%{h} redirect=%{d}", "%", "a..b\x00", "[1.2.3.4]")
	f.Fuzz(func(t *testing.T, record, why, local, helo string) {
		if len(record) > 2000 || len(why) > 2000 || len(local) > 2000 {
			return
		}
		z := textZone{"d.example.": record, "why.example.": why}
		for _, ip := range []netip.Addr{client4, client6} {
			got := spf.Check(context.Background(), z, ip, helo, local+"@d.example")
			switch got.Result {
			case spf.None, spf.Neutral, spf.Pass, spf.Fail, spf.SoftFail, spf.TempError, spf.PermError:
			default:
				t.Errorf("result %q", got.Result)
			}
			if got.Lookups > spf.MaxLookups+1 || got.Void > spf.MaxVoid+1 {
				t.Errorf("%d look-ups, %d void", got.Lookups, got.Void)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const record = "v=spf1 mx a:host.example/24//64 include:_spf.provider.example ip4:192.0.2.0/24 ip6:2001:db8::/32 " +
		"exists:%{ir}.%{v}.x.example -all"
	b.ReportAllocs()
	for b.Loop() {
		if r := spf.Parse(record); len(r.Faults) > 0 {
			b.Fatal(r.Faults)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	z := lookuptest.Zone(b, world+`d.example. IN TXT "v=spf1 mx:mxfar.example include:p.example -all"
		p.example. IN TXT "v=spf1 include:q.example ~all"
		q.example. IN TXT "v=spf1 ip4:192.0.2.0/24 -all"`)
	b.ReportAllocs()
	for b.Loop() {
		if got := spf.Check(context.Background(), z, client4, "h.example", "u@d.example"); got.Result != spf.Pass {
			b.Fatal(got)
		}
	}
}
