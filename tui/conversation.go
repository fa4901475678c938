package tui

import (
	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
)

// conversation is the part of carrier.Conversation that the screens use. Tests use one that consists of a single
// screen.
type conversation interface {
	Screen() wizard.Screen
	Answer(wizard.Answer)
	Outcomes() <-chan wizard.Outcome
	Tell(wizard.Outcome)
	Ended() bool
	// HasSecret reports whether a secret was given that no draft keeps.
	HasSecret() bool
	// Resumable reports whether a draft is stored with which another run can go on.
	Resumable() bool
	// Unchanged reports whether what is edited is as it was saved.
	Unchanged() bool
	// Masker hides the secrets that are held now in text that a helper may see. What it returns may be called from any
	// goroutine; nil hides nothing.
	Masker() func(string) string
	// SetLang sets the language that is stored in drafts.
	SetLang(locale.Lang)
}

var _ conversation = (*carrier.Conversation)(nil)
