// Package home is the screen of the saved profiles and its pages: what they show, which keys they have, and what an
// answer asks for. Like the wizard it is a value that knows no terminal, so that the full screen and plain lines offer
// the same.
package home

import (
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/wizard"
)

// Item is one saved profile.
type Item struct {
	Name    string // profile name
	Label   string // for people; may be empty
	Address string
	Default bool
	// Fallback is true for the profile that takes over when another one cannot send.
	Fallback bool
	// Platform is true for the vendor's profile, which is not the person's to change.
	Platform bool
	Enabled  bool
	// TestMode is true when every message goes to the test address.
	TestMode bool
	// Proven is when the settings were last proven to work; the zero time means never.
	Proven time.Time
	// Verdict is the verdict of that proof; empty when there was none.
	Verdict check.Status
	// Changed is true when the settings were edited since.
	Changed bool
	// Trouble says why it does not send now and since when, empty when it does; it is shown in place of the proof.
	Trouble wizard.Words
	// Fixable is true when a step of the wizard corrects the trouble.
	Fixable bool
	// Traffic says what was sent and what waits.
	Traffic []wizard.Words
	// Next is what to do next about it; empty when nothing.
	Next wizard.Words
}

// Action is what the person chose.
type Action string

// The actions.
const (
	Quit    Action = "quit"
	Add     Action = "add"
	Edit    Action = "edit"
	Fix     Action = "fix" // edit, from the field that the trouble is about
	Test    Action = "test"
	Delete  Action = "delete"
	Default Action = "default"
	Enable  Action = "enable"
	Disable Action = "disable"
	// MakeFallback makes the profile the fallback, NoFallback ends that.
	MakeFallback Action = "fallback"
	NoFallback   Action = "no-fallback"
	TestMode     Action = "test-mode"
	Kinds        Action = "kinds"
	Limits       Action = "limits"
	Suppress     Action = "suppress"
	Templates    Action = "templates"
	Log          Action = "log"
	Watch        Action = "watch"
	Queue        Action = "queue"
	Export       Action = "export"
	Report       Action = "report"
)

// Choice is the outcome of the screen.
type Choice struct {
	Action  Action
	Profile string // empty for Add and Quit
	// Lang is the language that was in use at the end.
	Lang locale.Lang
}

// Key is a letter and its action, the same in every language.
type Key struct {
	Letter string
	Action Action
}

// Keys are the letters in the order in which they are shown.
func Keys() []Key {
	return []Key{
		{"a", Add},
		{"e", Edit},
		{"c", Fix},
		{"t", Test},
		{"m", TestMode},
		{"k", Kinds},
		{"l", Limits},
		{"b", Suppress},
		{"v", Templates},
		{"g", Log},
		{"w", Watch},
		{"u", Queue},
		{"o", Export},
		{"f", MakeFallback},
		{"d", Default},
		{"s", Enable},
		{"r", Report},
		{"x", Delete},
		{"q", Quit},
	}
}

// Offered are the keys that do something for a profile.
func Offered(item Item) []Key {
	var out []Key
	for _, k := range Keys() {
		if (k.Action != Fix || item.Fixable) && !(item.Platform && k.Action.For(item).Changes()) {
			out = append(out, k)
		}
	}
	return out
}

// First is what Enter does.
func First(item Item) Action {
	switch {
	case item.Platform:
		return Test
	case item.Fixable:
		return Fix
	}
	return Edit
}

// Changes reports whether an action changes a profile or gives it away, which the platform's does not allow.
func (a Action) Changes() bool {
	switch a {
	case Edit, Fix, Delete, Disable, TestMode, Kinds, Limits, Export:
		return true
	}
	return false
}

// For is the action that a letter means for a profile: the same key switches on and off.
func (a Action) For(item Item) Action {
	switch {
	case a == Enable && item.Enabled:
		return Disable
	case a == MakeFallback && item.Fallback:
		return NoFallback
	}
	return a
}

// Label says what an action does to a profile.
func (a Action) Label(item Item) wizard.Words {
	switch a = a.For(item); {
	case a == TestMode && item.TestMode:
		return wizard.Msg("home.key.test-mode-on")
	default:
		return wizard.Msg("home.key." + string(a))
	}
}

// Alone reports whether an action needs no profile.
func (a Action) Alone() bool { return a == Add || a == Quit }

// Marks are the short words on a profile: default, fallback, test mode, on or off.
func (i Item) Marks() []wizard.Words {
	var out []wizard.Words
	for _, mark := range []struct {
		set  bool
		word string
	}{
		{i.Default, "default"},
		{i.Fallback, "fallback"},
		{i.Platform, "platform"},
		{i.TestMode, "test-mode"},
		{i.Enabled, "on"},
		{!i.Enabled, "off"},
	} {
		if mark.set {
			out = append(out, wizard.Msg("home.mark."+mark.word))
		}
	}
	return out
}

// Standing says how the profile is doing: a failure now counts more than an old proof.
func (i Item) Standing() []wizard.Words {
	switch {
	case !i.Trouble.Empty():
		return []wizard.Words{wizard.Msg("common." + string(check.Fail)), i.Trouble}
	case i.Proven.IsZero() && i.Platform:
		return []wizard.Words{wizard.Msg("home.provided")}
	case i.Proven.IsZero():
		return []wizard.Words{wizard.Msg("home.never")}
	}
	out := []wizard.Words{
		wizard.Msg("common." + string(i.Verdict)),
		wizard.Msg("home.proven", "date", i.Proven.Local().Format(time.DateOnly)),
	}
	if i.Changed {
		out = append(out, wizard.Msg("home.changed"))
	}
	return out
}
