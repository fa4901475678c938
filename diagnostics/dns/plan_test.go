package dns_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/mailauth/spf"
	"postier/internal/scripted"
	"postier/internal/wire"
)

var edKey = base64.StdEncoding.EncodeToString(
	ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey))

// rsa1024 is a public key of 1024 bits. No one knows its factors: a parser does not ask.
var rsa1024 = func() string {
	n := new(big.Int).Lsh(big.NewInt(1), 1023)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Add(n, big.NewInt(12345)), E: 65537})
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}()

// provider is around every case: a sending service with an SPF record and servers.
const provider = `
spf.provider.test. IN TXT "v=spf1 ip4:203.0.113.0/28 ip6:2001:db8:7::/48 ~all"
smtp.provider.test. IN A 203.0.113.5
mx.provider.test. IN A 203.0.113.6
com. IN NS ns.test.
example.com. IN MX 10 mx.provider.test.
example.com. IN A 203.0.113.80
`

const (
	goodSPF   = "example.com. 600 IN TXT \"v=spf1 include:spf.provider.test -all\"\n"
	goodDMARC = "_dmarc.example.com. IN TXT \"v=DMARC1; p=quarantine; rua=mailto:marie@example.com\"\n"
)

func goodDKIM() string {
	return "s1._domainkey.example.com. IN TXT \"v=DKIM1; k=ed25519; p=" + edKey + "\"\n"
}

func target() account.Target {
	return account.Target{
		Address: "marie@example.com", Provider: "provider",
		Submission: config.Server{Host: "smtp.provider.test", Port: 465},
		SPFInclude: []string{"spf.provider.test"}, Selectors: []string{"s1", "{token}"},
	}
}

func run(t *testing.T, zone string, target account.Target, opts dns.Options) []diagnostics.Result {
	t.Helper()
	opts.Resolver = lookuptest.Zone(t, zone)
	return diagnostics.Run(context.Background(), nil, dns.Plan(&wire.Network{}, target, opts))
}

// fetch is an HTTP client that answers every request alike.
type fetch struct {
	status int
	kind   string
	body   string
	err    error
}

func (f fetch) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.err != nil {
		return nil, f.err
	}
	header := http.Header{"Content-Type": {f.kind}, "Location": {"https://elsewhere.test/"}}
	return &http.Response{StatusCode: f.status, Header: header, Body: io.NopCloser(strings.NewReader(f.body)), Request: r},
		nil
}

func client(f fetch) *http.Client { return &http.Client{Transport: f} }

// finding is one case: the zone, what differs from the usual target, and what one check says about it.
type finding struct {
	name, zone string
	change     func(*account.Target, *dns.Options)
	id         check.ID
	status     check.Status
	cause      check.Cause
	// fix is NAME VALUE of the first fix; empty when there must be none, "?" when it does not matter.
	fix string
}

func without(zone string, lines ...string) string {
	for _, line := range lines {
		zone = strings.Replace(zone, line+"\n", "", 1)
	}
	return zone
}

const mxLine = "example.com. IN MX 10 mx.provider.test."

