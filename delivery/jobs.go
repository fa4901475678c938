package delivery

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

const (
	// rescueAfter is after how long River hands out a job again whose worker has not finished.
	rescueAfter = 30 * time.Minute
	// riverAttempts is more than any job needs: our tries are counted in the message. River's number has 16 bits.
	riverAttempts = 30000
	// workers is how many messages are tried at once unless RunOptions say otherwise.
	workers = 8
	// keepJobs is how long River keeps a job that is done; what became of the message is in postier_message.
	keepJobs = time.Minute
)

// job is what River stores about a message that waits for a worker or is being sent by one.
type job struct {
	ID string `json:"id"`
}

// Kind names the job in River's table.
func (job) Kind() string { return "postier_message" }

// engine is River's client for the database of the queue.
type engine = river.Client[*sql.Tx]

// driver is River's way to a database.
type driver = riverdriver.Driver[*sql.Tx]

// jobs returns the engine for changes to jobs. It is opened when it is first needed: a message that its sender delivers
// at once needs none.
func (q *Queue) jobs(ctx context.Context) (*engine, error) {
	q.opening.Lock()
	defer q.opening.Unlock()
	if q.engine != nil {
		return q.engine, nil
	}
	driver := q.Store.driver()
	if err := migrateRiver(ctx, driver); err != nil {
		return nil, &StateError{Op: "prepare", Place: "the queue", Err: err}
	}
	client, err := river.NewClient(driver, &river.Config{Logger: silent()})
	if err != nil {
		return nil, &StateError{Op: "open", Place: "the queue", Err: err}
	}
	q.engine = client
	return client, nil
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (s *Store) driver() driver {
	if s.pg {
		return riverdatabasesql.New(s.db)
	}
	return riversqlite.New(s.db)
}

// listening returns a driver that is notified of new jobs. On PostgreSQL that takes a connection of its own, which end
// closes.
func (s *Store) listening(ctx context.Context) (d driver, end func(), err error) {
	if !s.pg {
		return s.driver(), func() {}, nil
	}
	pool, err := pgxpool.New(ctx, s.database.URL)
	if err != nil {
		return nil, nil, err
	}
	return riverdatabasesql.NewWithPgxListener(s.db, pool), pool.Close, nil
}

// migrateRounds is how often a process waits for a migration that another one is running.
const migrateRounds = 20

// migrateRiver creates or updates River's tables. Of several processes that start at once one succeeds; the others wait
// until the tables are there.
func migrateRiver(ctx context.Context, d driver) error {
	migrator, err := rivermigrate.New(d, &rivermigrate.Config{Logger: silent()})
	if err != nil {
		return err
	}
	for range migrateRounds {
		if state, err := migrator.Validate(ctx, nil); err == nil && state.OK {
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

// insertJob gives a message a job that is due when the message is.
func (q *Queue) insertJob(ctx context.Context, e *engine, tx *sql.Tx, item *Item) error {
	options := &river.InsertOpts{MaxAttempts: riverAttempts}
	if wait := item.Due.Sub(q.Store.Now()); wait > 0 {
		options.ScheduledAt = time.Now().Add(wait) // River has its own clock
	}
	result, err := e.InsertTx(ctx, tx, job{ID: item.ID}, options)
	if err == nil {
		item.job = result.Job.ID
	}
	return err
}

// dropJob removes the job of a message. One that River considers running stays: its worker will find that the message
// has another job, or none.
func dropJob(ctx context.Context, e *engine, tx *sql.Tx, item *Item) error {
	id := item.job
	item.job = 0
	if id == 0 {
		return nil
	}
	_, err := e.JobDeleteTx(ctx, tx, id)
	if errors.Is(err, rivertype.ErrNotFound) || errors.Is(err, rivertype.ErrJobRunning) {
		return nil
	}
	return err
}

// advance makes the jobs that are due available at once; River's scheduler does so only every five seconds.
func (q *Queue) advance(ctx context.Context) error {
	items, err := q.Store.scheduled(ctx)
	if err != nil || len(items) == 0 {
		return err
	}
	e, err := q.jobs(ctx)
	if err != nil {
		return err
	}
	return wrap("read the queue", q.Store.inTx(ctx, func(tx *sql.Tx) error {
		for _, item := range items {
			if _, err := e.JobRetryTx(ctx, tx, item.job); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return err
			}
		}
		return nil
	}))
}

// worker carries out the jobs that River hands out.
type worker struct {
	river.WorkerDefaults[job]
	queue *Queue
}

// Work makes one try.
func (w *worker) Work(ctx context.Context, j *river.Job[job]) error {
	q := w.queue
	item, err := q.Store.Item(ctx, j.Args.ID)
	switch {
	case errors.Is(err, ErrNoItem):
		return river.JobCancel(err)
	case err != nil:
		return err
	case item.job != j.ID || item.State.Final():
		return river.JobCancel(errors.New("the message has another job, or is done"))
	}
	switch err := q.claim(ctx, item); {
	case errors.Is(err, ErrBusy):
		return river.JobSnooze(time.Minute)
	case errors.Is(err, errStale):
		return river.JobSnooze(time.Second) // another worker claimed the message first
	case err != nil:
		return err
	}
	defer q.release(item.ID)
	try := q.attempt(ctx, item)
	keep := context.WithoutCancel(ctx)
	item.owner = ""
	switch err := q.conclude(keep, item, nil); {
	case errors.Is(err, errStale):
		return river.JobCancel(err) // another process took this one for dead, and the message has another job
	case err != nil:
		return err
	}
	q.report(item, try)
	if item.State.Final() {
		return nil
	}
	return river.JobSnooze(max(item.Due.Sub(q.Store.Now()), time.Millisecond))
}

// RunOptions say how the queue is worked through.
type RunOptions struct {
	// Daemon goes on until ctx ends; otherwise Run ends when nothing more is due.
	Daemon bool
	// Workers is how many messages are tried at once; those of one profile share its connection and take turns.
	Workers int
}

// start lets River hand out jobs. stop ends that and gives tries under way time to finish.
func (q *Queue) start(ctx context.Context, o RunOptions) (stop func(), err error) {
	d, end, err := q.Store.listening(ctx)
	if err != nil {
		return nil, &StateError{Op: "open", Place: "the queue", Err: err}
	}
	list := river.NewWorkers()
	river.AddWorker(list, &worker{queue: q})
	poll := time.Second
	if !o.Daemon {
		poll = 50 * time.Millisecond
	}
	client, err := river.NewClient(d, &river.Config{
		Logger: silent(), Workers: list,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cmp.Or(o.Workers, workers)}},
		FetchPollInterval: poll, FetchCooldown: fetchCooldown, JobTimeout: tryLimit, RescueStuckJobsAfter: rescueAfter,
		CompletedJobRetentionPeriod: keepJobs, CancelledJobRetentionPeriod: keepJobs,
	})
	if err == nil {
		err = client.Start(context.WithoutCancel(ctx))
	}
	if err != nil {
		end()
		return nil, &StateError{Op: "start", Place: "the queue", Err: err}
	}
	return func() {
		defer end()
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		if client.Stop(soon) != nil {
			_ = client.StopAndCancel(context.WithoutCancel(ctx))
		}
	}, nil
}

const (
	// fetchCooldown is the least time between two fetches of a process. It limits a drain more than the number of workers.
	fetchCooldown = 5 * time.Millisecond
	// stopWait is how long a try under way may take after the service was asked to stop; systemd waits 90 s.
	stopWait = 60 * time.Second
)
