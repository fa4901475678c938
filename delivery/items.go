package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"postier/internal/check"
)

// ErrNoItem says that there is no such message.
var ErrNoItem = errors.New("no such message in the queue")

// ErrBusy says that a process is sending the message at this moment.
var ErrBusy = errors.New("the message is being sent at this moment")

// errStale says that another process changed or removed the message after it was read, so that what was decided on it
// no longer holds.
var errStale = errors.New("the message was changed by another process")

// errChanged says that the text of a message was changed while it was read.
var errChanged = errors.New("its text was changed")

const itemColumns = `id, version, accepted, due, state, attempts, owner, profile, message_id, envelope, detail`

// The conditions of the indexes; a statement must repeat them word for word.
const (
	final     = `state IN ('sent', 'failed')`
	unfinal   = `state NOT IN ('sent', 'failed')`
	claimed   = `owner <> '' AND ` + unfinal
	claimable = `owner = '' AND ` + unfinal
)

// insert adds a message, or nothing when the same message is there already. The column job is of older versions, which
// may still run on the same database.
func (s *Store) insert(ctx context.Context, i *Item) error {
	if i.version == 0 {
		i.version = rand.Int64()
	}
	err := s.inTx(ctx, func(tx executor) error {
		err := s.exactlyOne(ctx, tx, `INSERT INTO postier_message (`+itemColumns+`, head, job)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)
			ON CONFLICT (id) DO NOTHING`, i.ID, i.version, i.Accepted.UnixMilli(), s.due(i),
			string(i.State), i.Attempts, i.owner, i.Profile, i.MessageID, i.Envelope, i.detail(), head(i.Raw))
		switch {
		case errors.Is(err, errStale):
			return nil
		case err != nil:
			return err
		}
		if err := s.insertParts(ctx, tx, i); err != nil {
			return err
		}
		return s.announce(ctx, tx, i)
	})
	if err == nil {
		s.keepText(i)
	}
	return err
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
// that decide on the same message at the same time, only one therefore succeeds. After an error of the database it is
// unknown whether the row was written; the same change may then be made again. The text of a finished message is
// deleted.
func (s *Store) change(ctx context.Context, i *Item) error {
	if i.loose {
		return nil
	}
	if i.next == 0 {
		i.next = rand.Int64()
	}
	var text any // NULL leaves the text as it is
	switch {
	case i.State.Final() && !i.keepText:
		i.Raw, i.rest, text = []byte{}, nil, []byte{}
	case i.reworded:
		text = i.newHead()
	}
	err := s.inTx(ctx, func(tx executor) error {
		if err := s.exactlyOne(ctx, tx, `UPDATE postier_message SET version = ?3, due = ?4, state = ?5, attempts = ?6,
			owner = ?7, profile = ?8, envelope = ?9, detail = ?10, head = COALESCE(?11, head), accepted = ?12
			WHERE id = ?1 AND version IN (?2, ?3)`, i.ID, i.version, i.next, s.due(i), string(i.State), i.Attempts, i.owner,
			i.Profile, i.Envelope, i.detail(), text, i.Accepted.UnixMilli()); err != nil {
			return err
		}
		if text != nil {
			if err := s.rewrite(ctx, tx, i); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, i)
	})
	if err == nil {
		i.version, i.next, i.reworded = i.next, 0, false
	}
	return err
}

// dueProfiles lists the profiles that have messages to claim. It asks for one profile after the other, so that the
// answer does not depend on how many messages wait.
func (s *Store) dueProfiles(ctx context.Context) (list []string, err error) {
	query := `SELECT profile, due FROM postier_message WHERE ` + claimable + ` AND profile > ?1
		ORDER BY profile, due LIMIT 1`
	err = s.view(ctx, func(on executor) error {
		for profile, due := "", int64(0); ; {
			err := s.row(ctx, on, query, profile).Scan(&profile, &due)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return nil
			case err != nil:
				return err
			case due <= s.Now().UnixMilli():
				list = append(list, profile)
			}
		}
	})
	return list, wrap("read the queue", err)
}

