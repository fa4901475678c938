// Package plain is the wizard as plain lines: for screen readers, dumb terminals and pipes.
//
// It asks the same steps with the same words as the full-screen front end, appends lines and never redraws. At every
// prompt a line of its own goes back (<), explains (?), switches the language (=) or takes an action (/ and a letter).
// End of input ends the conversation, with the draft kept and the terminal's echo restored.
package plain

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/wizard"
	"postier/wizard/carrier"
)

// ErrInterrupted is returned when input ended, or a signal came, before the conversation was over.
var ErrInterrupted = errors.New("setup was interrupted")

// Options are what both ways of running need.
type Options struct {
	Conversation *carrier.Conversation
	Lang         locale.Lang
	Product      string
	// Resume is the command that goes on with the draft; empty means that no draft is kept: a rehearsal.
	Resume string
	In     io.Reader
	Out    io.Writer
	// Heartbeat is how often a line says that work goes on; 0 means ten seconds.
	Heartbeat time.Duration
	// SignIn lets an unattended run begin a sign-in by browser: somebody approves it elsewhere without being told to.
	SignIn bool
}

// Run asks every step on plain lines until the conversation is over, and closes it.
func Run(ctx context.Context, o Options) error {
	d := newDialog(o)
	d.input, d.beat = newInput(o.In), o.Heartbeat
	if d.beat == 0 {
		d.beat = defaultHeartbeat
	}
	defer d.input.close()
	defer d.talk.Close()
	d.say("plain.hello")
	err := d.run(ctx)
	switch {
	case err == nil:
	case o.Resume != "":
		d.line("")
		d.say("plain.resume", "command", o.Resume)
	default:
		d.line("")
		d.say("plain.stopped")
	}
	return err
}

// defaultHeartbeat is often enough for a person to know that nothing hangs, and rare enough for a screen reader.
const defaultHeartbeat = 10 * time.Second

type dialog struct {
	printer
	talk    *carrier.Conversation
	input   *input
	beat    time.Duration
	printed map[check.ID]bool // check lines printed for the present work
	work    int
}

func newDialog(o Options) *dialog {
	o.Conversation.Speak(o.Lang)
	return &dialog{
		printer: printer{out: o.Out, lang: o.Lang, product: o.Product}, talk: o.Conversation,
		printed: map[check.ID]bool{},
	}
}

func (d *dialog) run(ctx context.Context) error {
	for {
		screen := d.talk.Screen()
		d.screen(screen)
		if screen.Busy != nil {
			if err := d.watch(ctx); err != nil {
				return err
			}
			continue
		}
		answer, err := d.ask(ctx, screen)
		if err != nil {
			return err
		}
		if answer.Action == "" {
			continue // the language was switched, or help was read: the screen is shown again
		}
		d.talk.Answer(answer)
		if d.talk.Ended() {
			d.drain(ctx)
			return nil
		}
	}
}

// drain lets drafts and clean-up end before the program does.
func (d *dialog) drain(ctx context.Context) {
	for d.talk.Running() {
		if d.talk.Next(ctx) != nil {
			return
		}
	}
}

// interrupted tells a worker that broke down from a conversation that was ended from outside.
func interrupted(err error) error {
	if errors.As(err, new(*carrier.PanicError)) {
		return err
	}
	return ErrInterrupted
}

// watch prints each check as it ends, until the step's work is over. On a terminal, x and Enter stop it.
func (d *dialog) watch(ctx context.Context) error {
	started := time.Now()
	ticker := time.NewTicker(d.beat)
	defer ticker.Stop()
	var typed <-chan reply
	if d.input.terminal {
		typed = d.input.next()
	}
	before := d.talk.Screen()
	for {
		screen := d.talk.Screen()
		d.checks(screen)
		if screen.Busy == nil || screen.Step != before.Step || screen.Busy.Request != before.Busy.Request {
			return nil
		}
		d.progress(before, screen)
		before = screen
		select {
		case o, ok := <-d.talk.Outcomes():
			if !ok {
				return interrupted(d.talk.Err())
			}
			d.talk.Tell(o)
		case <-ctx.Done():
			return ErrInterrupted
		case <-ticker.C:
			d.still(screen, time.Since(started))
		case r := <-typed:
			typed, d.input.pending = nil, nil // the line is used up; whoever asks next reads another
			if r.err != nil {
				return ErrInterrupted
			}
			if action := busyAction(screen, r.text); action != "" {
				d.talk.Answer(wizard.Answer{Action: action})
			} else {
				typed = d.input.next()
			}
		}
	}
}

// busyAction is the action that a line typed while work is under way asks for.
func busyAction(v wizard.Screen, text string) wizard.ActionID {
	text = strings.TrimSpace(strings.TrimPrefix(text, "/"))
	if text == "<" {
		return wizard.ActBack
	}
	if text == "" && v.Step == wizard.StepProvider && len(v.Fields) == 0 && len(v.Actions) > 0 &&
		v.Actions[0].ID == wizard.ActNext && v.Actions[0].Disabled.Empty() {
		return wizard.ActNext // the first answer of the search is good enough
	}
	for _, a := range v.Actions {
		if a.Key != 0 && text == string(a.Key) && a.Disabled.Empty() {
			return a.ID
		}
	}
	return ""
}

