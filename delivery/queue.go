package delivery

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"postier/config"
	"postier/internal/locale"
)

const (
	// tryLimit bounds one try: the longest wait is ten minutes behind the dot, the Sent copy comes on top.
	tryLimit = 25 * time.Minute
	// rescueAfter is when River hands out a job again whose worker has not come back.
	rescueAfter = 30 * time.Minute
	// expiry is when a message that could not be sent goes back (RFC 5321 §4.5.4.1: four to five days). A clock that jumps ahead
	// expires nothing: so many tries must have been made as well.
	expiry        = 5 * 24 * time.Hour
	expiryTries   = 12
	firstRetry    = time.Minute
	longestRetry  = 4 * time.Hour
	doubtWait     = 5 * time.Minute // until a copy in the Sent folder can be seen
	profileWait   = 15 * time.Minute
	keepFinal     = 7 * 24 * time.Hour
	copyTries     = 20
	riverAttempts = 30000 // ours are counted in the message; River's number is a 16-bit one
)

// job is what River keeps: the message itself stands in postier_message.
type job struct {
	ID string `json:"id"`
}

// Kind names the job in River's table.
func (job) Kind() string { return "postier_message" }

// Event is something that happened to a message in the queue, for logs.
type Event struct {
	Item *Item
	Try  Try
	Next time.Time // zero when nothing follows
	Err  error
}

// Queue keeps accepted messages until they are sent, refused or too old. Accepted means written and synced. River decides
// when and by whom a message is tried; what became of it stands in the same database, changed in the same transactions.
type Queue struct {
	Store  *Store
	Sender *Sender
	// Load reads the configuration anew for each try.
	Load func() (*config.Document, error)
	// Lang is the language of bounces and notices.
	Lang locale.Lang
	// Provider are the limits known of a profile's provider.
	Provider func(*config.Profile) []ProviderLimit
	// Observe is told what happens; nil means nobody.
	Observe func(Event)

	client *river.Client[*sql.Tx]
	claims claims
	seam   func(step string) // tests break off here
}

// Open prepares the queue in its database.
func (q *Queue) Open(ctx context.Context) error {
	driver := q.Store.driver()
	if err := q.Store.migrateRiver(ctx, driver); err != nil {
		return &StateError{Op: "prepare", Place: "the queue", Err: err}
	}
	client, err := river.NewClient(driver, &river.Config{Logger: silent()})
	if err != nil {
		return &StateError{Op: "open", Place: "the queue", Err: err}
	}
	q.client = client
	return nil
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (s *Store) driver() riverdriver.Driver[*sql.Tx] {
	if s.pg {
		return riverdatabasesql.New(s.db)
	}
	return riversqlite.New(s.db)
}

// migrateRounds is how often a process that lost the race for a migration looks again.
const migrateRounds = 20

// migrateRiver brings River's tables up. Of several processes that start at once one wins; the others find its work done.
func (s *Store) migrateRiver(ctx context.Context, driver riverdriver.Driver[*sql.Tx]) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: silent()})
	if err != nil {
		return err
	}
	for range migrateRounds {
		if state, err := migrator.Validate(ctx); err == nil && state.OK {
			return nil
		}
		if _, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return err
}

func (q *Queue) step(name string) {
	if q.seam != nil {
		q.seam(name)
	}
}

// Accept writes a message and syncs it; after it returns without an error the message is never lost. With now, the caller
// delivers it itself by Deliver; should it die first, the queue takes over.
func (q *Queue) Accept(ctx context.Context, item *Item, now bool) error {
	at := item.Due
	if now {
		at = q.Store.Now().Add(rescueAfter)
		item.State, item.owner, item.inline = StateSending, q.Store.owner, true
		q.hold(item.ID)
	}
	q.step("accept")
	err := q.Store.inTx(ctx, func(tx *sql.Tx) error {
		inserted, err := q.insertJob(ctx, tx, item.ID, at)
		if err != nil {
			return err
		}
		item.job = inserted
		return q.Store.insert(ctx, tx, item)
	})
	q.step("accepted")
	if err != nil {
		q.release(item.ID)
	}
	return wrap("accept the message", err)
}

