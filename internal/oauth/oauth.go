// Package oauth signs a mailbox in through the provider's own web page, and renews the sign-in.
//
// It supports two flows, and both work over a plain SSH connection: the device flow (RFC 8628), where the person types
// a short code on any device, and the authorization code with PKCE (RFC 6749 §4.1, RFC 7636), where the person opens a
// long address anywhere and pastes the address that the browser ends on. The tokens are stored in a file of their own;
// see Store. Source renews an access token and writes the rotated refresh token to disk before it returns the new one.
//
// The package sends requests only to the endpoints it is given. They come from the providers' presets; nothing here
// reads an endpoint from a file, a server or a person (docs/security.md T16).
package oauth

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/internal/wire"
)

// Provider holds the endpoints of a provider's sign-in and the scopes to request.
type Provider struct {
	// Name is the identity provider's, as in credential.provider: microsoft, google.
	Name string
	// AuthURL is the page of the authorization code, TokenURL the token endpoint, DeviceURL the device authorization
	// endpoint. AuthURL or DeviceURL is empty if the provider does not offer that flow.
	AuthURL, TokenURL, DeviceURL string
	// Scopes are the fewest that mail needs. Scopes that make the big providers name the account are added; see traits.
	Scopes []string
}

// traits are facts about an identity provider in addition to its endpoints.
type traits struct {
	// label is the provider's name as the provider writes it.
	label string
	// identity are the scopes that name the signed-in account in an ID token (OpenID Connect Core §5.4).
	identity []string
	// pages are the domains of the provider's own device page, subdomains included.
	pages []string
	// params belong to the authorization request.
	params map[string]string
}

var known = map[string]traits{
	"microsoft": {
		label:    "Microsoft",
		identity: []string{"openid", "profile", "email"},
		pages:    []string{"microsoft.com", "microsoftonline.com", "live.com"},
	},
	"google": {
		label:    "Google",
		identity: []string{"openid", "email"},
		pages:    []string{"google.com"},
		// Google returns a refresh token only if both parameters are set.
		params: map[string]string{"access_type": "offline", "prompt": "consent"},
	},
	"yandex": {label: "Yandex", pages: []string{"yandex.com", "yandex.ru", "ya.ru"}},
}

func (p Provider) traits() traits { return known[p.Name] }

// scopes are the provider's own, plus those that name the account.
func (p Provider) scopes() []string {
	out := slices.Clone(p.Scopes)
	for _, scope := range p.traits().identity {
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// tenantShape is a directory's GUID, a domain, or one of Microsoft's words: no character that could change the path.
var tenantShape = pattern.Of(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// ForTenant returns the provider for one directory: Microsoft's endpoints carry it in their path, where "common" stands
// for any. An empty tenant returns the provider unchanged.
func (p Provider) ForTenant(tenant string) (Provider, error) {
	if tenant == "" {
		return p, nil
	}
	if !tenantShape().MatchString(tenant) || strings.Contains(tenant, "..") {
		return p, &Error{Problem: BadTenant, Provider: p.Name}
	}
	for _, u := range []*string{&p.AuthURL, &p.TokenURL, &p.DeviceURL} {
		*u = strings.Replace(*u, "/common/", "/"+tenant+"/", 1)
	}
	return p, nil
}

// Flow is one of the ways to sign in.
type Flow string

// The flows.
const (
	Device Flow = "device-code"
	Code   Flow = "authorization-code"
)

// Flows lists the ways that the provider has, the easier one first.
func (p Provider) Flows() []Flow {
	var flows []Flow
	if p.DeviceURL != "" {
		flows = append(flows, Device)
	}
	if p.AuthURL != "" {
		flows = append(flows, Code)
	}
	return flows
}

// Client sends the requests. Several goroutines may use it.
type Client struct {
	Network *wire.Network
	// AllowLoopbackHTTP allows endpoints at http://127.0.0.1 and http://[::1]; only tests with their own server set it.
	AllowLoopbackHTTP bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// wait sleeps; tests replace it.
	wait waiter
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// allowed reports whether requests may go to an endpoint: https, with only a host and a path.
func (c *Client) allowed(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || c.AllowLoopbackHTTP && u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// check refuses a provider that this client may not send requests to.
func (c *Client) check(p Provider) error {
	for _, endpoint := range []string{p.AuthURL, p.TokenURL, p.DeviceURL} {
		if endpoint != "" && !c.allowed(endpoint) || p.TokenURL == "" {
			return &Error{Problem: NotConfigured, Provider: p.Name, Server: hostOf(endpoint)}
		}
	}
	return nil
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	host := u.Host
	if name, port, err := net.SplitHostPort(host); err == nil && port == "443" {
		host = name
	}
	return safetext.Escape(host)
}

// config is the provider in the library's terms. It sends client id and secret in the form. If the library detected the
// style, it would send a request twice, and the device flow would count every second poll as too fast.
func (p Provider) config(id string, clientSecret secret.Value) *oauth2.Config {
	return &oauth2.Config{
		ClientID: id, ClientSecret: clientSecret.Reveal(), Scopes: p.scopes(),
		Endpoint: oauth2.Endpoint{
			AuthURL: p.AuthURL, TokenURL: p.TokenURL, DeviceAuthURL: p.DeviceURL, AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// Prompt is what the person is shown.
type Prompt struct {
	Flow Flow
	// URL is the page to open: short in the device flow, a few hundred characters long in the authorization code flow.
	URL string
	// Code is what to type there (device flow).
	Code string
	// Complete is URL with the code in it, for a QR code; empty where the provider gives none. The person still compares
	// Code.
	Complete string
	// Expires is when the prompt stops working.
	Expires time.Time
	// Redirect is the beginning of the address that the person pastes (authorization code).
	Redirect string
}

// QR is the text for a QR code, or "" if it would not fit on a screen.
func (p Prompt) QR() string {
	switch {
	case p.Flow != Device:
		return ""
	case p.Complete != "":
		return p.Complete
	}
	return p.URL
}

// Phase says what the program is doing while the person is in the browser.
type Phase string

// The phases.
const (
	Waiting Phase = "waiting" // for the person
	Slower  Phase = "slower"  // the provider asked for less frequent polls
	Offline Phase = "offline" // the provider cannot be reached just now
	Ailing  Phase = "ailing"  // the provider reports an internal error
	Saving  Phase = "saving"  // approved; the sign-in is being written
)

// State is the progress of a sign-in.
type State struct {
	Phase Phase
	// Remaining is how long the code stays valid.
	Remaining time.Duration
	// Next is the time until the next poll.
	Next time.Duration
}

// Text is the state as a sentence.
func (s State) Text() locale.Text {
	return locale.Msg("oauth.state."+string(s.Phase), "seconds", int(s.Remaining.Round(time.Second)/time.Second))
}

// Result is a finished sign-in; its tokens are in the file that the request named.
type Result struct {
	// Account is the account that the provider named, empty if it named none.
	Account safetext.Remote
	// Verified is true when Account is one of the requested accounts. If the provider named none, the first sign-in at the
	// mail server is the proof, because XOAUTH2 and OAUTHBEARER carry the user name with the token.
	Verified bool
	// Expires is when the access token expires; it is renewed automatically.
	Expires time.Time
	// Path of the token file.
	Path string
}
