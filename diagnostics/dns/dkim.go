package dns

import (
	"context"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/dkim"
	"postier/internal/mailauth/lookup"
	"postier/internal/mailauth/spf"
	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
)

// Bounds of the look-ups for selectors.
const (
	maxSelectors = 12 // of known ones: no provider publishes more
	maxGuesses   = 24 // of common ones: leaves room for the other look-ups in the budget of a check
)

// commonSelectors are asked for only when the caller wants guesses. A missing one proves nothing.
var commonSelectors = []string{
	"default", "google", "selector1", "selector2", "dkim", "mail", "s1", "s2", "k1", "k2", "k3", "key1", "smtp", "mx",
	"email",
	"fm1", "zoho", "zmail", "protonmail", "sig1", "mandrill", "mailjet", "brevo1", "mta",
}

// origin says how much a selector's absence means.
type origin string

const (
	fromPerson origin = "given"  // typed, or read from a message
	fromPreset origin = "preset" // the provider is known to use it
	fromGuess  origin = "guess"
)

// selectorFinding is what was found at one selector.
type selectorFinding struct {
	dkim.Published
	selector string
	name     string
	origin   origin
	// common ones are asked for only when names exist below _domainkey.
	common bool
}

func (f selectorFinding) found() bool { return len(f.Texts) > 0 }

// dkim judges the keys of the selectors that are known (RFC 6376 §3.6).
func (a *area) dkim(ctx context.Context, r lookup.Resolver) diagnostics.Result {
	findings := a.selectors(a.inferred(ctx, r))
	if a.provided {
		findings = slices.DeleteFunc(findings, func(f selectorFinding) bool { return f.origin == fromGuess })
	}
	var anything bool
	var wg parallel.Group
	ask := func(common bool) {
		for i := range findings {
			if findings[i].common == common {
				wg.Go(func() { findings[i].ask(ctx, r) })
			}
		}
	}
	wg.Go(func() { anything = a.anySelector(ctx, r) })
	ask(false)
	if wg.Wait(); anything {
		ask(true)
		wg.Wait()
	}

	var seen diagnostics.Evidence
	for _, f := range findings {
		if f.found() || f.Alias != "" || len(f.Others) > 0 && f.origin != fromGuess {
			seen = append(seen, f.evidence())
		}
	}
	if a.provided {
		return a.providersOwn(seen...)
	}
	if slices.ContainsFunc(findings, selectorFinding.found) {
		return a.judgeKeys(ctx, r, findings, seen)
	}
	return a.noKeys(ctx, r, findings, seen, anything)
}

// selectors lists what to ask for, each once. Selectors with a placeholder differ for each customer.
func (a *area) selectors(inferred []string) []selectorFinding {
	var list []selectorFinding
	add := func(names []string, from origin, limit int) {
		for _, s := range names {
			s = lookup.Lower(strings.TrimSpace(s))
			if s == "" || strings.ContainsAny(s, "{}") || limit == 0 ||
				slices.ContainsFunc(list, func(f selectorFinding) bool { return f.selector == s }) {
				continue
			}
			name, ok := lookup.Name(s + "._domainkey." + a.domain)
			if !ok {
				continue
			}
			limit--
			list = append(list, selectorFinding{selector: s, name: name, origin: from})
		}
	}
	add(a.opts.Selectors, fromPerson, maxSelectors)
	add(a.target.Selectors, fromPreset, maxSelectors)
	add(inferred, fromGuess, maxSelectors)
	if a.opts.GuessSelectors {
		known := len(list)
		add(commonSelectors, fromGuess, maxGuesses)
		for i := range list[known:] {
			list[known+i].common = true
		}
	}
	return list
}

// inferred are selectors of the providers that the domain's MX and SPF records name. They count as guesses, because the
// provider that receives a domain's mail need not be the one that sends it. Nothing is inferred when a selector is
// known.
func (a *area) inferred(ctx context.Context, r lookup.Resolver) []string {
	if len(a.opts.Selectors) > 0 || len(a.target.Selectors) > 0 || a.provided {
		return nil
	}
	book := presets.Default()
	var hosts, targets []string
	var wg parallel.Group
	wg.Go(func() {
		answer, _ := r.Query(ctx, a.domain, mdns.TypeMX)
		for _, mx := range wire.Records[*mdns.MX](answer) {
			hosts = append(hosts, lookup.Lower(mx.Mx))
		}
	})
	wg.Go(func() {
		if text := textAt(ctx, r, a.domain, spf.IsRecord); text != nil {
			for _, t := range spf.Parse(text.Value).Effective() {
				if name, literal := t.Spec.Literal(); literal && (t.Kind == spf.Include || t.Kind == spf.Redirect) {
					targets = append(targets, lookup.Lower(name))
				}
			}
		}
	})
	wg.Wait()
	var selectors []string
	for _, m := range append(book.SPF(targets), book.MX(hosts)...) {
		if p, ok := book.Get(m.ID); ok {
			selectors = append(selectors, p.DKIM.Known()...)
		}
	}
	return selectors
}

