package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/secret"
	"postier/wizard"
)

// oauthFlags name the client for the sign-in by browser. They win over the vendor file; nothing is built in.
type oauthFlags struct{ clientID, tenant string }

func (a *app) oauthFlags(cmd *cobra.Command) *oauthFlags {
	f := &oauthFlags{}
	cmd.Flags().StringVar(&f.clientID, "oauth-client-id", "", a.T("oauth.setup.flag-client-id"))
	cmd.Flags().StringVar(&f.tenant, "oauth-tenant", "", a.T("oauth.setup.flag-tenant"))
	return f
}

// clients are the vendor's at each identity provider, and the one named by flags for whichever it will be.
func (a *app) clients(f oauthFlags) map[string]wizard.Client {
	out := map[string]wizard.Client{}
	if a.vendor != nil {
		for provider, c := range a.vendor.OAuth {
			out[provider] = wizard.Client{ID: c.ClientID, Tenant: c.Tenant}
		}
	}
	if f != (oauthFlags{}) {
		out[wizard.AnyProvider] = wizard.Client{ID: f.clientID, Tenant: f.tenant}
	}
	return out
}

// clientSecret is what the vendor file keeps for a client of its own. A client named by flag has none.
func (a *app) clientSecret(f oauthFlags) func(context.Context, string) (secret.Value, error) {
	return func(ctx context.Context, provider string) (secret.Value, error) {
		if a.vendor == nil || f.clientID != "" {
			return secret.Value{}, nil
		}
		path := a.vendor.OAuth[provider].SecretFile
		if path == "" {
			return secret.Value{}, nil
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return secret.Value{}, err
		}
		return a.resolveSecret(ctx, config.Credential{Kind: config.CredentialFile, Path: path})
	}
}
