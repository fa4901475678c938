// Package plain runs the wizard on plain lines, for screen readers, dumb terminals and pipes.
//
// It asks the same questions in the same words as the full-screen front end, but only appends lines. At every prompt
// the person can type < to go back, ? for help, = to switch the language, or / and a letter for an action. End of input
// ends the conversation; the draft is kept and the terminal's echo restored.
package plain

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"postier/internal/locale"
	"postier/internal/secret"
	"postier/share"
	"postier/wizard"
	"postier/wizard/carrier"

	"golang.org/x/term"
)

// Options are the settings of Run and Unattended.
type Options struct {
	Conversation *carrier.Conversation
	Lang         locale.Lang
	Product      string
	// Resume is the command that goes on with the draft; empty means that no draft is stored, as in a rehearsal.
	Resume string
	In     io.Reader
	Out    io.Writer
	// Heartbeat is how often a line says that work goes on; 0 means ten seconds.
	Heartbeat time.Duration
	// Share lets one helper look on; nil where nothing can be shared.
	Share *share.Presenter
	// Sharing begins to share with the conversation. Whoever starts the presenter before loses what it says in between.
	Sharing bool
	// SignIn lets an unattended run begin a sign-in by browser, which someone then approves in a browser without being
	// asked.
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
	defer d.conversation.Close()
	d.share(o.Share)
	d.say("plain.hello")
	if o.Share != nil {
		d.say("plain.share-hello")
		if o.Sharing {
			o.Share.Start()
		}
		d.sharing.tell()
	}
	err := d.run(ctx)
	switch {
	case err == nil:
	case o.Resume == "":
		d.printLine("")
		d.say("plain.stopped")
	case !o.Conversation.Resumable():
		d.printLine("")
		d.say("tui.left-early")
	default:
		d.printLine("")
		d.say("plain.resume", "command", o.Resume)
	}
	return err
}

// defaultHeartbeat is short enough to show that the work goes on, and long enough not to disturb with a screen reader.
const defaultHeartbeat = 10 * time.Second

type dialog struct {
	printer
	conversation conversation
	input        *input
	beat         time.Duration
	before       wizard.Screen // the screen of the work under way, whose texts are printed
	sharing      *sharing      // nil where nothing can be shared
}

// share lets a helper look on from now on.
func (d *dialog) share(p *share.Presenter) {
	if p != nil {
		d.sharing = newSharing(&d.printer, p)
		d.input.news = d.sharing
	}
}

// publish hands what the person sees to the helper.
func (d *dialog) publish(focus share.Target) {
	d.sharing.show(share.View{Screen: d.conversation.Screen(), Focus: focus, Mask: d.conversation.Masker()})
}

// conversation is what a dialog carries on: the wizard, or a single page.
type conversation interface {
	carrier.Page
	SetLang(locale.Lang)
	Masker() func(string) string
	Outcomes() <-chan wizard.Outcome
	Tell(wizard.Outcome)
	Running() bool
	Next(context.Context) error
	Err() error
	Close()
}

var _ conversation = (*carrier.Conversation)(nil)

func newDialog(o Options) *dialog {
	o.Conversation.SetLang(o.Lang)
	return &dialog{
		printer: printer{out: o.Out, lang: o.Lang, product: o.Product}, conversation: o.Conversation,
	}
}

