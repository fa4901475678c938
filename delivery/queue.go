package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
	// lease is when a try that gave no sign of life counts as broken off. River's rescue works by it, and so does the job that stands
	// behind a message which its own sender delivers at once.
	lease = 30 * time.Minute
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
// delivers it itself by Deliver; should it die first, the queue takes over when the lease is up.
func (q *Queue) Accept(ctx context.Context, item *Item, now bool) error {
	at := item.Due
	if now {
		at = q.Store.Now().Add(lease)
		item.State, item.owner, item.Due, item.inline = StateSending, self(), at, true
	}
	q.step("accept")
	err := q.Store.inTx(ctx, func(tx *sql.Tx) error {
		inserted, err := q.insertJob(ctx, tx, item.ID, at)
		if err != nil {
			return err
		}
		item.job = inserted
		return q.Store.insertItem(ctx, tx, item)
	})
	q.step("accepted")
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
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	try := q.attempt(ctx, item)
	keep := context.WithoutCancel(ctx)
	q.report(item, try)
	return try, q.settle(keep, item)
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
	return wrap("note what became of the message", q.Store.inTx(ctx, func(tx *sql.Tx) error {
		if err := q.dropJob(ctx, tx, item.job); err != nil {
			return err
		}
		item.job, item.owner = 0, ""
		if !item.State.Final() {
			inserted, err := q.insertJob(ctx, tx, item.ID, item.Due)
			if err != nil {
				return err
			}
			item.job = inserted
		}
		return q.Store.updateItem(ctx, tx, item)
	}))
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
	case item.owner != self() && item.busy(q.Store.Now()):
		return river.JobSnooze(time.Minute)
	}
	switch err := q.Store.claim(ctx, item, q.Store.Now().Add(lease)); {
	case errors.Is(err, ErrBusy):
		return river.JobCancel(err) // somebody gave the message another job meanwhile
	case err != nil:
		return err
	}
	try := q.attempt(ctx, item)
	keep := context.WithoutCancel(ctx)
	item.owner = ""
	if err := q.Store.inTx(keep, func(tx *sql.Tx) error { return q.Store.updateItem(keep, tx, item) }); err != nil {
		return err
	}
	q.report(item, try)
	if item.State.Final() {
		return nil
	}
	return river.JobSnooze(max(item.Due.Sub(q.Store.Now()), time.Millisecond))
}

// claim takes a message for this process, unless another one took it or gave it another job since it was read: of two that
// want it, one gets it.
func (s *Store) claim(ctx context.Context, item *Item, until time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		query := s.q(`UPDATE postier_message SET owner = ?4, due = ?5 WHERE id = ?1 AND job = ?2 AND owner = ?3`)
		result, err := tx.ExecContext(ctx, query, item.ID, item.job, item.owner, self(), until.UnixMilli())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrBusy, err)
		}
		item.owner, item.Due = self(), until
		return nil
	})
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
		FetchPollInterval: poll, FetchCooldown: min(poll, 100*time.Millisecond), JobTimeout: tryLimit, RescueStuckJobsAfter: lease,
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

// wait returns when ctx ends or, without daemon, when nothing is due any more.
func (q *Queue) wait(ctx context.Context, daemon bool) error {
	tick := 50 * time.Millisecond
	if daemon {
		tick = time.Minute
	}
	for {
		if !daemon {
			due, err := q.Store.countDue(ctx)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if err == nil && due == 0 {
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
			if daemon {
				if err := q.reclaim(ctx, false); err != nil && ctx.Err() == nil {
					return err
				}
			}
		}
	}
}

// reclaim gives messages whose sender on this machine died to the queue at once, without waiting for the lease; with due,
// also those whose time has come, without waiting for River's scheduler.
func (q *Queue) reclaim(ctx context.Context, due bool) error {
	now := q.Store.Now()
	ids, err := q.Store.claimable(ctx, due, now)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := q.reschedule(ctx, id, now); err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrNoItem) {
			return err
		}
	}
	return nil
}

// reclaimAtOnce bounds how many messages are given back in one go.
const reclaimAtOnce = 1000

// claimable lists messages that somebody claimed or began to, and with due those put off until now.
func (s *Store) claimable(ctx context.Context, due bool, now time.Time) ([]string, error) {
	// A job that runs for a message which nobody claimed is that of a worker killed in between, or of one that claims it at this
	// moment: the latter finds that the message has another job.
	condition := `(owner <> '' OR EXISTS (SELECT 1 FROM river_job WHERE river_job.id = job AND river_job.state = 'running'))`
	if due {
		condition = `(` + condition + ` OR due > accepted AND due <= ?1)`
	} else {
		condition += ` AND due <> ?1` // the number of arguments stays the same
	}
	query := s.q(fmt.Sprintf(`SELECT id FROM postier_message WHERE state NOT IN ('sent', 'failed') AND %s ORDER BY due LIMIT %d`, condition, reclaimAtOnce))
	rows, err := s.db.QueryContext(ctx, query, now.UnixMilli())
	if err != nil {
		return nil, wrap("read the queue", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, wrap("read the queue", err)
		}
		ids = append(ids, id)
	}
	return ids, wrap("read the queue", rows.Err())
}

// ErrBusy says that a message is being sent at this moment.
var ErrBusy = errors.New("the message is being sent at this moment")