func (q *Queue) insertJob(ctx context.Context, tx *sql.Tx, id string, at time.Time) (int64, error) {
	options := &river.InsertOpts{MaxAttempts: riverAttempts}
	if wait := at.Sub(q.Store.Now()); wait > 0 {
		options.ScheduledAt = time.Now().Add(wait) // River has its own clock
	}
	result, err := q.client.InsertTx(ctx, tx, job{ID: id}, options)
	if err != nil {
		return 0, err
	}
	return result.Job.ID, nil
}

// Deliver makes the first try of a message that was accepted with now. When it does not leave, the queue has it.
func (q *Queue) Deliver(ctx context.Context, item *Item) (Try, error) {
	defer q.release(item.ID)
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	try := q.attempt(ctx, item)
	err := q.settle(context.WithoutCancel(ctx), item)
	if errors.Is(err, errStale) {
		// This process was taken for dead, and another one has the message.
		if try.State != StateSent {
			try = Try{State: StateWaiting}
		}
		err = nil
	}
	q.report(item, try)
	return try, wrap("note what became of the message", err)
}

// Direct sends a message now and keeps nothing of it: what did not leave is the caller's to send again. Only a Sent copy
// that is still due goes to the queue.
func (q *Queue) Direct(ctx context.Context, item *Item) (Try, error) {
	item.loose, item.inline = true, true
	try := q.attempt(ctx, item)
	item.loose, item.owner = false, ""
	if item.State == StateCopy {
		return try, q.Accept(context.WithoutCancel(ctx), item, false)
	}
	return try, nil
}

// settle writes where a message stands after a try outside River, with a job for what is still to do.
func (q *Queue) settle(ctx context.Context, item *Item) error {
	item.owner = ""
	return q.Store.change(ctx, item, func(tx *sql.Tx) error {
		if item.State.Final() {
			return q.replaceJob(ctx, tx, item, nil)
		}
		return q.replaceJob(ctx, tx, item, &item.Due)
	})
}

// replaceJob removes the job of a message and gives it another one, unless at is nil.
func (q *Queue) replaceJob(ctx context.Context, tx *sql.Tx, item *Item, at *time.Time) error {
	if err := q.dropJob(ctx, tx, item.job); err != nil {
		return err
	}
	item.job = 0
	if at == nil {
		return nil
	}
	inserted, err := q.insertJob(ctx, tx, item.ID, *at)
	item.job = inserted
	return err
}

// dropJob removes a job. One that River holds for running is left: it will find that the message has another one.
func (q *Queue) dropJob(ctx context.Context, tx *sql.Tx, id int64) error {
	if id == 0 {
		return nil
	}
	_, err := q.client.JobDeleteTx(ctx, tx, id)
	if errors.Is(err, rivertype.ErrNotFound) || errors.Is(err, rivertype.ErrJobRunning) {
		return nil
	}
	return err
}

// worker is what River calls.
type worker struct {
	river.WorkerDefaults[job]
	queue *Queue
}

// Work makes one try.
func (w *worker) Work(ctx context.Context, j *river.Job[job]) error {
	q := w.queue
	item, err := q.Store.Item(ctx, j.Args.ID)
	if errors.Is(err, ErrNoItem) {
		return river.JobCancel(err)
	}
	if err != nil {
		return err
	}
	switch {
	case item.job != j.ID || item.State.Final():
		return river.JobCancel(errors.New("the message has another job, or is done"))
	}
	switch err := q.claim(ctx, item); {
	case errors.Is(err, ErrBusy):
		return river.JobSnooze(time.Minute)
	case errors.Is(err, errStale):
		return river.JobSnooze(time.Second) // of two that wanted the message the other one got it
	case err != nil:
		return err
	}
	defer q.release(item.ID)
	try := q.attempt(ctx, item)
	keep := context.WithoutCancel(ctx)
	item.owner = ""
	if err := q.Store.change(keep, item, nil); errors.Is(err, errStale) {
		return river.JobCancel(err) // this process was taken for dead, and the message has another job
	} else if err != nil {
		return err
	}
	q.report(item, try)
	if item.State.Final() {
		return nil
	}
	return river.JobSnooze(max(item.Due.Sub(q.Store.Now()), time.Millisecond))
}

