package tui

import (
	"context"
	"errors"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"

	"postier/wizard/carrier"
)

// Run shows the conversation until it ends. The error is carrier.ErrInterrupted when the person left before the end,
// and ErrNoTerminal when there is no terminal to show it on; another front end can then go on with the conversation. In
// every other case Run closes the conversation, so that all writes are finished, restores the terminal, and leaves the
// result, or how to go on, in the scrollback.
func Run(ctx context.Context, o Options) error {
	getenv := getenvOr(o.Getenv)
	m := newModel(o.Conversation, o, newTheme(getenv, o.NoColor))
	t := terminal{in: o.In, out: o.Out, getenv: getenv, noColour: o.NoColor, served: o.Served}
	err := t.show(ctx, m)
	if errors.Is(err, ErrNoTerminal) {
		return err
	}
	o.Conversation.Close()
	out := o.Out
	if out == nil {
		out = os.Stdout
	}
	_, _ = io.WriteString(out, m.summary(o.Resume))
	var broken *carrier.PanicError
	switch {
	case errors.As(o.Conversation.Err(), &broken):
		return broken
	case errors.Is(err, tea.ErrProgramPanic):
		return err
	case m.ended:
		return nil
	case err != nil && !errors.Is(err, tea.ErrProgramKilled):
		return err
	default:
		return carrier.ErrInterrupted
	}
}
