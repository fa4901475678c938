package dns

import (
	"context"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Alias is a name that leads elsewhere by CNAME, where no record of the wanted kind stands.
type Alias struct {
	Name   safetext.Remote `json:"name"`
	Target safetext.Remote `json:"target"`
	// Exists is false when the target does not exist at all.
	Exists bool `json:"exists"`
}

// Kind implements diagnostics.Observation.
func (Alias) Kind() string { return "alias" }

// pastedAlias returns the host name that is all of a text: the target of a CNAME record that was published as TXT.
func pastedAlias(text string) (host string, ok bool) {
	host = strings.Trim(strings.TrimSpace(text), `"'`)
	if words := strings.Fields(host); len(words) > 1 && strings.EqualFold(words[len(words)-2], "CNAME") {
		host = words[len(words)-1] // a line of a zone file
	}
	host = lookup.Lower(host)
	if !lookup.WellFormed(host) || !strings.Contains(host, ".") {
		return "", false
	}
	for i := range len(host) {
		c := host[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return "", false
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return host, strings.ContainsFunc(last, func(r rune) bool { return 'a' <= r && r <= 'z' }) // no address
}

// pasted returns the finding about a CNAME target among texts, or false. name is where they stand.
func pasted(name string, texts []lookup.Text, seen ...diagnostics.Observation) (diagnostics.Result, bool) {
	for _, t := range texts {
		if host, ok := pastedAlias(t.Value); ok {
			return diagnostics.Warned(check.CauseCNAMEAsTXT, seen...).Fixed(check.Fix{
				Kind: "cname", Name: name, Value: host, Old: safetext.Escape(t.Value), TTLSeconds: seconds(t.TTL),
			}).With(check.Params{Name: remote(name), Value: remote(host)}), true
		}
	}
	return diagnostics.Result{}, false
}

// deadEnd is the finding about an alias that leads to no record of the wanted kind. found tells such records; where a
// control panel appended the domain to the target, the record stands at the target without it.
func (a *area) deadEnd(ctx context.Context, r lookup.Resolver, name, target string, denied bool,
	found func(string) bool, seen ...diagnostics.Observation,
) diagnostics.Result {
	seen = append(seen, Alias{Name: remote(name), Target: remote(target), Exists: !denied})
	result := diagnostics.Warned(check.CauseAliasNowhere, seen...).With(check.Params{
		Name: remote(name), Value: remote(target),
	})
	if meant, appended := strings.CutSuffix(target, "."+a.domain); appended && strings.Contains(meant, ".") {
		if textAt(ctx, r, meant, found) != nil {
			result = result.Fixed(check.Fix{Kind: "cname", Name: name, Value: meant, Old: safetext.Escape(target)})
		}
	}
	return result
}

// aliasOf asks where a name leads. Not every name server repeats the alias when it denies the target.
func aliasOf(ctx context.Context, r lookup.Resolver, name string) string {
	answer, err := r.Query(ctx, name, mdns.TypeCNAME)
	if err != nil {
		return ""
	}
	for _, cname := range wire.Records[*mdns.CNAME](answer) {
		return lookup.Lower(cname.Target)
	}
	return ""
}
