package delivery

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"postier/config"
	"postier/internal/locale"
)

const (
	// tryLimit bounds one try: the longest wait is ten minutes after the dot, and the Sent copy comes on top.
	tryLimit = 25 * time.Minute
	// expiry is after how long a message that could not be sent is returned (RFC 5321 §4.5.4.1: four to five days). It
	// also takes expiryTries tries, so that no message expires because the clock jumped ahead.
	expiry       = 5 * 24 * time.Hour
	expiryTries  = 12
	firstRetry   = time.Minute
	longestRetry = 4 * time.Hour
	doubtWait    = 5 * time.Minute // until a copy in the Sent folder can be seen
	profileWait  = 15 * time.Minute
	keepFinal    = 7 * 24 * time.Hour
	copyTries    = 20
)

// Event is something that happened to a message in the queue, for logs.
type Event struct {
	Item *Item
	Try  Try
	Next time.Time // zero when nothing follows
	Err  error
}

// Queue keeps accepted messages until they are sent, refused or too old. Accepted means written and synced. River
// decides when a message is tried and by which worker; the outcome is in the same database, changed in the same
// transactions.
type Queue struct {
	Store  *Store
	Sender *Sender
	// Load reads the configuration again for each try.
	Load func() (*config.Document, error)
	// Lang is the language of bounces and notices.
	Lang locale.Lang
	// Program starts the commands that a notice names; empty for the program's name alone.
	Program string
	// Provider are the limits known of a profile's provider.
	Provider func(*config.Profile) []ProviderLimit
	// Observe is called for each event; it may be nil.
	Observe func(Event)

	opening sync.Mutex
	engine  *engine
	claims  claims
	seam    func(step string) // tests break off here
}

func (q *Queue) step(name string) {
	if q.seam != nil {
		q.seam(name)
	}
}

// Accept writes a message and syncs it; once it has returned without an error, the message is never lost. With now, the
// caller delivers it with Deliver; if it dies first, the queue takes over.
func (q *Queue) Accept(ctx context.Context, item *Item, now bool) (err error) {
	write := func(tx *sql.Tx) error { return q.Store.insert(ctx, tx, item) }
	if now {
		item.State, item.owner, item.inline = StateSending, q.Store.owner, true
		q.hold(item.ID)
		defer func() {
			if err != nil {
				q.release(item.ID)
			}
		}()
	} else {
		e, err := q.jobs(ctx)
		if err != nil {
			return err
		}
		write = func(tx *sql.Tx) error {
			if err := q.insertJob(ctx, e, tx, item); err != nil {
				return err
			}
			return q.Store.insert(ctx, tx, item)
		}
	}
	q.step("accept")
	err = q.Store.inTx(ctx, write)
	q.step("accepted")
	return wrap("accept the message", err)
}

// Deliver makes the first try of a message that was accepted with now. If that fails, the queue goes on.
func (q *Queue) Deliver(ctx context.Context, item *Item) (Try, error) {
	defer q.release(item.ID)
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	try := q.attempt(ctx, item)
	err := q.settle(context.WithoutCancel(ctx), item)
	if errors.Is(err, errStale) {
		// Another process took this one for dead and has the message.
		if try.State != StateSent {
			try = Try{State: StateWaiting}
		}
		err = nil
	}
	q.report(item, try)
	return try, FateAccepted.of(wrap("note what became of the message", err))
}

// Direct sends a message now and keeps nothing of it: sending it again is up to the caller. Only a Sent copy that is
// still due goes to the queue.
func (q *Queue) Direct(ctx context.Context, item *Item) (Try, error) {
	item.loose, item.inline = true, true
	try := q.attempt(ctx, item)
	item.loose, item.owner = false, ""
	if item.State == StateCopy {
		return try, FateAccepted.of(q.Accept(context.WithoutCancel(ctx), item, false))
	}
	return try, nil
}

// settle stores the outcome of a try by the message's own sender. An unfinished message gets a job that is due when the
// message is.
func (q *Queue) settle(ctx context.Context, item *Item) error {
	item.owner = ""
	if item.State.Final() {
		return q.conclude(ctx, item, nil)
	}
	e, err := q.jobs(ctx)
	if err != nil {
		return err
	}
	return q.conclude(ctx, item, func(tx *sql.Tx) error { return q.insertJob(ctx, e, tx, item) })
}

// patience is how long the outcome of a try is kept in memory while the database cannot store it.
const patience = 30 * time.Second

// conclude stores the outcome of a try, and tries again while the database fails: without it only the server would know
// whether the message was sent.
func (q *Queue) conclude(ctx context.Context, item *Item, work func(*sql.Tx) error) error {
	const first, most = 50 * time.Millisecond, 2 * time.Second
	for wait, end := first, time.Now().Add(patience); ; wait = min(2*wait, most) {
		err := q.Store.change(ctx, item, work)
		if err == nil || errors.Is(err, errStale) || time.Now().After(end) {
			return err
		}
		time.Sleep(wait)
	}
}

