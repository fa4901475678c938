package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// ResendOptions are the flags and arguments of `postier log resend`.
type ResendOptions struct {
	*command.Factory
	ID, To string
}

// NewResend is `postier log resend`.
func NewResend(f *command.Factory, run command.Run[*ResendOptions]) *cobra.Command {
	o := &ResendOptions{Factory: f}
	cmd := command.New(f, "resend ID", "sendcli.short.log-resend", o, run.Or(runResend), &o.ID)
	cmd.Flags().StringVar(&o.To, "to", "", f.T("sendcli.flag.resend-to"))
	return cmd
}

func runResend(ctx context.Context, o *ResendOptions) error {
	if o.To != "" {
		if err := o.CheckAddress(o.To); err != nil {
			return err
		}
	}
	return withPost(ctx, o.Factory, func(p *post) error {
		receipt, err := p.submitter.Resend(ctx, o.ID, o.To)
		if err != nil {
			return logFailure(o.Factory, err, o.ID)
		}
		if receipt == nil {
			if !o.JSON {
				o.Println(o.T("sendcli.log.retried", "id", safetext.FromRemote(o.ID)))
			}
			return p.queue.Sweep(ctx)
		}
		out := p.outcomeOf(receipt, delivery.How{})
		err = p.say(out, false)
		p.sweep(ctx, delivery.How{}, out.State == delivery.StateWaiting)
		return err
	})
}
