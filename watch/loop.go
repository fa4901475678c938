package watch

import (
	"context"
	"slices"
	"time"

	"postier/config"
	"postier/internal/check"
)

// look is how often the watch looks whether there is something to do.
const look = time.Minute

// Stay watches until ctx ends. every is the time between two rounds of all profiles, or of those that only names; 0
// takes that of the configuration, which may change or be missing. In between, the profiles are looked at again of
// which something failed once, could not be told, or may be mended. observe is called with each round.
func (w *Watcher) Stay(ctx context.Context, every time.Duration, only []string, observe func(Round, error)) error {
	l := &loop{Watcher: w, every: every, only: only}
	for ctx.Err() == nil {
		round, due, err := l.turn(ctx)
		if (due || err != nil) && ctx.Err() == nil {
			observe(round, err)
		}
		wait := look
		if every > 0 {
			wait = min(look, every)
		}
		if w.pause != nil {
			w.pause()
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return ctx.Err()
}

// loop is one call of Stay.
type loop struct {
	*Watcher
	every time.Duration
	only  []string
	// next is when the next round of all profiles is, unless the state knows it.
	next time.Time
}

// turn does what is due, if anything is.
func (l *loop) turn(ctx context.Context) (round Round, due bool, err error) {
	doc, err := l.Queue.Load()
	if err != nil {
		return Round{}, false, err
	}
	every := l.every
	if every == 0 {
		every = doc.File.Watch.Every()
	}
	if every == 0 {
		return Round{}, false, nil
	}
	now := l.Queue.Store.Now()
	next, err := l.nextRound(ctx)
	switch {
	case err != nil:
		return Round{}, false, err
	case !now.Before(next) || next.After(now.Add(every)): // later is what a clock that was ahead has noted
		return l.full(ctx, now, every)
	}
	names, err := l.inBetween(ctx, &doc.File, now)
	if err != nil || len(names) == 0 {
		return Round{}, false, err
	}
	round, err = l.Round(ctx, names...)
	return round, true, err
}

// full does a round of all profiles. One that fails is tried again soon.
func (l *loop) full(ctx context.Context, now time.Time, every time.Duration) (Round, bool, error) {
	if err := l.setNextRound(ctx, now.Add(every)); err != nil {
		return Round{}, false, err
	}
	round, err := l.Round(ctx, l.only...)
	if err != nil {
		_ = l.setNextRound(context.WithoutCancel(ctx), now.Add(min(again, every)))
	}
	return round, true, err
}

// nextRound is when the next round is: the state knows it for the service, so that one that starts anew does not begin
// with a round, and of several machines one does it.
func (l *loop) nextRound(ctx context.Context) (time.Time, error) {
	if l.every > 0 {
		return l.next, nil
	}
	return l.Queue.Store.NextWatch(ctx)
}

func (l *loop) setNextRound(ctx context.Context, at time.Time) error {
	if l.every > 0 {
		l.next = at
		return nil
	}
	return l.Queue.Store.SetNextWatch(ctx, at)
}

// inBetween lists the profiles that are looked at before the next round.
func (l *loop) inBetween(ctx context.Context, f *config.File, now time.Time) ([]string, error) {
	known, err := l.Queue.Store.Watched(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(enabled(f), func(name string) bool {
		return len(l.only) > 0 && !slices.Contains(l.only, name) ||
			!l.looksAgain(f.Profiles[name], name, decodeRecord(known[name].Detail), now)
	}), nil
}

// looksAgain reports whether a profile is looked at now: its time has come, or its settings or its secret changed after
// something had failed.
func (w *Watcher) looksAgain(p *config.Profile, name string, r *record, now time.Time) bool {
	if !r.Again.IsZero() && !now.Before(r.Again) || r.Again.After(now.Add(longestAgain)) {
		return true
	}
	return slices.ContainsFunc(r.troubles((*trouble).confirmed), func(id check.ID) bool {
		t := r.Checks[id].Trouble
		return t.Digest != p.Digest() || t.Stamp != w.Accounts.Credentials.Stamp(name, p.Credential)
	})
}
