package tui

import (
	"context"

	"postier/wizard"
)

// Run shows the conversation until it ends, and returns its last state. The error is ErrInterrupted when it was left
// before the end, and ErrNoTerminal when there is no terminal to show it on.
func Run(ctx context.Context, o Options) (wizard.State, error) {
	return o.State, ErrNoTerminal
}

// Home shows the saved profiles and returns what the person wants done; the caller does it and calls Home again.
func Home(ctx context.Context, o HomeOptions) (HomeChoice, error) {
	return HomeChoice{Action: HomeQuit, Lang: o.Lang}, ErrNoTerminal
}