func findings() []finding {
	custom := func(t *account.Target, _ *dns.Options) { t.SPFInclude = nil }
	noSelectors := func(t *account.Target, _ *dns.Options) { t.Selectors = []string{"{token}"} }
	withIP := func(ip string) func(*account.Target, *dns.Options) {
		return func(_ *account.Target, o *dns.Options) { o.IP = netip.MustParseAddr(ip) }
	}
	withHTTP := func(f fetch) func(*account.Target, *dns.Options) {
		return func(_ *account.Target, o *dns.Options) { o.HTTP = client(f) }
	}
	const sts = `_mta-sts.example.com. IN TXT "v=STSv1; id=20261121"` + "\n"
	const policy = "version: STSv1\r\nmode: enforce\r\nmx: *.provider.test\r\nmax_age: 86400\r\n"
	list := []finding{
		{"MX", provider, nil, check.DNSMX, check.Pass, "", ""},
		{
			"no MX, but an address", without(provider, mxLine), nil, check.DNSMX, check.Warn, check.CauseMXMissing,
			"",
		},
		{
			"neither", without(provider, mxLine, "example.com. IN A 203.0.113.80") + `example.com. IN TXT "x"`, nil,
			check.DNSMX, check.Fail, check.CauseMXMissing, "",
		},
		{
			"null MX", without(provider, mxLine) + "example.com. IN MX 0 .", nil, check.DNSMX, check.Fail,
			check.CauseNullMX, "",
		},
		{
			"null MX beside another", provider + "example.com. IN MX 0 .", nil, check.DNSMX, check.Fail,
			check.CauseMXMalformed, "",
		},
		{
			"MX is an address", provider + "example.com. IN MX 5 192.0.2.1.", nil, check.DNSMX, check.Warn,
			check.CauseMXMalformed, "",
		},
		{
			"one MX dangles", provider + "example.com. IN MX 5 gone.test.", nil, check.DNSMX, check.Warn,
			check.CauseMXAddressMissing, "",
		},
		{
			"all MX dangle", without(provider, mxLine) + "example.com. IN MX 5 gone.test.", nil, check.DNSMX,
			check.Fail, check.CauseMXAddressMissing, "",
		},
		{"no such domain", "", nil, check.DNSMX, check.Fail, check.CauseSenderDomainInvalid, ""},
		{"DNS is silent", "!timeout example.com MX", nil, check.DNSMX, check.Skip, check.CauseDNSFailure, ""},
		{
			"no domain", "", func(t *account.Target, _ *dns.Options) { t.Address = "" }, check.DNSMX, check.Skip,
			check.CauseNoDomain, "",
		},

		{"SPF", provider + goodSPF, nil, check.DNSSPF, check.Pass, "", ""},
		{
			"missing", provider, nil, check.DNSSPF, check.Warn, check.CauseSPFMissing,
			"example.com v=spf1 include:spf.provider.test ~all",
		},
		{
			"missing, redirect", provider,
			func(t *account.Target, _ *dns.Options) { t.SPFInclude, t.SPFRedirect = nil, "spf.provider.test" },
			check.DNSSPF, check.Warn, check.CauseSPFMissing, "example.com v=spf1 redirect=spf.provider.test",
		},
		{
			"missing, unknown provider", provider, custom, check.DNSSPF, check.Warn, check.CauseSPFMissing,
			"example.com v=spf1 mx a:smtp.provider.test ~all",
		},
		{
			"missing, server by address", provider,
			func(t *account.Target, _ *dns.Options) { t.SPFInclude, t.Submission.Host = nil, "203.0.113.5" },
			check.DNSSPF, check.Warn, check.CauseSPFMissing, "example.com v=spf1 mx ip4:203.0.113.5 ~all",
		},
		{
			"missing, nothing known", provider,
			func(t *account.Target, _ *dns.Options) { t.SPFInclude, t.Submission.Host = nil, "" }, check.DNSSPF,
			check.Warn, check.CauseSPFMissing, "",
		},
		{
			"meant, but none", provider + `example.com. IN TXT "v=spf1;mx;-all"`, nil, check.DNSSPF, check.Fail,
			check.CauseSPFSyntax, "example.com v=spf1 mx include:spf.provider.test -all",
		},
		{
			"at the doubled name", provider + `example.com.example.com. IN TXT "v=spf1 mx -all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWrongPlace, "example.com v=spf1 mx include:spf.provider.test -all",
		},
		{
			"several", provider + goodSPF + `example.com. IN TXT "v=spf1 mx ~all"`, nil, check.DNSSPF, check.Fail,
			check.CauseSPFMultiple, "example.com v=spf1 include:spf.provider.test mx ~all",
		},
		{
			"syntax", provider + `example.com. IN TXT "v=spf1 ipv4:192.0.2.1 -all"`, nil, check.DNSSPF, check.Fail,
			check.CauseSPFSyntax, "example.com v=spf1 ip4:192.0.2.1 include:spf.provider.test -all",
		},
		{
			"include leads nowhere", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test include:gone.test -all"`,
			nil, check.DNSSPF, check.Fail, check.CauseSPFIncludeBroken, "",
		},
		{"too many", provider + `example.com. IN TXT "v=spf1` + strings.Repeat(" a:smtp.provider.test", 10) +
			` include:spf.provider.test -all"`, nil, check.DNSSPF, check.Fail, check.CauseSPFTooManyLookups, ""},
		{
			"too many void", provider +
				`example.com. IN TXT "v=spf1 include:spf.provider.test a:v1.test a:v2.test a:v3.test -all"`, nil,
			check.DNSSPF,
			check.Warn, check.CauseSPFVoidLookups, "",
		},
		{
			"not authorised, -all", provider + `example.com. 60 IN TXT "v=spf1 mx -all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFNotAuthorised, "example.com v=spf1 mx include:spf.provider.test -all",
		},
		{
			"not authorised, ~all", provider + `example.com. IN TXT "v=spf1 mx ~all"`, nil, check.DNSSPF, check.Warn,
			check.CauseSPFNotAuthorised, "example.com v=spf1 mx include:spf.provider.test ~all",
		},
		{
			"the include only softens", provider + `example.com. IN TXT "v=spf1 ~include:spf.provider.test -all"`, nil,
			check.DNSSPF, check.Fail, check.CauseSPFNotAuthorised, "?",
		},
		{
			"authorised by addresses", provider + `example.com. IN TXT "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8:7::/48 -all"`,
			nil, check.DNSSPF, check.Pass, "", "",
		},
		{
			"authorised through another",
			provider + "example.com. IN TXT \"v=spf1 include:hub.test -all\"\nhub.test. IN TXT \"v=spf1 " +
				"include:spf.provider.test -all\"", nil, check.DNSSPF, check.Pass, "", "",
		},
		{
			"unknown provider, server authorised", provider + `example.com. IN TXT "v=spf1 a:smtp.provider.test -all"`, custom,
			check.DNSSPF, check.Pass, "", "",
		},
		{
			"unknown provider, nobody can tell", provider + `example.com. IN TXT "v=spf1 ip4:192.0.2.1 -all"`, custom,
			check.DNSSPF, check.Pass, "", "",
		},
		{
			"an address given, authorised", provider + goodSPF, withIP("203.0.113.1"), check.DNSSPF, check.Pass, "",
			"",
		},
		{
			"an address given, not authorised", provider + goodSPF, withIP("192.0.2.1"), check.DNSSPF, check.Fail,
			check.CauseSPFNotAuthorised, "?",
		},
		{
			"everybody may", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test +all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWeak, "example.com v=spf1 include:spf.provider.test ~all",
		},
		{
			"neutral", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test ?all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWeak, "example.com v=spf1 include:spf.provider.test ~all",
		},
		{
			"without all", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFWeak, "example.com v=spf1 include:spf.provider.test ~all",
		},
		{
			"ptr", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test ptr -all"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFPTR, "",
		},
		{
			"long", provider + `example.com. IN TXT "v=spf1 include:spf.provider.test" "` + strings.Repeat(" ip4:192.0.2.1",
				17) + `" "` + strings.Repeat(" ip4:192.0.2.2", 17) + ` -all"`, nil, check.DNSSPF, check.Warn,
			check.CauseSPFTooLong, "",
		},
		{
			"unanswered", provider + "!timeout example.com TXT", nil, check.DNSSPF, check.Skip, check.CauseDNSFailure,
			"",
		},
		{
			"the provider's own domain", "gmail.com. IN TXT \"v=spf1 redirect=_spf.google.com\"",
			func(t *account.Target, _ *dns.Options) { t.Address = "x@gmail.com" }, check.DNSSPF, check.Pass, "",
			"",
		},

		{"DKIM", provider + goodDKIM(), nil, check.DNSDKIM, check.Pass, "", ""},
		{"delegated", provider +
			"s1._domainkey.example.com. IN CNAME s1.dkim.provider.test.\ns1.dkim.provider.test. IN TXT \"v=DKIM1; k=ed25519; p=" + edKey + "\"", nil, check.DNSDKIM, check.Pass, "", ""},
		{
			"delegated to nowhere", provider + "s1._domainkey.example.com. IN CNAME s1.dkim.provider.test.", nil,
			check.DNSDKIM, check.Warn, check.CauseAliasNowhere, "",
		},
		{"known, missing", provider, nil, check.DNSDKIM, check.Warn, check.CauseDKIMMissing, ""},
		{
			"revoked", provider + `s1._domainkey.example.com. IN TXT "v=DKIM1; p="`, nil, check.DNSDKIM, check.Fail,
			check.CauseDKIMRevoked, "",
		},
		{
			"revoked beside a good one", provider + goodDKIM() + `s2._domainkey.example.com. IN TXT "v=DKIM1; p="`,
			func(t *account.Target, _ *dns.Options) { t.Selectors = []string{"s2", "s1"} }, check.DNSDKIM,
			check.Pass, "", "",
		},
		{
			"testing", provider + `s1._domainkey.example.com. IN TXT "v=DKIM1; k=ed25519; t=y; p=` + edKey + `"`, nil,
			check.DNSDKIM, check.Warn, check.CauseDKIMTesting,
			"s1._domainkey.example.com v=DKIM1; k=ed25519; p=" + edKey,
		},
		{
			"1024 bits", provider + `s1._domainkey.example.com. IN TXT "v=DKIM1; p=` + rsa1024 + `"`, nil, check.DNSDKIM,
			check.Warn, check.CauseDKIMWeakKey, "",
		},
		{
			"malformed", provider + `s1._domainkey.example.com. IN TXT "v=DKIM1\\; k=ed25519\\; p=` + edKey + `"`, nil,
			check.DNSDKIM, check.Fail, check.CauseDKIMMalformed,
			"s1._domainkey.example.com v=DKIM1; k=ed25519; p=" + edKey,
		},
		{
			"malformed beside a good one", provider + goodDKIM() + `s2._domainkey.example.com. IN TXT "v=DKIM1; p=abc"`,
			func(t *account.Target, _ *dns.Options) { t.Selectors = []string{"s1", "s2"} }, check.DNSDKIM,
			check.Warn, check.CauseDKIMMalformed, "",
		},
		{
			"doubled", provider + goodDKIM() + `s1._domainkey.example.com. IN TXT "v=DKIM1; p="`, nil, check.DNSDKIM,
			check.Fail, check.CauseDKIMMultiple, "s1._domainkey.example.com ",
		},
		{
			"not a key, by a wildcard", provider + `s1._domainkey.example.com. IN TXT "v=spf1 -all"`, nil, check.DNSDKIM,
			check.Warn, check.CauseDKIMMissing, "",
		},
		{
			"at the doubled name", provider + `s1._domainkey.example.com.example.com. IN TXT "v=DKIM1; p=x"`, nil,
			check.DNSDKIM, check.Warn, check.CauseDKIMWrongPlace, "s1._domainkey.example.com v=DKIM1; p=x",
		},
		{
			"at the apex", provider + `example.com. IN TXT "v=DKIM1; p=x"`, nil, check.DNSDKIM, check.Warn,
			check.CauseDKIMWrongPlace, "?",
		},
		{
			"no selector known, names exist", provider + `zz._domainkey.example.com. IN TXT "v=DKIM1; p=x"`, noSelectors,
			check.DNSDKIM, check.Skip, check.CauseDKIMSelectorUnknown, "",
		},
		{
			"no selector known, no names", provider, noSelectors, check.DNSDKIM, check.Warn, check.CauseDKIMMissing,
			"",
		},
		{
			"only guesses", provider + `zz._domainkey.example.com. IN TXT "v=DKIM1; p=x"`,
			func(t *account.Target, o *dns.Options) { t.Selectors, o.GuessSelectors = nil, true }, check.DNSDKIM,
			check.Skip, check.CauseDKIMSelectorUnknown, "",
		},
		{
			"guessed right", provider + `google._domainkey.example.com. IN TXT "v=DKIM1; k=ed25519; p=` + edKey + `"`,
			func(t *account.Target, o *dns.Options) { t.Selectors, o.GuessSelectors = nil, true }, check.DNSDKIM,
			check.Pass, "", "",
		},
		{
			"inferred from the include",
			provider + "example.com. IN TXT \"v=spf1 include:_spf.google.com -all\"\ngoogle._domainkey.example.com. IN TXT " +
				"\"v=DKIM1; k=ed25519; p=" + edKey + "\"", func(t *account.Target, _ *dns.Options) { t.Selectors = nil },
			check.DNSDKIM, check.Pass, "", "",
		},
		{
			"inferred from the MX",
			without(provider, mxLine) +
				"example.com. IN MX 1 example-com.mail.protection.outlook.com.\nselector1._domainkey.example.com. IN TXT " +
				"\"v=DKIM1; k=ed25519; p=" + edKey + "\"", func(t *account.Target, _ *dns.Options) { t.Selectors = nil },
			check.DNSDKIM, check.Pass, "", "",
		},
		{
			"given by the person", provider + `mine._domainkey.example.com. IN TXT "v=DKIM1; k=ed25519; p=` + edKey + `"`,
			func(t *account.Target, o *dns.Options) { t.Selectors, o.Selectors = nil, []string{"MINE"} },
			check.DNSDKIM, check.Pass, "", "",
		},
		{
			"unanswered", provider + "!timeout s1._domainkey.example.com", nil, check.DNSDKIM, check.Skip,
			check.CauseDNSFailure, "",
		},

		{"DMARC", provider + goodDMARC, nil, check.DNSDMARC, check.Pass, "", ""},
		{
			"missing", provider, nil, check.DNSDMARC, check.Warn, check.CauseDMARCMissing,
			"_dmarc.example.com v=DMARC1; p=none; rua=mailto:marie@example.com",
		},
		{
			"meant, but none", provider + `_dmarc.example.com. IN TXT "v=dmarc1; p=reject"`, nil, check.DNSDMARC,
			check.Fail, check.CauseDMARCMalformed, "_dmarc.example.com v=DMARC1; p=reject",
		},
		{
			"version behind the policy", provider + `_dmarc.example.com. IN TXT "p=reject; v=DMARC1"`, nil, check.DNSDMARC,
			check.Fail, check.CauseDMARCMalformed, "_dmarc.example.com v=DMARC1; p=reject",
		},
		{
			"several", provider + goodDMARC + `_dmarc.example.com. IN TXT "v=DMARC1; p=none"`, nil, check.DNSDMARC,
			check.Fail, check.CauseDMARCMultiple, "_dmarc.example.com v=DMARC1; p=quarantine; rua=mailto:marie@example.com",
		},
		{
			"at the apex", provider + `example.com. IN TXT "v=DMARC1; p=none"`, nil, check.DNSDMARC, check.Warn,
			check.CauseDMARCWrongPlace, "_dmarc.example.com v=DMARC1; p=none",
		},
		{
			"none without reports", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=none"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCNonePolicy, "_dmarc.example.com v=DMARC1; p=none; rua=mailto:marie@example.com",
		},
		{
			"none without reports, no author", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=none"`,
			func(t *account.Target, o *dns.Options) { t.Address, t.From, o.Domain = "", "", "example.com" },
			check.DNSDMARC, check.Warn, check.CauseDMARCNonePolicy, "",
		},
		{
			"none with reports", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=none; rua=mailto:marie@example.com"`, nil,
			check.DNSDMARC, check.Pass, "", "",
		},
		{
			"bad policy", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=monitor; adkim=s"`, nil, check.DNSDMARC,
			check.Fail, check.CauseDMARCMalformed, "_dmarc.example.com v=DMARC1; p=none; adkim=s",
		},
		{
			"bad policy with reports",
			provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=monitor; rua=mailto:marie@example.com"`, nil,
			check.DNSDMARC, check.Warn, check.CauseDMARCMalformed, "?",
		},
		{
			"bad mode", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; adkim=strict"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCTagIgnored, "_dmarc.example.com v=DMARC1; p=reject; adkim=s",
		},
		{
			"colon for equals", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; fo:0"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCTagIgnored, "_dmarc.example.com v=DMARC1; p=reject; fo=0",
		},
		{
			"misspelt sp", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; sp=rejct"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCTagIgnored, "_dmarc.example.com v=DMARC1; p=reject; sp=reject",
		},
		{
			"only a test", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; t=y"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCTesting, "",
		},
		{
			"historic tag", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; pct=50"`, nil, check.DNSDMARC,
			check.Pass, "", "",
		},
		{"misaligned", provider + goodDMARC, func(_ *account.Target, o *dns.Options) {
			o.EnvelopeSender, o.SigningDomain = "bounces.provider.test", "provider.test"
		}, check.DNSDMARC, check.Fail, check.CauseDMARCMisaligned, ""},
		{
			"misaligned, strictly", provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; adkim=s; aspf=s"`,
			func(_ *account.Target, o *dns.Options) {
				o.EnvelopeSender, o.SigningDomain = "bounce.example.com", "mail.example.com"
			}, check.DNSDMARC, check.Fail, check.CauseDMARCMisaligned, "",
		},
		{
			"misaligned while watching",
			provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=none; rua=mailto:marie@example.com"`,
			func(_ *account.Target, o *dns.Options) {
				o.EnvelopeSender, o.SigningDomain = "bounces.provider.test", "provider.test"
			}, check.DNSDMARC, check.Pass, "", "",
		},
		{
			"DKIM aligned is enough", provider + goodDMARC,
			func(_ *account.Target, o *dns.Options) { o.EnvelopeSender = "bounces.provider.test" }, check.DNSDMARC,
			check.Pass, "", "",
		},
		{
			"reports elsewhere, not agreed",
			provider + `_dmarc.example.com. IN TXT "v=DMARC1; p=reject; rua=mailto:x@reports.test"`, nil, check.DNSDMARC,
			check.Warn, check.CauseDMARCReportUnauthorised, "example.com._report._dmarc.reports.test v=DMARC1",
		},
		{
			"reports elsewhere, agreed",
			provider + "_dmarc.example.com. IN TXT \"v=DMARC1; p=reject; " +
				"rua=mailto:x@reports.test\"\nexample.com._report._dmarc.reports.test. IN TXT \"v=DMARC1\"", nil,
			check.DNSDMARC, check.Pass, "", "",
		},
		{
			"inherited", provider + goodDMARC + "sub.example.com. IN A 192.0.2.1",
			func(t *account.Target, _ *dns.Options) { t.From = "x@sub.example.com" }, check.DNSDMARC, check.Pass,
			"", "",
		},
		{
			"unanswered", provider + "!timeout _dmarc.example.com", nil, check.DNSDMARC, check.Skip,
			check.CauseDNSFailure, "",
		},

		{"MTA-STS, record only", provider + sts, nil, check.DNSMTASTS, check.Skip, check.CauseNotApplicable, ""},
		{"none", provider, nil, check.DNSMTASTS, check.Skip, check.CauseNotPublished, ""},
		{
			"no id", provider + `_mta-sts.example.com. IN TXT "v=STSv1;"`, nil, check.DNSMTASTS, check.Warn,
			check.CauseMTASTSMalformed, "",
		},
		{
			"bad id", provider + `_mta-sts.example.com. IN TXT "v=STSv1; id=2026-11-21"`, nil, check.DNSMTASTS,
			check.Warn, check.CauseMTASTSMalformed, "",
		},
		{
			"two", provider + sts + `_mta-sts.example.com. IN TXT "v=STSv1; id=2"`, nil, check.DNSMTASTS, check.Warn,
			check.CauseMTASTSMalformed, "",
		},
		{
			"other version", provider + `_mta-sts.example.com. IN TXT "v=STSv2; id=2"`, nil, check.DNSMTASTS,
			check.Warn, check.CauseMTASTSMalformed, "",
		},
		{
			"policy", provider + sts, withHTTP(fetch{status: 200, kind: "text/plain; charset=us-ascii", body: policy}),
			check.DNSMTASTS, check.Pass, "", "",
		},
		{
			"policy is gone", provider + sts, withHTTP(fetch{status: 404, kind: "text/plain"}), check.DNSMTASTS,
			check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"policy elsewhere", provider + sts, withHTTP(fetch{status: 301, kind: "text/plain", body: policy}),
			check.DNSMTASTS, check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"policy is a page", provider + sts, withHTTP(fetch{status: 200, kind: "text/html", body: policy}),
			check.DNSMTASTS, check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"policy is endless", provider + sts,
			withHTTP(fetch{status: 200, kind: "text/plain", body: policy + strings.Repeat("x: y\n", 20000)}),
			check.DNSMTASTS, check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"policy without mx", provider + sts,
			withHTTP(fetch{status: 200, kind: "text/plain", body: "version: STSv1\nmode: enforce\nmax_age: 1\n"}),
			check.DNSMTASTS, check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"policy leaves out the MX", provider + sts,
			withHTTP(fetch{
				status: 200, kind: "text/plain",
				body: "version: STSv1\nmode: enforce\nmx: *.sub.provider.test\nmax_age: 1\n",
			}), check.DNSMTASTS,
			check.Fail, check.CauseMTASTSPolicy, "",
		},
		{
			"policy in testing leaves out the MX", provider + sts,
			withHTTP(fetch{status: 200, kind: "text/plain", body: "version: STSv1\nmode: testing\nmx: x.test\nmax_age: 1\n"}),
			check.DNSMTASTS, check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"no connection", provider + sts, withHTTP(fetch{err: fmt.Errorf("refused\x1b[2J")}), check.DNSMTASTS,
			check.Warn, check.CauseMTASTSPolicy, "",
		},
		{
			"unanswered", provider + "!servfail _mta-sts.example.com", nil, check.DNSMTASTS, check.Skip,
			check.CauseDNSFailure, "",
		},

		{
			"TLS-RPT", provider + `_smtp._tls.example.com. IN TXT "v=TLSRPTv1; rua=mailto:a@example.com,https://x.test/"`, nil,
			check.DNSTLSRPT, check.Pass, "", "",
		},
		{"none", provider, nil, check.DNSTLSRPT, check.Skip, check.CauseNotPublished, ""},
		{
			"no rua", provider + `_smtp._tls.example.com. IN TXT "v=TLSRPTv1;"`, nil, check.DNSTLSRPT, check.Warn,
			check.CauseTLSRPTMalformed, "",
		},
		{
			"an address", provider + `_smtp._tls.example.com. IN TXT "v=TLSRPTv1; rua=a@example.com"`, nil,
			check.DNSTLSRPT, check.Warn, check.CauseTLSRPTMalformed, "",
		},

		{
			"BIMI", provider + `default._bimi.example.com. IN TXT "v=BIMI1; l=https://x.test/a.svg; a="`, nil,
			check.DNSBIMI, check.Pass, "", "",
		},
		{
			"declined", provider + `default._bimi.example.com. IN TXT "v=BIMI1; l=; a=;"`, nil, check.DNSBIMI,
			check.Pass, "", "",
		},
		{"none", provider, nil, check.DNSBIMI, check.Skip, check.CauseNotPublished, ""},
		{
			"http", provider + `default._bimi.example.com. IN TXT "v=BIMI1; l=http://x.test/a.svg"`, nil, check.DNSBIMI,
			check.Warn, check.CauseBIMIMalformed, "",
		},
		{
			"no location", provider + `default._bimi.example.com. IN TXT "v=BIMI1; a=https://x.test/"`, nil, check.DNSBIMI,
			check.Warn, check.CauseBIMIMalformed, "",
		},

		{
			"DANE", "!secure\n" + provider + "_25._tcp.mx.provider.test. IN TLSA 3 1 1 " + strings.Repeat("ab", 32), nil,
			check.DNSDANE, check.Pass, "", "",
		},
		{
			"of the submission server",
			"!secure\n" + provider + "_465._tcp.smtp.provider.test. IN TLSA 3 1 1 " + strings.Repeat("ab", 32), nil,
			check.DNSDANE, check.Pass, "", "",
		},
		{
			"not signed", provider + "_25._tcp.mx.provider.test. IN TLSA 3 1 1 " + strings.Repeat("ab", 32), nil,
			check.DNSDANE, check.Warn, check.CauseDANEInsecure, "",
		},
		{
			"short digest", "!secure\n" + provider + "_25._tcp.mx.provider.test. IN TLSA 3 1 1 abab", nil, check.DNSDANE,
			check.Warn, check.CauseDANEMalformed, "",
		},
		{
			"usage of the web", "!secure\n" + provider + "_25._tcp.mx.provider.test. IN TLSA 1 1 1 " + strings.Repeat("ab", 32),
			nil, check.DNSDANE, check.Warn, check.CauseDANEMalformed, "",
		},
		{"none", provider, nil, check.DNSDANE, check.Skip, check.CauseNotPublished, ""},

		{
			"PTR", provider + "5.113.0.203.in-addr.arpa. IN PTR smtp.provider.test.", withIP("203.0.113.5"), check.DNSPTR,
			check.Pass, "", "",
		},
		{"no PTR", provider, withIP("203.0.113.5"), check.DNSPTR, check.Warn, check.CausePTRMissing, ""},
		{
			"PTR does not lead back", provider + "5.113.0.203.in-addr.arpa. IN PTR mx.provider.test.", withIP("203.0.113.5"),
			check.DNSPTR, check.Warn, check.CausePTRMismatch, "",
		},
		{"no address given", provider, nil, check.DNSPTR, check.Skip, check.CauseNoSendingAddress, ""},

		{"SRV", provider + "_submissions._tcp.example.com. IN SRV 0 1 465 smtp.provider.test.\n_imap._tcp.example.com. IN " +
			"SRV 0 0 0 .", nil, check.DNSDiscovery, check.Pass, "", ""},
		{
			"autoconfig", provider + "autoconfig.example.com. IN CNAME smtp.provider.test.", nil, check.DNSDiscovery,
			check.Pass, "", "",
		},
		{
			"SRV leads nowhere", provider + "_submissions._tcp.example.com. IN SRV 0 1 465 gone.test.", nil,
			check.DNSDiscovery, check.Warn, check.CauseSRVTargetMissing, "",
		},
		{"nothing", provider, nil, check.DNSDiscovery, check.Skip, check.CauseNotPublished, ""},
	}
	return list
}

