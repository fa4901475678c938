package profile

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/tui/plain"
)

// NewSecret is `postier secret`.
func NewSecret(f *command.Factory) *cobra.Command {
	return f.Group("secret", "cli.short.secret", NewSecretGet(f, nil), NewSecretSet(f, nil),
		f.Leaf("remove PROFILE", "cli.short.secret-remove", 1, 1, func(ctx context.Context, args []string) error {
			doc, p, err := f.OwnProfile(args[0])
			if err != nil {
				return err
			}
			return credential.For(doc.Path).Remove(ctx, args[0], p.Credential)
		}))
}

// SecretGetOptions are the flags and arguments of `postier secret get`.
type SecretGetOptions struct {
	*command.Factory
	Name string
	Show bool
}

// NewSecretGet is `postier secret get`.
func NewSecretGet(f *command.Factory, run command.Run[*SecretGetOptions]) *cobra.Command {
	o := &SecretGetOptions{Factory: f}
	cmd := command.New(f, "get PROFILE", "cli.short.secret-get", o, run.Or(runSecretGet), &o.Name)
	cmd.Flags().BoolVar(&o.Show, "show", false, f.T("cli.flag.show"))
	return cmd
}

// runSecretGet prints the secret for a program that reads it through a pipe. On a terminal it would stay in the
// scrollback.
func runSecretGet(ctx context.Context, o *SecretGetOptions) error {
	if plain.IsTerminal(o.Out) && !o.Show {
		return o.Fault(exitcode.Usage, "cli.error.secret-terminal")
	}
	doc, p, err := o.OwnProfile(o.Name)
	if err != nil {
		return err
	}
	value, err := o.Credentials(doc.Path).Resolve(ctx, o.Name, p)
	if err != nil {
		return err
	}
	o.Raw(value.Reveal())
	return nil
}

// SecretSetOptions are the flags and arguments of `postier secret set`.
type SecretSetOptions struct {
	*command.Factory
	Name string
	From *command.SecretFlags
}

// NewSecretSet is `postier secret set`.
func NewSecretSet(f *command.Factory, run command.Run[*SecretSetOptions]) *cobra.Command {
	o := &SecretSetOptions{Factory: f}
	cmd := command.New(f, "set PROFILE", "cli.short.secret-set", o, run.Or(runSecretSet), &o.Name)
	o.From = f.SecretFlags(cmd)
	return cmd
}

// runSecretSet replaces the secret of a profile; the reference changes only when it was none that postier keeps.
func runSecretSet(ctx context.Context, o *SecretSetOptions) error {
	doc, p, err := o.Profile(o.Name)
	if err != nil {
		return err
	}
	if err := o.Own(o.Name, p); err != nil {
		// Who installs the product stores the platform's secret once; what is there is not replaced.
		if _, missing := credential.For(doc.Path).Resolve(ctx, o.Name, p); missing == nil {
			return err
		}
	}
	value, err := o.Secret(ctx, o.From)
	if err != nil {
		return err
	}
	if value.Empty() {
		if o.From.Named() {
			return o.Fault(exitcode.Data, "cli.error.password-empty")
		}
		if !plain.IsTerminal(o.In) {
			return o.Fault(exitcode.Usage, "cli.error.secret-source")
		}
		if value, err = plain.ReadSecret(ctx, o.In, o.Err, o.T("cli.secret.prompt", "name", o.Name)); err != nil {
			return err
		}
	}
	kind := p.Credential.Kind
	if kind != config.CredentialKeyring {
		kind = config.CredentialFile
	}
	reference, err := credential.For(doc.Path).Put(ctx, o.Name, kind, p.Credential.Type, value)
	if err != nil {
		return o.SecretError(err)
	}
	if reference.Kind == p.Credential.Kind && reference.Path == p.Credential.Path && reference.Name == p.Credential.Name {
		return nil
	}
	p.Credential = reference
	return doc.Save()
}
