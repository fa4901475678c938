package delivery

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"postier/internal/check"
)

const (
	// workers is how many messages are tried at once unless RunOptions say otherwise.
	workers = 16
	// gather is how long a free worker waits for others, so that they claim their messages together.
	gather = 5 * time.Millisecond
	// look is how often a waiting worker looks for messages that other processes accepted or whose time has come.
	look = time.Second
	// tidy is how often the messages of dead processes are returned to the queue, and old ones deleted.
	tidy = time.Minute
	// stopWait is how long a try under way may take after the service was asked to stop; systemd waits 90 s.
	stopWait = 60 * time.Second
)

// RunOptions say how the queue is worked through.
type RunOptions struct {
	// Daemon goes on until ctx ends; otherwise Run ends when nothing more is due.
	Daemon bool
	// Workers is how many messages are tried at once; those of one profile share its connection and take turns.
	Workers int
	// sweep: the caller waits, and leaves the queue again; see Sweep.
	sweep bool
}

// Run sends the messages that are due.
func (q *Queue) Run(ctx context.Context, o RunOptions) error {
	defer q.Sender.Close()
	o.Workers = cmp.Or(o.Workers, workers)
	r := &run{Queue: q, o: o, ended: make(chan string, o.Workers), busy: map[string]int{}}
	if o.Daemon {
		listening, stop := context.WithCancel(ctx)
		defer stop()
		go q.Store.listen(listening, q.ring)
	}
	tries, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	err := r.work(ctx, tries)
	r.stop(cancel)
	return err
}

// grace is how long tries under way are waited for.
func (o RunOptions) grace() time.Duration {
	if o.sweep {
		return sweepWait
	}
	return stopWait
}

// run is one call of Run. Its fields belong to the one goroutine that claims messages; each message that it claimed has
// a goroutine of its own.
type run struct {
	*Queue
	o RunOptions
	// ended gets the profile of each message whose try has ended.
	ended chan string
	// busy counts the messages under way, by profile; all is their sum.
	busy map[string]int
	all  int
	// tidied is when the queue was last tidied, failing since when the database fails.
	tidied, failing time.Time
}

// work has messages tried until nothing more is due, or ctx ends.
func (r *run) work(ctx, tries context.Context) error {
	for ctx.Err() == nil {
		n, err := r.claim(ctx, tries)
		switch {
		case err == nil:
			r.failing = time.Time{}
		case ctx.Err() != nil:
		case !r.o.Daemon || !r.failing.IsZero() && time.Since(r.failing) > patience:
			return err
		case r.failing.IsZero():
			r.failing = time.Now()
		}
		if n == 0 && r.all == 0 && !r.o.Daemon {
			return nil
		}
		r.wait(ctx)
	}
	if r.o.Daemon {
		return nil
	}
	return ctx.Err()
}

// claim starts tries of messages that are due, as far as there are workers, and returns how many.
func (r *run) claim(ctx, tries context.Context) (started int, err error) {
	if time.Since(r.tidied) > tidy {
		if err := r.tidy(ctx); err != nil {
			return 0, err
		}
		r.tidied = time.Now()
	}
	profiles, err := r.Store.dueProfiles(ctx)
	for _, profile := range profiles {
		room := r.room(profile)
		if room == 0 {
			continue
		}
		items, failure := r.takeDue(ctx, profile, room)
		if failure != nil {
			return started, failure
		}
		started += len(items)
		r.start(tries, profile, items)
	}
	return started, err
}

// room is how many further messages of a profile may be tried: half of the workers at most are busy with one profile,
// so that a slow server does not keep all of them from the others. Those of a profile with batches go one after the
// other: workers side by side would send them in any order (C-6).
func (r *run) room(profile string) int {
	if r.batched(profile) {
		return max(0, min(r.o.Workers-r.all, 1-r.busy[profile]))
	}
	return max(0, min(r.o.Workers-r.all, max(1, r.o.Workers/2)-r.busy[profile]))
}

// batched reports whether a profile makes pauses.
func (q *Queue) batched(profile string) bool {
	doc, err := q.document()
	if err != nil || doc.File.Profiles[profile] == nil {
		return false
	}
	return batched(doc.File.Profiles[profile].Limits)
}

func (r *run) start(tries context.Context, profile string, items []*Item) {
	if len(items) > 0 {
		r.step("claimed")
	}
	for _, item := range items {
		r.count(profile, 1)
		go func() {
			defer func() { r.ended <- profile }()
			r.try(tries, item)
		}()
	}
}

func (r *run) count(profile string, by int) {
	r.all += by
	if r.busy[profile] += by; r.busy[profile] == 0 {
		delete(r.busy, profile)
	}
}

// wait returns when there may be something to claim again: tries have ended, a message was accepted, or it is time to
// look.
func (r *run) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-r.bell():
		return
	case <-time.After(look):
		return
	case profile := <-r.ended:
		r.count(profile, -1)
	}
	enough := time.After(gather)
	for more := r.o.Workers/4 - 1; more > 0 && r.all > 0; more-- {
		select {
		case <-enough:
			return
		case profile := <-r.ended:
			r.count(profile, -1)
		}
	}
}

// stop waits for the tries that are under way, and ends those that take too long.
func (r *run) stop(cancel context.CancelFunc) {
	defer time.AfterFunc(r.o.grace(), cancel).Stop()
	for r.all > 0 {
		r.count(<-r.ended, -1)
	}
}

// tidy returns the messages of dead processes to the queue, and deletes old ones.
func (r *run) tidy(ctx context.Context) error {
	if err := r.reclaim(ctx); err != nil {
		return err
	}
	if !r.o.sweep {
		if err := r.Store.keep(ctx, keeperWorker, r.Store.Now().Add(kept)); err != nil {
			return err
		}
	}
	if err := r.Purge(ctx); err != nil {
		return err
	}
	return r.Store.shrink(ctx)
}

// try makes one try of a claimed message.
func (q *Queue) try(ctx context.Context, item *Item) {
	defer q.release(item.ID)
	defer func() { // a defect that one message meets must not stop the others; its claim is soon returned
		if fault := recover(); fault != nil && q.Observe != nil {
			q.Observe(Event{Item: item, Err: fmt.Errorf("%v\n%s", fault, debug.Stack())})
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	var try Try
	if err := q.Store.readText(ctx, item); err != nil {
		try = q.putOff(item, Try{Cause: check.CauseFileFailed, Err: err}, firstRetry)
	} else {
		try = q.attempt(ctx, item)
	}
	if q.settle(context.WithoutCancel(ctx), item) == nil && !item.withdrawn {
		q.report(item, try)
	}
}

// bell rings when a message of this process is due.
func (q *Queue) bell() chan struct{} {
	q.opening.Do(func() { q.bells = make(chan struct{}, 1) })
	return q.bells
}

func (q *Queue) ring() {
	select {
	case q.bell() <- struct{}{}:
	default:
	}
}
