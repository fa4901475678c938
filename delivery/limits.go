package delivery

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"postier/config"
	"postier/internal/check"
)

// The windows in which messages are counted.
const (
	windowHour = "hour"
	windowDay  = "day"
	windowWeek = "week"
)

// OverLimit says that a message must wait.
type OverLimit struct {
	Profile string
	By      string // a window, or batch
	Next    time.Time
}

func (e *OverLimit) Error() string {
	return "profile " + e.Profile + " has reached its limit per " + e.By + " until " + e.Next.Format(time.RFC3339)
}

// counters are what a profile has sent.
type counters struct {
	*Store
	tx      executor
	profile string
	limits  config.Limits
	now     time.Time
}

// counting counts in a transaction that excludes every other one on the same profile.
func (s *Store) counting(ctx context.Context, profile string, l config.Limits, work func(*counters) error) error {
	return s.locked(ctx, "limits:"+profile, func(tx executor) error {
		return work(&counters{Store: s, tx: tx, profile: profile, limits: l, now: s.Now()})
	})
}

// Room returns what the limits leave, without taking any of it.
func (s *Store) Room(ctx context.Context, profile string, l config.Limits) (room Room, err error) {
	err = s.view(ctx, func(on executor) error {
		c := &counters{Store: s, tx: on, profile: profile, limits: l, now: s.Now()}
		if room, _, err = c.room(ctx); err != nil {
			return err
		}
		room.Refused, err = s.quotaRefused(ctx, on, profile, c.now)
		return err
	})
	return room, wrap("read the limits", err)
}

// Ticket is a place under the limits that was taken for one message.
type Ticket struct {
	id      int64
	profile string
	batch   bool
}

// Take counts a message before it is sent, so that several processes and machines together never send more than the
// limits allow. The error is an *OverLimit or a *StateError. The ticket of a message that was not sent is returned.
func (s *Store) Take(ctx context.Context, profile string, l config.Limits) (Ticket, error) {
	t := Ticket{profile: profile, batch: batched(l)}
	var over *OverLimit
	err := s.counting(ctx, profile, l, func(c *counters) error {
		if err := c.tidy(ctx); err != nil {
			return err
		}
		room, batch, err := c.room(ctx)
		if err != nil {
			return err
		}
		if !room.Free() {
			over = &OverLimit{Profile: profile, By: room.By, Next: room.Next}
			return nil
		}
		now := c.now.UnixMilli()
		query := `INSERT INTO postier_sent (profile, at) VALUES (?1, ?2) RETURNING id`
		if err := s.row(ctx, c.tx, query, profile, now).Scan(&t.id); err != nil || !t.batch {
			return err
		}
		return s.exec(ctx, c.tx, `INSERT INTO postier_batch (profile, messages, last) VALUES (?1, ?2, ?3)
			ON CONFLICT (profile) DO UPDATE SET messages = ?2, last = ?3`, profile, batch+1, now)
	})
	if err == nil && over != nil {
		return t, over
	}
	return t, wrap("count a message", err)
}

// Return gives back the ticket of a message that was not sent.
func (s *Store) Return(ctx context.Context, t Ticket) error {
	if t.id == 0 {
		return nil
	}
	return wrap("uncount a message", s.counting(ctx, t.profile, config.Limits{}, func(c *counters) error {
		if err := s.exec(ctx, c.tx, `DELETE FROM postier_sent WHERE id = ?1`, t.id); err != nil || !t.batch {
			return err
		}
		return s.exec(ctx, c.tx,
			`UPDATE postier_batch SET messages = messages - 1 WHERE profile = ?1 AND messages > 0`, t.profile)
	}))
}

// ResetLimits sets the counters of a profile to zero (P-4), makes the messages due that waited for a limit, and returns
// how many. They are due in the order in which they were accepted.
func (s *Store) ResetLimits(ctx context.Context, profile string) (released int, err error) {
	err = s.counting(ctx, profile, config.Limits{}, func(c *counters) error {
		for _, table := range []string{"postier_sent", "postier_batch"} {
			if err := s.exec(ctx, c.tx, `DELETE FROM `+table+` WHERE profile = ?1`, profile); err != nil {
				return err
			}
		}
		if err := s.exec(ctx, c.tx, `DELETE FROM postier_health WHERE profile = ?1 AND cause = ?2`, profile,
			string(check.CauseSendingQuotaExceeded)); err != nil {
			return err
		}
		released, err = s.release(ctx, c.tx, profile, c.now)
		return err
	})
	return released, wrap("reset the limits", err)
}

