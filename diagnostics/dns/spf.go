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
	"postier/internal/mailauth/spf"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// spf judges the domain's SPF record and whether it lets this provider send (RFC 7208).
func (a *area) spf(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	tree := spf.Inspect(ctx, r, a.domain)
	if tree.Problem == spf.ReasonDNS {
		return unanswered(tree.Err)
	}
	if a.provided {
		return a.providersOwn(spfEvidence(tree, nil))
	}
	need := a.spfNeed()
	switch tree.Problem {
	case spf.ReasonNoDomain:
		return diagnostics.Failed(check.CauseSenderDomainInvalid,
			failedLookup(tree.Err)).With(check.Params{Host: remote(a.domain)})
	case spf.ReasonNoRecord:
		return a.spfMissing(ctx, r, tree, need)
	case spf.ReasonSeveral:
		return a.spfSeveral(ctx, r, tree, need)
	case spf.ReasonSyntax:
		return a.spfSyntax(ctx, r, tree, need)
	}
	return a.spfJudge(ctx, r, tree, need)
}

// providersOwn is the result for an address at a provider's own domain, where the user cannot change what is published.
func (a *area) providersOwn(seen ...diagnostics.Observation) diagnostics.Result {
	return diagnostics.Passed(append(seen, Note{"provider-domain"})...)
}

// spfNeed is what the record must contain. Without a known provider that is the submission server itself and the
// exchangers.
func (a *area) spfNeed() spf.Need {
	need := spf.Need{Include: a.target.SPFInclude, Redirect: a.target.SPFRedirect}
	if len(need.Include) > 0 || need.Redirect != "" {
		return need
	}
	host := a.target.Submission.Host
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
	case err != nil:
		need.Terms = []string{"mx", "a:" + lookup.Lower(host)}
	case ip.Unmap().Is4():
		need.Terms = []string{"mx", "ip4:" + ip.Unmap().String()}
	default:
		need.Terms = []string{"mx", "ip6:" + ip.WithZone("").String()}
	}
	return need
}

func (a *area) spfMissing(ctx context.Context, r lookup.Resolver, tree *spf.Node, need spf.Need) diagnostics.Result {
	for _, other := range tree.Others {
		if spf.Meant(other.Value) {
			proposal := spf.Propose([]lookup.Text{other}, need)
			fault := SPFFault{Fault: spf.FaultVersion, Token: remote(firstWord(other.Value)), Record: remote(other.Value)}
			result := diagnostics.Failed(check.CauseSPFSyntax, spfEvidence(tree, nil), fault).With(check.Params{
				Token: remote(firstWord(other.Value)), Position: check.Number(1),
			})
			return a.offer(result, proposal, other)
		}
	}
	if place, text := a.misplacedSPF(ctx, r); text != nil {
		result := diagnostics.Warned(check.CauseSPFWrongPlace, spfEvidence(tree, nil),
			Misplaced{Method: "spf", Name: remote(place), Record: remote(text.Value)}).
			With(check.Params{Name: remote(place)})
		return a.offer(result, spf.Propose([]lookup.Text{*text}, need))
	}
	result := diagnostics.Warned(check.CauseSPFMissing, spfEvidence(tree, nil))
	if len(need.Include) == 0 && need.Redirect == "" && len(need.Terms) == 0 {
		return result // which servers send is not known, so no record can be proposed
	}
	return a.offer(result, spf.Propose(nil, need))
}

// offer adds a proposed record, in place of the old ones if there are any, and what it changes. A record that would
// leave a term out is not offered: whoever copies it may lock servers out. The term is named instead.
func (a *area) offer(result diagnostics.Result, proposal spf.Proposal, old ...lookup.Text) diagnostics.Result {
	for _, c := range proposal.Changes {
		result.Evidence = append(result.Evidence, SPFChange{Change: c.Kind, From: remote(c.From), To: remote(c.To)})
	}
	if len(proposal.Lost()) > 0 {
		return result
	}
	if len(old) == 0 {
		return result.Fixed(addTXT(a.domain, proposal.Record))
	}
	for i, t := range old {
		value := proposal.Record
		if i > 0 {
			value = "" // to be removed
		}
		if t.Value != value {
			result = result.Fixed(replaceTXT(a.domain, value, t))
		}
	}
	return result
}

// misplacedSPF looks for a record where receivers do not: at the name with the domain twice, which a control panel
// makes of a full name; at _spf, where large senders keep a part of theirs; and in the record type SPF (RFC 7208 §3.1).
func (a *area) misplacedSPF(ctx context.Context, r lookup.Resolver) (place string, text *lookup.Text) {
	for _, place := range []string{a.domain + "." + a.domain, "_spf." + a.domain} {
		if text := textAt(ctx, r, place, spf.IsRecord); text != nil {
			return place, text
		}
	}
	answer, err := r.Query(ctx, a.domain, mdns.TypeSPF)
	for _, old := range wire.Records[*mdns.SPF](answer) {
		if value := strings.Join(old.Txt, ""); err == nil && spf.IsRecord(value) {
			return a.domain + " (SPF)", &lookup.Text{Value: value}
		}
	}
	return "", nil
}

