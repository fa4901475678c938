package diagnostics_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/dns"
	"postier/diagnostics/explain"
	"postier/diagnostics/imap"
	"postier/diagnostics/rootcause"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

// failing is a case in which a check fails, or warns where a warning is its worst, for its own reason: nothing that it
// needs has failed before.
type failing struct {
	cause check.Cause
	run   func(*testing.T) []diagnostics.Result
}

const (
	mailHost = "mail.durand.example"
	owner    = "marie@durand.example"
)

// cases has an entry for every check of the contract. The areas test theirs in depth; this list is what proves that
// none was forgotten.
var cases = map[check.ID]failing{
	check.NetLocal:    {"no-network", lookedUp(scripted.Refused, wire.Routes{})},
	check.NetResolver: {"resolver-denies", lookedUp(scripted.NXDomain, connected)},

	check.NetResolve:  {"dns-nxdomain", submission(config.SecurityTLS, scripted.Options{}, "")},
	check.NetConnect:  {"connection-refused", rehearse("connection-refused")},
	check.NetConnect6: {"ipv6-broken", rehearse("ipv6-broken")},

	check.SMTPGreeting: {"greeting-refused", submission(config.SecurityStartTLS, scripted.Options{
		Script: scripted.Script{"greeting": scripted.Reply("521 closed for today")},
	}, here)},
	check.SMTPTLS:         {"tls-stripped", rehearse("starttls-stripped")},
	check.SMTPCertificate: {"cert-name-mismatch", rehearse("cert-wrong-name")},
	check.SMTPInjection:   {"tls-injected", rehearse("starttls-injected")},
	check.SMTPEhlo:        {"server-busy", rehearse("server-busy")},
	check.SMTPAuthOffered: {"auth-not-offered", rehearse("auth-not-offered")},
	check.SMTPAuth:        {"wrong-password", rehearse("wrong-password")},
	check.SMTPSender:      {"sender-not-owned", rehearse("sender-not-owned")},
	check.SMTPRecipient:   {"recipient-unknown", rehearse("recipient-unknown")},
	check.SMTPData:        {"content-rejected", rehearse("content-rejected")},

	check.IMAPConnect: {"connection-refused", rehearse("imap-refused")},
	check.IMAPTLS: {
		"tls-stripped",
		mailbox(config.SecurityStartTLS, scripted.Options{Capabilities: []string{"IMAP4rev1", "AUTH=PLAIN"}},
			certificates.Good),
	},
	check.IMAPCertificate: {"cert-expired", mailbox(config.SecurityTLS, scripted.Options{}, certificates.Expired)},
	check.IMAPAuth:        {"wrong-password", rehearse("imap-wrong-password")},
	check.IMAPFolder:      {"folder-missing", rehearse("no-sent-folder")},
	check.IMAPAppend:      {"append-refused", rehearse("append-refused")},
	check.IMAPReadback:    {"readback-mismatch", rehearse("append-corrupted")},
	check.IMAPCleanup: {"cleanup-failed", mailbox(config.SecurityTLS, scripted.Options{Script: scripted.Script{
		"APPEND": scripted.Reply("{tag} OK [APPENDUID 1 7] filed"), "UID STORE": scripted.Reply("{tag} NO not allowed"),
	}}, certificates.Good)},
	check.IMAPQuota: {"quota-nearly-full", mailbox(config.SecurityTLS, scripted.Options{
		CapabilitiesTLS: []string{"IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "QUOTA"},
		Script: scripted.Script{"GETQUOTAROOT": scripted.Reply(
			"* QUOTAROOT INBOX \"\"\n* QUOTA \"\" (STORAGE 995 1000)\n{tag} OK done")},
	}, certificates.Good)},

	check.DNSMX:     {"null-mx", domain("durand.example. 300 IN MX 0 .\n")},
	check.DNSSPF:    {"spf-syntax", domain("durand.example. 300 IN TXT \"v=spf1 inculde:spf.example -all\"\n")},
	check.DNSDKIM:   {"dkim-revoked", domain("s1._domainkey.durand.example. 300 IN TXT \"v=DKIM1; p=\"\n")},
	check.DNSDMARC:  {"dmarc-missing", domain("durand.example. 300 IN A 192.0.2.1\n")},
	check.DNSMTASTS: {"mta-sts-malformed", domain("_mta-sts.durand.example. 300 IN TXT \"v=STSv1; di=1\"\n")},
	check.DNSTLSRPT: {
		"tls-rpt-malformed",
		domain("_smtp._tls.durand.example. 300 IN TXT \"v=TLSRPTv1; rau=mailto:x@durand.example\"\n"),
	},
	check.DNSDANE: {
		"dane-insecure",
		domain("durand.example. 300 IN MX 10 mx.durand.example.\nmx.durand.example. 300 IN A 192.0.2.1\n" +
			"_25._tcp.mx.durand.example. 300 IN TLSA 3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"),
	},
	check.DNSBIMI: {
		"bimi-malformed",
		domain("default._bimi.durand.example. 300 IN TXT \"v=BIMI1; l=http://durand.example/logo.gif\"\n"),
	},
	check.DNSPTR: {"ptr-missing", domain("durand.example. 300 IN A 192.0.2.1\n")},
	check.DNSDiscovery: {
		"srv-target-missing",
		domain("_submissions._tcp.durand.example. 300 IN SRV 0 1 465 nowhere.durand.example.\n"),
	},
	check.DNSBlocklists: {
		"ip-blocklisted",
		domain("99.2.0.192.zen.spamhaus.org. 300 IN A 127.0.0.4\n" +
			"99.2.0.192.zen.spamhaus.org. 300 IN TXT \"see the page of the list\"\n"),
	},

	check.ArrivalDelivered: {"not-arrived", rehearse("lost")},
	check.ArrivalPlacement: {"landed-in-junk", rehearse("junk")},
	check.ArrivalSPF:       {"spf-fail", rehearse("spf-wrong")},
	check.ArrivalDKIM:      {"dkim-fail", rehearse("dkim-revoked")},
	check.ArrivalDMARC:     {"dmarc-missing", rehearse("dmarc-missing")},
}

func TestEveryCheckFailsForItsOwnReason(t *testing.T) {
	t.Parallel()
	for id := range cases {
		if !slices.Contains(check.All(), id) {
			t.Errorf("%s is no check of the contract", id)
		}
	}
	for _, id := range check.All() {
		c, ok := cases[id]
		if !ok {
			t.Errorf("%s: no case in which it fails", id)
			continue
		}
		t.Run(string(id), func(t *testing.T) {
			t.Parallel()
			results := c.run(t)
			r, ok := diagnostics.Find(results, id)
			if !ok || r.Cause != c.cause || r.Status != check.Fail && r.Status != check.Warn {
				t.Fatalf("%s is %s: %s, want %s; all: %s", id, r.Status, r.Cause, c.cause, summary(results))
			}
			for _, need := range r.Needs {
				if other, found := diagnostics.Find(results, need); found &&
					(other.Status == check.Fail || other.Status == check.Skip) {
					t.Errorf("%s is %s before it", need, other.Status)
				}
			}
			golden(t, string(id), r)
		})
	}
}

// TestEvidenceOfAGoodProvider keeps what all checks show when nothing is wrong.
func TestEvidenceOfAGoodProvider(t *testing.T) {
	t.Parallel()
	for _, r := range rehearse("")(t) {
		golden(t, "good."+string(r.ID), r)
	}
}

// TestEveryCheckHasItsPage: what a report can name, explain can explain, in the same order.
func TestEveryCheckHasItsPage(t *testing.T) {
	t.Parallel()
	pages := map[string]bool{}
	var order []check.ID
	for _, page := range explain.Checks() {
		pages[string(page.ID)] = true
		order = append(order, check.ID(page.ID))
	}
	for _, id := range check.All() {
		if !pages[string(id)] {
			t.Errorf("%s has no page in diagnostics/explain/data/checks.json", id)
		}
	}
	for i, id := range order {
		switch at := slices.Index(check.All(), id); {
		case at < 0:
			t.Errorf("diagnostics/explain/data/checks.json has a page for %s, which is no check", id)
		case i > 0 && at < slices.Index(check.All(), order[i-1]):
			t.Errorf("the page of %s comes too late: pages stand in the order of internal/check/ids.go", id)
		}
	}
}

func summary(results []diagnostics.Result) string {
	text := ""
	for _, r := range results {
		text += string(r.ID) + " " + string(r.Status) + " " + string(r.Cause) + "; "
	}
	return text
}

// rehearse runs all areas against the demonstration with one fault.
func rehearse(fault string) func(*testing.T) []diagnostics.Result {
	return func(t *testing.T) []diagnostics.Result {
		t.Helper()
		p, err := rehearsal.Start(t.Context(),
			rehearsal.Options{Fault: fault, Lang: locale.English, Slow: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		preset, err := p.Preset()
		if err != nil {
			t.Fatal(err)
		}
		n := &wire.Network{Resolver: resolver(t, p.DNSAddr()), Roots: p.Roots, Route: p.Route}
		target := account.Target{
			Address: p.Address, Submission: p.Submission, IMAP: &p.IMAP, Secret: p.Typed, SentMode: config.SentAppend,
			Selectors: preset.DKIM.Selectors, SPFInclude: preset.SPF.Include,
		}
		message, err := arrival.Compose(target, locale.English, "postier", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return diagnostics.Run(
			t.Context(), nil,
			smtp.Plan(n, target, smtp.Options{Message: message.Raw}), imap.Plan(n, target, imap.Options{}),
			arrival.Plan(n, target, arrival.Options{Deadline: 3 * time.Second}), dns.Plan(n, target, dns.Options{}),
		)
	}
}

// here is the zone in which the mail host exists.
const here = mailHost + ". 300 IN A 127.0.0.1\n"

func resolver(t *testing.T, address string) *wire.Resolver {
	t.Helper()
	r, err := wire.ResolverAt(address)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func submission(security config.Security, o scripted.Options, zone string) func(*testing.T) []diagnostics.Result {
	return func(t *testing.T) []diagnostics.Result {
		t.Helper()
		ca := scripted.StartCA(t)
		o.Certificate, o.ImplicitTLS = scripted.Leaf(t, ca, certificates.Good, mailHost), security == config.SecurityTLS
		server := scripted.StartSMTP(t, o)
		n := &wire.Network{Resolver: resolver(t, scripted.StartDNS(t, zone).Addr()), Roots: ca.Roots()}
		target := account.Target{
			Address: owner, Secret: secret.New("kivo-tams"),
			Submission: config.Server{Host: mailHost, Port: server.Port(), Security: security, Auth: config.MechanismAuto},
		}
		return diagnostics.Run(t.Context(), nil, smtp.Plan(n, target, smtp.Options{}))
	}
}

var connected = wire.Routes{IPv4: true, Loopback: true, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.5")}}

// lookedUp looks a server up where the name service behaves so, on a machine that is connected so, and judges together.
func lookedUp(behaviour scripted.Behaviour, routes wire.Routes) func(*testing.T) []diagnostics.Result {
	return func(t *testing.T) []diagnostics.Result {
		t.Helper()
		server := scripted.StartDNS(t, here)
		server.BehaveAll(behaviour)
		n := &wire.Network{Resolver: resolver(t, server.Addr()), Links: func() wire.Routes { return routes }}
		target := account.Target{
			Address: owner, Submission: config.Server{Host: mailHost, Port: 465, Security: config.SecurityTLS},
		}
		return rootcause.Run(t.Context(), n, nil, smtp.Plan(n, target, smtp.Options{}))
	}
}

func mailbox(security config.Security, o scripted.Options,
	kind certificates.Kind,
) func(*testing.T) []diagnostics.Result {
	return func(t *testing.T) []diagnostics.Result {
		t.Helper()
		ca := scripted.StartCA(t)
		o.Certificate, o.ImplicitTLS = scripted.Leaf(t, ca, kind, mailHost), security == config.SecurityTLS
		server := scripted.StartIMAP(t, o)
		n := &wire.Network{Resolver: resolver(t, scripted.StartDNS(t, here).Addr()), Roots: ca.Roots()}
		target := account.Target{
			Address: owner, Secret: secret.New("kivo-tams"), SentMode: config.SentAppend,
			IMAP: &config.Server{
				Host: mailHost, Port: server.Port(), Security: security, Auth: config.MechanismAuto,
				Username: owner,
			},
		}
		return diagnostics.Run(t.Context(), nil, imap.Plan(n, target, imap.Options{}))
	}
}

// domain looks at durand.example in a zone, with a sending address and a selector.
func domain(zone string) func(*testing.T) []diagnostics.Result {
	return func(t *testing.T) []diagnostics.Result {
		t.Helper()
		n := &wire.Network{Resolver: resolver(t, scripted.StartDNS(t, zone).Addr())}
		return diagnostics.Run(t.Context(), nil, dns.Plan(n, account.Target{}, dns.Options{
			Domain: "durand.example", IP: netip.MustParseAddr("192.0.2.99"), Selectors: []string{"s1"}, Blocklists: true,
		}))
	}
}
