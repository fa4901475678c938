package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"postier/config"
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
	copyTries    = 20
)

// Event is something that happened to a message in the queue, for logs.
type Event struct {
	Item *Item
	Try  Try
	Next time.Time // zero when nothing follows
	Err  error
}

// Queue keeps accepted messages until they are sent, refused or too old. Accepted means written and synced.
type Queue struct {
	Store  *Store
	Sender *Sender
	// Load reads the configuration, for a change. Current is for a try: it may return the same document as before while
	// the file has not changed. Nil means Load.
	Load, Current func() (*config.Document, error)
	// Lang is the language of bounces and notices.
	Lang config.Language
	// Program starts the commands that a notice names; empty for the program's name alone.
	Program string
	// Product is the author of notices; empty for this program. Contact says in a language where its users find help.
	Product string
	Contact func(config.Language) string
	// Provider are the limits known of a profile's provider.
	Provider func(*config.Profile) []ProviderLimit
	// Page is the provider's own page about a cause, "" where none is known; nil knows none.
	Page func(*config.Profile, config.Cause) string
	// Observe is called for each event; it may be nil.
	Observe func(Event)

	claims  claims
	opening sync.Once
	bells   chan struct{}
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
	if now {
		item.State, item.owner, item.inline = StateSending, q.Store.owner, true
		q.hold(item.ID)
		defer func() {
			if err != nil {
				q.release(item.ID)
			}
		}()
	}
	q.step("accept")
	err = q.insert(ctx, item)
	q.step("accepted")
	q.ring()
	return wrap("accept the message", err)
}

// document is the configuration for a try.
func (q *Queue) document() (*config.Document, error) {
	if q.Current != nil {
		return q.Current()
	}
	return q.Load()
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

// Direct sends a message now and keeps nothing of it but its row in the log: sending it again is up to the caller. Only
// a Sent copy that is still due goes to the queue.
func (q *Queue) Direct(ctx context.Context, item *Item) (Try, error) {
	item.loose, item.inline = true, true
	try := q.attempt(ctx, item)
	item.loose, item.owner = false, ""
	if item.State == StateCopy {
		return try, FateAccepted.of(q.Accept(context.WithoutCancel(ctx), item, false))
	}
	q.note(ctx, item)
	return try, nil
}

// patience is how long a message or the outcome of a try is kept in memory while the database cannot store it.
const patience = 30 * time.Second

// insert stores a message, and finds out whether it is stored where the database's answer was lost: the caller sends a
// message again of which it is told that nothing was accepted.
func (q *Queue) insert(ctx context.Context, item *Item) error {
	err := q.Store.insert(ctx, item)
	ctx = context.WithoutCancel(ctx)
	for again := newRetries(); uncertain(err); {
		if !again.wait() {
			return FateUnknown.of(wrap("accept the message", err))
		}
		if err = q.Store.insert(ctx, item); err == nil || uncertain(err) {
			continue
		}
		switch _, missing := q.Store.Item(ctx, item.ID); {
		case missing == nil:
			q.Store.keepText(item)
			return nil
		case !errors.Is(missing, ErrNoItem): // the database cannot be asked yet
			err = &uncertainError{err}
		}
	}
	return err
}

// retries are the waits between attempts to reach a database that fails, for as long as patience.
type retries struct {
	next time.Duration
	end  time.Time
}

func newRetries() *retries { return &retries{50 * time.Millisecond, time.Now().Add(patience)} }

// wait reports false when it has been too long.
func (r *retries) wait() bool {
	if time.Now().After(r.end) {
		return false
	}
	time.Sleep(r.next)
	r.next = min(2*r.next, 2*time.Second)
	return true
}

// settle ends the claim on a message and stores the outcome of its try. It tries again while the database fails:
// without it only the server would know whether the message was sent.
func (q *Queue) settle(ctx context.Context, item *Item) error {
	if item.withdrawn {
		return q.Store.remove(ctx, item)
	}
	item.owner = ""
	item.keepText = item.State.Final() && q.keepsText()
	for again := newRetries(); ; {
		err := q.Store.change(ctx, item)
		if err == nil || errors.Is(err, errStale) || !again.wait() {
			return err
		}
	}
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

// reclaim returns messages whose worker died to the queue at once. Those that another process changes at the same time
// are left to it.
func (q *Queue) reclaim(ctx context.Context) error {
	if err := q.Store.setClock(ctx); err != nil {
		return wrap("read the clock", err)
	}
	if err := q.redate(ctx); err != nil {
		return err
	}
	items, err := q.Store.interrupted(ctx)
	if err != nil {
		return err
	}
	now := q.Store.Now()
	for _, item := range items {
		if q.busy(item) {
			if item.Due.After(now.Add(2 * lease)) { // claimed by a clock that was ahead; clocks may differ by a lease
				_ = q.Store.renew(ctx, item.ID, item.owner, now.Add(lease))
			}
			continue
		}
		if err := q.reschedule(ctx, item, now); err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}

// reschedule ends the claim on a message, which is then due at a time.
func (q *Queue) reschedule(ctx context.Context, item *Item, at time.Time) error {
	item.Due, item.owner = at, ""
	if now := q.Store.Now(); item.Accepted.After(now) {
		item.Accepted = now
	}
	err := q.Store.change(ctx, item)
	q.ring()
	return err
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
	return q.take(ctx, id, func(item *Item) error { return q.Store.remove(ctx, item) })
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
