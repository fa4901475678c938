package dns

// How all findings of this package are graded:
//
//   - fail: receivers following the RFCs refuse or distrust mail because of what is published: an SPF record that gives
//     permerror (several, syntax, too many look-ups), SPF that ends in -all without this server, a revoked or
//     unreadable DKIM key of a selector that is in use, a DMARC policy of quarantine or reject that this server's mail
//     cannot pass, a null MX or a domain that does not exist.
//   - warn: something is missing, weak or unfinished, but receivers still accept mail.
//   - skip: not judged: DNS did not answer, nothing is published where publishing is optional, no selector is known.
//   - pass: fine, or nothing for the user to publish because the domain is the provider's own.
//
// No finding keeps the user from saving a configuration: mail may work while the domain's records are not yet right.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// unanswered is the result when a look-up failed and the records are unknown. TXT records that are too large were
// answered: whoever runs the domain has to act.
func unanswered(err error, evidence ...diagnostics.Observation) diagnostics.Result {
	r := diagnostics.Skipped(check.CauseDNSFailure, append(evidence, failedLookup(err))...)
	if errors.Is(err, lookup.ErrTooLarge) {
		r.Status, r.Cause = check.Warn, check.CauseTXTTooLarge
	}
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		r.Params = check.Params{Name: safetext.FromRemote(failure.Name), Host: safetext.FromRemote(failure.Name)}
	}
	return r
}

func failedLookup(err error) Lookup {
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		if errors.Is(err, lookup.ErrTooLarge) {
			return Lookup{Name: safetext.FromRemote(failure.Name), Failure: "too-large"}
		}
		return Lookup{Name: safetext.FromRemote(failure.Name), Failure: failure.Kind}
	}
	return Lookup{Failure: "error"}
}

// textAt returns the first TXT record of a kind at a name, or nil. It serves for names at which a record was published
// by mistake.
func textAt(ctx context.Context, r lookup.Resolver, place string, kind func(string) bool) *lookup.Text {
	name, ok := lookup.Name(place)
	if !ok {
		return nil
	}
	txt, err := lookup.QueryTXT(ctx, r, name)
	if i := slices.IndexFunc(txt.Texts, func(t lookup.Text) bool { return kind(t.Value) }); err == nil && i >= 0 {
		return &txt.Texts[i]
	}
	return nil
}

// remote marks text from DNS as foreign.
func remote(s string) safetext.Remote { return safetext.FromRemote(s) }

func seconds(d time.Duration) int { return int(d / time.Second) }

// addTXT is a record to publish, replaceTXT one to publish in place of another.
func addTXT(name, value string) check.Fix {
	return check.Fix{Kind: "txt", Name: name, Value: value}
}

func replaceTXT(name, value string, old lookup.Text) check.Fix {
	return check.Fix{
		Kind: "txt", Name: name, Value: value, Old: safetext.Escape(old.Value),
		TTLSeconds: seconds(old.TTL),
	}
}

// join lists names for display.
func join(list []string) string { return strings.Join(list, ", ") }
