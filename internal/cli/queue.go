package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/safetext"
)

type queueOptions struct{ daemon bool }

func (a *app) queueCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "queue", Short: a.T("sendcli.short.queue"), Args: a.noArgs, RunE: a.needSubcommand}
	all := false
	list := &cobra.Command{
		Use: "list", Short: a.T("sendcli.short.queue-list"), Args: a.noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.listQueue(cmd.Context(), all)
		},
	}
	list.Flags().BoolVar(&all, "all", false, a.T("sendcli.flag.all"))
	o := &queueOptions{}
	run := &cobra.Command{
		Use: "run", Short: a.T("sendcli.short.queue-run"), Args: a.noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runQueue(cmd.Context(), o)
		},
	}
	run.Flags().BoolVar(&o.daemon, "daemon", false, a.T("sendcli.flag.daemon"))
	retry := &cobra.Command{
		Use: "retry ID", Short: a.T("sendcli.short.queue-retry"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeQueue(cmd.Context(), args[0], (*delivery.Queue).Retry)
		},
	}
	remove := &cobra.Command{
		Use: "remove ID", Short: a.T("sendcli.short.queue-remove"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeQueue(cmd.Context(), args[0], (*delivery.Queue).Remove)
		},
	}
	cmd.AddCommand(list, run, retry, remove)
	return cmd
}

// queueLine is one message of `queue list --json`.
type queueLine struct {
	ID         string               `json:"id"`
	State      delivery.State       `json:"state"`
	Profile    string               `json:"profile"`
	MessageID  string               `json:"message_id"`
	From       string               `json:"from"`
	Recipients []delivery.Recipient `json:"-"`
	To         []string             `json:"to"`
	Accepted   time.Time            `json:"accepted"`
	Due        time.Time            `json:"due"`
	Attempts   int                  `json:"attempts"`
	Cause      string               `json:"cause,omitempty"`
	Reply      *safetext.Remote     `json:"reply,omitempty"`
	Doubt      bool                 `json:"may_arrive_twice,omitempty"`
}

func (a *app) listQueue(ctx context.Context, all bool) error {
	s, err := a.sending(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	items, err := s.store.Items(ctx, all)
	if err != nil {
		return a.stateError(err)
	}
	lines := []queueLine{}
	for _, item := range items {
		line := queueLine{
			ID: item.ID, State: item.State, Profile: item.Profile, MessageID: item.MessageID, From: item.Envelope,
			To:       []string{},
			Accepted: item.Accepted.UTC(), Due: item.Due.UTC(), Attempts: item.Attempts, Cause: item.Cause, Doubt: item.Doubt,
		}
		for _, r := range item.Recipients {
			line.To = append(line.To, r.Address)
		}
		if item.Reply != "" {
			reply := safetext.FromRemote(item.Reply)
			line.Reply = &reply
		}
		lines = append(lines, line)
	}
	if a.json {
		return a.printJSON(lines)
	}
	if len(lines) == 0 {
		a.println(a.T("sendcli.queue.empty"))
	}
	for _, l := range lines {
		a.println(fmt.Sprintf("%s  %s  %s  %s  %s", l.ID, a.T("sendcli.queue.state-"+string(l.State)),
			l.Accepted.Local().Format("2006-01-02 15:04"),
			l.Profile, safetext.Escape(strings.Join(l.To, ", "))))
		if l.Cause != "" {
			a.println("    " + a.causeTitle(l.Cause))
		}
		if l.Reply != nil {
			a.println("    " + l.Reply.Escaped())
		}
		if !l.State.Final() {
			a.println("    " + a.T("sendcli.queue.next", "n", l.Attempts, "next", l.Due.Local().Format("2006-01-02 15:04:05")))
		}
		if l.Doubt {
			a.println("    " + a.T("sendcli.queue.doubt"))
		}
	}
	return nil
}

func (a *app) runQueue(ctx context.Context, o *queueOptions) error {
	s, err := a.sending(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if a.verbose || o.daemon {
		s.queue.Observe = a.logEvent
	}
	if err := s.queue.Run(ctx, delivery.RunOptions{Daemon: o.daemon}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return a.stateError(err)
	}
	return nil
}

// logEvent is one line a try, for the journal; who the recipients are stays in the queue.
func (a *app) logEvent(e delivery.Event) {
	text := a.T("sendcli.log.try", "id", e.Item.ID, "profile", e.Item.Profile, "state",
		a.T("sendcli.queue.state-"+string(e.Item.State)))
	if e.Item.Cause != "" {
		text += " " + a.causeTitle(e.Item.Cause)
	}
	if !e.Next.IsZero() {
		text += " " + a.T("sendcli.log.next", "next", e.Next.Local().Format("2006-01-02 15:04:05"))
	}
	if e.Try.Instead != "" {
		text += " " + a.T("sendcli.instead", "profile", e.Try.Instead, "fallback", e.Item.Profile)
	}
	if e.Err != nil {
		text += " " + safetext.Escape(e.Err.Error())
	}
	_, _ = fmt.Fprintln(a.err, text)
}

func (a *app) changeQueue(ctx context.Context, id string,
	change func(*delivery.Queue, context.Context, string) error,
) error {
	s, err := a.sending(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	switch err := change(s.queue, ctx, id); {
	case errors.Is(err, delivery.ErrNoItem):
		return a.Fault(exitData, "sendcli.queue.none", "id", safetext.FromRemote(id))
	case errors.Is(err, delivery.ErrBusy):
		return a.Fault(exitTempFail, "sendcli.queue.busy", "id", safetext.FromRemote(id))
	case err != nil:
		return a.stateError(err)
	}
	return nil
}
