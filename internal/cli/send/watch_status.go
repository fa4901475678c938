package send

import (
	"context"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics/report"
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/watch"
)

// minute is how a moment is shown where seconds say nothing.
const minute = "2006-01-02 15:04"

// watchState is what `watch status` and the page of the home screen tell.
type watchState struct {
	EveryHours int `json:"every_hours"`
	// Service is true while something runs here that watches when every_hours says so.
	Service  bool             `json:"service"`
	Profiles []watchedProfile `json:"profiles"`
}

// watchedProfile is what the watch knows of one profile.
type watchedProfile struct {
	Profile string      `json:"profile"`
	Address string      `json:"address"`
	Enabled bool        `json:"enabled"`
	State   watch.State `json:"state"`
	// Checked is when the last round was, Next when it is looked at again; absent where there was or will be none.
	Checked *time.Time      `json:"checked,omitempty"`
	Next    *time.Time      `json:"next,omitempty"`
	Stopped []watch.Stopped `json:"stopped"`
	// Untold are the notices that somebody is still to get.
	Untold []watch.Sent `json:"untold"`
	// proven is when the settings as they are were last proven; the zero time means never.
	proven time.Time
}

// watchStateOf reads what the watch knows of these profiles, of all without a name. It connects to nothing.
func watchStateOf(ctx context.Context, f *command.Factory, doc *config.Document, names ...string) (watchState, error) {
	if len(names) == 0 {
		names = doc.File.Names()
	}
	out := watchState{EveryHours: doc.File.Watch.EveryHours, Profiles: []watchedProfile{}}
	kept, round := map[string]delivery.Watched{}, time.Time{}
	now := time.Now()
	err := f.Peek(ctx, doc, func(ctx context.Context, store *delivery.Store) error {
		standings, err := store.Standings(ctx)
		if err != nil {
			return err
		}
		out.Service, now = standings.Kept, store.Now()
		if kept, err = store.Watched(ctx); err != nil {
			return err
		}
		round, err = store.NextWatch(ctx)
		return err
	})
	for _, name := range names {
		p, known := doc.File.Profiles[name], watch.KnownOf(kept[name])
		w := watchedProfile{
			Profile: name, Address: p.From.Address, Enabled: p.Enabled, State: known.State, Checked: whole(known.Checked),
			Stopped: known.Stopped, Untold: known.Untold,
		}
		if out.Service && out.EveryHours > 0 && p.Enabled {
			w.Next = whole(sooner(latest(round, now), known.Again))
		}
		if p.Proven() {
			w.proven = p.Validated.At
		}
		for i := range w.Stopped {
			w.Stopped[i].Since = w.Stopped[i].Since.UTC().Truncate(time.Second)
		}
		if w.Stopped == nil {
			w.Stopped = []watch.Stopped{}
		}
		if w.Untold == nil {
			w.Untold = []watch.Sent{}
		}
		out.Profiles = append(out.Profiles, w)
	}
	return out, err
}

// whole is a time in seconds, nil when there is none.
func whole(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC().Truncate(time.Second)
	return &at
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sooner is the earlier one of two times; a zero b is none.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// runWatchStatus prints what the watch knows.
func runWatchStatus(ctx context.Context, f *command.Factory, names []string) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := doc.Profile(name); err != nil {
			return err
		}
	}
	state, err := watchStateOf(ctx, f, doc, names...)
	if err != nil {
		return f.Sentence(err)
	}
	err = f.Result(state, func() {
		for _, w := range state.Profiles {
			for _, line := range watchedLines(f, w) {
				f.Println(line)
			}
		}
	})
	if err == nil && !f.JSON {
		sayWhetherWatched(f, state)
	}
	return err
}

// standing says how a profile is doing. The proof of its set-up counts until the watch has looked for the first time.
func (w watchedProfile) standing() locale.Text {
	switch {
	case !w.Enabled:
		return locale.Msg("home.mark.off")
	case w.State == watch.StateUnchecked && !w.proven.IsZero():
		return locale.Msg("watch.state.proven", "date", w.proven.Local().Format(time.DateOnly))
	}
	return locale.Msg("watch.state." + string(w.State))
}

// watchedLines are the words for one profile.
func watchedLines(f *command.Factory, w watchedProfile) []string {
	standing := f.Say(w.standing())
	lines := []string{w.Profile + "  " + safetext.Escape(w.Address) + "  " + standing}
	add := func(text string) { lines = append(lines, "    "+text) }
	if w.Checked != nil {
		add(f.T("watch.status.checked", "at", w.Checked.Local().Format(minute)))
	}
	if w.Next != nil {
		add(f.T("watch.status.next", "at", w.Next.Local().Format(minute)))
	}
	for _, s := range w.Stopped {
		add(f.T(markOf(s.Status)) + " " + labelled(f, report.Name(f.Lang(), s.Check), f.Cause(s.Cause)) + ", " +
			f.T("watch.since", "since", s.Since.Local().Format(minute)))
	}
	for _, n := range w.Untold {
		add(toldLine(f, n))
	}
	return lines
}
