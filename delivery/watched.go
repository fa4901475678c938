package delivery

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postier/config"
)

// Watched is what the watch knows of a profile between its rounds.
type Watched struct {
	// Proven is when sending was last found to work.
	Proven time.Time
	// Cause is that of a failure which the watch found twice, empty when there is none; Since and Last are when it was
	// found first and last.
	Cause       config.Cause
	Since, Last time.Time
	// Sending is true when the failure keeps messages from leaving, and not only from being filed or believed.
	Sending bool
	// Detail is JSON of the watch.
	Detail []byte
}

// Watched reads what the watch knows of all profiles.
func (s *Store) Watched(ctx context.Context) (map[string]Watched, error) {
	out := map[string]Watched{}
	err := s.view(ctx, func(on executor) error {
		rows, err := on.QueryContext(ctx, `SELECT profile, proven, since, last, cause, sending, detail FROM postier_watch`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var w Watched
			var profile string
			var proven, since, last int64
			if err := rows.Scan(&profile, &proven, &since, &last, &w.Cause, &w.Sending, &w.Detail); err != nil {
				return err
			}
			w.Proven, w.Since, w.Last = moment(proven), moment(since), moment(last)
			out[profile] = w
		}
		return rows.Err()
	})
	return out, wrap("read what the watch knows", err)
}

// SetWatched replaces what the watch knows of a profile.
func (s *Store) SetWatched(ctx context.Context, profile string, w Watched) error {
	sending := 0
	if w.Sending {
		sending = 1
	}
	return wrap("write what the watch knows", s.inTx(ctx, func(tx executor) error {
		return s.exec(ctx, tx, `INSERT INTO postier_watch (profile, proven, since, last, cause, sending, detail)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (profile) DO UPDATE SET proven = ?2, since = ?3, last = ?4,
			cause = ?5, sending = ?6, detail = ?7`, profile, milliseconds(w.Proven), milliseconds(w.Since),
			milliseconds(w.Last), string(w.Cause), sending, string(w.Detail))
	}))
}

// ForgetWatched removes what the watch knows of a profile that is gone.
func (s *Store) ForgetWatched(ctx context.Context, profile string) error {
	return wrap("write what the watch knows", s.inTx(ctx, func(tx executor) error {
		return s.exec(ctx, tx, `DELETE FROM postier_watch WHERE profile = ?1`, profile)
	}))
}

// milliseconds keeps a time in a column; 0 is none.
func milliseconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// NextWatch is when the service watches next, zero before its first round.
func (s *Store) NextWatch(ctx context.Context) (time.Time, error) { return s.keeper(ctx, keeperWatch) }

// SetNextWatch puts off the service's next round.
func (s *Store) SetNextWatch(ctx context.Context, at time.Time) error {
	return s.keep(ctx, keeperWatch, at)
}

// ErrTurn says that another process is doing the same at this moment.
var ErrTurn = errors.New("another process is doing this at the moment")

// Turn reserves what one process does at a time, on all machines that share the state, until release is called. When
// the process dies, the next one takes over at once, or after a lease on another machine.
func (s *Store) Turn(ctx context.Context, name string) (release func(), err error) {
	err = s.locked(ctx, "turn:"+name, func(tx executor) error {
		var owner string
		var until int64
		err := s.row(ctx, tx, `SELECT owner, until FROM postier_turn WHERE name = ?1`, name).Scan(&owner, &until)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case owner != "" && s.holdsTurn(owner, time.UnixMilli(until)):
			return ErrTurn
		}
		return s.setTurn(ctx, tx, name, s.owner)
	})
	if err != nil {
		if errors.Is(err, ErrTurn) {
			return nil, ErrTurn
		}
		return nil, wrap("reserve the turn", err)
	}
	done := make(chan struct{})
	go s.keepTurn(name, done)
	return func() {
		close(done)
		_ = s.inTx(context.WithoutCancel(ctx), func(tx executor) error {
			return s.exec(ctx, tx, `DELETE FROM postier_turn WHERE name = ?1 AND owner = ?2`, name, s.owner)
		})
	}, nil
}

// holdsTurn reports whether the owner of a turn still has it.
func (s *Store) holdsTurn(owner string, until time.Time) bool {
	now := s.Now()
	if alive, known := life(owner); known {
		return alive
	}
	return now.Before(until) && until.Before(now.Add(2*lease)) // a later end is that of a clock that was ahead
}

func (s *Store) setTurn(ctx context.Context, on executor, name, owner string) error {
	return s.exec(ctx, on, `INSERT INTO postier_turn (name, owner, until) VALUES (?1, ?2, ?3)
		ON CONFLICT (name) DO UPDATE SET owner = ?2, until = ?3`, name, owner, s.Now().Add(lease).UnixMilli())
}

// keepTurn renews a turn until done is closed.
func (s *Store) keepTurn(name string, done <-chan struct{}) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			ctx := context.Background()
			_ = s.inTx(ctx, func(tx executor) error {
				return s.exec(ctx, tx, `UPDATE postier_turn SET until = ?3 WHERE name = ?1 AND owner = ?2`, name, s.owner,
					s.Now().Add(lease).UnixMilli())
			})
		}
	}
}
