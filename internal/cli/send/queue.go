package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// NewQueue is `postier queue`.
func NewQueue(f *command.Factory) *cobra.Command {
	return f.Group("queue", "sendcli.short.queue", NewQueueList(f, nil), NewQueueRun(f, nil),
		f.Leaf("retry ID", "sendcli.short.queue-retry", 1, 1, changeQueue(f, (*delivery.Queue).Retry)),
		f.Leaf("remove ID", "sendcli.short.queue-remove", 1, 1, changeQueue(f, (*delivery.Queue).Remove)))
}

// changeQueue changes the message that the argument names.
func changeQueue(f *command.Factory,
	change func(*delivery.Queue, context.Context, string) error,
) command.Run[[]string] {
	return func(ctx context.Context, args []string) error {
		p, err := openPost(ctx, f)
		if err != nil {
			return err
		}
		defer p.close()
		return f.Sentence(change(p.queue, ctx, args[0]), "id", safetext.FromRemote(args[0]))
	}
}