func TestFindings(t *testing.T) {
	t.Parallel()
	seen := map[check.Cause]bool{}
	for _, f := range slices.Concat(findings(), strays(), spfFindings(), blocklistFindings()) {
		tg, opts := target(), dns.Options{}
		if f.change != nil {
			f.change(&tg, &opts)
		}
		r, ok := diagnostics.Find(run(t, f.zone, tg, opts), f.id)
		if !ok {
			t.Fatalf("%s: no %s", f.name, f.id)
		}
		seen[r.Cause] = true
		if r.Status != f.status || r.Cause != f.cause {
			t.Errorf("%s %s: %s %s, want %s %s; %s", f.id, f.name, r.Status, r.Cause, f.status, f.cause, evidenceText(t, r))
			continue
		}
		fix := ""
		if len(r.Fix) > 0 {
			fix = r.Fix[0].Name + " " + r.Fix[0].Value
		}
		if f.fix != "?" && fix != f.fix {
			t.Errorf("%s %s: fix %q, want %q", f.id, f.name, fix, f.fix)
		}
	}
	seen[check.CauseDANEMismatch] = true // TestDANEComparesTheCertificate has the server for it
	for _, cause := range given(t) {
		if !seen[cause] {
			t.Errorf("no case ends in %s", cause)
		}
	}
}

