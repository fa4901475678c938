package send

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// QueueListOptions are the flags of `postier queue list`.
type QueueListOptions struct {
	*command.Factory
	All bool
}

// NewQueueList is `postier queue list`.
func NewQueueList(f *command.Factory, run command.Run[*QueueListOptions]) *cobra.Command {
	o := &QueueListOptions{Factory: f}
	cmd := f.Leaf("list", "sendcli.short.queue-list", 0, 0, func(ctx context.Context, _ []string) error {
		return run.Or(runQueueList)(ctx, o)
	})
	cmd.Flags().BoolVar(&o.All, "all", false, f.T("sendcli.flag.all"))
	return cmd
}

// queueLine is one message of `queue list --json`.
type queueLine struct {
	ID        string           `json:"id"`
	State     delivery.State   `json:"state"`
	Profile   string           `json:"profile"`
	MessageID string           `json:"message_id"`
	From      string           `json:"from"`
	To        []string         `json:"to"`
	Accepted  time.Time        `json:"accepted"`
	Due       time.Time        `json:"due"`
	Attempts  int              `json:"attempts"`
	Cause     check.Cause      `json:"cause,omitempty"`
	Reply     *safetext.Remote `json:"reply,omitempty"`
	Doubt     bool             `json:"may_arrive_twice,omitempty"`
}

func runQueueList(ctx context.Context, o *QueueListOptions) error {
	p, err := openPost(ctx, o.Factory)
	if err != nil {
		return err
	}
	defer p.close()
	items, err := p.queue.Store.Items(ctx, o.All)
	if err != nil {
		return err
	}
	lines := []queueLine{}
	for _, item := range items {
		line := queueLine{
			ID: item.ID, State: item.State, Profile: item.Profile, MessageID: item.MessageID, From: item.Envelope,
			To:       []string{},
			Accepted: item.Accepted.UTC(), Due: item.Due.UTC(), Attempts: item.Attempts, Cause: item.Cause, Doubt: item.Doubt,
			Reply: remote(item.Reply),
		}
		for _, r := range item.Recipients {
			line.To = append(line.To, r.Address)
		}
		lines = append(lines, line)
	}
	if o.JSON {
		return o.PrintJSON(lines)
	}
	if len(lines) == 0 {
		o.Println(o.T("sendcli.queue.empty"))
	}
	for _, l := range lines {
		l.print(o.Factory)
	}
	return nil
}

func (l queueLine) print(f *command.Factory) {
	f.Println(fmt.Sprintf("%s  %s  %s  %s  %s", l.ID, f.T("sendcli.queue.state-"+string(l.State)),
		l.Accepted.Local().Format("2006-01-02 15:04"),
		l.Profile, safetext.Escape(strings.Join(l.To, ", "))))
	if l.Cause != "" {
		f.Println("    " + causeTitle(f, l.Cause))
	}
	if l.Reply != nil {
		f.Println("    " + l.Reply.Escaped())
	}
	if !l.State.Final() {
		f.Println("    " + f.T("sendcli.queue.next", "n", l.Attempts, "next", l.Due.Local().Format(clock)))
	}
	if l.Doubt {
		f.Println("    " + f.T("sendcli.queue.doubt"))
	}
}
