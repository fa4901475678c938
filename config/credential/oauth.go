package credential

import (
	"context"
	"path/filepath"

	"postier/config"
	"postier/internal/secret"
)

// oauthSuffix sets a token file apart from a secret of the same profile.
const oauthSuffix = ".oauth.json"

// OAuthPath is the file that holds a profile's tokens, relative to the configuration's folder.
func OAuthPath(name string) string { return folder + "/" + name + oauthSuffix }

// OAuthReference is the reference of a profile that signs in by OAuth: with whom, in which directory (empty: any), and
// as which client.
func OAuthReference(name, provider, tenant, clientID string) config.Credential {
	return config.Credential{
		Kind: config.CredentialOAuth, Type: config.SecretOAuth, Path: OAuthPath(name),
		Provider: provider, Tenant: tenant, ClientID: clientID,
	}
}

// OAuthFile is the absolute path of a profile's token file: that of its reference, or the usual one.
func (s *Store) OAuthFile(name string, reference config.Credential) string {
	if reference.Path == "" {
		return s.path(OAuthPath(name))
	}
	return s.path(reference.Path)
}

// OAuthTokens is the TokenSource of a configuration. It finds the token file; Access reads and renews it. The two are
// apart because reading a configuration never touches the network.
type OAuthTokens struct {
	// Folder is the configuration's folder, absolute.
	Folder string
	// Access returns an access token that is good for some minutes, from the token file at an absolute path.
	Access func(ctx context.Context, path string, reference config.Credential) (secret.Value, error)
}

// Token implements TokenSource.
func (o OAuthTokens) Token(ctx context.Context, profile string, reference config.Credential) (secret.Value, error) {
	store := Store{Folder: filepath.Clean(o.Folder)}
	return o.Access(ctx, store.OAuthFile(profile, reference), reference)
}

var _ TokenSource = OAuthTokens{}
