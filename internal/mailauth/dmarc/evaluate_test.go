package dmarc_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"postier/internal/mailauth/dmarc"
	"postier/internal/mailauth/lookup/lookuptest"
)

func record(domain, rest string) string {
	return "_dmarc." + domain + ". IN TXT \"v=DMARC1; " + rest + "\"\n"
}

// TestWalkQueries is the example of RFC 9989 §4.10: eight queries, whatever the length of the name.
func TestWalkQueries(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"a.b.c.d.e.f.g.h.i.j.mail.example.com": "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com " +
			"h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com mail.example.com example.com com",
		"a.b.c.d.e.f.example.com": "a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com " +
			"d.e.f.example.com e.f.example.com f.example.com example.com com",
		"b.c.d.e.f.example.com": "b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com " +
			"e.f.example.com f.example.com example.com com",
		"Example.COM.": "example.com com",
		"com":          "com",
	} {
		z := lookuptest.Zone(t, "")
		var got []string
		for _, s := range dmarc.TreeWalk(context.Background(), z, domain).Steps {
			got = append(got, s.Domain)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", domain, got)
		}
		if n := len(z.Queries()); n > 8 {
			t.Errorf("%s: %d queries", domain, n)
		}
	}
}

// TestOrganizational is RFC 9989 §4.10.2.
func TestOrganizational(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zone, domain, want, policy string }{
		{"nothing", "", "a.mail.example.com", "a.mail.example.com", ""},
		{
			"the fewest labels", record("mail.example.com", "p=none") + record("example.com", "p=none"), "a.mail.example.com",
			"example.com", "example.com",
		},
		{
			"psd=n", record("mail.example.com", "p=none; psd=n") + record("example.com", "p=none"), "a.mail.example.com",
			"mail.example.com", "mail.example.com",
		},
		{"psd=y above", record("com", "p=none; psd=y"), "a.mail.example.com", "example.com", "com"},
		{"psd=y directly above", record("com", "p=none; psd=y"), "example.com", "example.com", "com"},
		{
			"psd=y, example of the RFC", record("example.com", "p=none; psd=y"), "mail.example.com", "mail.example.com",
			"example.com",
		},
		{"psd=y at the start", record("co.example", "p=none; psd=y"), "co.example", "co.example", "co.example"},
		{
			"psd=y at the start ends the walk", record("co.example", "p=none; psd=y") + record("example", "p=none"),
			"co.example", "co.example", "co.example",
		},
		{
			"psd=y and the organization's own", record("com", "p=none; psd=y") + record("example.com", "p=reject"),
			"a.example.com", "example.com", "example.com",
		},
		{
			"psd=y with a record too deep", record("com", "p=none; psd=y") + record("b.example.com", "p=reject"),
			"a.b.example.com", "example.com", "com",
		},
		{
			"psd=n at the start", record("a.example.com", "p=none; psd=n") + record("example.com", "p=none"), "a.example.com",
			"a.example.com", "a.example.com",
		},
		{
			"the start's own, the parent is the organization",
			record("a.example.com", "p=none") + record("example.com", "p=none"), "a.example.com", "example.com",
			"a.example.com",
		},
		{
			"several are none", record("example.com", "p=none") + record("example.com", "p=reject"), "a.example.com",
			"a.example.com", "",
		},
		{
			"other records beside",
			record("example.com", "p=none") +
				"_dmarc.example.com. IN TXT \"v=spf1 -all\"\n_dmarc.example.com. IN TXT \"v=dmarc1; p=reject\"", "a.example.com",
			"example.com", "example.com",
		},
		{
			"without psd a record at the suffix counts", record("com", "p=none") + record("example.com", "p=none"),
			"a.example.com", "com", "com",
		},
		{
			"alias", "_dmarc.example.com. IN CNAME d.host.test.\nd.host.test. IN TXT \"v=DMARC1; p=none\"", "example.com",
			"example.com", "example.com",
		},
		{
			"between the start and the seven", record("d.e.f.g.h.i.example.com", "p=none") + record("example.com", "p=none"),
			"a.b.c.d.e.f.g.h.i.example.com", "example.com", "example.com",
		},
	} {
		w := dmarc.TreeWalk(context.Background(), lookuptest.Zone(t, c.zone), c.domain)
		policy := ""
		if f := w.Policy(); f != nil {
			policy = f.Domain
		}
		if got := w.Organizational(); got != c.want || policy != c.policy {
			t.Errorf("%s: organizational %q, policy of %q; want %q, %q", c.name, got, policy, c.want, c.policy)
		}
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	sig := func(domain string) []dmarc.Signature { return []dmarc.Signature{{Domain: domain, Pass: true}} }
	org := record("example.com", "p=reject; sp=quarantine; np=none") + record("other.com", "p=none") +
		"sub.example.com. IN A 192.0.2.1\n"
	for _, c := range []struct {
		name, zone      string
		message         dmarc.Message
		result          dmarc.Result
		policy, applied dmarc.Policy
		spf, dkim       bool
	}{
		{
			"nothing passes", org,
			dmarc.Message{Author: "example.com", SPFDomain: "example.com"},
			dmarc.ResultFail, "reject",
			"reject", false, false,
		},
		{
			"SPF identical", org,
			dmarc.Message{Author: "example.com", SPFDomain: "example.com", SPFPass: true},
			dmarc.ResultPass, "reject", "reject", true, false,
		},
		{
			"SPF of a subdomain", org,
			dmarc.Message{Author: "example.com", SPFDomain: "bounce.example.com", SPFPass: true},
			dmarc.ResultPass, "reject", "reject", true, false,
		},
		{
			"SPF of another", org,
			dmarc.Message{Author: "example.com", SPFDomain: "other.com", SPFPass: true},
			dmarc.ResultFail,
			"reject", "reject", false, false,
		},
		{
			"SPF of a name that only ends alike", org,
			dmarc.Message{Author: "example.com", SPFDomain: "badexample.com", SPFPass: true},
			dmarc.ResultFail, "reject",
			"reject", false, false,
		},
		{
			"DKIM identical, in other case", org,
			dmarc.Message{Author: "Example.COM", Signatures: sig("EXAMPLE.com.")},
			dmarc.ResultPass, "reject", "reject", false, true,
		},
		{
			"DKIM of the parent", org,
			dmarc.Message{Author: "sub.example.com", Signatures: sig("example.com")},
			dmarc.ResultPass, "quarantine", "quarantine", false, true,
		},
		{
			"DKIM that failed", org,
			dmarc.Message{Author: "example.com", Signatures: []dmarc.Signature{{Domain: "example.com"}}},
			dmarc.ResultFail,
			"reject", "reject", false, false,
		},
		{
			"one of two signatures", org,
			dmarc.Message{Author: "example.com", Signatures: append(sig("other.com"), sig("example.com")...)},
			dmarc.ResultPass,
			"reject", "reject", false, true,
		},
		{"both", org, dmarc.Message{
			Author: "example.com", SPFDomain: "example.com", SPFPass: true,
			Signatures: sig("example.com"),
		}, dmarc.ResultPass, "reject", "reject", true, true},
		{
			"subdomain that exists: sp", org,
			dmarc.Message{Author: "sub.example.com"},
			dmarc.ResultFail, "quarantine",
			"quarantine", false, false,
		},
		{
			"subdomain that does not: np", org,
			dmarc.Message{Author: "ghost.example.com"},
			dmarc.ResultFail, "none", "none",
			false, false,
		},
		{
			"strict DKIM", record("example.com", "p=reject; adkim=s"),
			dmarc.Message{Author: "example.com", Signatures: sig("mail.example.com")},
			dmarc.ResultFail, "reject", "reject",
			false, false,
		},
		{
			"strict DKIM, identical", record("example.com", "p=reject; adkim=s"),
			dmarc.Message{Author: "example.com", Signatures: sig("example.com")},
			dmarc.ResultPass, "reject", "reject", false,
			true,
		},
		{
			"strict SPF", record("example.com", "p=reject; aspf=s"),
			dmarc.Message{Author: "example.com", SPFDomain: "bounce.example.com", SPFPass: true},
			dmarc.ResultFail, "reject",
			"reject", false, false,
		},
		{
			"t=y", record("example.com", "p=reject; t=y"),
			dmarc.Message{Author: "example.com"},
			dmarc.ResultFail, "reject",
			"quarantine", false, false,
		},
		{
			"psd=n parts siblings", record("a.example.com", "p=reject; psd=n") + record("example.com", "p=none"),
			dmarc.Message{Author: "a.example.com", SPFDomain: "b.example.com", SPFPass: true},
			dmarc.ResultFail, "reject",
			"reject", false, false,
		},
		{
			"two customers of one suffix", record("co.example", "p=reject; psd=y"),
			dmarc.Message{Author: "one.co.example", SPFDomain: "two.co.example", SPFPass: true},
			dmarc.ResultFail, "reject",
			"reject", false, false,
		},
		{
			"policy of the suffix: sp", record("co.example", "p=none; sp=reject; psd=y"),
			dmarc.Message{Author: "one.co.example"},
			dmarc.ResultFail, "reject", "reject", false, false,
		},
		{
			"no policy", "",
			dmarc.Message{Author: "example.com", SPFDomain: "example.com", SPFPass: true},
			dmarc.ResultNone, "",
			"", false, false,
		},
		{
			"bad policy without reports", record("example.com", "p=bad"),
			dmarc.Message{Author: "example.com"},
			dmarc.ResultNone,
			"none", "none", false, false,
		},
		{
			"bad policy with reports", record("example.com", "p=bad; rua=mailto:a@example.com"),
			dmarc.Message{Author: "example.com"},
			dmarc.ResultFail, "none", "none", false, false,
		},
		{
			"several records", record("example.com", "p=none") + record("example.com", "p=reject"),
			dmarc.Message{Author: "example.com"},
			dmarc.ResultNone, "", "", false, false,
		},
		{
			"timeout", "!timeout _dmarc.example.com",
			dmarc.Message{Author: "example.com"},
			dmarc.ResultTempError, "", "", false,
			false,
		},
		{
			"timeout below a record", record("com", "p=none; psd=y") + "!timeout _dmarc.example.com",
			dmarc.Message{Author: "example.com"},
			dmarc.ResultTempError, "", "", false, false,
		},
		{
			"timeout above one's own", record("example.com", "p=reject") + "!timeout _dmarc.com",
			dmarc.Message{Author: "example.com", SPFDomain: "example.com", SPFPass: true},
			dmarc.ResultPass, "reject", "reject",
			true, false,
		},
		{
			"timeout above the organization", org + "!timeout _dmarc.com",
			dmarc.Message{Author: "sub.example.com"},
			dmarc.ResultFail, "quarantine", "quarantine", false, false,
		},
		{
			"timeout while aligning", record("a.example.com", "p=reject") + "!timeout _dmarc.example.com",
			dmarc.Message{Author: "a.example.com", Signatures: sig("example.com")},
			dmarc.ResultTempError, "reject", "reject",
			false, false,
		},
		{
			"timeout of the other's own name", org + "!timeout _dmarc.b.example.com",
			dmarc.Message{Author: "example.com", SPFDomain: "b.example.com", SPFPass: true},
			dmarc.ResultPass, "reject",
			"reject", true, false,
		},
		{
			"timeout that has nothing to say", org + "!timeout _dmarc.com\n!timeout _dmarc.slow.com",
			dmarc.Message{Author: "example.com", SPFDomain: "slow.com", SPFPass: true},
			dmarc.ResultFail, "reject", "reject",
			false, false,
		},
		{
			"U-label", record("xn--bcher-kva.com", "p=reject"),
			dmarc.Message{Author: "bücher.com", Signatures: sig("xn--bcher-kva.com")},
			dmarc.ResultPass, "reject", "reject",
			false, true,
		},
		{"no domain", org, dmarc.Message{Author: ""}, dmarc.ResultPermError, "", "", false, false},
		{"malformed domain", org, dmarc.Message{Author: "a..b"}, dmarc.ResultPermError, "", "", false, false},
	} {
		got := dmarc.Evaluate(context.Background(), lookuptest.Zone(t, c.zone), c.message)
		if got.Result != c.result || got.Policy != c.policy || got.Applied != c.applied ||
			got.Aligned != (dmarc.Alignment{SPF: c.spf, DKIM: c.dkim}) {
			t.Errorf("%s: %s policy %q applied %q aligned %+v", c.name, got.Result, got.Policy, got.Applied, got.Aligned)
		}
	}
}

