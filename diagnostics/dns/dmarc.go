package dns

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/dmarc"
	"postier/internal/mailauth/lookup"
	"postier/internal/parallel"
	"postier/internal/safetext"
)

// dmarc judges the policy that applies to the author's domain, and whether mail through this provider can pass it.
func (a *area) dmarc(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	walk := dmarc.TreeWalk(ctx, r, a.domain)
	first, found := walk.First(), walk.Policy()
	closest := ""
	if found != nil {
		closest = found.Domain
	}
	if err := walk.Unsure(closest); err != nil || first.Err != nil {
		return unanswered(cmp.Or(first.Err, err), unreadEvidence(walk))
	}
	if a.provided {
		if found == nil {
			return a.providersOwn(unreadEvidence(walk))
		}
		policy, _ := found.Record.Effective(found.Domain != a.domain, true)
		return a.providersOwn(dmarcEvidence(found.Text, policy, a.expected(ctx, r, found.Record), walk))
	}
	switch {
	case len(first.Texts) > 1:
		return a.dmarcSeveral(first, walk)
	case found == nil:
		return a.dmarcMissing(ctx, r, first, walk)
	}
	return a.dmarcJudge(ctx, r, found, walk)
}

// starter is the first record to publish: no policy yet, and reports to the user (RFC 9989 §5.1.4).
func (a *area) starter() string {
	record := "v=DMARC1; p=none"
	if address := a.target.Author(); strings.Contains(address, "@") && aLabels(config.AddressDomain(address)) == a.domain {
		local := address[:strings.LastIndexByte(address, '@')]
		record += "; rua=mailto:" + strings.NewReplacer("%2B", "+").Replace(url.PathEscape(local)) + "@" + a.domain
	}
	return record
}

func (a *area) dmarcName() string { return "_dmarc." + a.domain }

func (a *area) dmarcMissing(ctx context.Context, r lookup.Resolver, first dmarc.Step,
	walk dmarc.Walk,
) diagnostics.Result {
	seen := unreadEvidence(walk)
	if len(first.Others) > 0 { // a text was meant as a record, but receivers do not recognise it
		old := first.Others[0]
		return diagnostics.Failed(check.CauseDMARCMalformed, seen,
			DMARCFault{Fault: dmarc.FaultVersion, Tag: remote("v"), Record: remote(old.Value)}).
			Fixed(replaceTXT(a.dmarcName(), repairDMARC(old.Value, a.starter()), old)).With(check.Params{
			Tag:   remote("v"),
			Value: remote(firstWord(old.Value)),
		})
	}
	if result, ok := pasted(a.dmarcName(), first.Strays, seen); ok {
		return result
	}
	if first.Alias != "" {
		return a.deadEnd(ctx, r, a.dmarcName(), first.Alias, first.Denied, dmarc.IsRecord, seen)
	}
	for _, place := range []string{a.domain, a.dmarcName() + "." + a.domain, "dmarc." + a.domain} {
		if text := textAt(ctx, r, place, dmarc.IsRecord); text != nil {
			return diagnostics.Warned(check.CauseDMARCWrongPlace, seen,
				Misplaced{Method: "dmarc", Name: remote(place), Record: remote(text.Value)}).
				Fixed(addTXT(a.dmarcName(), safetext.Escape(text.Value))).With(check.Params{Name: remote(place)})
		}
	}
	return diagnostics.Warned(check.CauseDMARCMissing, seen).Fixed(addTXT(a.dmarcName(), a.starter()))
}

// repairDMARC keeps the readable tags and puts the missing version before them.
func repairDMARC(text, fallback string) string {
	text = strings.Trim(strings.NewReplacer(`\;`, ";", `"`, "", "“", "", "”", "").Replace(text), " \t")
	head, rest, _ := strings.Cut(text, ";")
	if name, _, found := strings.Cut(head, "="); found && !strings.EqualFold(strings.TrimSpace(name), "v") {
		rest = text
	}
	tags := slices.DeleteFunc(strings.Split(rest, ";"), func(tag string) bool { // the version comes first, and once
		name, _, _ := strings.Cut(tag, "=")
		return strings.EqualFold(strings.TrimSpace(name), "v")
	})
	repaired := "v=DMARC1; " + strings.TrimSpace(strings.Join(tags, ";"))
	if record, ok := dmarc.Parse(repaired); !ok || record.BadPolicy || safetext.Escape(repaired) != repaired {
		return fallback
	}
	return repaired
}

