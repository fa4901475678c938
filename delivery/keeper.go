package delivery

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

const (
	// kept is how long after its last sign of life a service, or a `queue run` by a timer, counts as keeping the queue.
	kept = 15 * time.Minute
	// sweepTime is how long a caller that has sent its own message looks after the others, sweepWait how long it then
	// waits for those under way.
	sweepTime = 2 * time.Second
	sweepWait = 3 * time.Second
)

// The names in postier_keeper: until when the queue counts as kept, and when the user was told that it is not.
const (
	keeperWorker = "worker"
	keeperTold   = "told"
	keeperPurge  = "purge" // when the log is to be purged where nothing runs the queue
	keeperWatch  = "watch" // when the service watches next
)

// purgeDaily purges the log where no service does.
func (q *Queue) purgeDaily(ctx context.Context) error {
	due, err := q.Store.keeper(ctx, keeperPurge)
	if err != nil || q.Store.Now().Before(due) {
		return err
	}
	const day = 24 * time.Hour
	if err := q.Store.keep(ctx, keeperPurge, q.Store.Now().Add(day)); err != nil {
		return err
	}
	return q.Purge(ctx)
}

// Sweep sends what is overdue, for a few seconds at most, so that mail leaves without a service as well. It costs one
// question when nothing is due.
func (q *Queue) Sweep(ctx context.Context) error {
	profiles, err := q.Store.dueProfiles(ctx)
	if err != nil {
		return err
	}
	if len(profiles) == 0 {
		return q.purgeDaily(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	err = q.Run(ctx, RunOptions{sweep: true})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Unkept reports whether no service and no timer runs the queue, so that a message that waits is sent by the next
// caller only. It reports this once: again only after the queue was kept in between.
func (s *Store) Unkept(ctx context.Context) (bool, error) {
	until, err := s.keeper(ctx, keeperWorker)
	if err != nil || s.Now().Before(until) {
		return false, err
	}
	told, err := s.keeper(ctx, keeperTold)
	if err != nil || told.After(until) {
		return false, err
	}
	return true, s.keep(ctx, keeperTold, s.Now())
}

func (s *Store) keeper(ctx context.Context, name string) (time.Time, error) {
	var at int64
	err := s.view(ctx, func(on executor) error {
		return s.row(ctx, on, `SELECT at FROM postier_keeper WHERE name = ?1`, name).Scan(&at)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMilli(at), wrap("read the queue", err)
}

func (s *Store) keep(ctx context.Context, name string, at time.Time) error {
	return wrap("write the queue", s.inTx(ctx, func(tx executor) error {
		return s.exec(ctx, tx, `INSERT INTO postier_keeper (name, at) VALUES (?1, ?2)
			ON CONFLICT (name) DO UPDATE SET at = ?2`, name, at.UnixMilli())
	}))
}
