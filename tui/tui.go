// Package tui is the full-screen front end: it draws any wizard.Screen in a terminal and turns keys into answers.
//
// It knows nothing about steps. What a step asks, shows and offers comes from package wizard, and package carrier
// carries out the work that the wizard requests. This package handles the terminal: layout from 1x1 to any size,
// scrolling, keys, paste, suspend, and restoring the terminal however the program ends.
//
// It is written for use over SSH: no mouse, no blinking, few bytes a key, only the 16 colours that every terminal has,
// and a word wherever a colour carries meaning.
package tui

import (
	"errors"
	"io"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
)

// Options are what Run needs. Conversation must be given.
type Options struct {
	Conversation *carrier.Conversation
	Lang         locale.Lang
	// OnLang, when given, is called when the person switches the language.
	OnLang func(locale.Lang)
	// Product replaces {product} in a preset's text: the calling program's name. Empty means postier.
	Product string
	// Resume is the command that goes on with the draft, shown when the person leaves early: "postier setup --resume".
	// Empty means that no draft is kept: a rehearsal.
	Resume string
	// NoColor switches colours off; NO_COLOR in the environment does so too.
	NoColor bool

	// Getenv reads the environment of the person's terminal; nil means the process's own.
	Getenv func(string) string
	// In and Out are the terminal; nil means standard input and output.
	In  io.Reader
	Out io.Writer
	// Now is the clock, for elapsed seconds; nil means time.Now.
	Now func() time.Time
}

// ErrNoTerminal is returned when input or output is not a terminal; package plain works without one.
var ErrNoTerminal = errors.New("the full-screen interface needs a terminal")

// HomeItem is one saved profile as the home screen shows it.
type HomeItem struct {
	Name    string // profile name
	Label   string // for people; may be empty
	Address string
	Default bool
	// Fallback is true for the profile that takes over when another one cannot send.
	Fallback bool
	Enabled  bool
	// Proven is when the settings were last proven to work; the zero time means never.
	Proven time.Time
	// Verdict is the verdict of that proof; empty when there was none.
	Verdict check.Status
	// Changed is true when the settings were edited since.
	Changed bool
	// Trouble says why it does not send now and since when, empty when it does; it is shown in place of the proof.
	Trouble wizard.Words
	// Traffic says what was sent and what waits.
	Traffic []wizard.Words
	// Next is what to do next about it; empty when nothing.
	Next wizard.Words
}

// HomeAction is what the person chose on the home screen.
type HomeAction string

// The actions of the home screen.
const (
	HomeQuit    HomeAction = "quit"
	HomeAdd     HomeAction = "add"
	HomeEdit    HomeAction = "edit"
	HomeTest    HomeAction = "test"
	HomeDelete  HomeAction = "delete" // already confirmed
	HomeDefault HomeAction = "default"
	HomeEnable  HomeAction = "enable"
	HomeDisable HomeAction = "disable"
	// HomeFallback makes the profile the fallback, HomeNoFallback ends that.
	HomeFallback   HomeAction = "fallback"
	HomeNoFallback HomeAction = "no-fallback"
)

// HomeChoice is the outcome of the home screen.
type HomeChoice struct {
	Action  HomeAction
	Profile string // empty for HomeAdd and HomeQuit
	// Lang is the language that was in use at the end.
	Lang locale.Lang
}

// HomeOptions are what Home needs.
type HomeOptions struct {
	Items []HomeItem
	// Select is the profile to put the cursor on; empty means the default.
	Select string
	// Notice tells how the last action ended; empty when there was none.
	Notice wizard.Words
	// Queue says what is wrong with the queue as a whole; empty when nothing is.
	Queue wizard.Words

	Lang    locale.Lang
	NoColor bool
	Getenv  func(string) string
	In      io.Reader
	Out     io.Writer
	Now     func() time.Time
}