// dmarcSeveral judges several records, all of which receivers discard (RFC 9989 §4.10 step 2).
func (a *area) dmarcSeveral(first dmarc.Step, walk dmarc.Walk) diagnostics.Result {
	strongest, best := first.Texts[0], -1
	var all []safetext.Remote
	for _, t := range first.Texts {
		all = append(all, remote(t.Value))
		if record, ok := dmarc.Parse(t.Value); ok && !record.BadPolicy && strength(record.P) > best {
			strongest, best = t, strength(record.P)
		}
	}
	seen := unreadEvidence(walk)
	seen.Records = all
	result := diagnostics.Failed(check.CauseDMARCMultiple, seen)
	for _, t := range first.Texts {
		if t.Value != strongest.Value {
			result.Fix = append(result.Fix, replaceTXT(a.dmarcName(), safetext.Escape(strongest.Value), t))
		}
	}
	return result.With(check.Params{Count: check.Number(len(first.Texts)), Name: remote(a.dmarcName())})
}

func strength(p dmarc.Policy) int {
	return map[dmarc.Policy]int{dmarc.None: 0, dmarc.Quarantine: 1, dmarc.Reject: 2}[p]
}

// dmarcJudge grades a published record, the worst finding first.
func (a *area) dmarcJudge(ctx context.Context, r lookup.Resolver, found *dmarc.Found,
	walk dmarc.Walk,
) diagnostics.Result {
	var targets []dmarc.Target
	var aligned dmarc.Alignment
	exists := true
	var wg parallel.Group
	wg.Go(func() { targets = dmarc.ReportTargets(ctx, r, found.Domain, found.Record) })
	wg.Go(func() { aligned = a.expected(ctx, r, found.Record) })
	wg.Go(func() { exists = a.exists(ctx, r, found) })
	wg.Wait()
	policy, applies := found.Record.Effective(found.Domain != a.domain, exists)
	applied := found.Record.Applied(policy)
	seen := dmarcEvidence(found.Text, policy, aligned, walk)
	seen.Applied, seen.Testing = &applied, &found.Record.Testing
	all := append(diagnostics.Evidence{seen}, faultEvidence(found.Record)...)
	all = append(all, targetEvidence(targets)...)
	name := "_dmarc." + found.Domain

	switch fault := severe(found.Record); {
	case found.Record.BadPolicy && found.Record.P == "":
		result := diagnostics.Failed(check.CauseDMARCMalformed, all...)
		if applies { // receivers read p=none
			result.Status = check.Warn
		}
		return result.Fixed(replaceTXT(name, repairPolicy(found.Record, a.starter()),
			found.Text)).With(check.Params{Tag: remote(fault.Tag), Value: remote(fault.Value)})
	case strength(applied) > 0 && !aligned.SPF && !aligned.DKIM:
		return diagnostics.Failed(check.CauseDMARCMisaligned,
			all...).With(check.Params{Policy: remote(string(policy))})
	case fault != nil:
		result := diagnostics.Warned(check.CauseDMARCTagIgnored, all...).With(check.Params{
			Tag: remote(fault.Tag), Value: remote(written(fault)),
		})
		if repaired := dmarc.Repair(found.Record); repaired != "" {
			result = result.Fixed(replaceTXT(name, repaired, found.Text))
		}
		return result
	case found.Record.Testing && strength(policy) > 0:
		return diagnostics.Warned(check.CauseDMARCTesting, all...).With(check.Params{
			Policy: remote(string(policy)), Value: remote(string(applied)),
		})
	}
	for _, t := range targets {
		if t.External && !t.Authorised && t.Err == nil {
			return diagnostics.Warned(check.CauseDMARCReportUnauthorised,
				all...).Fixed(addTXT(t.Name, "v=DMARC1")).With(check.Params{Mailbox: remote(t.URI.Mailbox), Name: remote(t.Name)})
		}
	}
	if policy == dmarc.None && len(found.Record.RUA) == 0 {
		// p=none is the right policy to begin with, but without reports the user learns nothing from it.
		result := diagnostics.Warned(check.CauseDMARCNonePolicy, all...)
		if found.Domain == a.domain && a.starter() != found.Text.Value { // without an address the starter adds nothing
			result.Fix = []check.Fix{replaceTXT(name, a.starter(), found.Text)}
		}
		return result
	}
	return diagnostics.Passed(all...)
}

