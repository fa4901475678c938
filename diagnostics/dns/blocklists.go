package dns

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Listed is what a block list says about an address.
type Listed string

// The kinds of listings, worst first.
const (
	// ListedExploited: the machine is infected or misused by others.
	ListedExploited Listed = "exploited"
	// ListedSpam: unwanted mail comes from there.
	ListedSpam Listed = "spam"
	// ListedReputation: traps or complaints of recipients.
	ListedReputation Listed = "reputation"
	// ListedPolicy: an address that should not send mail directly, as those of home lines.
	ListedPolicy Listed = "policy"
	// ListedRefused: the list refused the question.
	ListedRefused Listed = "refused"
	NotListed     Listed = "no"
)

// Blocklist is the answer of one list.
type Blocklist struct {
	List    string            `json:"list"`
	IP      netip.Addr        `json:"ip"`
	Listed  Listed            `json:"listed"`
	Answers []netip.Addr      `json:"answers"`
	Reasons []safetext.Remote `json:"reasons"`
}

// Kind implements diagnostics.Observation.
func (Blocklist) Kind() string { return "blocklist" }

// Label implements diagnostics.Labelled.
func (b Blocklist) Label() string { return "blocklist." + string(b.Listed) }

// blocklist is one list: its zone (RFC 5782 §2.1), and what its answers mean by their last octet; def is for the
// others.
type blocklist struct {
	zone  string
	v6    bool
	means map[byte]Listed
	def   Listed
}

// blocklists are lists that large receivers ask. Each publishes what its answers mean.
var blocklists = []blocklist{
	{"zen.spamhaus.org", true, map[byte]Listed{
		2: ListedSpam, 3: ListedSpam, 9: ListedSpam, 4: ListedExploited, 5: ListedExploited, 6: ListedExploited,
		7: ListedExploited, 10: ListedPolicy, 11: ListedPolicy,
	}, ListedSpam},
	{"bl.spamcop.net", false, nil, ListedReputation},
	{"b.barracudacentral.org", false, nil, ListedReputation},
	{"psbl.surriel.com", false, nil, ListedReputation},
	{"dnsbl-1.uceprotect.net", false, nil, ListedReputation},
}

// sendingAddresses are those to ask about: the one that was named, or else those of the outgoing server.
func (a *area) sendingAddresses(ctx context.Context, r lookup.Resolver) ([]netip.Addr, error) {
	list := []netip.Addr{a.opts.IP.Unmap().WithZone("")}
	if !list[0].IsValid() {
		list = nil
		if host := a.target.Submission.Host; host != "" {
			var err error
			if list, _, err = addresses(ctx, r, lookup.Lower(host)); lookup.Temporary(err) {
				return nil, err
			}
		}
	}
	list = slices.DeleteFunc(list, func(ip netip.Addr) bool { return !ip.IsGlobalUnicast() || ip.IsPrivate() })
	return list[:min(len(list), maxBlocklistAddresses)], nil
}

const maxBlocklistAddresses = 4

// blocklisted asks the lists about the sending address. It is a warning at most: a list says nothing about mail that
// was accepted.
func (a *area) blocklisted(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	ips, err := a.sendingAddresses(ctx, r)
	switch {
	case err != nil:
		return unanswered(err)
	case len(ips) == 0:
		return diagnostics.Skipped(check.CauseNoSendingAddress)
	}
	var questions []Blocklist
	var lists []blocklist
	for _, ip := range ips {
		for _, list := range blocklists {
			if ip.Is4() || list.v6 {
				questions, lists = append(questions, Blocklist{List: list.zone, IP: ip}), append(lists, list)
			}
		}
	}
	var wg parallel.Group
	for i := range questions {
		wg.Go(func() { lists[i].ask(ctx, r, &questions[i]) })
	}
	wg.Wait()
	return judgeBlocklists(questions)
}

func judgeBlocklists(answers []Blocklist) diagnostics.Result {
	var seen diagnostics.Evidence
	for _, b := range answers {
		seen = append(seen, b)
	}
	causes := map[Listed]check.Cause{
		ListedExploited: check.CauseIPBlocklisted, ListedSpam: check.CauseIPBlocklisted,
		ListedReputation: check.CauseReputationLow, ListedPolicy: check.CauseDynamicIPRefused,
	}
	for _, kind := range []Listed{ListedExploited, ListedSpam, ListedReputation, ListedPolicy} {
		at := slices.IndexFunc(answers, func(b Blocklist) bool { return b.Listed == kind })
		if at >= 0 {
			return diagnostics.Warned(causes[kind], seen...).With(check.Params{IP: remote(answers[at].IP.String())})
		}
	}
	if slices.ContainsFunc(answers, func(b Blocklist) bool { return b.Listed == NotListed }) {
		return diagnostics.Passed(seen...)
	}
	return diagnostics.Skipped(check.CauseBlocklistRefused, seen...)
}

// ask asks one list. An answer counts only when the list does not list 127.0.0.1 as well: a list that was given up may
// list everything (RFC 5782 §5).
func (l blocklist) ask(ctx context.Context, r lookup.Resolver, b *Blocklist) {
	name := reversed(b.IP) + "." + l.zone + "."
	answer, err := r.Query(ctx, name, mdns.TypeA)
	b.Listed, b.Answers, b.Reasons = ListedRefused, []netip.Addr{}, []safetext.Remote{}
	if lookup.Temporary(err) {
		return
	}
	for _, record := range wire.Records[*mdns.A](answer) {
		if ip, ok := netip.AddrFromSlice(record.A.To4()); ok && len(b.Answers) < maxMXHosts {
			b.Answers = append(b.Answers, ip)
		}
	}
	if len(b.Answers) == 0 {
		b.Listed = NotListed
		return
	}
	kind := l.meaning(b.Answers)
	control, err := r.Query(ctx, "1.0.0.127."+l.zone+".", mdns.TypeA)
	if kind == ListedRefused || lookup.Temporary(err) || len(wire.Records[*mdns.A](control)) > 0 {
		return
	}
	b.Listed = kind
	reasons, _ := r.Query(ctx, name, mdns.TypeTXT)
	for _, record := range wire.Records[*mdns.TXT](reasons) {
		if len(b.Reasons) < maxMXHosts {
			b.Reasons = append(b.Reasons, remote(strings.Join(record.Txt, "")))
		}
	}
}

// meaning is the worst that the answers say. Those outside 127.0.0.0/16 are refusals, or come from a name service that
// invents addresses.
func (l blocklist) meaning(answers []netip.Addr) Listed {
	worst := []Listed{ListedExploited, ListedSpam, ListedReputation, ListedPolicy, ListedRefused}
	found := ListedRefused
	for _, ip := range answers {
		octets, kind := ip.As4(), l.def
		if meant, ok := l.means[octets[3]]; ok {
			kind = meant
		}
		if octets[0] != 127 || octets[1] != 0 {
			kind = ListedRefused
		}
		if slices.Index(worst, kind) < slices.Index(worst, found) {
			found = kind
		}
	}
	return found
}

// reversed is an address as the lists have it (RFC 5782 §2.1, §2.4).
func reversed(ip netip.Addr) string {
	arpa, _ := mdns.ReverseAddr(ip.String()) // fails only for what is no address
	return strings.TrimSuffix(strings.TrimSuffix(arpa, ".in-addr.arpa."), ".ip6.arpa.")
}
