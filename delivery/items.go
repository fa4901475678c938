package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrNoItem says that there is no such message.
var ErrNoItem = errors.New("no such message in the queue")

// ErrBusy says that a process is sending the message at this moment.
var ErrBusy = errors.New("the message is being sent at this moment")

// errStale says that another process changed or removed the message after it was read, so that what was decided on it
// no longer holds.
var errStale = errors.New("the message was changed by another process")

const itemColumns = `id, version, job, accepted, due, state, attempts, owner, profile, message_id, envelope, detail`

// insert adds a message.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, i *Item) error {
	i.version = rand.Int64()
	return s.exec(ctx, tx, `INSERT INTO postier_message (`+itemColumns+`, raw)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`, i.ID, i.version, i.job, i.Accepted.UnixMilli(),
		s.due(i), string(i.State), i.Attempts, i.owner, i.Profile, i.MessageID, i.Envelope, i.detail(), i.Raw)
}

// due is when the message is to be tried; while a process has claimed it, the end of the lease.
func (s *Store) due(i *Item) int64 {
	if i.owner != "" {
		return s.Now().Add(lease).UnixMilli()
	}
	return i.Due.UnixMilli()
}

// change is the only way to change a message. It compares and sets: the row is written if it still has the version that
// the item was read with, and gets a new one; otherwise nothing is written and the error is errStale. Of two processes
// that decide on the same message at the same time, only one therefore succeeds. work changes the jobs of River that
// belong to the message, in the same transaction. After an error of the database it is unknown whether the row was
// written; the same change may then be made again. The text of a finished message is deleted.
func (s *Store) change(ctx context.Context, i *Item, work func(*sql.Tx) error) error {
	if i.loose {
		return nil
	}
	if i.next == 0 {
		i.next = rand.Int64()
	}
	var text any // NULL leaves the text as it is
	switch {
	case i.State.Final():
		i.Raw, text = []byte{}, []byte{}
	case i.reworded:
		text = i.Raw
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if work != nil {
			if err := work(tx); err != nil {
				return err
			}
		}
		return s.exactlyOne(ctx, tx, `UPDATE postier_message SET version = ?3, job = ?4, due = ?5, state = ?6,
			attempts = ?7, owner = ?8, profile = ?9, envelope = ?10, detail = ?11, raw = COALESCE(?12, raw)
			WHERE id = ?1 AND version IN (?2, ?3)`, i.ID, i.version, i.next, i.job, s.due(i), string(i.State),
			i.Attempts, i.owner, i.Profile, i.Envelope, i.detail(), text)
	})
	if err == nil {
		i.version, i.next, i.reworded = i.next, 0, false
	}
	return err
}

// remove deletes a message under the same condition.
func (s *Store) remove(ctx context.Context, i *Item, work func(*sql.Tx) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := work(tx); err != nil {
			return err
		}
		return s.exactlyOne(ctx, tx, `DELETE FROM postier_message WHERE id = ?1 AND version = ?2`, i.ID, i.version)
	})
}

// renew puts off the end of this process's claim on a message.
func (s *Store) renew(ctx context.Context, id string, until time.Time) error {
	query := `UPDATE postier_message SET due = ?3 WHERE id = ?1 AND owner = ?2`
	return s.exactlyOne(ctx, s.db, query, id, s.owner, until.UnixMilli())
}

func (i *Item) detail() string {
	detail, err := json.Marshal(i.Detail)
	if err != nil {
		panic("delivery: plain values always marshal: " + err.Error())
	}
	return string(detail)
}

// Item reads one message.
func (s *Store) Item(ctx context.Context, id string) (*Item, error) {
	item := &Item{}
	row := s.row(ctx, s.db, `SELECT `+itemColumns+`, raw FROM postier_message WHERE id = ?1`, id)
	err := item.scan(row.Scan, &item.Raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoItem
	}
	return item, err
}

func (i *Item) scan(scan func(...any) error, raw ...any) error {
	var accepted, due int64
	var state, detail string
	err := scan(append([]any{
		&i.ID, &i.version, &i.job, &accepted, &due, &state, &i.Attempts, &i.owner,
		&i.Profile, &i.MessageID, &i.Envelope, &detail,
	}, raw...)...)
	if err != nil {
		return err
	}
	i.Accepted, i.Due, i.State = time.UnixMilli(accepted), time.UnixMilli(due), State(state)
	if err := json.Unmarshal([]byte(detail), &i.Detail); err != nil {
		return fmt.Errorf("message %s in the queue: %w", i.ID, err)
	}
	return nil
}

// Items lists the messages that are not finished, in the order in which they were accepted, without their text; with
// all, the finished ones of the last week as well.
func (s *Store) Items(ctx context.Context, all bool) ([]*Item, error) {
	where := `state NOT IN ('sent', 'failed')`
	if all {
		where = `1 = 1`
	}
	return s.items(ctx, where+` ORDER BY accepted, id`)
}

// items lists messages without their text.
func (s *Store) items(ctx context.Context, where string, args ...any) ([]*Item, error) {
	rows, err := s.db.QueryContext(ctx, s.q(`SELECT `+itemColumns+` FROM postier_message WHERE `+where), args...)
	if err != nil {
		return nil, wrap("read the queue", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*Item
	for rows.Next() {
		item := &Item{}
		if err := item.scan(rows.Scan); err != nil {
			return nil, wrap("read the queue", err)
		}
		out = append(out, item)
	}
	return out, wrap("read the queue", rows.Err())
}

// reclaimAtOnce bounds how many messages are given back at a time.
const reclaimAtOnce = 1000

// interrupted lists messages that a process has claimed or was about to claim.
func (s *Store) interrupted(ctx context.Context) ([]*Item, error) {
	// A running job whose message is not claimed belongs to a worker that was killed in between, or to one that claims
	// the message at this moment: then one of the two changes fails.
	return s.items(ctx, fmt.Sprintf(`state NOT IN ('sent', 'failed') AND (owner <> '' OR EXISTS (
		SELECT 1 FROM river_job WHERE river_job.id = job AND river_job.state = 'running')) ORDER BY due LIMIT %d`, reclaimAtOnce))
}

// scheduled lists messages whose time has come and whose jobs still wait for River's scheduler.
func (s *Store) scheduled(ctx context.Context) ([]*Item, error) {
	return s.items(ctx, fmt.Sprintf(`state NOT IN ('sent', 'failed') AND owner = '' AND due <= ?1 AND EXISTS (
		SELECT 1 FROM river_job WHERE river_job.id = job AND river_job.state IN ('scheduled', 'retryable'))
		ORDER BY due LIMIT %d`, reclaimAtOnce), s.Now().UnixMilli())
}

// purge removes messages that were finished before a time.
func (s *Store) purge(ctx context.Context, before time.Time) error {
	query := `DELETE FROM postier_message WHERE state IN ('sent', 'failed') AND due < ?1`
	return wrap("purge the queue", s.exec(ctx, s.db, query, before.UnixMilli()))
}

// countDue counts the messages that a worker could claim now.
func (s *Store) countDue(ctx context.Context) (n int, err error) {
	query := `SELECT COUNT(*) FROM postier_message WHERE state NOT IN ('sent', 'failed') AND owner = '' AND due <= ?1`
	err = s.row(ctx, s.db, query, s.Now().UnixMilli()).Scan(&n)
	return n, err
}
