package delivery

import (
	"context"
	"errors"
	"time"

	"postier/internal/check"
)

// A clock may be wrong and be set right, or jump. What was dated by one that was ahead lies in the future afterwards;
// nothing may wait for that future.

// reading is what the database's clock showed at a moment. From then on the time is counted by the monotonic part of
// here, which no one sets.
type reading struct{ there, here time.Time }

func (s *Store) now() time.Time {
	if r := s.reading.Load(); r != nil {
		return r.there.Add(time.Since(r.here))
	}
	return time.Now()
}

// setClock sets the clock by the database's. A machine whose own clock is wrong or jumps then neither takes over
// messages that other machines are sending nor delays its own.
func (s *Store) setClock(ctx context.Context) error {
	if !s.pg {
		return nil
	}
	var now int64
	here := time.Now()
	query := `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT`
	if err := s.db.QueryRowContext(ctx, query).Scan(&now); err != nil {
		return err
	}
	s.reading.Store(&reading{there: time.UnixMicro(now), here: here})
	return nil
}

const (
	// longestBackOff is the longest wait that backOff gives.
	longestBackOff = longestRetry + longestRetry/4
	// longestLimit is the longest that a limit makes a message wait.
	longestLimit = 7 * 24 * time.Hour
)

// misdated reports whether the clock was ahead when the message was accepted or put off.
func (i *Item) misdated(now time.Time) bool {
	longest := longestBackOff
	if i.Cause == check.CauseOwnLimitReached {
		longest = longestLimit
	}
	return i.Accepted.After(now) || i.Due.After(now.Add(longest))
}

// redate makes due what a clock that was ahead has put off.
func (q *Queue) redate(ctx context.Context) error {
	now := q.Store.Now()
	items, err := q.Store.distant(ctx, now)
	if err != nil {
		return err
	}
	for _, item := range items {
		if !item.misdated(now) {
			continue
		}
		if err := q.reschedule(ctx, item, now); err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}