// ask reads the key of one selector.
func (f *selectorFinding) ask(ctx context.Context, r lookup.Resolver) {
	f.Published = dkim.Find(ctx, r, f.name)
	if lookup.NotFound(f.Err) && f.Alias == "" && f.origin != fromGuess {
		f.Alias = aliasOf(ctx, r, f.name)
	}
}

func (f selectorFinding) evidence() diagnostics.Observation {
	if !f.found() {
		seen := NoDKIMKey{Selector: remote(f.selector), Name: remote(f.name), Origin: f.origin, CNAME: remote(f.Alias)}
		if len(f.Others) > 0 {
			seen.Record = remote(f.Others[0].Value)
		}
		return seen
	}
	seen := DKIMKey{
		Selector: remote(f.selector), Name: remote(f.name), Origin: f.origin, CNAME: remote(f.Alias),
		Key: remote(f.Key.Label()), Testing: f.Key.Testing, Revoked: f.Key.Revoked, Strict: f.Key.Strict,
		Usable: f.Key.Usable() && len(f.Texts) == 1, Record: remote(f.Texts[0].Value), TTLSeconds: seconds(f.Texts[0].TTL),
	}
	if len(f.Texts) > 1 {
		for _, t := range f.Texts {
			seen.Records = append(seen.Records, remote(t.Value))
		}
	}
	if len(f.Faults) > 0 {
		first := f.Faults[0]
		seen.Fault, seen.Offset, seen.Token = first.Kind, &first.Offset, new(remote(first.Token))
	}
	return seen
}

// judge grades one key: the cause, and fail when receivers distrust mail signed with it.
func (f selectorFinding) judge() (cause check.Cause, status check.Status) {
	switch f.Problem() {
	case dkim.ProblemSeveral:
		return check.CauseDKIMMultiple, check.Fail
	case dkim.ProblemRevoked:
		return check.CauseDKIMRevoked, check.Fail
	case dkim.ProblemMalformed:
		return check.CauseDKIMMalformed, check.Fail
	case dkim.ProblemShort:
		return check.CauseDKIMWeakKey, check.Fail
	}
	switch {
	case f.Key.Testing:
		return check.CauseDKIMTesting, check.Warn
	case f.Key.Type == "rsa" && f.Key.Bits < dkim.GoodBits:
		return check.CauseDKIMWeakKey, check.Warn
	}
	return "", check.Pass
}

// judgeKeys grades the keys that were found. Where one key is good, a failing one is a warning at most. A revoked key
// is then no finding at all, because keys are rotated by publishing the next one and emptying the last.
func (a *area) judgeKeys(ctx context.Context, r lookup.Resolver, findings []selectorFinding,
	seen diagnostics.Evidence,
) diagnostics.Result {
	good := slices.ContainsFunc(findings, func(f selectorFinding) bool {
		_, status := f.judge()
		return f.found() && status != check.Fail
	})
	result := diagnostics.Passed(seen...)
	for _, f := range findings {
		if !f.found() {
			if absent, ok := a.absent(ctx, r, f); ok && result.Status == check.Pass {
				result = absent.After(seen...)
			}
			continue
		}
		cause, status := f.judge()
		if good && status == check.Fail {
			status = check.Warn
			if cause == check.CauseDKIMRevoked {
				continue
			}
		}
		if worse(status, result.Status) {
			result.Status, result.Cause = status, cause
			result.Params = check.Params{Selector: remote(f.selector), Name: remote(f.name), Bits: check.Number(f.Key.Bits)}
			result.Fix = f.fix()
		}
	}
	return result
}

// absent is the finding about a selector that the person named and that has no key, while others have one.
func (a *area) absent(ctx context.Context, r lookup.Resolver, f selectorFinding) (diagnostics.Result, bool) {
	switch {
	case f.origin != fromPerson:
		return diagnostics.Result{}, false
	case lookup.Temporary(f.Err):
		return unanswered(f.Err), true
	}
	if result, ok := a.strayed(ctx, r, f); ok {
		return result, true
	}
	return diagnostics.Warned(check.CauseDKIMMissing).With(check.Params{
		Name: remote(f.name), Selector: remote(f.selector),
	}), true
}

// strayed is the finding about what stands at a selector in place of a key: the target of a CNAME as text, or an alias
// that leads to no key.
func (a *area) strayed(ctx context.Context, r lookup.Resolver, f selectorFinding) (diagnostics.Result, bool) {
	if f.Alias == "" {
		return pasted(f.name, f.Others)
	}
	return a.deadEnd(ctx, r, f.name, f.Alias, lookup.NotFound(f.Err), dkim.IsKey), true
}

func worse(a, b check.Status) bool {
	rank := map[check.Status]int{check.Pass: 0, check.Skip: 0, check.Warn: 1, check.Fail: 2}
	return rank[a] > rank[b]
}

