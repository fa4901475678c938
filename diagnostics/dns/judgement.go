package dns

// How findings are graded, in one place:
//
//   - fail: receivers following the RFCs refuse or distrust mail because of what is published: an SPF record that gives
//     permerror (several, syntax, too many look-ups), SPF that ends in -all without this server, a revoked or
//     unreadable DKIM key of a selector that is in use, a DMARC policy of quarantine or reject that this server's mail
//     cannot pass, a null MX or a domain that does not exist.
//   - warn: something is missing, weak or unfinished, but mail is still taken.
//   - skip: not judged: DNS did not answer, nothing is published where publishing is optional, no selector is known.
//   - pass: fine, or nothing for the person to publish because the domain is the provider's own.
//
// No finding here keeps a person from saving a configuration: mail may be proven to work while the domain's records are
// not yet right.

import (
	"errors"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Causes that this area gives. Their texts are in the catalogue (package explain).
const (
	CauseNoDomain     = "no-domain"
	CauseNotPublished = "not-published"
	CauseDNSFailure   = "dns-failure"
	CauseNXDomain     = "sender-domain-invalid"

	CauseMXMissing   = "mx-missing"
	CauseNullMX      = "null-mx"
	CauseMXAddress   = "mx-address-missing"
	CauseMXMalformed = "mx-malformed"

	CauseSPFMissing       = "spf-missing"
	CauseSPFMultiple      = "spf-multiple"
	CauseSPFSyntax        = "spf-syntax"
	CauseSPFTooMany       = "spf-too-many-lookups"
	CauseSPFNotAuthorised = "spf-not-authorised"
	CauseSPFWeak          = "spf-weak"
	CauseSPFWrongPlace    = "spf-wrong-place"
	CauseSPFTooLong       = "spf-too-long"
	CauseSPFBroken        = "spf-include-broken"
	CauseSPFVoid          = "spf-void-lookups"

	CauseDKIMMissing         = "dkim-missing"
	CauseDKIMRevoked         = "dkim-revoked"
	CauseDKIMTesting         = "dkim-testing"
	CauseDKIMWeakKey         = "dkim-weak-key"
	CauseDKIMMalformed       = "dkim-malformed"
	CauseDKIMMultiple        = "dkim-multiple"
	CauseDKIMSelectorUnknown = "dkim-selector-unknown"
	CauseDKIMWrongPlace      = "dkim-wrong-place"

	CauseDMARCMissing    = "dmarc-missing"
	CauseDMARCNonePolicy = "dmarc-none-policy"
	CauseDMARCMalformed  = "dmarc-malformed"
	CauseDMARCMultiple   = "dmarc-multiple"
	CauseDMARCMisaligned = "dmarc-misaligned"
	CauseDMARCReports    = "dmarc-report-unauthorised"
	CauseDMARCWrongPlace = "dmarc-wrong-place"

	CauseMTASTSMalformed = "mta-sts-malformed"
	CauseMTASTSPolicy    = "mta-sts-policy"
	CauseTLSRPTMalformed = "tls-rpt-malformed"
	CauseDANEInsecure    = "dane-insecure"
	CauseDANEMalformed   = "dane-malformed"
	CauseBIMIMalformed   = "bimi-malformed"
	CausePTRMissing      = "ptr-missing"
	CausePTRMismatch     = "ptr-mismatch"
	CauseNoAddress       = "no-sending-address"
	CauseSRVTarget       = "srv-target-missing"
)

// Causes lists every cause of this area, for the test that the catalogue knows them.
func Causes() []string {
	return []string{
		CauseNoDomain, CauseNotPublished, CauseDNSFailure, CauseNXDomain, CauseMXMissing, CauseNullMX, CauseMXAddress,
		CauseMXMalformed,
		CauseSPFMissing, CauseSPFMultiple, CauseSPFSyntax, CauseSPFTooMany, CauseSPFNotAuthorised, CauseSPFWeak,
		CauseSPFWrongPlace, CauseSPFTooLong, CauseSPFBroken, CauseSPFVoid,
		CauseDKIMMissing, CauseDKIMRevoked, CauseDKIMTesting, CauseDKIMWeakKey, CauseDKIMMalformed, CauseDKIMMultiple,
		CauseDKIMSelectorUnknown, CauseDKIMWrongPlace,
		CauseDMARCMissing, CauseDMARCNonePolicy, CauseDMARCMalformed, CauseDMARCMultiple, CauseDMARCMisaligned,
		CauseDMARCReports, CauseDMARCWrongPlace,
		CauseMTASTSMalformed, CauseMTASTSPolicy, CauseTLSRPTMalformed, CauseDANEInsecure, CauseDANEMalformed,
		CauseBIMIMalformed, CausePTRMissing, CausePTRMismatch, CauseNoAddress, CauseSRVTarget,
	}
}

func skipped(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Skip, Cause: cause, Evidence: evidence}
}

func passed(evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Pass, Evidence: evidence}
}

func warned(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Warn, Cause: cause, Evidence: evidence}
}

func failed(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Fail, Cause: cause, Evidence: evidence}
}

// unanswered is the result of a look-up that says nothing about the name.
func unanswered(err error, evidence ...diagnostics.Evidence) diagnostics.Result {
	r := skipped(CauseDNSFailure, append(evidence, lookupEvidence(err))...)
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		r.Args = []any{"name", safetext.FromRemote(failure.Name), "host", safetext.FromRemote(failure.Name)}
	}
	return r
}

func lookupEvidence(err error) diagnostics.Evidence {
	e := diagnostics.Evidence{Kind: "lookup", Fields: map[string]any{}}
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		e.Fields["name"] = safetext.FromRemote(failure.Name)
		e.Fields["failure"] = string(failure.Kind)
	} else {
		e.Fields["failure"] = "error"
	}
	return e
}

// evidence builds one piece; strings from DNS must come as safetext.Remote.
func evidence(kind string, pairs ...any) diagnostics.Evidence {
	e := diagnostics.Evidence{Kind: kind, Fields: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Fields[pairs[i].(string)] = pairs[i+1]
	}
	return e
}

// remote marks text from DNS.
func remote(s string) safetext.Remote { return safetext.FromRemote(s) }

func remotes(list []string) []safetext.Remote {
	out := make([]safetext.Remote, 0, len(list))
	for _, s := range list {
		out = append(out, remote(s))
	}
	return out
}

// note is an explanation that belongs to a result but is no cause, as a code that the front ends put into words.
func note(code string, pairs ...any) diagnostics.Evidence {
	return evidence("note", append([]any{"note", code}, pairs...)...)
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// addTXT and replaceTXT are records to publish.
func addTXT(name, value string) diagnostics.Fix {
	return diagnostics.Fix{Kind: "txt", Name: name, Value: value}
}

func replaceTXT(name, value string, old lookup.Text) diagnostics.Fix {
	return diagnostics.Fix{
		Kind: "txt", Name: name, Value: value, Old: safetext.Escape(old.Value),
		TTLSeconds: seconds(old.TTL),
	}
}

// join is strings.Join for names that are shown.
func join(list []string) string { return strings.Join(list, ", ") }