func (d *dialog) run(ctx context.Context) error {
	for {
		screen := d.conversation.Screen()
		d.publish(share.Target{})
		d.screen(screen, d.before)
		if screen.Step != d.before.Step {
			d.sharing.remind()
		}
		d.before = wizard.Screen{}
		if screen.Busy != nil {
			d.before = screen
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
		if answer.Action == wizard.ActLeave {
			return carrier.ErrInterrupted
		}
		d.conversation.Answer(answer)
		if d.conversation.Ended() {
			d.drain(ctx)
			return nil
		}
	}
}

// drain waits until drafts are written and tokens removed, before the program ends.
func (d *dialog) drain(ctx context.Context) {
	for d.conversation.Running() {
		if d.conversation.Next(ctx) != nil {
			return
		}
	}
}

// interrupted returns the error of a worker that panicked as it is, and carrier.ErrInterrupted for a conversation that
// was ended from outside.
func interrupted(err error) error {
	if errors.As(err, new(*carrier.PanicError)) {
		return err
	}
	return carrier.ErrInterrupted
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
	before := d.conversation.Screen()
	for {
		screen := d.conversation.Screen()
		if screen.Busy == nil || screen.Step != before.Step || screen.Busy.Request != before.Busy.Request {
			return nil
		}
		d.progress(before, screen)
		before = screen
		d.publish(share.Target{})
		select {
		case <-d.sharing.changed():
			d.sharing.tell()
		case o, ok := <-d.conversation.Outcomes():
			if !ok {
				return interrupted(d.conversation.Err())
			}
			d.conversation.Tell(o)
		case <-ctx.Done():
			return carrier.ErrInterrupted
		case <-ticker.C:
			d.stillBusy(screen, time.Since(started))
		case r := <-typed:
			typed, d.input.pending = nil, nil // the line has been handled; the next prompt reads another
			if r.err != nil {
				return carrier.ErrInterrupted
			}
			if d.sharing.toggle(strings.TrimSpace(r.text)) {
				typed = d.input.next()
				continue
			}
			action := busyAction(screen, r.text)
			if action == wizard.ActLeave {
				return carrier.ErrInterrupted
			}
			if action != "" {
				d.conversation.Answer(wizard.Answer{Action: action})
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

// progress prints what has changed on the screen of the work under way.
func (d *dialog) progress(before, now wizard.Screen) {
	if now.Step == wizard.StepProvider {
		// Candidates of a search that still runs are shown only where a person can accept one; a pipe gets the final
		// result.
		if d.input.terminal && !slices.Equal(d.factLines(before), d.factLines(now)) {
			d.screen(now, before)
			d.actions(now.Actions, false)
			d.before = now
		}
		return
	}
	if text := d.words(now.Busy.Text); text != d.words(before.Busy.Text) {
		d.paragraph("", text)
	}
}

// stillBusy prints that work goes on; once a minute where the work waits for the person.
func (d *dialog) stillBusy(v wizard.Screen, passed time.Duration) {
	if !v.Busy.Countdown {
		d.say("plain.still", "seconds", int(passed.Seconds()))
		return
	}
	if passed%time.Minute < d.beat {
		d.say("plain.still-waiting", "minutes", int((v.Busy.GivesUp - passed).Round(time.Minute).Minutes()))
	}
}

// ask asks for the fields one after another, then for the action, whose default is the first one.
func (d *dialog) ask(ctx context.Context, v wizard.Screen) (wizard.Answer, error) {
	answer := wizard.Answer{Values: map[wizard.FieldID]string{}}
	if len(v.Fields) > 0 {
		d.actions(v.Actions[min(1, len(v.Actions)):], true)
	}
	one := slices.ContainsFunc(v.Fields, func(f wizard.Field) bool { return f.Focus })
	for _, f := range v.Fields {
		if v.Number == 0 {
			d.firstChoices(f)
		}
		if f.Later && f.Error.Empty() {
			continue
		}
		if one && !f.Focus && f.Error.Empty() { // the person came to change another one
			answer.Values[f.ID] = f.Value
			continue
		}
		d.publish(share.Target{Field: f.ID})
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
	if changeOf(v, "1") != "" {
		d.say("plain.change-row")
	}
	d.actions(v.Actions, false)
	if len(v.Actions) > 0 {
		d.publish(share.Target{Action: v.Actions[0].ID})
	}
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

// command reads a line as a command. Where a secret is asked for, only a line that is nothing but the sign counts, so
// that a password may begin with one.
func (d *dialog) command(v wizard.Screen, text string, isSecret bool) (wizard.ActionID, bool) {
	trimmed := strings.TrimSpace(text)
	switch trimmed {
	case "<":
		return wizard.ActBack, true
	case "?":
		d.help(v)
		return "", true
	case shareSign:
		if d.sharing.toggle(trimmed) {
			return "", true
		}
		return "", false
	case "=":
		d.lang = d.lang.Next()
		d.conversation.SetLang(d.lang)
		return "", true
	}
	if isSecret && len(trimmed) != 2 || !strings.HasPrefix(trimmed, "/") {
		return "", false
	}
	if row := changeOf(v, trimmed[1:]); row != "" {
		return row, true
	}
	for _, a := range v.Actions {
		if a.Key == 0 || "/"+string(a.Key) != trimmed {
			continue
		}
		if !a.Disabled.Empty() {
			d.printLine(d.words(a.Disabled))
			return "", true
		}
		return a.ID, true
	}
	return "", false
}

// changeOf returns where the row of a number is changed.
func changeOf(v wizard.Screen, number string) wizard.ActionID {
	n, err := strconv.Atoi(number)
	if err != nil {
		return ""
	}
	for _, f := range v.Facts {
		if f.Change == "" {
			continue
		}
		if n--; n == 0 {
			return f.Change
		}
	}
	return ""
}

// field asks for one value until it is valid. An empty line keeps the value shown.
func (d *dialog) field(ctx context.Context, f wizard.Field) (string, secret.Value, error) {
	d.fieldIntro(f)
	for {
		if f.Kind == wizard.KindSecret {
			r, err := d.readSecret(ctx, d.words(f.Label))
			return r.display(), r.secret, err
		}
		text, err := d.readLabel(ctx, d.words(f.Label), d.current(f))
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
	return text == "<" || text == "?" || text == shareSign || text == "=" || len(text) == 2 && text[0] == '/'
}

// confirm reads yes or no in the person's language, or in English.
func (p *printer) confirm(text string) (string, bool) {
	text = strings.ToLower(text)
	for value, key := range map[string]string{wizard.Yes: "plain.yes", wizard.No: "plain.no"} {
		word := p.t(key)
		if text == word || text == word[:1] || text == value {
			return value, true
		}
	}
	return "", false
}

// IsTerminal reports whether r is a terminal, or stands before one.
func IsTerminal(r any) bool {
	if before, ok := r.(interface{ IsTerminal() bool }); ok {
		return before.IsTerminal()
	}
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
