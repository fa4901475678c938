package wizard

import (
	"maps"
	"slices"

	"postier/config"
)

// Defaults are what a product sets for a new profile; the person can change each of them. An edited
// profile keeps what it has.
type Defaults struct {
	ReplyTo  string
	BCC      []string
	Kinds    map[string]bool
	Limits   config.Limits
	TestMode config.TestMode
	// SentCopy is empty where the provider decides. A provider that files a copy by itself is not given a second one.
	SentCopy config.SentMode
	// AskEach asks for the secret at every send instead of storing it.
	AskEach bool
}

// startOptions fills in the defaults that do not depend on the provider.
func (s *State) startOptions() {
	d, start := &s.draft, s.opts.Defaults
	if d.Editing || d.Address != "" {
		return
	}
	if d.ReplyTo == "" {
		d.ReplyTo = start.ReplyTo
	}
	if len(d.BCC) == 0 {
		d.BCC = slices.Clone(start.BCC)
	}
	if len(d.Kinds) == 0 {
		d.Kinds = maps.Clone(start.Kinds)
	}
	if d.TestMode == (config.TestMode{}) {
		d.TestMode = start.TestMode
	}
	d.AskEach = d.AskEach || start.AskEach
}

// startLimits takes the smaller of two limits where the provider has one too.
func (s *State) startLimits() {
	to, start := &s.draft.Limits, s.opts.Defaults.Limits
	lower := func(current *int, n int) {
		if n > 0 && (*current == 0 || n < *current) {
			*current = n
		}
	}
	lower(&to.PerHour, start.PerHour)
	lower(&to.PerDay, start.PerDay)
	lower(&to.PerWeek, start.PerWeek)
	lower(&to.RecipientsPerMessage, start.RecipientsPerMessage)
	if to.Batch == (config.Batch{}) {
		to.Batch = start.Batch
	}
}

// startSentCopy applies the product's default for who files the Sent copy, where the provider leaves the choice.
func (s *State) startSentCopy() {
	d := &s.draft
	switch s.opts.Defaults.SentCopy {
	case config.SentNone:
		d.SentMode = config.SentNone
	case config.SentServer:
		d.SentMode = config.SentServer
	case config.SentAppend:
		if d.IMAP != nil && d.SentMode != config.SentServer {
			d.SentMode = config.SentAppend
		}
	}
}

// addSupport adds the product's support contact to the card of a failure, and to screens with another failure and the
// last screen.
func (s State) addSupport(v *Screen) {
	if s.opts.Support.Empty() {
		return
	}
	if v.Finding != nil {
		v.Support = Translated(s.opts.Support)
		return
	}
	loud := slices.ContainsFunc(v.Notices, func(n Notice) bool { return n.Level == LevelFail })
	if v.Step == StepDone || v.Busy == nil && loud {
		v.Notices = append(v.Notices, Notice{LevelInfo, Translated(s.opts.Support)})
	}
}
