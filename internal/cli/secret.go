package cli

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/tui/plain"
)

func (a *app) secretCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "secret", Short: a.T("cli.short.secret"), Args: a.noArgs, RunE: a.needSubcommand}
	show := false
	get := &cobra.Command{
		Use: "get PROFILE", Short: a.T("cli.short.secret-get"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.getSecret(cmd.Context(), args[0], show)
		},
	}
	get.Flags().BoolVar(&show, "show", false, a.T("cli.flag.show"))
	set := &cobra.Command{Use: "set PROFILE", Short: a.T("cli.short.secret-set"), Args: a.args(1, 1)}
	from := a.secretFlags(set)
	set.RunE = func(cmd *cobra.Command, args []string) error { return a.setSecret(cmd.Context(), args[0], from) }
	remove := &cobra.Command{
		Use: "remove PROFILE", Short: a.T("cli.short.secret-remove"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.removeSecret(cmd.Context(), args[0])
		},
	}
	cmd.AddCommand(get, set, remove)
	return cmd
}

// getSecret prints the secret for a program that reads it through a pipe. On a terminal it would stay in the
// scrollback.
func (a *app) getSecret(ctx context.Context, name string, show bool) error {
	if plain.IsTerminal(a.out) && !show {
		return a.Fault(exitUsage, "cli.error.secret-terminal")
	}
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	value, err := a.credentials(doc.Path).Resolve(ctx, name, p)
	if err != nil {
		return err
	}
	a.println(value.Reveal())
	return nil
}

// setSecret replaces the secret of a profile; the reference changes only when it was none that postier keeps.
func (a *app) setSecret(ctx context.Context, name string, from *secretFlags) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	value, err := from.read(ctx, a)
	if err != nil {
		return err
	}
	if value.Empty() {
		if from.named() {
			return a.Fault(exitData, "cli.error.password-empty")
		}
		if !plain.IsTerminal(a.in) {
			return a.Fault(exitUsage, "cli.error.secret-source")
		}
		if value, err = plain.ReadSecret(ctx, a.in, a.err, a.T("cli.secret.prompt", "name", name)); err != nil {
			return err
		}
	}
	kind := p.Credential.Kind
	if kind != config.CredentialKeyring {
		kind = config.CredentialFile
	}
	reference, err := credential.For(doc.Path).Put(ctx, name, kind, p.Credential.Type, value)
	if err != nil {
		return a.givenSecretError(err)
	}
	if reference.Kind == p.Credential.Kind && reference.Path == p.Credential.Path && reference.Name == p.Credential.Name {
		return nil
	}
	p.Credential = reference
	return doc.Save()
}

func (a *app) removeSecret(ctx context.Context, name string) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	return credential.For(doc.Path).Remove(ctx, name, p.Credential)
}
