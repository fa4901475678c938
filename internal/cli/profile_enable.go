package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/diagnostics/smtp"
)

func (a *app) profileEnableCommand() *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use: "enable PROFILE", Short: a.T("cli.short.profile-enable"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.enableProfile(cmd.Context(), args[0], force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, a.T("cli.flag.enable-force"))
	return cmd
}

// enableProfile switches a profile on. One that was switched off by a failure must first show that the failure is gone
// (D-5): otherwise the next message would only switch it off again, and one more refused sign-in can lock an account.
// One that a person switched off is switched on without a connection.
func (a *app) enableProfile(ctx context.Context, name string, force bool) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
	if err != nil {
		return err
	}
	checked := p.Disabled != nil && !p.Enabled && !force
	if checked {
		if err := a.recheck(ctx, name); err != nil {
			return err
		}
		// What was proven is what the file said then; somebody may have saved it meanwhile.
		digest := p.Digest()
		if doc, err = a.document(); err != nil {
			return err
		}
		if p, err = doc.Profile(name); err != nil {
			return err
		}
		if p.Digest() != digest {
			return a.Fault(exitTempFail, "cli.profile.changed-meanwhile", "name", name)
		}
	}
	if err := doc.Enable(name); err != nil {
		return err
	}
	if err := doc.Save(); err != nil {
		return err
	}
	if checked && !a.json {
		a.println(a.T("cli.profile.enabled", "name", name))
	}
	return nil
}

// recheck walks a profile's submission server up to the sign-in and the sender's address, without sending anything.
// When that fails, the report is shown and the exit code is that of its cause.
func (a *app) recheck(ctx context.Context, name string) error {
	o := &diagnoseOptions{}
	network, target, err := a.diagnoseInput(ctx, o, []string{name}, nil, &secretFlags{})
	if err != nil {
		return err
	}
	info := a.reportInfo(o, target)
	results := diagnostics.Run(ctx, nil, smtp.Plan(network, target, smtp.Options{}))
	info.Took = time.Since(info.Started)
	code := report.ExitCode(results)
	if code == exitOK {
		return nil
	}
	if err := a.showResults(info, results, false); err != nil {
		return err
	}
	return a.Fault(code, "cli.profile.stays-off", "name", name)
}
