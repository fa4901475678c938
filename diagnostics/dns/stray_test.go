package dns_test

import (
	"context"
	"strings"
	"testing"

	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// strays are records that stand in the wrong form or at the wrong place.
func strays() []finding {
	given := func(selectors ...string) func(*account.Target, *dns.Options) {
		return func(t *account.Target, o *dns.Options) { t.Selectors, o.Selectors = nil, selectors }
	}
	key := `"v=DKIM1; k=ed25519; p=` + edKey + `"`
	const dkimName = "s1._domainkey.example.com. IN "
	return []finding{
		{
			"target of a CNAME as text", provider + dkimName + `TXT "s1.dkim.provider.test."`, nil, check.DNSDKIM, check.Warn,
			check.CauseCNAMEAsTXT, "s1._domainkey.example.com s1.dkim.provider.test",
		},
		{
			"a whole line of a zone file as text", provider + dkimName + `TXT "CNAME s1.dkim.provider.test"`, nil,
			check.DNSDKIM, check.Warn, check.CauseCNAMEAsTXT, "s1._domainkey.example.com s1.dkim.provider.test",
		},
		{
			"some other text", provider + dkimName + `TXT "to be done"`, nil, check.DNSDKIM, check.Warn,
			check.CauseDKIMMissing, "",
		},
		{
			"alias whose target has no text", provider + dkimName + "CNAME mx.provider.test.", nil, check.DNSDKIM, check.Warn,
			check.CauseAliasNowhere, "",
		},
		{
			"alias to another text", provider + dkimName + "CNAME spf.provider.test.", nil, check.DNSDKIM, check.Warn,
			check.CauseAliasNowhere, "",
		},
		{
			"alias with the domain appended", provider + dkimName + "CNAME s1.dkim.provider.test.example.com.\n" +
				"s1.dkim.provider.test. IN TXT " + key, nil, check.DNSDKIM, check.Warn, check.CauseAliasNowhere,
			"s1._domainkey.example.com s1.dkim.provider.test",
		},
		{
			"a named selector is missing beside a good one", provider + goodDKIM(), given("s1", "s9"), check.DNSDKIM,
			check.Warn, check.CauseDKIMMissing, "",
		},
		{
			"a named selector is unanswered beside a good one", provider + goodDKIM() + "!timeout s9._domainkey.example.com",
			given("s1", "s9"), check.DNSDKIM, check.Skip, check.CauseDNSFailure, "",
		},
		{
			"a named alias is dead beside a good key",
			provider + goodDKIM() + "s9._domainkey.example.com. IN CNAME gone.test.", given("s1", "s9"), check.DNSDKIM,
			check.Warn, check.CauseAliasNowhere, "",
		},
		{
			"half a key beside the key", provider + goodDKIM() + dkimName + `TXT "p=AAAA"`, nil, check.DNSDKIM, check.Fail,
			check.CauseDKIMMultiple, "s1._domainkey.example.com ",
		},
		{
			"two good keys", provider + goodDKIM() + dkimName + `TXT "k=ed25519; p=` + edKey + `"`, nil, check.DNSDKIM,
			check.Fail, check.CauseDKIMMultiple, "",
		},
		{
			"key at the selector without _domainkey", provider + "s1.example.com. IN TXT " + key, nil, check.DNSDKIM,
			check.Warn, check.CauseDKIMWrongPlace, "s1._domainkey.example.com v=DKIM1; k=ed25519; p=" + edKey,
		},
		{
			"key without selector", provider + "_domainkey.example.com. IN TXT " + key, nil, check.DNSDKIM, check.Warn,
			check.CauseDKIMWrongPlace, "s1._domainkey.example.com v=DKIM1; k=ed25519; p=" + edKey,
		},

		{
			"target of a CNAME as text", provider + `_dmarc.example.com. IN TXT "example.com.hosted-dmarc.test"`, nil,
			check.DNSDMARC, check.Warn, check.CauseCNAMEAsTXT, "_dmarc.example.com example.com.hosted-dmarc.test",
		},
		{
			"alias that leads nowhere", provider + "_dmarc.example.com. IN CNAME gone.hosted-dmarc.test.", nil,
			check.DNSDMARC, check.Warn, check.CauseAliasNowhere, "",
		},
		{
			"alias to a record", provider + "_dmarc.example.com. IN CNAME ok.hosted-dmarc.test.\n" +
				`ok.hosted-dmarc.test. IN TXT "v=DMARC1; p=reject"`, nil, check.DNSDMARC, check.Pass, "", "",
		},
		{
			"at the doubled name", provider + `_dmarc.example.com.example.com. IN TXT "v=DMARC1; p=reject"`, nil,
			check.DNSDMARC, check.Warn, check.CauseDMARCWrongPlace, "_dmarc.example.com v=DMARC1; p=reject",
		},
		{
			"without the underscore", provider + `dmarc.example.com. IN TXT "v=DMARC1; p=reject"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCWrongPlace, "_dmarc.example.com v=DMARC1; p=reject",
		},

		{
			"target of a CNAME as text", provider + `_mta-sts.example.com. IN TXT "_mta-sts.hosted.test"`, nil,
			check.DNSMTASTS, check.Warn, check.CauseCNAMEAsTXT, "_mta-sts.example.com _mta-sts.hosted.test",
		},
		{
			"alias that leads nowhere", provider + "_smtp._tls.example.com. IN CNAME gone.hosted.test.", nil,
			check.DNSTLSRPT, check.Warn, check.CauseAliasNowhere, "",
		},
		{
			"alias that leads nowhere", provider + "default._bimi.example.com. IN CNAME gone.hosted.test.", nil,
			check.DNSBIMI, check.Warn, check.CauseAliasNowhere, "",
		},

		{"too large", provider + large("example.com"), nil, check.DNSSPF, check.Warn, check.CauseTXTTooLarge, ""},
		{
			"an include is too large", provider + large("big.test") +
				`example.com. IN TXT "v=spf1 include:spf.provider.test include:big.test -all"`, nil, check.DNSSPF,
			check.Warn, check.CauseTXTTooLarge, "",
		},
		{
			"too large", provider + large("s1._domainkey.example.com"), nil, check.DNSDKIM, check.Warn,
			check.CauseTXTTooLarge, "",
		},
		{
			"too large", provider + large("_dmarc.example.com"), nil, check.DNSDMARC, check.Warn, check.CauseTXTTooLarge, "",
		},
		{
			"too large", provider + large("_mta-sts.example.com"), nil, check.DNSMTASTS, check.Warn,
			check.CauseTXTTooLarge, "",
		},
		{
			"of the old type", provider + `example.com. IN SPF "v=spf1 include:spf.provider.test -all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWrongPlace, "example.com v=spf1 include:spf.provider.test -all",
		},
		{
			"at _spf", provider + `_spf.example.com. IN TXT "v=spf1 include:spf.provider.test -all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWrongPlace, "example.com v=spf1 include:spf.provider.test -all",
		},
	}
}

// large is more TXT records at a name than are read.
func large(name string) string {
	return strings.Repeat(name+`. IN TXT "`+strings.Repeat("x", 250)+"\"\n", 40)
}

// TestDeadAliasOverTheWire: a name server that denies the target repeats the alias or not.
func TestDeadAliasOverTheWire(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, provider+"s1._domainkey.example.com. IN CNAME gone.provider.test.\n")
	resolver, err := wire.ResolverAt(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	results := diagnostics.Run(context.Background(), nil,
		dns.Plan(&wire.Network{Resolver: resolver}, target(), dns.Options{}))
	r, _ := diagnostics.Find(results, check.DNSDKIM)
	if e := member(t, r, "alias"); r.Cause != check.CauseAliasNowhere || e["target"] != "gone.provider.test" ||
		e["exists"] != false {
		t.Errorf("%s %v", r.Cause, e)
	}
	for _, value := range r.Params.All() {
		if strings.Contains(value.Raw(), "gone.provider.test") {
			return
		}
	}
	t.Errorf("the sentence does not name the target: %+v", r.Params)
}
