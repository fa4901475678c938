package tui

import (
	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
)

// conversation is what the screens need of a carrier.Conversation. Tests have one of a single screen.
type conversation interface {
	Screen() wizard.Screen
	Answer(wizard.Answer)
	Outcomes() <-chan wizard.Outcome
	Tell(wizard.Outcome)
	Ended() bool
	// HasSecret reports whether a secret was given that no draft keeps.
	HasSecret() bool
	// Speak sets the language that drafts note down.
	Speak(locale.Lang)
}

var _ conversation = (*carrier.Conversation)(nil)
