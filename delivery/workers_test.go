package delivery

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"postier/config"
)

// worker opens the queue at a place once more, as another process or machine would.
func (b *bench) worker(place string) *Queue {
	b.t.Helper()
	store, err := OpenStore(b.t.Context(), databaseAt(b.t, place))
	b.must(err)
	store.Now = b.clock.Now
	sender := &Sender{Accounts: b.queue.Sender.Accounts}
	q := &Queue{Store: store, Sender: sender, Load: func() (*config.Document, error) { return config.Load(b.path) }}
	b.t.Cleanup(func() { sender.Close(); _ = store.Close() })
	return q
}

// fileAt is the database in a file.
func fileAt(path ...string) config.Database { return config.Database{File: filepath.Join(path...)} }

// databaseAt is a database as the configuration names it.
func databaseAt(t testing.TB, place string) config.Database {
	t.Helper()
	database, fault := config.ParseDatabase(place)
	if !fault.Empty() {
		t.Fatalf("%s: %s", place, fault.Key)
	}
	return database
}

// busy keeps every processor busy with something else until the test ends.
func busy(t testing.TB) {
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	for range 3 * runtime.GOMAXPROCS(0) {
		loops.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_ = n * n
			}
		})
	}
	t.Cleanup(func() { stop(); loops.Wait() })
}

// once holds that every accepted message left, and none twice.
func (b *bench) once(accepted int) {
	b.t.Helper()
	got := messages(b.own)
	seen := map[string]bool{}
	for _, m := range got {
		parsed, err := Parse([]byte(m))
		b.must(err)
		id := parsed.Get("Message-ID")
		if seen[id] {
			b.t.Errorf("%s left twice", id)
		}
		seen[id] = true
	}
	if len(seen) != accepted {
		b.t.Errorf("%d messages left in the end, %d were accepted", len(seen), accepted)
	}
}

// contend lets several workers accept, deliver, retry, reclaim and work the same messages at once on a machine that is
// busy with something else.
func (b *bench) contend(place string, workers, each int) {
	b.t.Helper()
	busy(b.t)
	var queues []*Queue
	for range workers {
		queues = append(queues, b.worker(place))
	}
	var all sync.WaitGroup
	for w, q := range queues {
		all.Go(func() {
			for n := range each {
				item, now := b.item(), (n+w)%2 == 0
				if err := q.Accept(b.t.Context(), item, now); err != nil {
					b.t.Error(err)
					return
				}
				if now {
					if _, err := q.Deliver(b.t.Context(), item); err != nil {
						b.t.Error(err)
					}
				}
			}
		})
		all.Go(func() {
			for range 4 {
				if err := q.Run(b.t.Context(), RunOptions{}); err != nil {
					b.t.Error(err)
				}
			}
		})
		all.Go(func() { b.disturb(q, each) })
	}
	all.Wait()
	if err := queues[0].Run(b.t.Context(), RunOptions{}); err != nil {
		b.t.Error(err)
	}
	b.once(workers * each)
}

// disturb asks for a retry of whatever waits, as an impatient person does.
func (b *bench) disturb(q *Queue, rounds int) {
	for range rounds {
		items, err := itemsOf(b.t.Context(), q.Store, false)
		if err != nil {
			b.t.Error(err)
			return
		}
		for _, item := range items {
			if err := q.Retry(b.t.Context(), item.ID); err != nil && !errors.Is(err, ErrBusy) &&
				!errors.Is(err, ErrNoItem) {
				b.t.Error(err)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestWorkersOnOneFile(t *testing.T) {
	b := newBench(t, nil, nil)
	b.contend(filepath.Join(filepath.Dir(b.path), "state", "postier.db"), 3, 10)
}

// BenchmarkDrain works off what was accepted, over one connection to a server that answers at once.
func BenchmarkDrain(b *testing.B) {
	bench := newBench(b, nil, nil)
	for b.Loop() {
		b.StopTimer()
		const messages = 300
		for range messages {
			bench.must(bench.queue.Accept(b.Context(), bench.item(), false))
		}
		b.StartTimer()
		started := time.Now()
		bench.must(bench.queue.Run(b.Context(), RunOptions{}))
		b.ReportMetric(messages/time.Since(started).Seconds(), "messages/s")
	}
}

// BenchmarkSend accepts and delivers, as `sendmail -bs` does.
func BenchmarkSend(b *testing.B) {
	bench := newBench(b, nil, nil)
	for b.Loop() {
		bench.first(bench.item())
	}
}
