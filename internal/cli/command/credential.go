package command

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/account"
	"postier/internal/exitcode"
	"postier/internal/oauth"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// SecretFlags name a secret without putting it on the command line.
type SecretFlags struct {
	// Given is a secret that was fetched already; no flag sets it.
	Given   secret.Value
	stdin   bool
	file    string
	command []string
}

// SecretFlags gives a command the flags that name a secret.
func (p *Printer) SecretFlags(cmd *cobra.Command) *SecretFlags {
	s := &SecretFlags{}
	cmd.Flags().BoolVar(&s.stdin, "password-stdin", false, p.T("cli.flag.password-stdin"))
	cmd.Flags().StringVar(&s.file, "password-file", "", p.T("cli.flag.password-file"))
	cmd.Flags().StringArrayVar(&s.command, "password-command", nil, p.T("cli.flag.password-command"))
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-file", "password-command")
	return s
}

// Named reports whether a flag names a secret.
func (s *SecretFlags) Named() bool {
	return s != nil && (!s.Given.Empty() || s.stdin || s.file != "" || len(s.command) > 0)
}

// Secret fetches the secret that the flags name; it is empty when none does.
func (f *Factory) Secret(ctx context.Context, from *SecretFlags) (secret.Value, error) {
	switch {
	case !from.Named():
		return secret.Value{}, nil
	case !from.Given.Empty():
		return from.Given, nil
	case from.stdin:
		const most = 8 << 10 // a secret is at most 4 KiB; more is no secret
		data, err := io.ReadAll(io.LimitReader(f.In, most))
		if err != nil {
			return secret.Value{}, err
		}
		return secret.New(oneLineEnd(string(data))), nil
	case from.file != "":
		path, err := filepath.Abs(from.file)
		if err != nil {
			return secret.Value{}, err
		}
		return f.Resolve(ctx, config.Credential{Kind: config.CredentialFile, Path: path})
	}
	argv := from.command
	if len(argv) == 1 {
		argv = strings.Fields(argv[0])
	}
	if text := config.ValidateCommand(argv); !text.Empty() {
		return secret.Value{}, f.DataOf("--password-command", text)
	}
	return f.Resolve(ctx, config.Credential{Kind: config.CredentialCommand, Command: argv})
}

// oneLineEnd removes one line end, as the credential store does.
func oneLineEnd(s string) string {
	if cut, ok := strings.CutSuffix(s, "\r\n"); ok {
		return cut
	}
	return strings.TrimSuffix(s, "\n")
}

// Resolve fetches the secret of a reference that belongs to no profile.
func (f *Factory) Resolve(ctx context.Context, reference config.Credential) (secret.Value, error) {
	path, _ := f.ConfigPath()
	value, err := credential.For(path).Resolve(ctx, "flags", &config.Profile{Credential: reference})
	if err != nil {
		return secret.Value{}, f.SecretError(err)
	}
	return value, nil
}

// SecretError explains what is wrong with a secret that was given by a flag. It belongs to no profile yet, so that the
// sentences about saved secrets would mislead. Other errors are returned unchanged.
func (p *Printer) SecretError(err error) error {
	var broken *credential.Error
	if !errors.As(err, &broken) {
		return err
	}
	where := safetext.FromRemote(broken.Where)
	switch broken.Problem {
	case credential.Empty:
		return p.Fault(exitcode.Data, "cli.error.password-empty")
	case credential.TooLong:
		return p.Fault(exitcode.Data, "cli.error.password-long", "max", credential.MaxSecret)
	case credential.Malformed:
		return p.Fault(exitcode.Data, "cli.error.password-malformed")
	case credential.Missing:
		return p.Fault(exitcode.IO, "cli.error.password-missing", "where", where)
	case credential.Exited, credential.NotStarted, credential.TimedOut:
		return p.Fault(exitcode.IO, "cli.error.password-program", "where", where)
	}
	return err
}

// Credentials is the store of a configuration, including its access tokens. The network is made when the first token is
// needed.
func (f *Factory) Credentials(configPath string) *credential.Store {
	store := credential.For(configPath)
	store.OAuth = credential.OAuthTokens{
		Folder: store.Folder,
		Access: func(ctx context.Context, path string, reference config.Credential) (secret.Value, error) {
			source, err := f.Tokens()
			if err != nil {
				return secret.Value{}, err
			}
			access, err := source.Access(ctx, TokenReference(path, reference))
			return access.Token, err
		},
	}
	return store
}

// Tokens gives access tokens by the endpoints of the providers' presets, and by no others.
func (f *Factory) Tokens() (*oauth.Source, error) {
	network, err := f.Network()
	if err != nil {
		return nil, err
	}
	return account.TokenSource(network, f.Book()), nil
}

// TokenReference is a saved credential as the token source knows it.
func TokenReference(path string, c config.Credential) oauth.Reference {
	return oauth.Reference{Path: path, Provider: c.Provider, Tenant: c.Tenant, ClientID: c.ClientID}
}
