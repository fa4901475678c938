package account

import (
	"postier/internal/oauth"
	"postier/internal/wire"
	"postier/presets"
)

// Endpoints returns the OAuth endpoints of a preset; ok is false when it has none that any program may use.
func Endpoints(p *presets.Provider) (o oauth.Provider, ok bool) {
	if p == nil || p.OAuth == nil || p.OAuth.Flow == presets.FlowPartners {
		return oauth.Provider{}, false
	}
	return oauth.Provider{
		Name: p.OAuth.Provider, AuthURL: p.OAuth.AuthURL, TokenURL: p.OAuth.TokenURL, DeviceURL: p.OAuth.DeviceURL,
		Scopes: p.OAuth.Scopes,
	}, true
}

// EndpointsNamed finds the endpoints of an identity provider: several presets may share one, as Outlook.com and
// Microsoft 365 do.
func EndpointsNamed(book *presets.Book, name string) (oauth.Provider, bool) {
	for _, entry := range book.All() {
		p, _ := book.Get(entry.ID)
		if o, ok := Endpoints(p); ok && o.Name == name {
			return o, true
		}
	}
	return oauth.Provider{}, false
}

// TokenSource returns a source of access tokens that asks only the endpoints named in the presets.
func TokenSource(network *wire.Network, book *presets.Book) *oauth.Source {
	return &oauth.Source{
		Client:   &oauth.Client{Network: network},
		Provider: func(name string) (oauth.Provider, bool) { return EndpointsNamed(book, name) },
	}
}
