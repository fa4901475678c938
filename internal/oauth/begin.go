package oauth

import (
	"context"
	"slices"
	"sync"

	"postier/internal/secret"
)

// Request is a sign-in that is to begin.
type Request struct {
	Provider Provider
	// Tenant is Microsoft's directory; empty means any.
	Tenant string
	// Flow is the way; empty means the first of the provider's own.
	Flow Flow
	// ClientID identifies the program to the provider. It comes from the vendor file or from a flag; none is built in.
	ClientID string
	// ClientSecret belongs to clients that have one. In a program that people install it is no secret (RFC 8252 §8.5), but
	// some providers want to see it.
	ClientSecret secret.Value
	// Accounts are the names of the mailbox: the typed address first, then its user name where that is another one.
	Accounts []string
	// Redirect overrides the address that the browser is sent to (authorization code); it must be loopback.
	Redirect string
	// Path of the token file, absolute.
	Path string
}

// SignIn is a sign-in under way. One goroutine uses it.
type SignIn struct {
	Prompt Prompt

	client  *Client
	request Request
	device  *device
	code    *authorization

	mu  sync.Mutex
	got *grant // approved and not yet written
}

// Begin starts a sign-in: it proves that the tokens can be kept, and then asks the provider for a code, or makes the
// address to open. A provider that does not answer is asked again a few times. The error is an *Error or the context's
// own.
func (c *Client) Begin(ctx context.Context, r Request) (*SignIn, error) {
	var err error
	if r.Provider, err = r.Provider.ForTenant(r.Tenant); err != nil {
		return nil, err
	}
	flows := r.Provider.Flows()
	if r.Flow == "" && len(flows) > 0 {
		r.Flow = flows[0]
	}
	if r.ClientID == "" || !slices.Contains(flows, r.Flow) {
		return nil, &Error{Problem: NotConfigured, Provider: r.Provider.Name}
	}
	if err := c.check(r.Provider); err != nil {
		return nil, err
	}
	// Nobody should approve a sign-in that cannot be kept.
	if err := (Store{Path: r.Path}).Probe(); err != nil {
		return nil, err
	}
	s := &SignIn{client: c, request: r}
	if r.Flow == Device {
		err = s.beginDevice(ctx)
	} else {
		err = s.beginCode()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Wait asks the provider until the person has approved on the other device, and keeps the sign-in. progress may be nil;
// it is called from this goroutine. After a failure to write the file it may be called again: the approval is not lost.
func (s *SignIn) Wait(ctx context.Context, progress func(State)) (Result, error) {
	if progress == nil {
		progress = func(State) {}
	}
	if s.pending() == nil {
		if s.device == nil {
			return Result{}, &Error{Problem: NotConfigured, Provider: s.request.Provider.Name}
		}
		got, err := s.poll(ctx, progress)
		if err != nil {
			return Result{}, err
		}
		s.keep(got)
	}
	progress(State{Phase: Saving})
	return s.finish("")
}

// Paste takes the address that the browser ended on, or the code alone, and keeps the sign-in. When Again of the error
// is true the person can paste once more. After a failure to write the file it may be called again with anything.
func (s *SignIn) Paste(ctx context.Context, pasted secret.Value) (Result, error) {
	if s.code == nil {
		return Result{}, &Error{Problem: NotConfigured, Provider: s.request.Provider.Name}
	}
	if s.pending() == nil {
		got, err := s.exchange(ctx, pasted)
		if err != nil {
			return Result{}, err
		}
		s.keep(got)
	}
	return s.finish(s.code.nonce)
}

func (s *SignIn) pending() *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func (s *SignIn) keep(g grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = &g
}

// finish judges what was granted and writes it. A grant that is of no use is dropped; one that only could not be
// written stays.
func (s *SignIn) finish(nonce string) (Result, error) {
	g, r := *s.pending(), s.request
	drop := func(err error) (Result, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = nil
		return Result{}, err
	}
	if err := g.covers(r.Provider); err != nil {
		return drop(err)
	}
	if g.refresh.Empty() {
		return drop(&Error{Problem: NoRefresh, Provider: r.Provider.Name, Server: hostOf(r.Provider.TokenURL)})
	}
	account, err := g.account(r, nonce)
	if err != nil {
		return drop(err)
	}
	verified := !account.Empty()
	kept := record{
		Reference: Reference{Provider: r.Provider.Name, Tenant: r.Tenant, ClientID: r.ClientID}, clientSecret: r.ClientSecret,
		account: account.Raw(), access: g.access, refresh: g.refresh, expires: g.expires,
	}
	if err := (Store{Path: r.Path}).write(kept); err != nil {
		return Result{}, err
	}
	return Result{Account: account, Verified: verified, Expires: g.expires, Path: r.Path}, nil
}
