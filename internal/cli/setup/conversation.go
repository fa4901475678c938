package setup

import (
	"context"
	"errors"

	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/tui"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/worker"
)

// conversation is one run of the wizard, whatever draws it.
type conversation struct {
	options    wizard.Options
	worker     *worker.Worker
	unattended bool
	// share offers the conversation to a helper from the beginning.
	share bool
	// record is the file for the answers, empty for none.
	record string
	resume string
	// approves is true in the demonstration, where a sign-in by browser needs no user.
	approves bool
}

// result is the JSON of a conversation that came to its end (docs/reference.md §3).
type result struct {
	Profile string                    `json:"profile"`
	Config  string                    `json:"config"`
	Secret  string                    `json:"secret,omitempty"`
	Default bool                      `json:"default"`
	Checks  map[check.ID]check.Status `json:"checks"`
}

func resultOf(s wizard.State) result {
	r := result{Checks: s.Draft().Proven}
	if saved := s.Saved(); saved != nil {
		r.Profile, r.Config, r.Secret, r.Default = saved.Profile, saved.Path, saved.Secret, saved.Default
	}
	return r
}

// converse picks the front end: full screen in a terminal that can draw, plain lines elsewhere, no questions in an
// unattended run.
func converse(ctx context.Context, f *command.Factory, c conversation) error {
	c.options.CheckName = worker.CheckName
	state, requests := wizard.New(c.options)
	talk := carrier.Start(ctx, state, requests, c.worker)
	defer talk.Close()
	if err := c.run(ctx, f, talk); err != nil {
		return err
	}
	if c.record == "" || talk.Saved() == nil {
		return nil
	}
	return writeAnswers(f, c.record, talk.Answers())
}

// run shows the conversation until its end.
func (c conversation) run(ctx context.Context, f *command.Factory, talk *carrier.Conversation) error {
	lines := plain.Options{
		Conversation: talk, Lang: f.Lang(), Product: c.options.Product, Resume: c.resume, In: f.In, Out: f.Out,
		SignIn: c.approves, Share: f.Sharing(), Sharing: c.share,
	}
	if f.JSON { // the steps are for people, and the result is for the program
		lines.Out = f.Err
		run := plain.Run
		if c.unattended {
			run = plain.Unattended
		}
		if err := run(ctx, lines); err != nil {
			return err
		}
		return f.PrintJSON(resultOf(talk.State))
	}
	if c.unattended {
		return plain.Unattended(ctx, lines)
	}
	if !f.Drawable() {
		return plain.Run(ctx, lines)
	}
	err := tui.Run(ctx, tui.Options{
		Conversation: talk, Lang: f.Lang(), Product: c.options.Product, Resume: c.resume,
		NoColor: f.Colourless(), Getenv: f.Getenv, In: f.In, Out: f.Out,
		Served: f.Terminal(), Share: f.Sharing(), Sharing: c.share,
	})
	if errors.Is(err, tui.ErrNoTerminal) {
		return plain.Run(ctx, lines)
	}
	return err
}