// given reads from the sources which causes the area gives.
func given(t *testing.T) []check.Cause {
	t.Helper()
	list, err := os.ReadFile("../../internal/check/causes.go")
	if err != nil {
		t.Fatal(err)
	}
	slugs := map[string]check.Cause{}
	for _, m := range regexp.MustCompile(`(Cause\w+) +Cause = "(.*)"`).FindAllStringSubmatch(string(list), -1) {
		slugs[m[1]] = check.Cause(m[2])
	}
	files, _ := filepath.Glob("*.go")
	var causes []check.Cause
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`check\.(Cause\w+)`).FindAllStringSubmatch(string(source), -1) {
			causes = append(causes, slugs[m[1]])
		}
	}
	if len(causes) == 0 {
		t.Fatal("the area gives no cause")
	}
	return causes
}

func evidenceText(t *testing.T, r diagnostics.Result) string {
	t.Helper()
	text, err := json.Marshal(r.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// member reads the first piece of evidence of a kind, as a program reading the report would.
func member(t *testing.T, r diagnostics.Result, kind string) map[string]any {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(evidenceText(t, r)), &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e["kind"] == kind {
			return e
		}
	}
	t.Fatalf("%s has no evidence of kind %s: %s", r.ID, kind, evidenceText(t, r))
	return nil
}

// TestContractShapes: the members that docs/reference.md §3 names.
func TestContractShapes(t *testing.T) {
	t.Parallel()
	results := run(t, provider+goodSPF+goodDKIM()+goodDMARC, target(), dns.Options{})
	r, _ := diagnostics.Find(results, check.DNSSPF)
	e := member(t, r, "spf")
	if e["record"] != "v=spf1 include:spf.provider.test -all" || e["lookups"] != 1.0 || e["void"] != 0.0 ||
		e["authorizes_provider"] != true ||
		fmt.Sprint(e["includes"]) != "[spf.provider.test]" || e["ttl_seconds"] != 600.0 {
		t.Errorf("spf: %v", e)
	}
	r, _ = diagnostics.Find(results, check.DNSDKIM)
	e = member(t, r, "dkim")
	if e["selector"] != "s1" || e["key"] != "ed25519" || e["testing"] != false || e["revoked"] != false ||
		e["record"] != "v=DKIM1; k=ed25519; p="+edKey {
		t.Errorf("dkim: %v", e)
	}
	r, _ = diagnostics.Find(results, check.DNSDMARC)
	e = member(t, r, "dmarc")
	if e["record"] != "v=DMARC1; p=quarantine; rua=mailto:marie@example.com" || e["policy"] != "quarantine" ||
		fmt.Sprint(e["aligned"]) != "map[dkim:true spf:true]" {
		t.Errorf("dmarc: %v", e)
	}
	r, _ = diagnostics.Find(results, check.DNSMX)
	if e = member(t, r, "mx"); !strings.Contains(fmt.Sprint(e["hosts"]), "mx.provider.test") {
		t.Errorf("mx: %v", e)
	}
}

// TestOldRecordAndTTL: a replacement says what it replaces and how long that is still seen.
func TestOldRecordAndTTL(t *testing.T) {
	t.Parallel()
	results := run(t, provider+`example.com. 7200 IN TXT "v=spf1 mx -all"`, target(), dns.Options{})
	r, _ := diagnostics.Find(results, check.DNSSPF)
	if len(r.Fix) != 1 || r.Fix[0].Old != "v=spf1 mx -all" || r.Fix[0].TTLSeconds != 7200 || r.Fix[0].Kind != "txt" {
		t.Errorf("%+v", r.Fix)
	}
}

// TestHostileRecords: nothing from DNS reaches the report raw (docs/security.md T6).
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	const bad = `\027[2J\226\128\174\007\155`
	zone := provider + `
		example.com. IN TXT "v=spf1 ` + bad + ` include:spf.provider.test -all"
		s1._domainkey.example.com. IN TXT "v=DKIM1; n=` + bad + `; p=` + bad + `"
		_dmarc.example.com. IN TXT "v=DMARC1; p=` + bad + `; rua=mailto:` + bad + `@x.test"
		_mta-sts.example.com. IN TXT "v=STSv1; id=` + bad + `"
		_smtp._tls.example.com. IN TXT "v=TLSRPTv1; rua=` + bad + `"
		default._bimi.example.com. IN TXT "v=BIMI1; l=` + bad + `"
	`
	for _, r := range run(t, zone, target(), dns.Options{GuessSelectors: true}) {
		text := evidenceText(t, r)
		for _, fix := range r.Fix {
			text += fix.Name + fix.Value + fix.Old
		}
		for _, value := range r.Params.All() {
			text += fmt.Sprint(value)
		}
		if strings.ContainsAny(text, "\x1b\a\u202e\u009b") || strings.Contains(text, "\x9b") {
			t.Errorf("%s: raw octets in %q", r.ID, text)
		}
	}
}

