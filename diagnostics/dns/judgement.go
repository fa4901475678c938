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
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// unanswered is the result of a look-up that says nothing about the name.
func unanswered(err error, evidence ...diagnostics.Evidence) diagnostics.Result {
	r := diagnostics.Skipped(check.CauseDNSFailure, append(evidence, lookupEvidence(err))...)
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
