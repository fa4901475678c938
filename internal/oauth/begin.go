package oauth

import (
	"context"
	"slices"
	"sync/atomic"

	"postier/internal/secret"
)

// Request describes a sign-in to start.
type Request struct {
	Provider Provider
	// Tenant is Microsoft's directory; empty means any.
	Tenant string
	// Flow is the flow to use; empty means the provider's first one.
	Flow Flow
	// ClientID identifies the program to the provider. It comes from the vendor file or from a flag; none is built in.
	ClientID string
	// ClientSecret belongs to clients that have one. In an installed program it is not a secret (RFC 8252 §8.5), but some
	// providers require it.
	ClientSecret secret.Value
	// Accounts are the names of the mailbox: the typed address first, then its user name if that differs.
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

	got atomic.Pointer[grant] // approved and not yet written
}

// Begin starts a sign-in: it makes sure that the tokens can be stored, and then asks the provider for a code or builds
// the address to open. If the provider does not answer, it tries a few more times. The error is an *Error or the
// context's own.
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
	// The person should not approve a sign-in that cannot be stored.
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

// Wait polls the provider until the person has approved on the other device, and stores the sign-in. progress may be
// nil; it is called from this goroutine. If the file could not be written, Wait may be called again: the approval is
// not lost.
func (s *SignIn) Wait(ctx context.Context, progress func(State)) (Result, error) {
	if progress == nil {
		progress = func(State) {}
	}
	if s.got.Load() == nil {
		if s.device == nil {
			return Result{}, &Error{Problem: NotConfigured, Provider: s.request.Provider.Name}
		}
		got, err := s.poll(ctx, progress)
		if err != nil {
			return Result{}, err
		}
		s.got.Store(&got)
	}
	progress(State{Phase: Saving})
	return s.finish("")
}

// Paste takes the address that the browser ended on, or the code alone, and stores the sign-in. If Again of the error
// is true, the person can paste once more. If the file could not be written, Paste may be called again with any text.
func (s *SignIn) Paste(ctx context.Context, pasted secret.Value) (Result, error) {
	if s.code == nil {
		return Result{}, &Error{Problem: NotConfigured, Provider: s.request.Provider.Name}
	}
	if s.got.Load() == nil {
		got, err := s.exchange(ctx, pasted)
		if err != nil {
			return Result{}, err
		}
		s.got.Store(&got)
	}
	return s.finish(s.code.nonce)
}

// finish checks the grant and writes it. It drops a grant that is of no use, and keeps one that was valid but could not
// be written.
func (s *SignIn) finish(nonce string) (Result, error) {
	g, r := *s.got.Load(), s.request
	drop := func(err error) (Result, error) {
		s.got.Store(nil)
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