func (a *area) spfSeveral(ctx context.Context, r lookup.Resolver, tree *spf.Node, need spf.Need) diagnostics.Result {
	proposal := spf.Propose(tree.Several, need)
	seen := spfEvidence(tree, nil)
	for _, t := range tree.Several {
		seen.Records = append(seen.Records, remote(t.Value))
	}
	result := diagnostics.Failed(check.CauseSPFMultiple, seen)
	if len(proposal.Lost()) == 0 {
		result.Evidence = append(result.Evidence, a.proposalCost(ctx, r, proposal.Record))
	}
	return a.offer(result, proposal, tree.Several...).With(check.Params{Count: check.Number(len(tree.Several))})
}

func (a *area) spfSyntax(ctx context.Context, r lookup.Resolver, tree *spf.Node, need spf.Need) diagnostics.Result {
	proposal := spf.Propose([]lookup.Text{tree.Text}, need)
	result := diagnostics.Failed(check.CauseSPFSyntax, spfEvidence(tree, nil))
	for _, f := range tree.Record.Faults {
		result.Evidence = append(result.Evidence,
			SPFFault{Fault: f.Kind, Offset: f.Offset, Token: remote(f.Token)})
	}
	first := tree.Record.Faults[0]
	params := check.Params{Token: remote(first.Token), Position: check.Number(first.Offset + 1)}
	if lost := proposal.Lost(); len(lost) > 0 { // what can be corrected is; these parts have to be asked about
		params.Token = remote(strings.Join(lost, " "))
		params.Position = check.Number(max(strings.Index(tree.Text.Value, lost[0]), 0) + 1)
	} else {
		result.Evidence = append(result.Evidence, a.proposalCost(ctx, r, proposal.Record))
	}
	return a.offer(result, proposal, tree.Text).With(params)
}

// spfJudge grades a valid record, the worst finding first.
func (a *area) spfJudge(ctx context.Context, r lookup.Resolver, tree *spf.Node, need spf.Need) diagnostics.Result {
	authorised := a.spfAuthorised(ctx, r, tree)
	seen := spfEvidence(tree, authorised)
	proposal := spf.Propose([]lookup.Text{tree.Text}, need)
	if broken := tree.Broken(); broken != nil {
		seen.Broken = remote(broken.Domain)
		result := diagnostics.Failed(check.CauseSPFIncludeBroken,
			seen).With(check.Params{Name: remote(broken.Domain), Term: remote(broken.Via)})
		if slices.ContainsFunc(proposal.Changes, func(c spf.Change) bool { // two terms that ran into one name
			return (c.Kind == spf.ChangeSpace || c.Kind == spf.ChangeJoined) && strings.Contains(broken.Via, c.From)
		}) {
			result = a.offer(result, proposal, tree.Text)
		}
		return result
	}
	switch {
	case tree.Lookups > spf.MaxLookups:
		result := diagnostics.Failed(check.CauseSPFTooManyLookups, seen)
		result.Evidence = append(result.Evidence, costs(tree)...)
		return result.With(check.Params{Count: check.Number(tree.Lookups), Limit: check.Number(spf.MaxLookups)})
	case authorised != nil && !*authorised:
		result := diagnostics.Warned(check.CauseSPFNotAuthorised, seen, a.proposalCost(ctx, r, proposal.Record))
		if all := tree.Record.All(); all != nil && all.Qualifier == spf.Fail {
			result.Status = check.Fail
		}
		return a.offer(result, proposal, tree.Text)
	case tree.Void > spf.MaxVoid:
		return diagnostics.Warned(check.CauseSPFVoidLookups,
			append(costs(tree), seen)...).With(check.Params{Count: check.Number(tree.Void), Limit: check.Number(spf.MaxVoid)})
	}
	if err := tree.Unanswered(); err != nil {
		return unanswered(err, seen)
	}
	return a.spfStyle(tree, seen, proposal)
}

// spfStyle grades a record that does what it says.
func (a *area) spfStyle(tree *spf.Node, seen SPF, proposal spf.Proposal) diagnostics.Result {
	seen.Weaknesses = tree.Record.Weaknesses()
	has := func(weak ...spf.Weakness) bool {
		return slices.ContainsFunc(seen.Weaknesses, func(w spf.Weakness) bool { return slices.Contains(weak, w) })
	}
	switch {
	case len(seen.Weaknesses) == 0:
		result := diagnostics.Passed(seen)
		if seen.Authorizes == nil { // the record is fine, but it is unknown which servers send for this user
			result.Evidence = append(result.Evidence, Note{"authorisation-unknown"})
		}
		return result
	case has(spf.PassAll, spf.NeutralAll, spf.NoAll):
		return a.offer(diagnostics.Warned(check.CauseSPFWeak, seen), proposal, tree.Text)
	case has(spf.MechanismMod, spf.AfterAll, spf.RedirectIdle):
		return a.offer(diagnostics.Warned(check.CauseSPFIdle, seen), proposal, tree.Text).With(check.Params{
			Term: remote(strings.Join(tree.Record.Idle(), " ")),
		})
	case has(spf.UsesPTR):
		return diagnostics.Warned(check.CauseSPFPTR, seen)
	}
	return diagnostics.Warned(check.CauseSPFTooLong,
		seen).With(check.Params{Length: check.Number(len(tree.Text.Value)), Limit: check.Number(spf.LongRecord)})
}