// tidied are the profiles whose counters were tidied, and when. It belongs to the transactions of one store.
type tidied struct {
	mu sync.Mutex
	at map[string]time.Time
}

// due reports whether counters are to be tidied: a minute after the last time, and at once when the clock jumped back.
func (t *tidied) due(profile string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, known := t.at[profile]
	if known && !now.Before(last) && now.Sub(last) < tidy {
		return false
	}
	if t.at == nil {
		t.at = map[string]time.Time{}
	}
	t.at[profile] = now
	return true
}

// tidy dates entries now that a clock which jumped back has left in the future: so they count for one span and not for
// ever. It deletes those that no longer count.
func (c *counters) tidy(ctx context.Context) error {
	if !c.tidied.due(c.profile, c.now) {
		return nil
	}
	const keep = 8 * 24 * time.Hour // the longest window and a day
	now := c.now.UnixMilli()
	return errors.Join(
		c.exec(ctx, c.tx, `UPDATE postier_sent SET at = ?2 WHERE profile = ?1 AND at > ?2`, c.profile, now),
		c.exec(ctx, c.tx, `UPDATE postier_batch SET last = ?2 WHERE profile = ?1 AND last > ?2`, c.profile, now),
		c.exec(ctx, c.tx, `DELETE FROM postier_sent WHERE profile = ?1 AND at < ?2`, c.profile, c.now.Add(-keep).UnixMilli()))
}

// room returns what the limits leave now, and how many messages the running batch has.
func (c *counters) room(ctx context.Context) (room Room, batch int, err error) {
	room.Left = map[string]int{}
	for _, window := range []struct {
		name  string
		span  time.Duration
		limit int
	}{
		{windowHour, time.Hour, c.limits.PerHour},
		{windowDay, 24 * time.Hour, c.limits.PerDay},
		{windowWeek, 7 * 24 * time.Hour, c.limits.PerWeek},
	} {
		if window.limit <= 0 {
			continue
		}
		since := c.now.Add(-window.span).UnixMilli()
		var used int
		query := `SELECT COUNT(*) FROM postier_sent WHERE profile = ?1 AND at > ?2`
		if err := c.row(ctx, c.tx, query, c.profile, since).Scan(&used); err != nil {
			return room, 0, err
		}
		room.Left[window.name] = max(0, window.limit-used)
		if used < window.limit {
			continue
		}
		// The place that becomes free next is that of the message with which the window became full.
		var at int64
		query = `SELECT at FROM postier_sent WHERE profile = ?1 AND at > ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3`
		if err := c.row(ctx, c.tx, query, c.profile, since, window.limit-1).Scan(&at); err != nil {
			return room, 0, err
		}
		room.wait(window.name, time.UnixMilli(min(at, c.now.UnixMilli())).Add(window.span))
	}
	if batched(c.limits) {
		var until time.Time
		if batch, until, err = c.batch(ctx); err != nil {
			return room, 0, err
		}
		if batch >= c.limits.Batch.Messages {
			room.wait("batch", until)
		}
	}
	return room, batch, nil
}

func (r *Room) wait(by string, until time.Time) {
	if until.After(r.Next) {
		r.Next, r.By = until, by
	}
}

// batched reports whether a profile makes a pause after so many messages (C-6).
func batched(l config.Limits) bool { return l.Batch.Messages > 0 && l.Batch.WaitSeconds > 0 }

// batch counts the messages since the last pause, and says when the pause after them ends. Once that moment has passed,
// the count begins again, whether the batch was full or not.
func (c *counters) batch(ctx context.Context) (messages int, until time.Time, err error) {
	var last int64
	query := `SELECT messages, last FROM postier_batch WHERE profile = ?1`
	err = c.row(ctx, c.tx, query, c.profile).Scan(&messages, &last)
	pause := time.Duration(c.limits.Batch.WaitSeconds * float64(time.Second))
	until = time.UnixMilli(min(last, c.now.UnixMilli())).Add(pause)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, until, nil
	case err == nil && !c.now.Before(until):
		return 0, until, nil
	}
	return messages, until, err
}
