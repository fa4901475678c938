package profile

import (
	"context"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/exitcode"
)

// EnableOptions are the flags and arguments of `postier profile enable`.
type EnableOptions struct {
	*command.Factory
	Name  string
	Force bool
}

// NewEnable is `postier profile enable`.
func NewEnable(f *command.Factory, run command.Run[*EnableOptions]) *cobra.Command {
	o := &EnableOptions{Factory: f}
	cmd := command.New(f, "enable PROFILE", "cli.short.profile-enable", o, run.Or(Enable), &o.Name)
	cmd.Flags().BoolVar(&o.Force, "force", false, f.T("cli.flag.enable-force"))
	return cmd
}

// Enable switches a profile on. One that a failure switched off is first checked (D-5): otherwise the next message
// could switch it off again, and one more refused sign-in can lock an account. One that the user switched off is
// switched on without a connection.
func Enable(ctx context.Context, o *EnableOptions) error {
	doc, p, err := o.Profile(o.Name)
	if err != nil {
		return err
	}
	checked := p.Disabled != nil && !p.Enabled && !o.Force
	if checked {
		code, err := diagnose.Recheck(ctx, o.Factory, o.Name)
		switch {
		case err != nil:
			return err
		case code != exitcode.OK:
			return o.Fault(code, "cli.profile.stays-off", "name", o.Name)
		}
		// The check used the file as it was then; another process may have saved it since.
		digest := p.Digest()
		if doc, p, err = o.Profile(o.Name); err != nil {
			return err
		}
		if p.Digest() != digest {
			return o.Fault(exitcode.TempFail, "cli.profile.changed-meanwhile", "name", o.Name)
		}
	}
	if err := doc.Enable(o.Name); err != nil {
		return err
	}
	if err := doc.Save(); err != nil {
		return err
	}
	if checked && !o.JSON {
		o.Println(o.T("cli.profile.enabled", "name", o.Name))
	}
	return nil
}