// countingResolver fails nothing and counts what one check asks.
type countingResolver struct {
	inner *lookuptest.Resolver
	mu    sync.Mutex
	high  int
	now   int
}

func (c *countingResolver) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	c.mu.Lock()
	c.now++
	c.high = max(c.high, c.now)
	c.mu.Unlock()
	time.Sleep(2 * time.Millisecond) // long enough for others to be under way
	defer func() {
		c.mu.Lock()
		c.now--
		c.mu.Unlock()
	}()
	return c.inner.Query(ctx, name, qtype)
}

// TestSideBySide: the checks do not wait for each other, and what two need is asked once.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	c := &countingResolver{inner: lookuptest.Zone(t, provider+goodSPF+goodDKIM()+goodDMARC)}
	diagnostics.Run(context.Background(), nil, dns.Plan(&wire.Network{}, target(), dns.Options{Resolver: c}))
	if c.high < 8 {
		t.Errorf("at most %d questions at once", c.high)
	}
	asked := map[string]int{}
	for _, q := range c.inner.Queries() {
		if asked[q]++; asked[q] > 1 {
			t.Errorf("asked %s twice", q)
		}
	}
}

// hanging never answers before its context ends.
type hanging struct{}

func (hanging) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	<-ctx.Done()
	return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NoAnswer, Err: ctx.Err()}
}

