package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"postier/internal/secret"
)

const (
	// pasteLife is how long the address to open stays valid; signing in with a second factor and copying takes minutes.
	pasteLife = 15 * time.Minute
	// maxPasted in octets; Microsoft's codes reach some 1,500.
	maxPasted = 8 << 10
	// The dynamic ports (RFC 6335 §6), of which one is picked for each sign-in: nothing listens there, neither here nor on
	// the person's own computer, so the browser stops and shows the address in its address bar.
	firstPort, ports = 49152, 16384
)

// authorization is the sign-in by code.
type authorization struct {
	verifier secret.Value // RFC 7636 §4.1
	state    string       // RFC 6749 §10.12
	nonce    string       // OpenID Connect Core §3.1.2.1
	redirect string
}

func (s *SignIn) beginCode() error {
	r := s.request
	a := &authorization{
		verifier: secret.New(oauth2.GenerateVerifier()), state: rand.Text(), nonce: rand.Text(),
		redirect: r.Redirect,
	}
	if a.redirect == "" {
		port, err := rand.Int(rand.Reader, big.NewInt(ports))
		if err != nil {
			return err
		}
		a.redirect = fmt.Sprintf("http://127.0.0.1:%d/", firstPort+port.Int64())
	}
	if u, err := url.Parse(a.redirect); err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) &&
		u.Hostname() != "localhost" {
		return &Error{Problem: NotConfigured, Provider: r.Provider.Name, Server: hostOf(a.redirect)}
	}
	conf := r.Provider.config(r.ClientID, r.ClientSecret)
	conf.RedirectURL = a.redirect
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier.Reveal())}
	t := r.Provider.traits()
	for name, value := range t.params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	if slices.Contains(conf.Scopes, "openid") {
		options = append(options, oauth2.SetAuthURLParam("nonce", a.nonce))
	} else {
		a.nonce = ""
	}
	if len(r.Accounts) > 0 && a.nonce != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", r.Accounts[0]))
	}
	s.code = a
	s.Prompt = Prompt{
		Flow: Code, URL: conf.AuthCodeURL(a.state, options...), Redirect: a.redirect, Expires: s.client.now().Add(pasteLife),
	}
	return nil
}

// exchange trades the pasted code for tokens.
func (s *SignIn) exchange(ctx context.Context, pasted secret.Value) (grant, error) {
	r := s.request
	code, err := s.code.read(pasted, r.Provider)
	if err != nil {
		return grant{}, err
	}
	conf := r.Provider.config(r.ClientID, r.ClientSecret)
	conf.RedirectURL = s.code.redirect
	got, err := s.client.token(ctx, r.Provider, func(ctx context.Context) (*oauth2.Token, error) {
		return conf.Exchange(ctx, code.Reveal(), oauth2.VerifierOption(s.code.verifier.Reveal()))
	}, code, s.code.verifier, r.ClientSecret)
	// here, invalid_grant means that the code is old, used or cut off
	if e := problemOf(err); e != nil && e.Problem == Expired {
		e.Problem = TimedOut
	}
	return got, err
}

// read finds the code in what was pasted: the whole address, the part after its question mark, or the code alone.
// Terminals and mail break long lines, so white space inside is ignored.
func (a *authorization) read(pasted secret.Value, p Provider) (secret.Value, error) {
	fail := func(problem Problem) (secret.Value, error) {
		return secret.Value{}, &Error{Problem: problem, Provider: p.Name}
	}
	text := strings.Join(strings.Fields(pasted.Reveal()), "")
	text = strings.Trim(text, `<>"'`)
	if text == "" || len(text) > maxPasted ||
		strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return fail(NotAnAddress)
	}
	query, whole := text, false
	if _, after, found := strings.Cut(text, "?"); found {
		query, whole = after, true
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return fail(NotAnAddress)
	}
	if values.Get("code") == "" && values.Get("error") == "" {
		// A code alone comes without a state; PKCE ties it to this sign-in instead (RFC 9700 §2.1.1).
		if whole || strings.Contains(text, "=") || strings.Contains(text, "://") {
			return fail(NotAnAddress)
		}
		return secret.New(text), nil
	}
	if subtle.ConstantTimeCompare([]byte(values.Get("state")), []byte(a.state)) != 1 {
		return fail(Foreign)
	}
	if code := values.Get("error"); code != "" {
		problem, known := verdicts[code]
		if !known || problem == pending || problem == slowDown {
			problem = Refused
		}
		k := call{sent: []secret.Value{a.verifier}}
		return secret.Value{}, &Error{
			Problem: problem, Provider: p.Name,
			Said: k.redact(code + ": " + values.Get("error_description")),
		}
	}
	return secret.New(values.Get("code")), nil
}
