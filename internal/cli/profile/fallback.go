package profile

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
)

// FallbackOptions are the flags and arguments of `postier profile fallback`.
type FallbackOptions struct {
	*command.Factory
	Name string
	None bool
}

// NewFallback is `postier profile fallback`.
func NewFallback(f *command.Factory, run command.Run[*FallbackOptions]) *cobra.Command {
	o := &FallbackOptions{Factory: f}
	cmd := f.Leaf("fallback [PROFILE]", "cli.short.profile-fallback", 0, 1,
		func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				o.Name = args[0]
			}
			return run.Or(runFallback)(ctx, o)
		})
	cmd.Flags().BoolVar(&o.None, "none", false, f.T("cli.flag.fallback-none"))
	return cmd
}

func runFallback(ctx context.Context, o *FallbackOptions) error {
	if (o.Name == "") != o.None {
		return command.Usage(o.T("cli.error.fallback"))
	}
	doc, err := o.Document()
	if err != nil {
		return err
	}
	if err := SetFallback(ctx, o.Factory, doc, o.Name); err != nil {
		return err
	}
	if o.JSON {
		return nil
	}
	if o.None {
		o.Println(o.T("cli.profile.no-fallback"))
		return nil
	}
	o.Println(o.T("cli.profile.fallback-set", "name", o.Name))
	if o.Name == doc.File.Default {
		o.Note(o.T("cli.profile.fallback-default", "name", o.Name))
	}
	return nil
}

// SetFallback makes a profile the fallback and saves that; without a name there is none any more. The secret is read
// first: a fallback is needed when no one is there to see that it cannot sign in.
func SetFallback(ctx context.Context, f *command.Factory, doc *config.Document, name string) error {
	if err := doc.SetFallback(name); err != nil {
		return err
	}
	if p := doc.File.Profiles[name]; p != nil && readableHere(p.Credential.Kind) {
		var broken *credential.Error
		if _, err := credential.For(doc.Path).Resolve(ctx, name, p); errors.As(err, &broken) {
			return f.Fault(exitcode.Config, "cli.profile.fallback-secret", "name", name, "reason", f.Say(broken.Text()))
		} else if err != nil {
			return err
		}
	}
	return doc.Save()
}

// readableHere reports whether a secret of this kind is the same for every process of the user: what systemd or an
// environment gives is known to the sending process alone, and a sign-in by browser to its provider.
func readableHere(kind config.CredentialKind) bool {
	switch kind {
	case config.CredentialFile, config.CredentialCommand, config.CredentialKeyring, config.CredentialInline:
		return true
	}
	return false
}