// claim takes a message for this process until it is released: ErrBusy when a process is sending it, errStale when it
// was changed since it was read.
func (q *Queue) claim(ctx context.Context, item *Item) error {
	if q.busy(item) || !q.hold(item.ID) {
		return ErrBusy
	}
	item.owner = q.Store.owner
	if item.State == StateWaiting {
		item.State = StateSending
	}
	err := q.Store.change(ctx, item, nil)
	if err != nil {
		q.release(item.ID)
	}
	return err
}

func (q *Queue) report(item *Item, try Try) {
	if q.Observe == nil {
		return
	}
	e := Event{Item: item, Try: try}
	if !item.State.Final() {
		e.Next = item.Due
	}
	q.Observe(e)
}

// Run sends the messages that are due.
func (q *Queue) Run(ctx context.Context, o RunOptions) error {
	if _, err := q.jobs(ctx); err != nil {
		return err
	}
	if err := q.Purge(ctx); err != nil {
		return err
	}
	if err := q.reclaim(ctx); err != nil {
		return err
	}
	if !o.Daemon {
		if done, err := q.isDrained(ctx); done || err != nil {
			return err
		}
	}
	stop, err := q.start(ctx, o)
	if err != nil {
		return err
	}
	if o.Daemon {
		err = q.watch(ctx)
	} else {
		err = q.drain(ctx)
	}
	stop()
	q.Sender.Close()
	return err
}

// watch returns the messages of dead workers to the queue every minute until ctx ends.
func (q *Queue) watch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Minute):
		}
		if err := q.reclaim(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// isDrained reports whether nothing is due that could be claimed, and nothing is under way here.
func (q *Queue) isDrained(ctx context.Context) (bool, error) {
	due, err := q.Store.countDue(ctx)
	return err == nil && due == 0 && q.claims.count() == 0, wrap("read the queue", err)
}

// drain returns when nothing is due any more.
func (q *Queue) drain(ctx context.Context) error {
	const tick, rounds = 50 * time.Millisecond, 20
	for idle := 0; ; idle++ {
		if q.claims.count() > 0 {
			idle = 0
		}
		if idle%rounds == 0 {
			if err := q.advance(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		// When nothing changes, a worker may have died between taking a job and claiming its message.
		if idle > 0 && idle%rounds == 0 {
			if err := q.reclaim(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		if done, err := q.isDrained(ctx); done || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tick):
		}
	}
}

// reclaim returns messages whose worker died to the queue at once. Those that another process changes at the same time
// are left to it.
func (q *Queue) reclaim(ctx context.Context) error {
	if err := q.Store.setClock(ctx); err != nil {
		return wrap("read the clock", err)
	}
	items, err := q.Store.interrupted(ctx)
	if err != nil {
		return err
	}
	now := q.Store.Now()
	for _, item := range items {
		if q.busy(item) {
			continue
		}
		at := item.Due
		if item.owner != "" {
			at = now
		}
		if err := q.reschedule(ctx, item, at); err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}

// reschedule ends the claim on a message and gives it a new job that is due at a time.
func (q *Queue) reschedule(ctx context.Context, item *Item, at time.Time) error {
	e, err := q.jobs(ctx)
	if err != nil {
		return err
	}
	item.Due, item.owner = at, ""
	return q.Store.change(ctx, item, func(tx *sql.Tx) error {
		if err := dropJob(ctx, e, tx, item); err != nil {
			return err
		}
		return q.insertJob(ctx, e, tx, item)
	})
}

// Retry tries a message at the next opportunity, whatever its time.
func (q *Queue) Retry(ctx context.Context, id string) error {
	return q.take(ctx, id, func(item *Item) error {
		if item.State.Final() {
			return ErrNoItem
		}
		return q.reschedule(ctx, item, q.Store.Now())
	})
}

// Remove takes a message out of the queue without sending it.
func (q *Queue) Remove(ctx context.Context, id string) error {
	e, err := q.jobs(ctx)
	if err != nil {
		return err
	}
	return q.take(ctx, id, func(item *Item) error {
		return q.Store.remove(ctx, item, func(tx *sql.Tx) error { return dropJob(ctx, e, tx, item) })
	})
}

// take reads a message that is not being sent and changes it; it starts over when another process was faster.
func (q *Queue) take(ctx context.Context, id string, change func(*Item) error) error {
	const tries = 5
	for range tries {
		item, err := q.Store.Item(ctx, id)
		switch {
		case err != nil:
			return err
		case q.busy(item):
			return ErrBusy
		}
		if err := change(item); !errors.Is(err, errStale) {
			return err
		}
	}
	return ErrBusy
}

// Purge deletes the messages that were finished a week ago.
func (q *Queue) Purge(ctx context.Context) error {
	return q.Store.purge(ctx, q.Store.Now().Add(-keepFinal))
}
