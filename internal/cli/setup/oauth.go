package setup

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/secret"
	"postier/wizard"
)

// ClientFlags name the client for the sign-in by browser. They win over the vendor file; nothing is built in.
type ClientFlags struct{ ID, Tenant string }

func (c *ClientFlags) bind(f *command.Factory, cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.ID, "oauth-client-id", "", f.T("oauth.setup.flag-client-id"))
	cmd.Flags().StringVar(&c.Tenant, "oauth-tenant", "", f.T("oauth.setup.flag-tenant"))
}

// clients are the vendor's at each identity provider, and the one named by flags for whichever it will be.
func (c ClientFlags) clients(f *command.Factory) map[string]wizard.Client {
	out := map[string]wizard.Client{}
	if f.Vendor != nil {
		for provider, known := range f.Vendor.OAuth {
			out[provider] = wizard.Client{ID: known.ClientID, Tenant: known.Tenant}
		}
	}
	if c != (ClientFlags{}) {
		out[wizard.AnyProvider] = wizard.Client(c)
	}
	return out
}

// secret is what the vendor file keeps for a client of its own. A client named by flag has none.
func (c ClientFlags) secret(f *command.Factory) func(context.Context, string) (secret.Value, error) {
	return func(ctx context.Context, provider string) (secret.Value, error) {
		if f.Vendor == nil || c.ID != "" || f.Vendor.OAuth[provider].SecretFile == "" {
			return secret.Value{}, nil
		}
		path, err := filepath.Abs(f.Vendor.OAuth[provider].SecretFile)
		if err != nil {
			return secret.Value{}, err
		}
		return f.Resolve(ctx, config.Credential{Kind: config.CredentialFile, Path: path})
	}
}
