package oauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	// requestDeadline bounds one request: these endpoints answer in well under a second, and a person or a queue is
	// waiting.
	requestDeadline = 20 * time.Second
	// maxAnswer in octets; token answers with an ID token stay below 10 KiB.
	maxAnswer = 64 << 10
	// maxSaid in characters of a provider's description; Microsoft's fill some lines with trace numbers.
	maxSaid = 300
	// maxRetryAfter caps the wait that a server asks for, because the person's code expires in the meantime.
	maxRetryAfter = 30 * time.Second
)

// errRedirect says that a token endpoint redirected the request. A redirect would pass on the secrets in the form (RFC
// 9700 §4.12).
var errRedirect = errors.New("the server answered with a redirect")

// call is one request to an endpoint. It records the answer's details that the library does not return, and the secrets
// that must not appear in an error.
type call struct {
	client   *Client
	provider Provider
	endpoint string
	ctx      context.Context
	// sent are the secrets of the request, which are removed from the answer's text.
	sent []secret.Value

	status     int
	retryAfter time.Duration
}

func (c *Client) call(ctx context.Context, p Provider, endpoint string, sent ...secret.Value) (*call, context.Context,
	context.CancelFunc,
) {
	limit := requestDeadline
	if c.Network.Timeout > 0 && c.Network.Timeout < limit {
		limit = c.Network.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	k := &call{client: c, provider: p, endpoint: endpoint, ctx: ctx, sent: sent}
	// The library takes its HTTP client from the context.
	return k, context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: k}), cancel
}

// RoundTrip implements http.RoundTripper: it allows requests only to the provider's endpoint, refuses redirects, and
// caps the size of answers.
func (k *call) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.String() != k.endpoint || !k.client.allowed(k.endpoint) {
		return nil, wire.ErrAddressRefused
	}
	transport := k.client.Network.HTTPS()
	transport.DisableCompression = true // so that the cap on octets received also caps the octets read
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	// The library's device request carries no context of its own.
	response, err := transport.RoundTrip(request.WithContext(k.ctx))
	if err != nil {
		return nil, err
	}
	body, err := wire.ReadBody(response.Body, maxAnswer)
	_ = response.Body.Close()
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return nil, errRedirect
	}
	k.status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		k.retryAfter = min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// fail converts an error of the library to an *Error. It keeps nothing of the library's error, which quotes whole
// answers.
func (k *call) fail(parent context.Context, err error) error {
	if cancelled := parent.Err(); cancelled != nil {
		return cancelled
	}
	e := &Error{Provider: k.provider.Name, Server: hostOf(k.endpoint)}
	var answered *oauth2.RetrieveError
	var limit *wire.LimitError
	var transport *url.Error
	switch {
	case errors.As(err, &answered):
		k.judge(e, answered)
	case errors.Is(err, errRedirect):
		e.Problem, e.Err = BadAnswer, errRedirect
	case errors.As(err, &limit):
		e.Problem, e.Err = BadAnswer, limit
	case errors.As(err, &transport):
		fault := wire.Classify(transport.Err)
		e.Problem, e.Kind = Unreachable, fault.Kind
		e.Said = k.redact(fault.Text.Raw())
	default: // an answer with status 200 that is no token
		e.Problem = BadAnswer
	}
	return e
}

// redact removes the secrets that were sent from a server's words, and cuts the words to a length that fits on a
// screen.
func (k *call) redact(text string) safetext.Remote {
	for _, s := range k.sent {
		text = s.Redact(text)
	}
	runes := []rune(text)
	if len(runes) > maxSaid {
		text = string(runes[:maxSaid]) + "…"
	}
	return safetext.FromRemote(text)
}

// verdicts are the error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5 and OpenID Connect Core §3.1.2.6, and those
// that Microsoft's token endpoint uses in their place.
var verdicts = map[string]Problem{
	"authorization_pending":     pending,
	"slow_down":                 slowDown,
	"access_denied":             Denied,
	"authorization_declined":    Denied,
	"expired_token":             TimedOut,
	"code_expired":              TimedOut,
	"bad_verification_code":     TimedOut,
	"invalid_grant":             Expired,
	"interaction_required":      Expired,
	"login_required":            Expired,
	"consent_required":          NeedsConsent,
	"invalid_client":            ClientRefused,
	"unauthorized_client":       ClientRefused,
	"unsupported_grant_type":    ClientRefused,
	"unsupported_response_type": ClientRefused,
	"deleted_client":            ClientRefused,
	"org_internal":              Blocked,
	"admin_policy_enforced":     Blocked,
	"disallowed_useragent":      Blocked,
	"invalid_scope":             ScopeMissing,
	"invalid_resource":          ScopeMissing,
	"server_error":              Ill,
	"temporarily_unavailable":   Ill,
}

// pending and slowDown do not end a sign-in; they stay inside the package.
const (
	pending  Problem = "pending"
	slowDown Problem = "slow_down"
)

