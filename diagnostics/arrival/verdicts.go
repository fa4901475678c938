package arrival

import (
	"context"
	"strings"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/organisation"
	"postier/internal/safetext"
)

// placement says in which folder the message was, and why, where the receiver recorded reasons for junk.
func (r *run) placement(context.Context) diagnostics.Result {
	seen := Placement{Folder: r.hit.folder.Name, Junk: r.hit.junk}
	if !r.hit.junk {
		return diagnostics.Passed(seen)
	}
	seen.Reasons = reasons(splitHeader(r.hit.raw), r.judgement)
	return diagnostics.Warned(check.CauseLandedInJunk, seen)
}

// spamFields are the fields in which filters give their reasons.
var spamFields = map[string]bool{
	"x-spam-status": true, "x-spam-flag": true, "x-spam-level": true, "x-spam-score": true, "x-spam-report": true,
	"x-spam": true, "x-spamd-result": true, "x-spamd-bar": true,
	"x-rspamd-action": true, "x-rspamd-score": true, "x-forefront-antispam-report": true, "x-microsoft-antispam": true,
	"x-ms-exchange-organization-scl": true,
	"x-ovh-spam-reason":              true, "x-ovh-spamstate": true, "x-ovh-spamscore": true, "x-ovh-spamcause": true,
	"x-gmx-antispam": true, "x-ui-filterresults": true, "x-yandex-spam": true,
	"x-mailscanner-spamcheck": true, "x-barracuda-spam-status": true, "x-spam-checker-version": true,
}

// reasons collects the receiver's reasons for filing the message as junk.
func reasons(fields []field, j Judgement) []safetext.Remote {
	const most, longest = 10, 300
	out := []safetext.Remote{}
	add := func(text string) {
		if len(out) < most {
			out = append(out, safetext.FromRemote(text[:min(len(text), longest)]))
		}
	}
	for _, a := range j.AuthenticationResults {
		for _, m := range a.Results {
			if m.Result != "pass" && (m.Method == "spf" || m.Method == "dkim" || m.Method == "dmarc") {
				add(strings.TrimSpace(m.Method + "=" + m.Result + " " + m.Comment))
			}
		}
	}
	for _, f := range fields {
		if spamFields[f.name] {
			add(f.name + ": " + f.value)
		}
	}
	return out
}

func (v *Verdict) evidence(method string) Authentication {
	return Authentication{Method: method, By: "receiver", Result: v.Result, Domain: v.Domain, Reason: v.Reason}
}

// unverified is the result when the receiver recorded no verdict, as is common when a message never left the provider.
func unverified() diagnostics.Result { return diagnostics.Skipped(check.CauseArrivalUnverified) }

// spf reports how the receiver judged SPF: only it knows from which address the message came.
func (r *run) spf(context.Context) diagnostics.Result {
	v := r.judgement.SPF
	if v == nil {
		return unverified()
	}
	evidence := v.evidence("spf")
	switch v.Result.Raw() {
	case "pass":
		return diagnostics.Passed(evidence)
	case "fail", "hardfail": // hardfail is what older receivers write
		return diagnostics.Failed(check.CauseSPFFail, evidence)
	case "softfail", "neutral", "policy":
		return diagnostics.Warned(check.CauseSPFSoftfail, evidence)
	case "none":
		return diagnostics.Warned(check.CauseSPFMissing, evidence)
	case "permerror":
		return diagnostics.Failed(check.CauseSPFSyntax, evidence)
	case "temperror":
		return diagnostics.Skipped(check.CauseDNSFailure, evidence)
	}
	return diagnostics.Skipped(check.CauseArrivalUnverified, evidence)
}

// dkim reports the signatures as verified here; the receiver's verdict is added.
func (r *run) dkim(context.Context) diagnostics.Result {
	var evidence diagnostics.Evidence
	results := map[string]bool{}
	whole := false // a signature that covers the whole text passes
	for _, s := range r.judgement.DKIM {
		results[s.Result] = true
		whole = whole || s.Result == "pass" && !s.Partial
		evidence = append(evidence, Verified{
			By: "postier", Domain: s.Domain, Selector: s.Selector, Algorithm: s.Algorithm, Result: s.Result, Reason: s.Reason,
			Aligned: aligned(s.Domain.Raw(), r.judgement.Author),
		})
	}
	v := r.judgement.method("dkim", "header.d", "header.i")
	if v != nil {
		evidence = append(evidence, v.evidence("dkim"))
	}
	switch {
	case whole:
		return diagnostics.Passed(evidence...)
	case results["pass"]:
		return diagnostics.Warned(check.CauseDKIMPartial, evidence...)
	case len(results) == 0 && v == nil:
		return unverified() // no signature and no verdict: the message stayed inside the provider
	case len(results) == 0:
		return diagnostics.Warned(check.CauseDKIMUnsigned, evidence...)
	case results["fail"] || results["permerror"]:
		return diagnostics.Failed(check.CauseDKIMFail, evidence...)
	}
	return diagnostics.Skipped(check.CauseDNSFailure, evidence...)
}

// aligned is relaxed alignment (RFC 7489 §3.1.1): the same registrable domain.
func aligned(signer, author string) bool {
	return signer != "" && organisation.Same(signer, author)
}

// dmarc reports how the receiver judged DMARC.
func (r *run) dmarc(context.Context) diagnostics.Result {
	v := r.judgement.DMARC
	if v == nil {
		return unverified()
	}
	evidence := v.evidence("dmarc")
	switch v.Result.Raw() {
	case "pass":
		return diagnostics.Passed(evidence)
	case "fail", "hardfail", "softfail":
		return diagnostics.Failed(check.CauseDMARCFail, evidence)
	case "none", "bestguesspass": // Microsoft's word for no record, although it would have passed
		return diagnostics.Warned(check.CauseDMARCMissing, evidence)
	case "permerror":
		return diagnostics.Failed(check.CauseDMARCMalformed, evidence)
	case "temperror":
		return diagnostics.Skipped(check.CauseDNSFailure, evidence)
	}
	return diagnostics.Skipped(check.CauseArrivalUnverified, evidence)
}