// maxSamples is how many of a provider's ranges are tried in place of all, because records list their main ranges
// first.
const maxSamples = 4

// spfAuthorised says whether the record lets this provider send. It is nil when that is unknown.
func (a *area) spfAuthorised(ctx context.Context, r lookup.Resolver, tree *spf.Node) *bool {
	yes, no := true, false
	if a.opts.IP.IsValid() {
		switch a.spfFor(ctx, r, a.opts.IP) {
		case spf.Pass:
			return &yes
		case spf.TempError:
			return nil
		}
		return &no
	}
	wanted := a.target.SPFInclude
	if a.target.SPFRedirect != "" {
		wanted = append([]string{a.target.SPFRedirect}, wanted...)
	}
	for _, domain := range wanted { // several are alternatives: by region or by age
		if tree.LeadsTo(domain) {
			return &yes
		}
	}
	for _, domain := range wanted {
		if samples := spf.Inspect(ctx, r, domain).Networks(maxSamples); len(samples) > 0 {
			passes := a.allPass(ctx, r, samples)
			if passes == nil || *passes {
				return passes
			}
			return &no
		}
	}
	if len(wanted) > 0 {
		return &no
	}
	return a.serverAuthorised(ctx, r)
}

// serverAuthorised evaluates SPF for the addresses of the submission server. Mail may leave from other addresses, so
// only a pass proves anything.
func (a *area) serverAuthorised(ctx context.Context, r lookup.Resolver) *bool {
	if a.target.Submission.Host == "" {
		return nil
	}
	list, _, err := addresses(ctx, r, a.target.Submission.Host)
	if ip, parseErr := netip.ParseAddr(a.target.Submission.Host); parseErr == nil {
		list, err = []netip.Addr{ip}, nil
	}
	if err != nil || len(list) == 0 {
		return nil
	}
	var prefixes []netip.Prefix
	for _, ip := range list[:min(len(list), maxSamples)] {
		prefixes = append(prefixes, netip.PrefixFrom(ip, ip.BitLen()))
	}
	if passes := a.allPass(ctx, r, prefixes); passes != nil && *passes {
		return passes
	}
	return nil
}

// allPass evaluates one address of each range: true when all pass, false when one does not, nil when DNS fails.
func (a *area) allPass(ctx context.Context, r lookup.Resolver, ranges []netip.Prefix) *bool {
	result := true
	for _, p := range ranges {
		switch a.spfFor(ctx, r, p.Addr()) {
		case spf.Pass:
		case spf.TempError:
			return nil
		default:
			result = false
		}
	}
	return &result
}

func (a *area) spfFor(ctx context.Context, r lookup.Resolver, ip netip.Addr) spf.Verdict {
	return spf.Check(ctx, r, ip, a.domain, "postmaster@"+a.domain).Result
}

// proposalCost counts the look-ups of a proposed record, so that the user sees whether it exceeds a limit.
func (a *area) proposalCost(ctx context.Context, r lookup.Resolver, proposal string) SPFProposal {
	tree := spf.InspectText(ctx, r, a.domain, proposal)
	return SPFProposal{
		Record: remote(proposal), Lookups: tree.Lookups, Void: tree.Void,
		Within: tree.Lookups <= spf.MaxLookups && tree.Void <= spf.MaxVoid,
	}
}

// spfEvidence is the evidence about a record. authorised is nil when that is unknown.
func spfEvidence(tree *spf.Node, authorised *bool) SPF {
	seen := SPF{
		Record: remote(tree.Text.Value), Lookups: tree.Lookups, Void: tree.Void,
		Includes:   safetext.FromRemotes(tree.Includes()),
		Authorizes: authorised,
	}
	if tree.Text.Value != "" {
		seen.TTLSeconds, seen.Length = new(seconds(tree.Text.TTL)), len(tree.Text.Value)
		seen.Tree = new(branch(tree))
	}
	return seen
}

func branch(n *spf.Node) SPFBranch {
	b := SPFBranch{Domain: remote(n.Domain), Lookups: n.Lookups, Void: n.Void, Via: remote(n.Via), Problem: n.Problem}
	if n.Via != "" {
		b.Record = remote(n.Text.Value)
	}
	for _, c := range n.Children {
		b.Children = append(b.Children, branch(c))
	}
	return b
}

// costs lists the look-ups of each include, so that the user sees what to remove.
func costs(tree *spf.Node) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, c := range tree.Children {
		list = append(list, SPFCost{Term: remote(c.Via), Lookups: c.Lookups + 1, Void: c.Void})
	}
	return list
}

func firstWord(s string) string {
	if len(s) > 40 { // enough to recognise the text
		s = s[:40]
	}
	for i := range len(s) {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}