// progress says when the work under way says something new of itself.
func (d *dialog) progress(before, now wizard.Screen) {
	if now.Step == wizard.StepProvider {
		// What a search knows so far is for somebody who can take it; a pipe gets the end of it.
		if d.input.terminal && !slices.Equal(factLines(d, before), factLines(d, now)) {
			d.screen(now)
			d.actions(now.Actions, false)
		}
		return
	}
	if text := d.words(now.Busy.Text); text != d.words(before.Busy.Text) {
		d.paragraph("", text)
	}
}

// still says that work goes on. Where the person is waited for, once a minute is enough.
func (d *dialog) still(v wizard.Screen, passed time.Duration) {
	if !v.Busy.Countdown {
		d.say("plain.still", "seconds", int(passed.Seconds()))
		return
	}
	if passed%time.Minute < d.beat {
		d.say("plain.still-waiting", "minutes", int((v.Busy.GivesUp - passed).Round(time.Minute).Minutes()))
	}
}

// ask fills the fields one after another and then takes the first action, or the one that is chosen.
func (d *dialog) ask(ctx context.Context, v wizard.Screen) (wizard.Answer, error) {
	answer := wizard.Answer{Values: map[wizard.FieldID]string{}}
	if len(v.Fields) > 0 {
		d.actions(v.Actions[min(1, len(v.Actions)):], true)
	}
	for _, f := range v.Fields {
		text, value, err := d.field(ctx, f)
		if err != nil {
			return answer, err
		}
		if command, ok := d.command(v, text, f.Kind == wizard.KindSecret); ok {
			answer.Action = command
			return answer, nil
		}
		if f.Kind == wizard.KindSecret {
			answer.Secret = value
			continue
		}
		answer.Values[f.ID] = text
	}
	if len(v.Fields) > 0 && len(v.Actions) > 0 {
		answer.Action = v.Actions[0].ID
		return answer, nil
	}
	d.actions(v.Actions, false)
	for {
		r, err := d.read(ctx, "plain.prompt", false)
		if err != nil {
			return answer, err
		}
		if r == "" {
			for _, a := range v.Actions {
				if a.Disabled.Empty() {
					answer.Action = a.ID
					return answer, nil
				}
			}
		}
		command, ok := d.command(v, r, false)
		if !ok {
			command, ok = d.command(v, "/"+r, false)
		}
		if ok {
			answer.Action = command
			return answer, nil
		}
		d.say("plain.what")
	}
}

// command reads a line as a command. For a secret only the bare signs count, so that a password may begin with them.
func (d *dialog) command(v wizard.Screen, text string, isSecret bool) (wizard.ActionID, bool) {
	trimmed := strings.TrimSpace(text)
	switch trimmed {
	case "<":
		return wizard.ActBack, true
	case "?":
		d.help(v)
		return "", true
	case "=":
		d.lang = d.lang.Next()
		d.talk.Speak(d.lang)
		return "", true
	}
	if isSecret && len(trimmed) != 2 || !strings.HasPrefix(trimmed, "/") {
		return "", false
	}
	for _, a := range v.Actions {
		if a.Key == 0 || "/"+string(a.Key) != trimmed {
			continue
		}
		if !a.Disabled.Empty() {
			d.line(d.words(a.Disabled))
			return "", true
		}
		return a.ID, true
	}
	return "", false
}

// field asks for one value until it is one of those possible. An empty line keeps the value shown.
func (d *dialog) field(ctx context.Context, f wizard.Field) (string, secret.Value, error) {
	d.fieldIntro(f)
	for {
		if f.Kind == wizard.KindSecret {
			r, err := d.readSecret(ctx, d.words(f.Label))
			return r.display(), r.secret, err
		}
		text, err := d.readLabel(ctx, d.words(f.Label), d.shown(f))
		if err != nil {
			return "", secret.Value{}, err
		}
		trimmed := strings.TrimSpace(text)
		if trimmed == "" {
			return f.Value, secret.Value{}, nil
		}
		if isCommand(trimmed) {
			return trimmed, secret.Value{}, nil
		}
		switch f.Kind {
		case wizard.KindChoice, wizard.KindSearch:
			value, ok := d.pick(f, trimmed)
			if !ok {
				continue
			}
			return value, secret.Value{}, nil
		case wizard.KindConfirm:
			value, ok := d.confirm(trimmed)
			if !ok {
				d.say("plain.yes-or-no")
				continue
			}
			return value, secret.Value{}, nil
		}
		if trimmed == "-" && f.Optional {
			return "", secret.Value{}, nil
		}
		return text, secret.Value{}, nil
	}
}

func isCommand(text string) bool {
	return text == "<" || text == "?" || text == "=" || len(text) == 2 && text[0] == '/'
}

// confirm reads yes and no in the person's language, and in English.
func (d *dialog) confirm(text string) (string, bool) {
	text = strings.ToLower(text)
	for value, key := range map[string]string{wizard.Yes: "plain.yes", wizard.No: "plain.no"} {
		word := locale.For(d.lang).T(key)
		if text == word || text == word[:1] || text == value {
			return value, true
		}
	}
	return "", false
}

// Interrupted reports whether err means that the person, or the end of input, ended the conversation.
func Interrupted(err error) bool {
	return errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled)
}

// IsTerminal reports whether r is a terminal.
func IsTerminal(r any) bool {
	f, ok := r.(*os.File)
	return ok && isTerminal(int(f.Fd()))
}

// factLines are the facts of a screen as they are said.
func factLines(d *dialog, v wizard.Screen) []string {
	var out []string
	for _, f := range v.Facts {
		out = append(out, d.words(f.Value))
	}
	return out
}