// exists reports whether the domain exists, which matters only for np.
func (a *area) exists(ctx context.Context, r lookup.Resolver, found *dmarc.Found) bool {
	if found.Domain == a.domain || found.Record.NP == "" {
		return true
	}
	exists, err := dmarc.Exists(ctx, r, a.domain)
	return exists || err != nil
}

// expected is the alignment that this author's mail through this provider can have: for SPF with the domain of the
// envelope sender, for DKIM with the domain in the provider's signature.
func (a *area) expected(ctx context.Context, r lookup.Resolver, record dmarc.Record) dmarc.Alignment {
	envelope, signer := aLabels(a.opts.EnvelopeSender), aLabels(a.opts.SigningDomain)
	if envelope == "" {
		envelope = a.domain
	}
	if signer == "" {
		signer = a.domain
	}
	aligner := dmarc.Aligner{Resolver: r, Author: a.domain, Record: record}
	var out dmarc.Alignment
	var wg parallel.Group
	wg.Go(func() { out.SPF, _ = aligner.Aligned(ctx, envelope, record.ASPF) })
	wg.Go(func() { out.DKIM, _ = aligner.Aligned(ctx, signer, record.ADKIM) })
	wg.Wait()
	return out
}

// written is the faulty part as it stands in the record.
func written(fault *dmarc.Fault) string {
	if fault.Value == "" {
		return fault.Tag
	}
	return fault.Tag + "=" + fault.Value
}

// severe is the first fault that the user should fix. Historic and unknown tags do no harm.
func severe(record dmarc.Record) *dmarc.Fault {
	for i, f := range record.Faults {
		switch f.Kind {
		case dmarc.FaultHistoric, dmarc.FaultUnknown, dmarc.FaultOrder, dmarc.FaultIdle, dmarc.FaultScheme:
		default:
			return &record.Faults[i]
		}
	}
	return nil
}

// repairPolicy rewrites the record with a valid policy.
func repairPolicy(record dmarc.Record, fallback string) string {
	var fields []string
	for field := range strings.SplitSeq(record.Raw, ";") {
		name, _, _ := strings.Cut(field, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "", "v", "p":
		case "sp", "np":
			if test, ok := dmarc.Parse("v=DMARC1; p=none; " + field); ok && !test.BadPolicy {
				fields = append(fields, strings.TrimSpace(field))
			}
		default:
			fields = append(fields, strings.TrimSpace(field))
		}
	}
	policy := record.P
	if policy == "" {
		policy = dmarc.None
	}
	repaired := strings.Join(append([]string{"v=DMARC1", "p=" + string(policy)}, fields...), "; ")
	if test, ok := dmarc.Parse(repaired); !ok || test.BadPolicy || safetext.Escape(repaired) != repaired {
		return fallback
	}
	return repaired
}

// dmarcEvidence is the evidence about a record and the domains that were asked for it.
func dmarcEvidence(text lookup.Text, policy dmarc.Policy, aligned dmarc.Alignment, walk dmarc.Walk) DMARC {
	seen := DMARC{
		Record: remote(text.Value), Policy: policy, Aligned: aligned, Organizational: remote(walk.Organizational()),
	}
	if found := walk.Policy(); found != nil && text.Value != "" {
		seen.Domain, seen.TTLSeconds = new(remote(found.Domain)), new(seconds(text.TTL))
	}
	for _, s := range walk.Steps {
		seen.Asked = append(seen.Asked, remote("_dmarc."+s.Domain))
	}
	return seen
}

// unreadEvidence is the evidence where no policy could be read.
func unreadEvidence(walk dmarc.Walk) DMARC {
	return dmarcEvidence(lookup.Text{}, "", dmarc.Alignment{}, walk)
}

func faultEvidence(record dmarc.Record) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, f := range record.Faults {
		list = append(list,
			DMARCFault{Fault: f.Kind, Tag: remote(f.Tag), Value: new(remote(f.Value)), Offset: f.Offset})
	}
	return list
}

func targetEvidence(targets []dmarc.Target) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, t := range targets {
		list = append(list, DMARCReport{
			Mailbox: remote(t.URI.Mailbox), External: t.External, Authorised: t.Authorised, Name: remote(t.Name),
		})
	}
	return list
}
