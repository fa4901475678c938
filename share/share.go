// Package share lets one helper look at the step that a person sees: point at a field or an action, write one line, and
// nothing else.
//
// What crosses is the description of a screen (wizard.Screen.Shared) and not its drawing, so that the helper's program
// draws it in the helper's own language and window. No key of the helper reaches a field, and no secret leaves the
// person's program.
//
// A Hub knows the codes of the offers that are open, a Presenter is the person's side of one run, and a Viewer is the
// helper's side. They speak over any stream; a Unix socket of the machine is in package local.
package share

import (
	"errors"
	"time"
)

// Limits of an offer and of a view.
const (
	// Life is how long a code can be used.
	Life = 30 * time.Minute
	// maxWrong is how many wrong codes end an offer, and how many one source may try in the life of a code.
	maxWrong = 5
	// maxOffers is how many offers a hub holds: more than the people who can be on the phone at once.
	maxOffers = 200

	// maxRemark is the longest line that a helper writes, in characters.
	maxRemark = 200
	// fromHelper and fromPerson are the longest lines of the dialog, in octets. A screen with the transcripts of all
	// checks stays far below the second.
	fromHelper = 4 << 10
	fromPerson = 2 << 20

	// perSecond and burst are how fast what the other side sends is read: what comes faster waits on the other side.
	perSecond = 10
	burst     = 20

	// farewell is how long the end of a view may take to reach the helper.
	farewell = time.Second
)

// version is the version of the dialog.
const version = 1

// Errors of an offer and of a view.
var (
	// ErrCode says that no open offer has the code: it is wrong, used, too old, or ended. Which of these is not said.
	ErrCode = errors.New("no open offer has this code")
	// ErrGuessing says that a source tried too many codes.
	ErrGuessing = errors.New("too many wrong codes")
	// ErrFull says that the hub holds as many offers as it can.
	ErrFull = errors.New("too many offers are open")

	// ErrExpired, ErrGuessed and ErrClosed are why an offer ended before a helper came.
	ErrExpired = errors.New("the code was not used in time")
	ErrGuessed = errors.New("too many wrong codes were tried")
	ErrClosed  = errors.New("the offer was closed")

	// ErrLost says that the view ended without the person's doing: the line has dropped, or the program was stopped.
	ErrLost = errors.New("the person's program was cut off")

	// ErrVersion says that the other program speaks another version of the dialog, and ErrDialog that it does not keep
	// to it.
	ErrVersion = errors.New("the other program has another version")
	ErrDialog  = errors.New("the other program sent something else than what is agreed")
)