// Retry tries a message at the next opportunity, whatever its time.
func (q *Queue) Retry(ctx context.Context, id string) error {
	return q.reschedule(ctx, id, q.Store.Now())
}

func (q *Queue) reschedule(ctx context.Context, id string, at time.Time) error {
	return q.Store.locked(ctx, "message:"+id, func(tx *sql.Tx) error {
		item, err := q.Store.itemTx(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case item.State.Final():
			return ErrNoItem
		case item.busy(q.Store.Now()):
			return ErrBusy
		}
		if err := q.dropJob(ctx, tx, item.job); err != nil {
			return err
		}
		if item.job, err = q.insertJob(ctx, tx, id, at); err != nil {
			return err
		}
		item.Due, item.owner = at, ""
		return q.Store.updateItem(ctx, tx, item)
	})
}

// Remove takes a message out of the queue without sending it.
func (q *Queue) Remove(ctx context.Context, id string) error {
	return q.Store.locked(ctx, "message:"+id, func(tx *sql.Tx) error {
		item, err := q.Store.itemTx(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case item.busy(q.Store.Now()):
			return ErrBusy
		}
		if err := q.dropJob(ctx, tx, item.job); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, q.Store.q(`DELETE FROM postier_message WHERE id = ?1`), id)
		return err
	})
}

// Purge forgets what was finished a week ago.
func (q *Queue) Purge(ctx context.Context) error {
	query := q.Store.q(`DELETE FROM postier_message WHERE state IN ('sent', 'failed') AND due < ?1`)
	_, err := q.Store.db.ExecContext(ctx, query, q.Store.Now().Add(-keepFinal).UnixMilli())
	return wrap("purge the queue", err)
}

// ErrNoItem says that there is no such message.
var ErrNoItem = errors.New("no such message in the queue")

func (s *Store) inTx(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

const itemColumns = `id, job, accepted, due, state, attempts, owner, profile, message_id, envelope, detail`

func (s *Store) insertItem(ctx context.Context, tx *sql.Tx, i *Item) error {
	query := s.q(`INSERT INTO postier_message (` + itemColumns + `, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`)
	_, err := tx.ExecContext(ctx, query, append(i.values(), i.Raw)...)
	return err
}

func (i *Item) values() []any {
	detail, err := json.Marshal(i.Detail)
	if err != nil {
		panic("delivery: plain values always marshal: " + err.Error())
	}
	return []any{
		i.ID, i.job, i.Accepted.UnixMilli(), i.Due.UnixMilli(), string(i.State), i.Attempts, i.owner, i.Profile, i.MessageID, i.Envelope, string(detail),
	}
}

// updateItem writes an item back. A finished one needs its text no longer.
func (s *Store) updateItem(ctx context.Context, tx *sql.Tx, i *Item) error {
	if i.loose {
		return nil
	}
	if i.State.Final() {
		i.Raw = []byte{}
	}
	query := s.q(`UPDATE postier_message SET job = ?2, accepted = ?3, due = ?4, state = ?5, attempts = ?6, owner = ?7, profile = ?8,
		message_id = ?9, envelope = ?10, detail = ?11, raw = ?12 WHERE id = ?1`)
	result, err := tx.ExecContext(ctx, query, append(i.values(), i.Raw)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err == nil && n == 0 {
		return ErrNoItem
	}
	return nil
}

// Item reads one message.
func (s *Store) Item(ctx context.Context, id string) (item *Item, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		item, err = s.itemTx(ctx, tx, id)
		return err
	})
	return item, err
}

func (s *Store) itemTx(ctx context.Context, tx *sql.Tx, id string) (*Item, error) {
	item := &Item{}
	row := tx.QueryRowContext(ctx, s.q(`SELECT `+itemColumns+`, raw FROM postier_message WHERE id = ?1`), id)
	err := item.scan(row.Scan, &item.Raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoItem
	}
	return item, err
}

func (i *Item) scan(scan func(...any) error, raw ...any) error {
	var accepted, due int64
	var state, detail string
	err := scan(append([]any{&i.ID, &i.job, &accepted, &due, &state, &i.Attempts, &i.owner, &i.Profile, &i.MessageID, &i.Envelope, &detail}, raw...)...)
	if err != nil {
		return err
	}
	i.Accepted, i.Due, i.State = time.UnixMilli(accepted), time.UnixMilli(due), State(state)
	if err := json.Unmarshal([]byte(detail), &i.Detail); err != nil {
		return fmt.Errorf("message %s in the queue: %w", i.ID, err)
	}
	return nil
}

// Items lists the messages that are not finished, in the order in which they were accepted, without their text; with all,
// the finished ones of the last week as well.
func (s *Store) Items(ctx context.Context, all bool) ([]*Item, error) {
	where := ` WHERE state NOT IN ('sent', 'failed')`
	if all {
		where = ``
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+itemColumns+` FROM postier_message`+where+` ORDER BY accepted, id`)
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

func (s *Store) countDue(ctx context.Context) (n int, err error) {
	query := s.q(`SELECT COUNT(*) FROM postier_message WHERE state NOT IN ('sent', 'failed') AND (due <= ?1 OR owner <> '')`)
	err = s.db.QueryRowContext(ctx, query, s.Now().UnixMilli()).Scan(&n)
	return n, err
}
