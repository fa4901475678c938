package delivery

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is the name under which PostgreSQL tells the workers of all machines that a message is due.
const channel = "postier_queue"

// announce wakes waiting workers when the transaction that made a message due is committed. Those of other processes on
// the same SQLite file look for it themselves.
func (s *Store) announce(ctx context.Context, tx executor, i *Item) error {
	if !s.pg || i.owner != "" || i.State.Final() || i.Due.After(s.Now()) {
		return nil
	}
	return s.exec(ctx, tx, `SELECT pg_notify(?1, '')`, channel)
}

// listen calls wake for each announcement until ctx ends, over a connection of its own.
func (s *Store) listen(ctx context.Context, wake func()) {
	for s.pg && ctx.Err() == nil {
		s.hear(ctx, wake)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) hear(ctx context.Context, wake func()) {
	conn, err := pgx.Connect(ctx, s.database.URL)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return
		}
		wake()
	}
}
