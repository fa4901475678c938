package send

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// NewQueue is `postier queue`.
func NewQueue(f *command.Factory) *cobra.Command {
	return f.Group("queue", "sendcli.short.queue", NewQueueList(f, nil), NewQueueRun(f, nil), newQueueMode(f),
		f.Leaf("retry ID", "sendcli.short.queue-retry", 1, 1, changeQueue(f, (*delivery.Queue).Retry)),
		f.Leaf("remove ID", "sendcli.short.queue-remove", 1, 1, changeQueue(f, (*delivery.Queue).Remove)))
}

// changeQueue changes the message that the argument names.
func changeQueue(f *command.Factory,
	change func(*delivery.Queue, context.Context, string) error,
) command.Run[[]string] {
	return func(ctx context.Context, args []string) error {
		return withQueue(ctx, f, func(p *post) error {
			return f.Sentence(change(p.queue, ctx, args[0]), "id", safetext.FromRemote(args[0]))
		})
	}
}

// QueueListOptions are the flags of `postier queue list`.
type QueueListOptions struct {
	*command.Factory
	All bool
}

// NewQueueList is `postier queue list`.
func NewQueueList(f *command.Factory, run command.Run[*QueueListOptions]) *cobra.Command {
	o := &QueueListOptions{Factory: f}
	cmd := command.New(f, "list", "sendcli.short.queue-list", o, run.Or(runQueueList))
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
	Code      string           `json:"code,omitempty"`
	Reply     *safetext.Remote `json:"reply,omitempty"`
	Doubt     bool             `json:"may_arrive_twice,omitempty"`
}

func runQueueList(ctx context.Context, o *QueueListOptions) error {
	return withQueue(ctx, o.Factory, func(p *post) error {
		empty := true
		err := command.Stream(&o.Printer, func(print func(queueLine) error) error {
			return p.queue.Store.Each(ctx, o.All, func(item *delivery.Item) error {
				empty = false
				return print(lineOf(item))
			})
		}, func(l queueLine) { l.print(o.Factory) })
		if err == nil && empty && !o.JSON {
			o.Println(o.T("sendcli.queue.empty"))
		}
		return err
	})
}

func lineOf(item *delivery.Item) queueLine {
	line := queueLine{
		ID: item.ID, State: item.State, Profile: item.Profile, MessageID: item.MessageID, From: item.Envelope,
		To:       []string{},
		Accepted: item.Accepted.UTC(), Due: item.Due.UTC(), Attempts: item.Attempts, Cause: item.Cause,
		Code: explain.Code(item.Cause), Doubt: item.Doubt, Reply: remote(item.Reply),
	}
	for _, r := range item.Recipients {
		line.To = append(line.To, r.Address)
	}
	return line
}

func (l queueLine) print(f *command.Factory) {
	f.Println(fmt.Sprintf("%s  %s  %s  %s  %s", l.ID, f.T("sendcli.queue.state-"+string(l.State)),
		l.Accepted.Local().Format(minute),
		l.Profile, safetext.Escape(strings.Join(l.To, ", "))))
	if l.Cause != "" {
		f.Println("    " + f.Cause(l.Cause))
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

// QueueRunOptions are the flags of `postier queue run`.
type QueueRunOptions struct {
	*command.Factory
	Daemon bool
	Socket string
}

// NewQueueRun is `postier queue run`.
func NewQueueRun(f *command.Factory, run command.Run[*QueueRunOptions]) *cobra.Command {
	o := &QueueRunOptions{Factory: f}
	cmd := command.New(f, "run", "sendcli.short.queue-run", o, run.Or(runQueue))
	cmd.Flags().BoolVar(&o.Daemon, "daemon", false, f.T("sendcli.flag.daemon"))
	cmd.Flags().StringVar(&o.Socket, "socket", "", f.T("sendcli.flag.socket"))
	return cmd
}

func runQueue(ctx context.Context, o *QueueRunOptions) error {
	if o.Socket != "" && !o.Daemon {
		return command.Usage(o.T("sendcli.error.socket"))
	}
	return withPost(ctx, o.Factory, func(p *post) error {
		if o.Daemon {
			return p.serve(ctx, o)
		}
		return p.run(ctx, o)
	})
}

// run works through the queue once, or with --daemon until ctx ends.
func (p *post) run(ctx context.Context, o *QueueRunOptions) error {
	if o.Verbose || o.Daemon {
		p.queue.Observe = o.log
	}
	err := p.queue.Run(ctx, delivery.RunOptions{Daemon: o.Daemon})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// log prints one line per try for the journal, without the recipients.
func (o *QueueRunOptions) log(e delivery.Event) {
	text := o.T("sendcli.log.try", "id", e.Item.ID, "profile", e.Item.Profile, "state",
		o.T("sendcli.queue.state-"+string(e.Item.State)))
	if e.Item.Cause != "" {
		text += " " + o.Cause(e.Item.Cause)
	}
	if !e.Next.IsZero() {
		text += " " + o.T("sendcli.log.next", "next", e.Next.Local().Format(clock))
	}
	if e.Try.Instead != "" {
		text += " " + insteadWords(o.Factory, e.Try.Instead, e.Item.Profile, e.Item.InsteadFor)
	}
	if e.Err != nil {
		text += " " + safetext.Escape(e.Err.Error())
	}
	o.Note(text)
}
