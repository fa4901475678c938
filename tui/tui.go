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

	"postier/internal/locale"
	"postier/share"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
)

// Options are what Run needs. Conversation must be given.
type Options struct {
	Conversation *carrier.Conversation
	Lang         locale.Lang
	// OnLang, when given, is called when the person switches the language.
	OnLang func(locale.Lang)
	// Product replaces {product} in a preset's text: the calling program's name. Empty means postier.
	Product string
	// Share lets one helper look on; nil where nothing can be shared.
	Share *share.Presenter
	// Sharing begins to share with the conversation. Whoever starts the presenter before loses what it says in between.
	Sharing bool
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
	// Served is set for a terminal that is not this process's own.
	Served Served
	// Now is the clock, for elapsed seconds; nil means time.Now.
	Now func() time.Time
}

// Served is a terminal that the program serves to someone else: the kernel tells the process nothing about it, and the
// process must not stop for it.
type Served struct {
	// Resized calls notify whenever the terminal has another size, until stop. nil means a terminal of the process.
	Resized func(notify func()) (stop func())
}

// ErrNoTerminal is returned when input or output is not a terminal; package plain works without one.
var ErrNoTerminal = errors.New("the full-screen interface needs a terminal")

// HomeOptions are what Home needs.
type HomeOptions struct {
	Items []home.Item
	// Select is the profile to put the cursor on; empty means the default.
	Select string
	// Notice tells how the last action ended; empty when there was none.
	Notice wizard.Words
	// Queue says what is wrong with the queue as a whole; empty when nothing is.
	Queue wizard.Words
	// Product is the calling program's name; empty means postier.
	Product string
	// Share lets one helper look on; nil where nothing can be shared.
	Share *share.Presenter

	Lang    locale.Lang
	NoColor bool
	Getenv  func(string) string
	In      io.Reader
	Out     io.Writer
	Served  Served
	Now     func() time.Time
}