// TestSilence: without answers every check ends at its deadline, judges nothing, and blames the name service.
func TestSilence(t *testing.T) {
	t.Parallel()
	network := &wire.Network{Timeout: 50 * time.Millisecond}
	results := diagnostics.Run(context.Background(), nil,
		dns.Plan(network, target(), dns.Options{Resolver: hanging{}, IP: netip.MustParseAddr("192.0.2.1")}))
	if len(results) == 0 {
		t.Fatal("no results")
	}
	for _, r := range results {
		if r.Status != check.Skip || r.Cause != check.CauseDNSFailure {
			t.Errorf("%s: %s %s", r.ID, r.Status, r.Cause)
		}
	}
}

// TestIncludeBomb: a tree of includes ends within the budget of a check (docs/security.md T10).
func TestIncludeBomb(t *testing.T) {
	t.Parallel()
	var zone strings.Builder
	zone.WriteString(provider)
	for i := range 40 {
		var terms []string
		for j := range 10 {
			terms = append(terms, fmt.Sprintf("include:b%d.test a:x%d-%d.test", (i*10+j+1)%400, i, j))
		}
		fmt.Fprintf(&zone, "b%d.test. IN TXT \"v=spf1 %s\" \"%s -all\"\n", i, strings.Join(terms[:5], " "),
			" "+strings.Join(terms[5:], " "))
	}
	zone.WriteString("example.com. IN TXT \"v=spf1 include:b0.test -all\"\n")
	resolver := lookuptest.Zone(t, zone.String())
	plan := dns.Plan(&wire.Network{}, target(), dns.Options{Resolver: resolver})
	for _, c := range plan.Checks {
		if c.ID == check.DNSSPF {
			if r := c.Run(context.Background()); r.Status == check.Pass {
				t.Errorf("passed: %s", evidenceText(t, r))
			}
		}
	}
	if n := len(resolver.Queries()); n > wire.MaxQueries {
		t.Errorf("%d queries", n)
	}
}

