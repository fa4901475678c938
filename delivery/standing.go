package delivery

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"postier/config"
)

// Health says how a profile is doing at this moment.
type Health string

// The healths.
const (
	HealthWorking  Health = "working"
	HealthFailing  Health = "failing"  // the last try failed for a reason of the profile
	HealthOff      Health = "off"      // switched off, by a person or by a failure
	HealthUnproven Health = "unproven" // never checked, or edited since
)

// Standing is what the state knows of a profile.
type Standing struct {
	// Waiting is the number of messages in the queue, Due when the first of them is to be tried.
	Waiting int
	Due     time.Time
	// SentToday is the number of messages of the last 24 hours, as the limit of a day counts them.
	SentToday int
	// Cause is that of the last failure in a row of failures, Since when they began; without failures both are zero.
	Cause config.Cause
	Since time.Time
	last  time.Time
	// watched is what the watch found.
	watched Watched
}

// Standings are those of all profiles.
type Standings struct {
	Profiles map[string]Standing
	// Kept is true while a service or a timer runs the queue.
	Kept bool
}

// Health is how a profile is doing, since when if that is known, and for which cause. A proof is newer than the
// failures before it; a round of the watch that found sending to work is one too.
func (s Standing) Health(p *config.Profile) (health Health, since time.Time, cause config.Cause) {
	var proven time.Time
	if p.Proven() {
		proven = p.Validated.At
	}
	switch {
	case !p.Enabled && p.Disabled != nil:
		return HealthOff, p.Disabled.At, p.Disabled.Cause
	case !p.Enabled:
		return HealthOff, time.Time{}, ""
	case s.Cause != "" && s.last.After(proven) && s.last.After(s.watched.Proven):
		return HealthFailing, s.Since, s.Cause
	case s.watched.Cause != "" && s.watched.Last.After(proven):
		return HealthFailing, s.watched.Since, s.watched.Cause
	case !p.Proven():
		return HealthUnproven, time.Time{}, ""
	}
	return HealthWorking, p.Validated.At, ""
}

// Peek opens the state to read it, and is nil when there is none yet: looking at it creates nothing.
func Peek(ctx context.Context, database config.Database) (*Store, error) {
	if database.URL == "" {
		if _, err := os.Lstat(database.File); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return OpenStore(ctx, database)
	}
	s, err := connect(database)
	if err != nil {
		return nil, err
	}
	var exists bool
	err = s.db.QueryRowContext(ctx, `SELECT to_regclass('postier_schema') IS NOT NULL`).Scan(&exists)
	_ = s.db.Close()
	if err != nil || !exists {
		return nil, wrap("open", err)
	}
	return OpenStore(ctx, database)
}

// Standings reads how the profiles stand. Each number comes from an index, whatever the length of the queue.
func (s *Store) Standings(ctx context.Context) (Standings, error) {
	out := Standings{Profiles: map[string]Standing{}}
	now := s.Now()
	change := func(profile string, work func(*Standing)) {
		standing := out.Profiles[profile]
		work(&standing)
		out.Profiles[profile] = standing
	}
	const day = 24 * time.Hour
	count := `SELECT profile, COUNT(*), 0, '' FROM `
	err := errors.Join(
		s.perProfile(ctx, `SELECT profile, COUNT(*), MIN(due), '' FROM postier_message WHERE `+claimable+` GROUP BY profile`,
			func(profile string, n, due int64, _ string) {
				change(profile, func(p *Standing) { p.Waiting, p.Due = int(n), time.UnixMilli(due) })
			}),
		s.perProfile(ctx, count+`postier_message WHERE `+claimed+` GROUP BY profile`,
			func(profile string, n, _ int64, _ string) {
				change(profile, func(p *Standing) { p.Waiting, p.Due = p.Waiting+int(n), now })
			}),
		s.perProfile(ctx, count+`postier_sent WHERE at > ?1 GROUP BY profile`,
			func(profile string, n, _ int64, _ string) {
				change(profile, func(p *Standing) { p.SentToday = int(n) })
			}, now.Add(-day).UnixMilli()),
		s.perProfile(ctx, `SELECT profile, since, last, cause FROM postier_health`,
			func(profile string, since, last int64, cause string) {
				change(profile, func(p *Standing) {
					p.Cause, p.Since, p.last = config.Cause(cause), time.UnixMilli(since), time.UnixMilli(max(since, last))
				})
			}))
	if err != nil {
		return out, wrap("read the queue", err)
	}
	watched, err := s.Watched(ctx)
	if err != nil {
		return out, err
	}
	for profile, found := range watched {
		change(profile, func(p *Standing) { p.watched = found })
	}
	until, err := s.keeper(ctx, keeperWorker)
	out.Kept = now.Before(until)
	return out, err
}

// perProfile calls take for each row of a query for a profile, two numbers and a word.
func (s *Store) perProfile(ctx context.Context, query string, take func(profile string, a, b int64, word string),
	args ...any,
) error {
	return s.view(ctx, func(on executor) error {
		rows, err := on.QueryContext(ctx, s.q(query), args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var profile, word string
			var a, b int64
			if err := rows.Scan(&profile, &a, &b, &word); err != nil {
				return err
			}
			take(profile, a, b, word)
		}
		return rows.Err()
	})
}
