package oauth

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"postier/internal/secret"
)

// early is how long before its expiry an access token is renewed, so that it outlives a slow session with a large
// message.
const early = 5 * time.Minute

// Source returns access tokens for existing sign-ins. Several goroutines and processes may use it at once.
type Source struct {
	Client *Client
	// Provider knows the endpoints by the name of the identity provider; see Provider.Name.
	Provider func(name string) (Provider, bool)
}

// Access is an access token.
type Access struct {
	Token   secret.Value
	Expires time.Time
	// Account is the mailbox that was signed in, empty if the provider did not name it.
	Account string
}

// Access returns a token that is valid for at least a few minutes. It uses the stored one while that lasts; otherwise
// it renews it, and writes what the provider returned to disk first. The error is an *Error or the context's own.
func (s *Source) Access(ctx context.Context, r Reference) (Access, error) {
	kept, err := (Store{Path: r.Path}).read()
	if err == nil && kept.fits(r) && s.lasts(kept) {
		return kept.give(), nil
	}
	return s.renew(ctx, r, false)
}

// Renew requests a new token even if the stored one is still valid: because a server refused it, or to find out whether
// the sign-in still works.
func (s *Source) Renew(ctx context.Context, r Reference) (Access, error) {
	return s.renew(ctx, r, true)
}

func (s *Source) lasts(kept record) bool {
	return !kept.access.Empty() && kept.expires.Sub(s.Client.now()) > early
}

func (r record) give() Access { return Access{Token: r.access, Expires: r.expires, Account: r.account} }

func (s *Source) renew(ctx context.Context, r Reference, always bool) (Access, error) {
	store := Store{Path: r.Path}
	named := func(err error) (Access, error) {
		var e *Error
		if errors.As(err, &e) && e.Provider == "" {
			e.Provider = r.Provider
		}
		return Access{}, err
	}
	before, err := store.read() // before the lock: without a sign-in there is nothing to lock
	if err != nil {
		return named(err)
	}
	p, err := s.provider(r)
	if err != nil {
		return Access{}, err
	}
	unlock, err := store.lock(ctx)
	if err != nil {
		return named(err)
	}
	defer unlock()
	kept, err := store.read()
	if err != nil {
		return named(err)
	}
	if !kept.fits(r) {
		return named(&Error{Problem: NotSignedIn})
	}
	// Another process may have renewed the sign-in while we waited for the lock; its token is as good as a new one.
	if s.lasts(kept) && (!always || !kept.access.Equal(before.access)) {
		return kept.give(), nil
	}
	// A rotated token that cannot be written is lost, and with it the sign-in. So first make sure that the file can be
	// written.
	if err := store.Probe(); err != nil {
		return named(err)
	}
	got, err := s.Client.refresh(ctx, p, kept)
	if err != nil {
		return Access{}, err
	}
	kept.access, kept.expires = got.access, got.expires
	if !got.refresh.Empty() {
		kept.refresh = got.refresh
	}
	if err := store.write(kept); err != nil {
		return named(err)
	}
	return kept.give(), nil
}

func (s *Source) provider(r Reference) (Provider, error) {
	p, ok := s.Provider(r.Provider)
	if !ok || r.ClientID == "" {
		return Provider{}, &Error{Problem: NotConfigured, Provider: r.Provider}
	}
	p, err := p.ForTenant(r.Tenant)
	if err != nil {
		return Provider{}, err
	}
	return p, s.Client.check(p)
}

// refresh is RFC 6749 §6. The scopes stay those that were granted.
func (c *Client) refresh(ctx context.Context, p Provider, kept record) (grant, error) {
	conf := p.config(kept.ClientID, kept.clientSecret)
	got, err := c.token(ctx, p, func(ctx context.Context) (*oauth2.Token, error) {
		return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: kept.refresh.Reveal()}).Token()
	}, kept.refresh, kept.access, kept.clientSecret)
	if e := problemOf(err); e != nil && e.Problem == Denied { // no one was asked here, so the sign-in was revoked
		e.Problem = Expired
	}
	return got, err
}
