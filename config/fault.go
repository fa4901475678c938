package config

import (
	"cmp"
	"errors"
	"strings"

	"postier/internal/locale"
)

// Fault is one mistake in a configuration, or a value that is allowed but unwise.
type Fault struct {
	// Path names the place as `config get` takes it: profiles.durand.submission.port, profiles.durand.senders.0.
	Path string
	// Text says what to write instead.
	Text Text
	// Warning is true when the value is allowed; a save goes ahead.
	Warning bool
}

// Faults is what Validate found, in the order of the file.
type Faults []Fault

// Errors returns the faults that forbid a save.
func (f Faults) Errors() Faults { return f.only(false) }

// Warnings returns the faults that do not.
func (f Faults) Warnings() Faults { return f.only(true) }

// Under returns the faults at path or below it.
func (f Faults) Under(path string) Faults {
	var out Faults
	for _, fault := range f {
		if fault.Path == path || strings.HasPrefix(fault.Path, path+".") {
			out = append(out, fault)
		}
	}
	return out
}

func (f Faults) only(warning bool) Faults {
	var out Faults
	for _, fault := range f {
		if fault.Warning == warning {
			out = append(out, fault)
		}
	}
	return out
}

// Speaker is an error that can explain itself to people, in addition to its technical text.
type Speaker interface {
	error
	Text() Text
}

// Describe returns the words for an error of this package, of config/credential or of safefile; ok is false for others.
func Describe(err error) (text Text, ok bool) {
	var speaker Speaker
	if errors.As(err, &speaker) {
		return speaker.Text(), true
	}
	return Text{}, false
}

// InvalidError says that a configuration was not read or not written because of its faults.
type InvalidError struct {
	Path   string // of the file
	Faults Faults // errors first seen, warnings left out
	// Command lists the faults; empty means `config validate`.
	Command string
}

// Error names the first fault only: the whole list is for `config validate`.
func (e *InvalidError) Error() string {
	if len(e.Faults) == 0 {
		return "configuration " + e.Path + " is invalid"
	}
	return "configuration " + e.Path + " is invalid at " + e.Faults[0].Path + ": " +
		locale.For(locale.English).Say(e.Faults[0].Text)
}

// Text says how many faults there are.
func (e *InvalidError) Text() Text {
	return locale.Msg("config.error.invalid", "path", e.Path, "count", len(e.Faults), "command",
		cmp.Or(e.Command, "config validate"))
}
