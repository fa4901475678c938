package profile

import (
	"context"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
	"postier/wizard"
)

// minute is how a moment is shown.
const minute = "2006-01-02 15:04"

// Status is how a profile is doing now.
type Status struct {
	State     delivery.Health `json:"state"`
	Since     *time.Time      `json:"since,omitempty"`
	Cause     check.Cause     `json:"cause,omitempty"`
	Code      string          `json:"code,omitempty"`
	Waiting   int             `json:"waiting"`
	SentToday int             `json:"sent_today"`

	perDay int
	next   time.Time // when the first waiting message is tried, zero when no one will
}

// Statuses are those of all profiles. The state may be unreadable while the list is still useful: the error says so.
type Statuses struct {
	Profiles map[string]Status
	// Unkept is true when messages wait and nothing runs the queue.
	Unkept bool
}

// StatusesOf reads how the profiles are doing. With an error they are what the configuration alone says.
func StatusesOf(ctx context.Context, f *command.Factory, doc *config.Document) (Statuses, error) {
	standings, err := f.Standings(ctx, doc)
	out := Statuses{Profiles: map[string]Status{}}
	for _, name := range doc.File.Names() {
		p, standing := doc.File.Profiles[name], standings.Profiles[name]
		limits := delivery.EffectiveLimits(p.Limits, delivery.ProviderLimits(f.Book(), p))
		s := Status{Waiting: standing.Waiting, SentToday: standing.SentToday, perDay: limits.PerDay}
		var since time.Time
		if s.State, since, s.Cause = standing.Health(p); !since.IsZero() {
			since = since.UTC().Truncate(time.Second)
			s.Since = &since
		}
		s.Code = explain.Code(s.Cause)
		if standings.Kept {
			s.next = standing.Due
		}
		out.Unkept = out.Unkept || s.Waiting > 0 && !standings.Kept
		out.Profiles[name] = s
	}
	return out, err
}

// Trouble says since when a profile fails or is off and why; it is empty for one that works, and for one that a person
// switched off.
func (s Status) Trouble() wizard.Words {
	if s.Since == nil || s.Cause == "" {
		return wizard.Words{}
	}
	key := "cli.profile.failing"
	if s.State == delivery.HealthOff {
		key = "cli.profile.off-since"
	}
	return WithCause(locale.Msg(key, "since", s.Since.Local().Format(minute)), s.Cause)
}

// WithCause is a message with what a cause is called after it, and its code.
func WithCause(message locale.Text, cause check.Cause) wizard.Words {
	words := wizard.Words{Msg: message}
	info, known := explain.Cause(cause)
	if !known {
		words.Remote = safetext.FromRemote(string(cause))
		return words
	}
	words.Text = presets.Text{}
	for _, lang := range locale.All() {
		words.Text[lang] = info.Title(lang)
	}
	words.Literal = "(" + info.Code + ")"
	return words
}

// Traffic says what was sent and what waits.
func (s Status) Traffic() []wizard.Words {
	var list []wizard.Words
	switch {
	case s.perDay > 0:
		list = append(list, wizard.Msg("cli.profile.sent-of", "n", s.SentToday, "limit", s.perDay))
	case s.SentToday > 0:
		list = append(list, wizard.Msg("cli.profile.sent", "n", s.SentToday))
	}
	switch {
	case s.Waiting > 0 && !s.next.IsZero():
		list = append(list, wizard.Msg("cli.profile.waiting-until", "n", s.Waiting, "next", s.next.Local().Format(minute)))
	case s.Waiting > 0:
		list = append(list, wizard.Msg("cli.profile.waiting", "n", s.Waiting))
	}
	return list
}
