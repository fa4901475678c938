package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// QueueRunOptions are the flags of `postier queue run`.
type QueueRunOptions struct {
	*command.Factory
	Daemon bool
}

// NewQueueRun is `postier queue run`.
func NewQueueRun(f *command.Factory, run command.Run[*QueueRunOptions]) *cobra.Command {
	o := &QueueRunOptions{Factory: f}
	cmd := f.Leaf("run", "sendcli.short.queue-run", 0, 0, func(ctx context.Context, _ []string) error {
		return run.Or(runQueue)(ctx, o)
	})
	cmd.Flags().BoolVar(&o.Daemon, "daemon", false, f.T("sendcli.flag.daemon"))
	return cmd
}

func runQueue(ctx context.Context, o *QueueRunOptions) error {
	p, err := openPost(ctx, o.Factory)
	if err != nil {
		return err
	}
	defer p.close()
	if o.Verbose || o.Daemon {
		p.queue.Observe = o.log
	}
	err = p.queue.Run(ctx, delivery.RunOptions{Daemon: o.Daemon})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// log is one line a try, for the journal; who the recipients are stays in the queue.
func (o *QueueRunOptions) log(e delivery.Event) {
	text := o.T("sendcli.log.try", "id", e.Item.ID, "profile", e.Item.Profile, "state",
		o.T("sendcli.queue.state-"+string(e.Item.State)))
	if e.Item.Cause != "" {
		text += " " + causeTitle(o.Factory, e.Item.Cause)
	}
	if !e.Next.IsZero() {
		text += " " + o.T("sendcli.log.next", "next", e.Next.Local().Format(clock))
	}
	if e.Try.Instead != "" {
		text += " " + o.T("sendcli.instead", "profile", e.Try.Instead, "fallback", e.Item.Profile)
	}
	if e.Err != nil {
		text += " " + safetext.Escape(e.Err.Error())
	}
	o.Note(text)
}
