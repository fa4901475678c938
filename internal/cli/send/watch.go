package send

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/watch"
)

// WatchOptions are the flags and arguments of `postier watch`.
type WatchOptions struct {
	*command.Factory
	Names []string // a profile; none for all that are switched on
	Once  bool
	Every time.Duration
}

// NewWatch is `postier watch`.
func NewWatch(f *command.Factory, run command.Run[*WatchOptions]) *cobra.Command {
	o := &WatchOptions{Factory: f}
	cmd := f.Leaf("watch [PROFILE]", "watch.short", 0, 1, func(ctx context.Context, args []string) error {
		o.Names = args
		return run.Or(runWatch)(ctx, o)
	})
	cmd.Flags().BoolVar(&o.Once, "once", false, f.T("watch.flag.once"))
	cmd.Flags().DurationVar(&o.Every, "every", 0, f.T("watch.flag.every"))
	cmd.AddCommand(NewWatchSet(f, nil), f.Leaf("status [PROFILE]", "watch.short.status", 0, 1,
		func(ctx context.Context, args []string) error { return runWatchStatus(ctx, f, args) }))
	return cmd
}

func runWatch(ctx context.Context, o *WatchOptions) error {
	switch {
	case o.Every != 0 && o.Once:
		return command.Usage(o.T("watch.error.both"))
	case o.Every != 0 && o.Every < time.Minute:
		return command.Usage(o.T("watch.error.every"))
	}
	return withPost(ctx, o.Factory, func(p *post) error {
		for _, name := range o.Names {
			if _, err := p.doc.Profile(name); err != nil {
				return err
			}
		}
		if o.Every == 0 {
			return p.watchOnce(ctx, o.Names)
		}
		return p.watcher().Stay(ctx, o.Every, o.Names, func(round watch.Round, err error) {
			p.showRound(round)
			p.complainOnce(err)
		})
	})
}

func (p *post) watchOnce(ctx context.Context, names []string) error {
	round, err := p.watcher().Round(ctx, names...)
	switch {
	case errors.Is(err, watch.ErrUnderWay):
		return p.Fault(exitcode.TempFail, "watch.error.under-way")
	case len(round.Profiles) == 0 && err != nil: // nothing was judged
		return p.Sentence(err)
	case len(round.Profiles) == 0 && !p.JSON:
		p.Println(p.T("watch.none"))
		return nil
	}
	p.showRound(round)
	if err != nil {
		return p.Sentence(err)
	}
	return command.Quiet(round.ExitCode())
}

// watcher watches the profiles of the configuration. No one is asked for a password.
func (p *post) watcher() *watch.Watcher {
	accounts := p.queue.Sender.Accounts
	credentials := *accounts.Credentials
	credentials.Ask = nil
	return &watch.Watcher{
		Queue: p.queue, Lang: p.Lang(),
		Accounts: &account.Source{
			Network: accounts.Network, Book: accounts.Book, ConfigPath: accounts.ConfigPath, Credentials: &credentials,
		},
	}
}

// watchConfigured watches as the configuration says, next to the queue, and prints what is to be known.
func (p *post) watchConfigured(ctx context.Context) {
	_ = p.watcher().Stay(ctx, 0, nil, func(round watch.Round, err error) {
		p.complainOnce(err)
		for _, o := range round.Profiles {
			if o.Verdict == check.Fail || len(o.Notices)+len(o.Changes) > 0 {
				for _, line := range p.roundLines(o) {
					p.Note(line)
				}
			}
		}
	})
}

// complainOnce prints an error of a round unless it was printed after the round before.
func (p *post) complainOnce(err error) {
	text := ""
	if err != nil {
		text = p.Sentence(err).Error()
		if described, ok := config.Describe(err); ok {
			text = p.Say(described)
		}
	}
	if text != p.complained {
		p.complained = text
		p.Complain(safetext.Escape(text))
	}
}

// showRound prints a round: as JSON on one line, or as text.
func (p *post) showRound(round watch.Round) {
	if p.JSON {
		data, err := json.Marshal(round)
		if err == nil {
			p.Raw(strings.TrimSuffix(string(safetext.EscapeDocument(data)), "\n"))
		}
		return
	}
	for _, o := range round.Profiles {
		for _, line := range p.roundLines(o) {
			p.Println(line)
		}
	}
}

// roundLines are the words for one profile.
func (p *post) roundLines(o watch.Outcome) []string {
	lines := []string{p.T(markOf(o.Verdict)) + " " + o.Profile + "  " + safetext.Escape(o.Address) + "  " + p.standing(o)}
	add := func(text string) { lines = append(lines, "    "+text) }
	for _, c := range o.Checks {
		if c.Status == check.Warn || c.Status == check.Fail {
			add(p.T(markOf(c.Status)) + " " + labelled(p.Factory, report.Name(p.Lang(), c.ID), p.Cause(c.Cause)))
		}
	}
	switch o.State {
	case watch.StateDoubtful:
		add(p.T("watch.unsure"))
	case watch.StateUnjudged:
		add(p.T("watch.blind"))
	}
	for _, c := range o.Certificates {
		add(p.T("watch.certificate", "check", report.Name(p.Lang(), c.Check), "days", strconv.Itoa(c.Days), "until",
			c.Until.Local().Format(time.DateOnly)))
	}
	for _, c := range o.Changes {
		add(p.T("watch.changed", "check", report.Name(p.Lang(), c.Check), "was", c.Was, "now", c.Now))
	}
	for _, f := range o.Facts {
		add(p.T("watch.fact", "date", f.Date, "days", strconv.Itoa(f.Days), "text", safetext.Escape(f.Text)))
	}
	for _, n := range o.Notices {
		add(toldLine(p.Factory, n))
	}
	return lines
}

// toldLine says what became of a notice.
func toldLine(f *command.Factory, n watch.Sent) string {
	to := safetext.Escape(n.To)
	if n.To == watch.ToCommand {
		to = f.T("watch.command")
	}
	return f.T("watch.sent."+string(n.Result), "to", to, "command", f.Program()+" profile fallback NAME")
}

// standing says how the profile is doing, since when and why.
func (p *post) standing(o watch.Outcome) string {
	text := p.T("watch.state." + string(o.State))
	if o.Since != nil {
		text += " " + p.T("watch.since", "since", o.Since.Local().Format(clock))
	}
	if o.State == watch.StateFailing {
		text = labelled(p.Factory, text, p.Cause(o.Cause))
	}
	return text
}

// labelled is a text after its label, with the colon of the language.
func labelled(f *command.Factory, label, text string) string {
	return locale.For(f.Lang()).Colon(label) + " " + text
}

// markOf is the word for a verdict.
func markOf(verdict check.Status) string {
	switch verdict {
	case check.Fail:
		return "common.fail"
	case check.Warn:
		return "common.warn"
	case check.Skip:
		return "common.skip"
	}
	return "common.pass"
}