// TestOverTheWire runs the whole plan against a name server.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, provider+goodSPF+goodDKIM()+goodDMARC+"!truncate example.com TXT\n")
	resolver, err := wire.ResolverAt(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	results := diagnostics.Run(context.Background(), nil,
		dns.Plan(&wire.Network{Resolver: resolver}, target(), dns.Options{GuessSelectors: true}))
	want := map[check.ID]check.Status{
		check.DNSMX: check.Pass, check.DNSSPF: check.Pass, check.DNSDKIM: check.Pass,
		check.DNSDMARC:  check.Pass,
		check.DNSMTASTS: check.Skip, check.DNSPTR: check.Skip,
	}
	for id, status := range want {
		if r, _ := diagnostics.Find(results, id); r.Status != status {
			t.Errorf("%s: %s %s %s", id, r.Status, r.Cause, evidenceText(t, r))
		}
	}
}

// TestOddNamesOverTheWire: macros lead to names that no host has; question and answer must still meet.
func TestOddNamesOverTheWire(t *testing.T) {
	t.Parallel()
	server := scripted.StartDNS(t, `odd.example. IN TXT "v=spf1 exists:%{s}.x.example -all exp=why.example"
why.example. IN TXT "no \"entry\"\; %{l} \\ \126"
joe\@odd.example.x.example. IN A 127.0.0.2
`)
	resolver, err := wire.ResolverAt(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for sender, want := range map[string]spf.Verdict{"joe@odd.example": spf.Pass, "ann@odd.example": spf.Fail} {
		got := spf.Check(context.Background(), resolver, netip.MustParseAddr("192.0.2.1"), "h.example", sender)
		if got.Result != want {
			t.Errorf("%s: %+v", sender, got)
		}
		if explained := got.Explanation.Raw(); got.Result == spf.Fail && explained != `no "entry"; ann \ ~` {
			t.Errorf("explanation %q", explained)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	resolver := lookuptest.Zone(b, provider+goodSPF+goodDKIM()+goodDMARC)
	b.ReportAllocs()
	for b.Loop() {
		diagnostics.Run(context.Background(), nil, dns.Plan(&wire.Network{}, target(), dns.Options{Resolver: resolver}))
	}
}