// claim takes a message for this process until it is released: ErrBusy when somebody is sending it, errStale when it was changed
// since it was read.
func (q *Queue) claim(ctx context.Context, item *Item) error {
	if q.busy(item) || !q.hold(item.ID) {
		return ErrBusy
	}
	item.owner = q.Store.owner
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

// RunOptions say how the queue is worked through.
type RunOptions struct {
	// Daemon goes on until ctx ends; otherwise Run ends when nothing more is due.
	Daemon bool
	// Workers is how many messages are tried at once; those of one profile share its connection and take turns.
	Workers int
}

// Run works the queue.
func (q *Queue) Run(ctx context.Context, o RunOptions) error {
	if o.Workers == 0 {
		o.Workers = 8
	}
	if err := q.Purge(ctx); err != nil {
		return err
	}
	if err := q.reclaim(ctx, !o.Daemon); err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{queue: q})
	poll := time.Second
	if !o.Daemon {
		poll = 50 * time.Millisecond
	}
	client, err := river.NewClient(q.Store.driver(), &river.Config{
		Logger: silent(), Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}},
		FetchPollInterval: poll, FetchCooldown: min(poll, 100*time.Millisecond), JobTimeout: tryLimit, RescueStuckJobsAfter: rescueAfter,
	})
	if err != nil {
		return &StateError{Op: "open", Place: "the queue", Err: err}
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return &StateError{Op: "start", Place: "the queue", Err: err}
	}
	err = q.wait(ctx, o.Daemon)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer cancel()
	if stopErr := client.Stop(stop); stopErr != nil {
		_ = client.StopAndCancel(context.WithoutCancel(ctx))
	}
	q.Sender.Close()
	return err
}

// stopWait is how long a try under way may take to end well after the service was told to stop; systemd waits 90 s.
const stopWait = 60 * time.Second

// wait returns when ctx ends or, without daemon, when nothing is due that could be claimed.
func (q *Queue) wait(ctx context.Context, daemon bool) error {
	tick, idle := 50*time.Millisecond, 0
	if daemon {
		tick = time.Minute
	}
	for {
		if !daemon {
			due, err := q.Store.countDue(ctx)
			switch {
			case err != nil && ctx.Err() == nil:
				return err
			case err == nil && due == 0 && q.claims.count() == 0:
				return nil
			}
		}
		select {
		case <-ctx.Done():
			if daemon {
				return nil
			}
			return ctx.Err()
		case <-time.After(tick):
		}
		// Where nothing moves, a worker may have died that had taken a job and not yet claimed its message.
		const patience = 20
		if idle++; q.claims.count() > 0 {
			idle = 0
		}
		if daemon || idle >= patience {
			idle = 0
			if err := q.reclaim(ctx, !daemon); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// reclaim gives messages whose worker died to the queue at once; with due, also those whose time has come, without waiting for
// River's scheduler. What somebody else changes at the same time is theirs.
func (q *Queue) reclaim(ctx context.Context, due bool) error {
	items, err := q.Store.interrupted(ctx)
	if err == nil && due {
		var more []*Item
		more, err = q.Store.scheduled(ctx)
		items = append(items, more...)
	}
	if err != nil {
		return err
	}
	now := q.Store.Now()
	for _, item := range items {
		at := item.Due
		if item.owner != "" {
			at = now
		}
		if q.busy(item) {
			continue
		}
		if err := q.reschedule(ctx, item, at); err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}

// reschedule takes a message from whoever had it, and gives it a job that is due at a time.
func (q *Queue) reschedule(ctx context.Context, item *Item, at time.Time) error {
	item.Due, item.owner = at, ""
	return q.Store.change(ctx, item, func(tx *sql.Tx) error { return q.replaceJob(ctx, tx, item, &at) })
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
	return q.take(ctx, id, func(item *Item) error {
		return q.Store.remove(ctx, item, func(tx *sql.Tx) error { return q.dropJob(ctx, tx, item.job) })
	})
}

// take reads a message that is not being sent and changes it, again when somebody else was quicker.
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

// Purge forgets what was finished a week ago.
func (q *Queue) Purge(ctx context.Context) error {
	query := q.Store.q(`DELETE FROM postier_message WHERE state IN ('sent', 'failed') AND due < ?1`)
	_, err := q.Store.db.ExecContext(ctx, query, q.Store.Now().Add(-keepFinal).UnixMilli())
	return wrap("purge the queue", err)
}
