package delivery

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postier/config"
)

// window is one sliding limit (P-4).
type window struct {
	name  string
	span  time.Duration
	limit int
}

func windows(l config.Limits) []window {
	return []window{
		{"hour", time.Hour, l.PerHour},
		{"day", 24 * time.Hour, l.PerDay},
		{"week", 7 * 24 * time.Hour, l.PerWeek},
	}
}

// OverLimit says that a message must wait.
type OverLimit struct {
	Profile string
	By      string // hour, day, week or batch
	Next    time.Time
}

func (e *OverLimit) Error() string {
	return "profile " + e.Profile + " has reached its limit per " + e.By + " until " + e.Next.Format(time.RFC3339)
}

// Room tells what the limits leave, without taking any of it.
func (s *Store) Room(ctx context.Context, profile string, l config.Limits) (Room, error) {
	var room Room
	err := s.locked(ctx, "limits:"+profile, func(tx *sql.Tx) error {
		var err error
		room, err = s.room(ctx, tx, profile, l)
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

// Take counts a message before it is sent, so that several processes and machines never send more than the limits allow
// together. The error is an *OverLimit, or a *StateError. A message that did not leave gives its ticket back.
func (s *Store) Take(ctx context.Context, profile string, l config.Limits) (Ticket, error) {
	t := Ticket{profile: profile}
	var over *OverLimit
	err := s.locked(ctx, "limits:"+profile, func(tx *sql.Tx) error {
		room, err := s.room(ctx, tx, profile, l)
		if err != nil {
			return err
		}
		if !room.Free() {
			over = &OverLimit{Profile: profile, By: room.By, Next: room.Next}
			return nil
		}
		now := s.Now().UnixMilli()
		query := s.q(`INSERT INTO postier_sent (profile, at) VALUES (?1, ?2) RETURNING id`)
		if err := tx.QueryRowContext(ctx, query, profile, now).Scan(&t.id); err != nil {
			return err
		}
		if l.Batch.Messages == 0 || l.Batch.WaitSeconds == 0 {
			return nil
		}
		t.batch = true
		return s.countBatch(ctx, tx, profile, l, now)
	})
	switch {
	case err != nil:
		return t, wrap("count a message", err)
	case over != nil:
		return t, over
	}
	return t, nil
}

// Return gives a place back: the message did not leave.
func (s *Store) Return(ctx context.Context, t Ticket) error {
	if t.id == 0 {
		return nil
	}
	return wrap("uncount a message", s.locked(ctx, "limits:"+t.profile, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.q(`DELETE FROM postier_sent WHERE id = ?1`), t.id); err != nil {
			return err
		}
		if !t.batch {
			return nil
		}
		query := s.q(`UPDATE postier_batch SET messages = messages - 1 WHERE profile = ?1 AND messages > 0`)
		_, err := tx.ExecContext(ctx, query, t.profile)
		return err
	}))
}

// ResetLimits sets the counters of a profile back (P-4).
func (s *Store) ResetLimits(ctx context.Context, profile string) error {
	return wrap("reset the limits", s.locked(ctx, "limits:"+profile, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.q(`DELETE FROM postier_sent WHERE profile = ?1`), profile); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, s.q(`DELETE FROM postier_batch WHERE profile = ?1`), profile)
		return err
	}))
}

func (s *Store) room(ctx context.Context, tx *sql.Tx, profile string, l config.Limits) (Room, error) {
	now := s.Now()
	// A clock that jumped back has left entries in the future; taken as now they count for one span and not for ever.
	if _, err := tx.ExecContext(ctx, s.q(`UPDATE postier_sent SET at = ?2 WHERE profile = ?1 AND at > ?2`), profile, now.UnixMilli()); err != nil {
		return Room{}, err
	}
	room := Room{Left: map[string]int{}}
	for _, w := range windows(l) {
		if w.limit == 0 {
			continue
		}
		since := now.Add(-w.span).UnixMilli()
		var used int
		query := s.q(`SELECT COUNT(*) FROM postier_sent WHERE profile = ?1 AND at > ?2`)
		if err := tx.QueryRowContext(ctx, query, profile, since).Scan(&used); err != nil {
			return room, err
		}
		room.Left[w.name] = max(0, w.limit-used)
		if used < w.limit {
			continue
		}
		// The place that is free next is that of the message with which the window became full.
		var at int64
		query = s.q(`SELECT at FROM postier_sent WHERE profile = ?1 AND at > ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3`)
		if err := tx.QueryRowContext(ctx, query, profile, since, w.limit-1).Scan(&at); err != nil {
			return room, err
		}
		room.wait(w.name, time.UnixMilli(at).Add(w.span))
	}
	if err := s.batchRoom(ctx, tx, profile, l, now, &room); err != nil {
		return room, err
	}
	const keep = 8 * 24 * time.Hour // the longest window and a day
	query := s.q(`DELETE FROM postier_sent WHERE profile = ?1 AND at < ?2`)
	_, err := tx.ExecContext(ctx, query, profile, now.Add(-keep).UnixMilli())
	return room, err
}

func (r *Room) wait(by string, until time.Time) {
	if until.After(r.Next) {
		r.Next, r.By = until, by
	}
}

// batchRoom applies "n messages, then a pause of s seconds" (C-6).
func (s *Store) batchRoom(
	ctx context.Context, tx *sql.Tx, profile string, l config.Limits, now time.Time, room *Room,
) error {
	if l.Batch.Messages == 0 || l.Batch.WaitSeconds == 0 {
		return nil
	}
	messages, last, err := s.batch(ctx, tx, profile, now)
	if err != nil {
		return err
	}
	until := last.Add(pause(l))
	if messages >= l.Batch.Messages && now.Before(until) {
		room.wait("batch", until)
	}
	return nil
}

func (s *Store) batch(
	ctx context.Context, tx *sql.Tx, profile string, now time.Time,
) (messages int, last time.Time, err error) {
	var at int64
	query := s.q(`SELECT messages, last FROM postier_batch WHERE profile = ?1`)
	err = tx.QueryRowContext(ctx, query, profile).Scan(&messages, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	return messages, time.UnixMilli(min(at, now.UnixMilli())), err
}

func (s *Store) countBatch(ctx context.Context, tx *sql.Tx, profile string, l config.Limits, now int64) error {
	messages, last, err := s.batch(ctx, tx, profile, time.UnixMilli(now))
	if err != nil {
		return err
	}
	if messages >= l.Batch.Messages || !time.UnixMilli(now).Before(last.Add(pause(l))) {
		messages = 0 // the pause is over, or came about by itself
	}
	query := s.q(`INSERT INTO postier_batch (profile, messages, last) VALUES (?1, ?2, ?3)
		ON CONFLICT (profile) DO UPDATE SET messages = ?2, last = ?3`)
	_, err = tx.ExecContext(ctx, query, profile, messages+1, now)
	return err
}

func pause(l config.Limits) time.Duration {
	return time.Duration(l.Batch.WaitSeconds * float64(time.Second))
}