// claim takes messages of a profile that are due for this process, the oldest first and at most so many, with the text
// that is in the row. Of two processes that claim at the same time, each gets others.
func (s *Store) claim(ctx context.Context, profile string, most int) (list []*Item, err error) {
	random, skip := `random()`, ``
	if s.pg {
		random, skip = `hashtextextended(id, ?6)`, ` FOR UPDATE SKIP LOCKED`
	}
	order := `due`
	if most == 1 { // messages that wait for a limit are due at the same moment
		order = `due, accepted`
	}
	query := `UPDATE postier_message SET version = ` + random + `, owner = ?1, due = ?2,
		state = CASE state WHEN 'waiting' THEN 'sending' ELSE state END
		WHERE owner = '' AND id IN (SELECT id FROM postier_message
			WHERE ` + claimable + ` AND profile = ?4 AND due <= ?3 ORDER BY ` + order + ` LIMIT ?5` + skip + `)
		RETURNING ` + itemColumns + `, head`
	err = s.inTx(ctx, func(tx executor) error {
		now := s.Now()
		list, err = s.items(ctx, tx, query, s.owner, now.Add(lease).UnixMilli(), now.UnixMilli(), profile, most, rand.Int64())
		return err
	})
	return list, wrap("read the queue", err)
}

// release makes due what waits for a limit, and returns how many messages that were.
func (s *Store) release(ctx context.Context, tx executor, profile string, now time.Time) (int, error) {
	random := `random()`
	if s.pg {
		random = `hashtextextended(id, ?4)`
	}
	query := `UPDATE postier_message SET due = accepted, version = ` + random + ` WHERE owner = '' AND id IN (
		SELECT id FROM postier_message WHERE ` + claimable + ` AND profile = ?1 AND due > ?2 AND detail LIKE ?3)`
	args := []any{profile, now.UnixMilli(), fmt.Sprintf(`%%"cause":"%s"%%`, check.CauseOwnLimitReached)}
	if s.pg {
		args = append(args, rand.Int64())
	}
	result, err := tx.ExecContext(ctx, s.q(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err == nil && n > 0 && s.pg {
		err = s.exec(ctx, tx, `SELECT pg_notify(?1, '')`, channel)
	}
	return int(n), err
}

// remove deletes a message under the same condition.
func (s *Store) remove(ctx context.Context, i *Item) error {
	return s.inTx(ctx, func(tx executor) error {
		err := s.exactlyOne(ctx, tx, `DELETE FROM postier_message WHERE id = ?1 AND version = ?2`, i.ID, i.version)
		if err != nil {
			return err
		}
		return s.deleteParts(ctx, tx, i.ID)
	})
}

// renew sets the end of a claim on a message.
func (s *Store) renew(ctx context.Context, id, owner string, until time.Time) error {
	query := `UPDATE postier_message SET due = ?3 WHERE id = ?1 AND owner = ?2`
	return s.inTx(ctx, func(tx executor) error {
		return s.exactlyOne(ctx, tx, query, id, owner, until.UnixMilli())
	})
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
	err := s.view(ctx, func(on executor) error {
		row := s.row(ctx, on, `SELECT `+itemColumns+` FROM postier_message WHERE id = ?1`, id)
		if err := item.scan(row.Scan); err != nil {
			return err
		}
		return s.text(ctx, on, item)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoItem
	}
	return item, err
}

// scan reads the columns of a message, and those that follow them into more.
func (i *Item) scan(scan func(...any) error, more ...any) error {
	var accepted, due int64
	var state, detail string
	err := scan(append([]any{
		&i.ID, &i.version, &accepted, &due, &state, &i.Attempts, &i.owner, &i.Profile, &i.MessageID, &i.Envelope, &detail,
	}, more...)...)
	if err != nil {
		return err
	}
	i.Accepted, i.Due, i.State = time.UnixMilli(accepted), time.UnixMilli(due), State(state)
	if err := json.Unmarshal([]byte(detail), &i.Detail); err != nil {
		return fmt.Errorf("message %s in the queue: %w", i.ID, err)
	}
	return nil
}

// lastWeek is how far back the queue is listed with what is finished; the log goes further.
const lastWeek = 7 * 24 * time.Hour

// page is how many messages are listed at a time. Nothing is locked while a reader looks at them.
const page = 200

// Each calls work with each message that is not finished, in the order in which they were accepted, without its text;
// with all, with the finished ones of the last week as well. It ends with the first error of work.
func (s *Store) Each(ctx context.Context, all bool, work func(*Item) error) error {
	where := `(accepted, id) > (?1, ?2)`
	if !all {
		where += ` AND ` + unfinal
	} else {
		where += fmt.Sprintf(` AND (`+unfinal+` OR due > %d)`, s.Now().Add(-lastWeek).UnixMilli())
	}
	query := selectItems + where + fmt.Sprintf(` ORDER BY accepted, id LIMIT %d`, page)
	for after := (&Item{}); ; {
		var list []*Item
		accepted := int64(math.MinInt64)
		if after.ID != "" {
			accepted = after.Accepted.UnixMilli()
		}
		err := s.view(ctx, func(on executor) (err error) {
			list, err = s.items(ctx, on, query, accepted, after.ID)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, item := range list {
			if err := work(item); err != nil {
				return err
			}
			after = item
		}
	}
}

const selectItems = `SELECT ` + itemColumns + ` FROM postier_message WHERE `

// items lists messages, without their text unless the query ends with it.
func (s *Store) items(ctx context.Context, on executor, query string, args ...any) ([]*Item, error) {
	rows, err := on.QueryContext(ctx, s.q(query), args...)
	if err != nil {
		return nil, wrap("read the queue", err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, wrap("read the queue", err)
	}
	withText := columns[len(columns)-1] == "head"
	var out []*Item
	for rows.Next() {
		item := &Item{}
		var more []any
		if withText {
			more = []any{&item.Raw}
		}
		if err := item.scan(rows.Scan, more...); err != nil {
			return nil, wrap("read the queue", err)
		}
		out = append(out, item)
	}
	return out, wrap("read the queue", rows.Err())
}

// reclaimAtOnce bounds how many messages are given back at a time.
const reclaimAtOnce = 1000

// interrupted lists messages that a process has claimed.
func (s *Store) interrupted(ctx context.Context) (list []*Item, err error) {
	err = s.view(ctx, func(on executor) error {
		list, err = s.items(ctx, on, fmt.Sprintf(`%s ORDER BY due LIMIT %d`, selectItems+claimed, reclaimAtOnce))
		return err
	})
	return list, err
}

// distant lists messages that no process has claimed and that are due later than any wait would let them be, or were
// accepted in the future.
func (s *Store) distant(ctx context.Context, now time.Time) (list []*Item, err error) {
	query := fmt.Sprintf(`%s AND due > ?1 AND (accepted > ?1 OR due > ?2) ORDER BY due DESC LIMIT %d`,
		selectItems+claimable, reclaimAtOnce)
	err = s.view(ctx, func(on executor) error {
		list, err = s.items(ctx, on, query, now.UnixMilli(), now.Add(longestBackOff).UnixMilli())
		return err
	})
	return list, err
}

// purge removes messages that were finished before a time.
func (s *Store) purge(ctx context.Context, before time.Time) error {
	return s.deleteFinal(ctx, `due < ?1`, before.UnixMilli())
}

// purgeMost removes the oldest finished messages beyond a number.
func (s *Store) purgeMost(ctx context.Context, most int) error {
	return s.deleteFinal(ctx, `due <= (SELECT due FROM postier_message WHERE `+final+`
		ORDER BY due DESC LIMIT 1 OFFSET ?1)`,
		most)
}

func (s *Store) deleteFinal(ctx context.Context, which string, arg any) error {
	parts := `DELETE FROM postier_part WHERE message IN (
		SELECT id FROM postier_message WHERE ` + final + ` AND ` + which + `)`
	rows := `DELETE FROM postier_message WHERE ` + final + ` AND ` + which
	return wrap("purge the queue", s.inTx(ctx, func(tx executor) error {
		if err := s.exec(ctx, tx, parts, arg); err != nil { // of texts that are kept
			return err
		}
		return s.exec(ctx, tx, rows, arg)
	}))
}
