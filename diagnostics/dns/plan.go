// Package dns checks what a sender's domain publishes: where its mail goes (MX), who may send for it (SPF, RFC 7208),
// how it signs (DKIM, RFC 6376, 8301, 8463), what receivers should do with the rest (DMARC, RFC 9989), and the records
// around these.
//
// Each check asks one resolver and returns a result with the exact record to publish where one is missing or wrong. The
// parsers and evaluators are in internal/mailauth and know neither checks nor presets.
package dns

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/wire"
	"postier/presets"
)

// Options are what the user or the caller adds to a target.
type Options struct {
	// Domain is the domain to look at; empty means that of Target.Author.
	Domain string
	// Selectors are DKIM selectors that are known to be in use: typed, or read from a message that was received.
	Selectors []string
	// GuessSelectors also asks for a bounded list of selectors that many services use.
	GuessSelectors bool
	// IP is a sending address for dns.ptr and for the SPF verdict; the zero value leaves both out.
	IP netip.Addr
	// HTTP fetches the MTA-STS policy through the transport of wire.Network.HTTPS; see Fetching. nil reads the TXT record
	// alone and leaves the policy unjudged.
	HTTP *http.Client
	// Blocklists also asks well-known block lists about the sending address.
	Blocklists bool
	// EnvelopeSender is the domain of MAIL FROM when it differs from the author's; empty means the author's domain.
	EnvelopeSender string
	// SigningDomain is the d= that the provider signs with; empty means the author's domain.
	SigningDomain string
	// Resolver replaces the network's; tests use tables.
	Resolver lookup.Resolver
}

// Fetching is the client for Options.HTTP.
func Fetching(network *wire.Network) *http.Client { return &http.Client{Transport: network.HTTPS()} }

// Plan lists the DNS checks for a target. They do not need each other and run in parallel. A question that several of
// them ask is sent once. A target without an address and without Options.Domain gets a plan of skipped checks.
func Plan(network *wire.Network, target account.Target, opts Options) diagnostics.Plan {
	resolver := opts.Resolver
	if resolver == nil {
		resolver = network.Resolver
	}
	a := &area{
		network: network, target: target, opts: opts, shared: lookup.Share(lookup.NewPatience(resolver)),
		domain: authorDomain(target, opts),
	}
	_, a.provided = presets.Lookup(a.domain)
	var plan diagnostics.Plan
	for _, c := range a.checks() {
		plan.Checks = append(plan.Checks, diagnostics.Check{ID: c.id, Run: a.bounded(c.run)})
	}
	return plan
}

// checkFunc asks the resolver and judges the answer.
type checkFunc func(context.Context, lookup.Resolver) diagnostics.Result

// row is one check of the area's list.
type row struct {
	id  check.ID
	run checkFunc
}

// checks lists the checks of the area. A new check is a row here.
func (a *area) checks() []row {
	list := []row{
		{check.DNSMX, a.mx},
		{check.DNSSPF, a.spf},
		{check.DNSDKIM, a.dkim},
		{check.DNSDMARC, a.dmarc},
		{check.DNSMTASTS, a.oneRecord(optional{"_mta-sts.", "STSv1", "mta-sts", check.CauseMTASTSMalformed}, a.mtaSTS)},
		{check.DNSTLSRPT, a.oneRecord(optional{"_smtp._tls.", "TLSRPTv1", "tls-rpt", check.CauseTLSRPTMalformed}, a.tlsRPT)},
		{check.DNSDANE, a.dane},
		{check.DNSBIMI, a.oneRecord(optional{"default._bimi.", "BIMI1", "bimi", check.CauseBIMIMalformed}, a.bimi)},
		{check.DNSPTR, a.ptr},
		{check.DNSDiscovery, a.discovery},
	}
	if a.opts.Blocklists {
		list = append(list, row{check.DNSBlocklists, a.blocklisted})
	}
	return list
}

// area is what the checks of one target share.
type area struct {
	network *wire.Network
	target  account.Target
	opts    Options
	shared  *lookup.Cache
	domain  string // A-labels, lower case, no final dot; empty when there is none
	// provided says that the domain belongs to a mail provider, so that the user can publish nothing there.
	provided bool
}

// bounded gives a check its own budget and deadline (docs/security.md T10), and adds the domain to the parameters of
// its result.
func (a *area) bounded(run checkFunc) func(context.Context) diagnostics.Result {
	return func(ctx context.Context) diagnostics.Result {
		if a.domain == "" {
			return diagnostics.Skipped(check.CauseNoDomain)
		}
		deadline := lookup.Deadline
		if a.network != nil && a.network.Timeout > 0 && a.network.Timeout < deadline {
			deadline = a.network.Timeout
		}
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		return run(ctx, lookup.NewBudget(a.shared)).With(check.Params{Domain: remote(a.domain)})
	}
}

func authorDomain(target account.Target, opts Options) string {
	domain := opts.Domain
	if domain == "" {
		domain = config.AddressDomain(target.Author())
	}
	return aLabels(domain)
}

// aLabels returns a domain as lower-case A-labels without final dot, or nothing when it is no domain name.
func aLabels(domain string) string {
	ascii, err := idna.Lookup.ToASCII(lookup.Lower(strings.TrimSpace(domain)))
	if err != nil { // the profile refuses underscores and the like, but they occur in DNS
		ascii = lookup.Lower(strings.TrimSpace(domain))
	}
	if _, ok := lookup.Name(ascii); !ok {
		return ""
	}
	return ascii
}
