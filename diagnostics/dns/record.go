package dns

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
)

// optional describes a TXT record that a domain may publish once, at a name below it.
type optional struct {
	prefix    string
	version   string
	kind      string // of its evidence
	malformed check.Cause
}

// matches reports whether a text is a record of this kind: its first field is the version.
func (o optional) matches(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	key, value, _ := strings.Cut(first, "=")
	return strings.TrimSpace(key) == "v" && strings.TrimSpace(value) == o.version
}

// published is such a record as found, with its fields. wellFormed is false when a field is not key=value.
type published struct {
	lookup.Text
	fields     map[string]string
	wellFormed bool
}

// oneRecord returns the check of an optional record, which calls judge when there is exactly one.
func (a *area) oneRecord(o optional,
	judge func(context.Context, lookup.Resolver, published) diagnostics.Result,
) checkFunc {
	return func(ctx context.Context, r lookup.Resolver) diagnostics.Result {
		name := o.prefix + a.domain
		txt, err := lookup.QueryTXT(ctx, r, name)
		if lookup.Temporary(err) {
			return unanswered(err)
		}
		var found []lookup.Text
		for _, t := range txt.Texts {
			if o.matches(t.Value) {
				found = append(found, t)
			}
		}
		switch {
		case len(found) == 1:
			fields, ok := semicolonFields(found[0].Value)
			return judge(ctx, r, published{found[0], fields, ok})
		case len(found) > 1: // RFC 8461 §3.1, RFC 8460 §3: then there is none
			return diagnostics.Warned(o.malformed, Record{Of: o.kind, Count: len(found)})
		}
		if result, ok := pasted(name, txt.Texts); ok {
			return result
		}
		switch {
		case txt.Alias() != "":
			return a.deadEnd(ctx, r, name, txt.Alias(), lookup.NotFound(err), o.matches)
		case len(txt.Texts) > 0:
			return diagnostics.Warned(o.malformed, Record{Of: o.kind, Record: remote(txt.Texts[0].Value)})
		}
		return diagnostics.Skipped(check.CauseNotPublished, Record{Of: o.kind, Name: remote(name)})
	}
}

// semicolonFields reads "key=value; key=value"; of a repeated key the first counts. ok is false when a field is neither
// that nor empty.
func semicolonFields(s string) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for field := range strings.SplitSeq(s, ";") {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		key, value, found := strings.Cut(field, "=")
		key = strings.TrimSpace(key)
		if !found || key == "" {
			return fields, false
		}
		if _, twice := fields[key]; !twice {
			fields[key] = strings.TrimSpace(value)
		}
	}
	return fields, true
}

// tlsRPT judges the record that asks for TLS reports (RFC 8460 §3).
func (a *area) tlsRPT(_ context.Context, _ lookup.Resolver, p published) diagnostics.Result {
	rua := p.fields["rua"]
	seen := TLSRPT{Record: remote(p.Value), RUA: remote(rua), TTLSeconds: seconds(p.TTL)}
	if !p.wellFormed || rua == "" || slices.ContainsFunc(strings.Split(rua, ","), func(target string) bool {
		u, err := url.Parse(strings.TrimSpace(target))
		return err != nil || u.Scheme != "mailto" && u.Scheme != "https"
	}) {
		return diagnostics.Warned(check.CauseTLSRPTMalformed, seen)
	}
	return diagnostics.Passed(seen)
}

// bimi judges the record for a logo (draft-brand-indicators-for-message-identification): it needs an https image, and a
// DMARC policy that acts, which dns.dmarc judges.
func (a *area) bimi(_ context.Context, _ lookup.Resolver, p published) diagnostics.Result {
	location, hasLocation := p.fields["l"]
	authority := p.fields["a"]
	seen := BIMI{
		Record: remote(p.Value), Location: remote(location), Authority: remote(authority),
		Declined: hasLocation && location == "" && authority == "", TTLSeconds: seconds(p.TTL),
	}
	if !p.wellFormed || !hasLocation || !httpsOrNone(location) || !httpsOrNone(authority) {
		return diagnostics.Warned(check.CauseBIMIMalformed, seen)
	}
	return diagnostics.Passed(seen)
}

func httpsOrNone(s string) bool {
	u, err := url.Parse(s)
	return s == "" || err == nil && u.Scheme == "https" && u.Host != ""
}
