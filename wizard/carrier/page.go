package carrier

import (
	"context"

	"postier/internal/locale"
	"postier/wizard"
)

// Page is a screen of its own, apart from the steps.
type Page interface {
	Screen() wizard.Screen
	Answer(wizard.Answer)
	Ended() bool
}

// Single is a page as a conversation. A page requests no work, so nothing is ever to be told.
type Single struct {
	Page
	outcomes chan wizard.Outcome
}

// Show makes a conversation of a page. The caller must Close it.
func Show(p Page) *Single { return &Single{Page: p, outcomes: make(chan wizard.Outcome)} }

// Outcomes is closed by Close.
func (s *Single) Outcomes() <-chan wizard.Outcome { return s.outcomes }

// Close ends the wait of a front end for an outcome.
func (s *Single) Close() { close(s.outcomes) }

// Tell is never called.
func (*Single) Tell(wizard.Outcome) {}

// HasSecret reports that a page asks for no secret.
func (*Single) HasSecret() bool { return false }

// Resumable reports that nothing of a page is kept for another run.
func (*Single) Resumable() bool { return false }

// Unchanged implements the front end's conversation: a page has nothing of which leaving would lose a part.
func (*Single) Unchanged() bool { return false }

// Masker has nothing to hide: a page asks for no secret.
func (*Single) Masker() func(string) string { return nil }

// SetLang has nothing to store.
func (*Single) SetLang(locale.Lang) {}

// Running reports that no work is under way.
func (*Single) Running() bool { return false }

// Next has nothing to wait for.
func (*Single) Next(context.Context) error { return nil }

// Err is why no outcome follows.
func (*Single) Err() error { return ErrClosed }