// TestManySignatures: a message cannot cause a tree walk for each of hundreds of signatures.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, record("example.com", "p=reject"))
	m := dmarc.Message{Author: "example.com"}
	for i := range 300 {
		m.Signatures = append(m.Signatures, dmarc.Signature{Domain: strings.Repeat("x", i%60+1) + ".y.z.com", Pass: true})
	}
	if got := dmarc.Evaluate(context.Background(), z, m); got.Result != dmarc.ResultFail {
		t.Errorf("%+v", got.Result)
	}
	if n := len(z.Queries()); n > 60 {
		t.Errorf("%d queries", n)
	}
}

// TestReportTargets is RFC 9990 §4.
func TestReportTargets(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, record("example.com", "p=none")+record("reports.test", "p=none")+`
		example.com._report._dmarc.reports.test. IN TXT "v=DMARC1"
		example.com._report._dmarc.wrong.test. IN TXT "yes please"
		!timeout example.com._report._dmarc.slow.test
	`)
	r, _ := dmarc.Parse("v=DMARC1; p=none; rua=mailto:a@example.com," +
		"mailto:b@sub.example.com,mailto:c@reports.test,mailto:d@stranger.test; " +
		"ruf=mailto:e@wrong.test,mailto:f@slow.test")
	var got []string
	for _, target := range dmarc.ReportTargets(context.Background(), z, "example.com", r) {
		state := "own"
		switch {
		case target.Err != nil:
			state = "unanswered"
		case target.External && target.Authorised:
			state = "authorised"
		case target.External:
			state = "refused " + target.Name
		}
		got = append(got, target.URI.Mailbox+" "+state)
	}
	want := []string{
		"a@example.com own", "b@sub.example.com own", "c@reports.test authorised",
		"d@stranger.test refused example.com._report._dmarc.stranger.test",
		"e@wrong.test refused example.com._report._dmarc.wrong.test", "f@slow.test unanswered",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	z := lookuptest.Zone(b, record("example.com", "p=reject"))
	m := dmarc.Message{
		Author: "mail.example.com", SPFDomain: "bounce.example.com", SPFPass: true,
		Signatures: []dmarc.Signature{{Domain: "example.com", Pass: true}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := dmarc.Evaluate(context.Background(), z, m); got.Result != dmarc.ResultPass {
			b.Fatal(got.Result)
		}
	}
}
