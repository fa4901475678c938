package dns

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// maxPolicy is the size of a policy file that is read (RFC 8461 §3.3 suggests 64 KiB).
const maxPolicy = 64 << 10

// maxAge is the longest max_age in seconds (RFC 8461 §3.2).
const maxAge = 31557600

// mtaSTS judges the MTA-STS record and, when it may fetch it, the policy (RFC 8461).
func (a *area) mtaSTS(ctx context.Context, r lookup.Resolver, p published) diagnostics.Result {
	seen := MTASTS{Record: remote(p.Value), ID: remote(p.fields["id"]), TTLSeconds: seconds(p.TTL)}
	if !p.wellFormed || !alphanumeric(p.fields["id"], 32) {
		return diagnostics.Warned(check.CauseMTASTSMalformed, seen)
	}
	if a.opts.HTTP == nil {
		return diagnostics.Skipped(check.CauseNotApplicable, seen, Note{"policy-not-fetched"})
	}
	policy, err := a.fetchSTS(ctx)
	if err != nil {
		return diagnostics.Warned(check.CauseMTASTSPolicy, seen).With(check.Params{Problem: remote(err.Error())})
	}
	seen.Mode, seen.MaxAge, seen.MX = policy.mode, &policy.maxAge, safetext.FromRemotes(policy.mx)
	return a.judgeSTS(ctx, r, policy, seen)
}

func (a *area) judgeSTS(ctx context.Context, r lookup.Resolver, policy stsPolicy,
	seen MTASTS,
) diagnostics.Result {
	if policy.mode == "none" {
		return diagnostics.Passed(seen)
	}
	answer, err := r.Query(ctx, a.domain, mdns.TypeMX)
	if lookup.Temporary(err) {
		return unanswered(err, seen)
	}
	for _, mx := range wire.Records[*mdns.MX](answer) {
		if !policy.covers(lookup.Lower(mx.Mx)) {
			result := diagnostics.Warned(check.CauseMTASTSPolicy, seen)
			if policy.mode == "enforce" { // senders that honour the policy refuse to deliver there
				result.Status = check.Fail
			}
			return result.With(check.Params{Problem: remote("mx " + lookup.Lower(mx.Mx))})
		}
	}
	return diagnostics.Passed(seen)
}

type stsPolicy struct {
	mode   string
	maxAge int
	mx     []string
}

// covers reports whether the policy allows a host (RFC 8461 §4.1). A pattern is a name, or "*." and a name, which
// matches exactly one more label.
func (p stsPolicy) covers(host string) bool {
	for _, pattern := range p.mx {
		pattern = lookup.Lower(pattern)
		if pattern == host {
			return true
		}
		if parent, wild := strings.CutPrefix(pattern, "*."); wild {
			if _, rest, found := strings.Cut(host, "."); found && rest == parent {
				return true
			}
		}
	}
	return false
}

// fetchSTS reads the policy file. Redirects are not followed (RFC 8461 §3.3).
func (a *area) fetchSTS(ctx context.Context) (stsPolicy, error) {
	client := *a.opts.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mta-sts."+a.domain+"/.well-known/mta-sts.txt",
		nil)
	if err != nil {
		return stsPolicy{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return stsPolicy{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return stsPolicy{}, fmt.Errorf("http status %d", response.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/plain" {
		return stsPolicy{}, errors.New("content type is not text/plain")
	}
	body, err := wire.ReadBody(response.Body, maxPolicy)
	switch {
	case errors.As(err, new(*wire.LimitError)):
		return stsPolicy{}, errors.New("larger than 64 KiB")
	case err != nil:
		return stsPolicy{}, err
	}
	return parseSTS(string(body))
}

// parseSTS reads "key: value" lines (RFC 8461 §3.2). Of a repeated key the first counts, except for mx, which may be
// repeated.
func parseSTS(body string) (stsPolicy, error) {
	var p stsPolicy
	seen := map[string]string{}
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimRight(line, "\r \t")
		if line == "" {
			continue
		}
		key, value, found := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !found {
			return p, errors.New("a line is not key: value")
		}
		if key == "mx" {
			p.mx = append(p.mx, value)
		} else if _, twice := seen[key]; !twice {
			seen[key] = value
		}
	}
	age, err := strconv.Atoi(seen["max_age"])
	p.mode, p.maxAge = seen["mode"], age
	switch {
	case seen["version"] != "STSv1":
		return p, errors.New("version is not STSv1")
	case p.mode != "enforce" && p.mode != "testing" && p.mode != "none":
		return p, errors.New("mode is not enforce, testing or none")
	case err != nil || age < 0 || age > maxAge:
		return p, errors.New("max_age is not a number of seconds up to a year")
	case len(p.mx) == 0 && p.mode != "none":
		return p, errors.New("no mx")
	}
	return p, nil
}

func alphanumeric(s string, limit int) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= limit
}
