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

// unanswered is the result of a look-up that says nothing about the name.
func unanswered(err error, evidence ...diagnostics.Observation) diagnostics.Result {
	r := diagnostics.Skipped(check.CauseDNSFailure, append(evidence, failedLookup(err))...)
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		r.Params = check.Params{Name: safetext.FromRemote(failure.Name), Host: safetext.FromRemote(failure.Name)}
	}
	return r
}

func failedLookup(err error) Lookup {
	var failure *wire.ResolveError
	if errors.As(err, &failure) {
		return Lookup{Name: safetext.FromRemote(failure.Name), Failure: failure.Kind}
	}
	return Lookup{Failure: "error"}
}

// textAt reads the first TXT record of a kind at a name where a person may have put it by mistake; nil without one.
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

// remote marks text from DNS.
func remote(s string) safetext.Remote { return safetext.FromRemote(s) }

func seconds(d time.Duration) int { return int(d / time.Second) }

// addTXT and replaceTXT are records to publish.
func addTXT(name, value string) check.Fix {
	return check.Fix{Kind: "txt", Name: name, Value: value}
}

func replaceTXT(name, value string, old lookup.Text) check.Fix {
	return check.Fix{
		Kind: "txt", Name: name, Value: value, Old: safetext.Escape(old.Value),
		TTLSeconds: seconds(old.TTL),
	}
}

// join is strings.Join for names that are shown.
func join(list []string) string { return strings.Join(list, ", ") }
