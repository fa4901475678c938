package dns_test

import (
	"net/netip"
	"testing"

	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/account"
	"postier/internal/check"
)

// blocklistFindings ask about 203.0.113.5, the address of the outgoing server, or about one that was named.
func blocklistFindings() []finding {
	asked := func(_ *account.Target, o *dns.Options) { o.Blocklists = true }
	at := func(ip string) func(*account.Target, *dns.Options) {
		return func(_ *account.Target, o *dns.Options) { o.Blocklists, o.IP = true, netip.MustParseAddr(ip) }
	}
	const zen, cop = "5.113.0.203.zen.spamhaus.org. IN A ", "5.113.0.203.bl.spamcop.net. IN A "
	refusing := ""
	for _, zone := range []string{
		"zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "psbl.surriel.com", "dnsbl-1.uceprotect.net",
	} {
		refusing += "5.113.0.203." + zone + ". IN A 127.255.255.254\n"
	}
	return []finding{
		{"on no list", provider, asked, check.DNSBlocklists, check.Pass, "", ""},
		{"infected", provider + zen + "127.0.0.4\n", asked, check.DNSBlocklists, check.Warn, check.CauseIPBlocklisted, ""},
		{"spam", provider + zen + "127.0.0.2\n", asked, check.DNSBlocklists, check.Warn, check.CauseIPBlocklisted, ""},
		{
			"home line", provider + zen + "127.0.0.11\n", asked, check.DNSBlocklists, check.Warn,
			check.CauseDynamicIPRefused, "",
		},
		{"complaints", provider + cop + "127.0.0.2\n", asked, check.DNSBlocklists, check.Warn, check.CauseReputationLow, ""},
		{
			"the worst counts", provider + zen + "127.0.0.10\n" + zen + "127.0.0.4\n" + cop + "127.0.0.2\n", asked,
			check.DNSBlocklists, check.Warn, check.CauseIPBlocklisted, "",
		},
		{
			"every list refuses", provider + refusing, asked, check.DNSBlocklists, check.Skip, check.CauseBlocklistRefused, "",
		},
		{"one list refuses", provider + zen + "127.255.255.252\n", asked, check.DNSBlocklists, check.Pass, "", ""},
		{
			"a list that lists everything", provider + cop + "127.0.0.2\n1.0.0.127.bl.spamcop.net. IN A 127.0.0.2\n", asked,
			check.DNSBlocklists, check.Pass, "", "",
		},
		{"invented addresses", provider + zen + "198.51.100.1\n", asked, check.DNSBlocklists, check.Pass, "", ""},
		{
			"a named address", provider + "9.2.0.192.zen.spamhaus.org. IN A 127.0.0.3\n", at("192.0.2.9"),
			check.DNSBlocklists, check.Warn, check.CauseIPBlocklisted, "",
		},
		{
			"a private address", provider, at("192.168.1.9"), check.DNSBlocklists, check.Skip,
			check.CauseNoSendingAddress, "",
		},
	}
}

// TestBlocklistsOnlyWhenAskedFor: the lists learn the address.
func TestBlocklistsOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	if r, ok := diagnostics.Find(run(t, provider, target(), dns.Options{}), check.DNSBlocklists); ok {
		t.Errorf("%+v", r)
	}
}