// numbers are Microsoft's own error numbers, which say more than the error code.
var numbers = []struct {
	number  string
	problem Problem
}{
	{"AADSTS65001", NeedsConsent},    // no one has consented to this program yet
	{"AADSTS90094", NeedsConsent},    // only an administrator may consent
	{"AADSTS53003", Blocked},         // conditional access
	{"AADSTS53000", Blocked},         // the device is not managed
	{"AADSTS530032", Blocked},        // blocked by a security policy
	{"AADSTS50105", Blocked},         // the account is not assigned to the program
	{"AADSTS700016", ClientRefused},  // no such program in this directory
	{"AADSTS7000218", ClientRefused}, // the registration does not allow public clients
	{"AADSTS700082", Expired},        // unused for too long
	{"AADSTS50173", Expired},         // the password was changed
}

// maxCode in octets of an error code.
const maxCode = 64

func (k *call) judge(e *Error, answered *oauth2.RetrieveError) {
	code, description := answered.ErrorCode, answered.ErrorDescription
	if code == "" && answered.Response != nil && answered.Response.StatusCode == http.StatusOK {
		e.Problem = BadAnswer
		return
	}
	said := code
	if len(said) > maxCode {
		said = said[:maxCode]
	}
	if description != "" {
		said += ": " + description
	}
	e.Said = k.redact(said)
	problem, named := verdicts[code]
	if strings.HasPrefix(description, "AADSTS") {
		number, _, _ := strings.Cut(description, ":")
		for _, row := range numbers {
			if row.number == number {
				e.Problem = row.problem
				return
			}
		}
	}
	switch {
	case named && problem == Ill, k.status >= 500, k.status == http.StatusTooManyRequests && !named:
		e.Problem = Ill
	case named:
		e.Problem = problem
	case code != "":
		e.Problem = Refused
	default: // an error without a code does not come from an authorization server: a gateway's page, a wrong path
		e.Problem = BadAnswer
		if media, _, _ := mime.ParseMediaType(answered.Response.Header.Get("Content-Type")); media != "" {
			e.Said = k.redact(answered.Response.Status + ", " + media)
		}
	}
}

// grant is what a token endpoint returned.
type grant struct {
	access, refresh secret.Value
	expires         time.Time
	scopes          []string // empty if the server named none: then they are the requested ones (RFC 6749 §5.1)
	idToken         string
}

// defaultLife of an access token is used if the server names none (RFC 6749 §5.1 only recommends it); most give an
// hour.
const defaultLife = 30 * time.Minute

// maxToken in octets; no consumer accepts more than credential.MaxSecret.
const maxToken = 16 << 10

// token asks a provider's token endpoint, a few times if it must. sent are the secrets of the request.
func (c *Client) token(ctx context.Context, p Provider, ask func(context.Context) (*oauth2.Token, error),
	sent ...secret.Value,
) (got grant, err error) {
	err = c.retry(ctx, func() error {
		call, ctxCall, cancel := c.call(ctx, p, p.TokenURL, sent...)
		defer cancel()
		token, err := ask(ctxCall)
		if err != nil {
			return call.fail(ctx, err)
		}
		got, err = call.grant(token)
		return err
	})
	return got, err
}

// grant reads the library's token.
func (k *call) grant(token *oauth2.Token) (grant, error) {
	bad := &Error{Problem: BadAnswer, Provider: k.provider.Name, Server: hostOf(k.endpoint)}
	if !strings.EqualFold(token.Type(), "Bearer") {
		return grant{}, bad
	}
	for _, value := range []string{token.AccessToken, token.RefreshToken} {
		if len(value) > maxToken || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return grant{}, bad // RFC 6749 §A.12, §A.17: visible ASCII
		}
	}
	life := defaultLife
	if !token.Expiry.IsZero() {
		life = time.Until(token.Expiry)
	}
	g := grant{
		access: secret.New(token.AccessToken), refresh: secret.New(token.RefreshToken),
		expires: k.client.now().Add(life).UTC().Truncate(time.Second),
	}
	if scope, ok := token.Extra("scope").(string); ok {
		g.scopes = strings.Fields(scope)
	}
	g.idToken, _ = token.Extra("id_token").(string)
	return g, nil
}

// shaping are the scopes whose effect shows in the answer itself, as a refresh token or an ID token (OpenID Connect
// Core §5.4, §11).
var shaping = []string{"offline_access", "openid", "email", "profile"}

// covers refuses a grant that leaves out a scope that mail needs. Providers return scopes in other letter case, and
// without those that only shape the answer.
func (g grant) covers(p Provider) error {
	if len(g.scopes) == 0 {
		return nil
	}
	for _, scope := range p.Scopes {
		if slices.Contains(shaping, scope) {
			continue
		}
		if !slices.ContainsFunc(g.scopes, func(got string) bool { return strings.EqualFold(got, scope) }) {
			return &Error{Problem: ScopeMissing, Provider: p.Name, Server: hostOf(p.TokenURL)}
		}
	}
	return nil
}