// fix returns the corrected record where that needs nothing that only the provider has. A record that a CNAME leads to
// belongs to the provider.
func (f selectorFinding) fix() []check.Fix {
	switch {
	case f.Alias != "":
		return nil
	case len(f.Texts) > 1:
		return f.surplus()
	case f.Key.Revoked || !f.Key.Testing && len(f.Faults) == 0:
		return nil
	}
	old := f.Texts[0]
	text := old.Value
	if f.Key.Testing {
		text = withoutTesting(text)
	}
	if repaired, ok := dkim.Repair(text); ok && repaired != old.Value {
		return []check.Fix{replaceTXT(f.name, repaired, old)}
	}
	return nil
}

// surplus are the records to delete where exactly one of several is a key that can be used. Which of two good keys is
// in use, only the signer knows.
func (f selectorFinding) surplus() []check.Fix {
	var list []check.Fix
	for _, t := range f.Texts {
		if key, faults := dkim.Parse(t.Value); len(faults) > 0 || !key.Usable() {
			list = append(list, replaceTXT(f.name, "", t))
		}
	}
	if len(list) != len(f.Texts)-1 {
		return nil
	}
	return list
}

// withoutTesting drops the flag y from t=, and the tag when nothing else is in it.
func withoutTesting(record string) string {
	var fields []string
	for field := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(field, "=")
		if strings.TrimSpace(name) != "t" {
			fields = append(fields, field)
			continue
		}
		var flags []string
		for flag := range strings.SplitSeq(value, ":") {
			if flag = strings.TrimSpace(flag); flag != "y" && flag != "" {
				flags = append(flags, flag)
			}
		}
		if len(flags) > 0 {
			fields = append(fields, " t="+strings.Join(flags, ":"))
		}
	}
	return strings.Join(fields, ";")
}

// anySelector reports whether names exist below _domainkey. By RFC 8020 a name that does not exist has none below it,
// so NXDOMAIN here is the answer for every possible selector.
func (a *area) anySelector(ctx context.Context, r lookup.Resolver) bool {
	_, err := r.Query(ctx, "_domainkey."+a.domain, mdns.TypeTXT)
	return !lookup.NotFound(err)
}

// noKeys judges the absence of keys, which means nothing when the selectors were only guessed.
func (a *area) noKeys(ctx context.Context, r lookup.Resolver, findings []selectorFinding, seen diagnostics.Evidence,
	anything bool,
) diagnostics.Result {
	var known []string
	if len(findings) > 0 && !slices.ContainsFunc(findings,
		func(f selectorFinding) bool { return !lookup.Temporary(f.Err) }) {
		return unanswered(findings[0].Err, seen...)
	}
	for _, f := range findings {
		if lookup.Temporary(f.Err) && f.origin != fromGuess {
			return unanswered(f.Err, seen...)
		}
		if f.origin != fromGuess {
			known = append(known, f.name)
		}
	}
	seen = append(seen, DKIMNames{Asked: safetext.FromRemotes(known), Below: anything})
	for _, f := range findings {
		if f.origin == fromGuess {
			continue
		}
		if result, ok := a.strayed(ctx, r, f); ok {
			return result.After(seen...).With(check.Params{Selector: remote(f.selector)})
		}
	}
	if place, text := a.misplacedKey(ctx, r, findings); place != "" {
		result := diagnostics.Warned(check.CauseDKIMWrongPlace,
			append(seen, Misplaced{Method: "dkim", Name: remote(place), Record: remote(text)})...)
		if len(known) > 0 {
			result.Fix = []check.Fix{addTXT(known[0], safetext.Escape(text))}
		}
		return result.With(check.Params{Name: remote(place)})
	}
	switch {
	case len(known) > 0:
		return diagnostics.Warned(check.CauseDKIMMissing,
			seen...).With(check.Params{Name: remote(join(known)), Selector: remote(findings[0].selector)})
	case !anything:
		return diagnostics.Warned(check.CauseDKIMMissing, seen...)
	}
	return diagnostics.Skipped(check.CauseDKIMSelectorUnknown, seen...)
}

// misplacedKey looks for a key in the usual wrong places: at the domain itself, at the selector without _domainkey, at
// _domainkey without the selector, and at a name with the domain twice.
func (a *area) misplacedKey(ctx context.Context, r lookup.Resolver, findings []selectorFinding) (place, text string) {
	places := []string{a.domain}
	for _, f := range findings {
		if f.origin != fromGuess {
			places = append(places, f.name+"."+a.domain, f.selector+"."+a.domain)
		}
	}
	if len(places) > 1 {
		places = append(places, "_domainkey."+a.domain)
	}
	isKey := func(s string) bool { return strings.HasPrefix(strings.ToLower(s), "v=dkim1") }
	for _, p := range places {
		if t := textAt(ctx, r, p, isKey); t != nil {
			return p, t.Value
		}
	}
	return "", ""
}
