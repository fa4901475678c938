//go:build postgres

package delivery

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
)

// Two machines on one PostgreSQL share a limit to the message, and no message leaves twice. Run with
//
//	POSTIER_TEST_POSTGRES=postgres://user@host/name go test -tags postgres -run TestTwoMachines ./delivery
func TestTwoMachines(t *testing.T) {
	b := newBench(t, nil, nil)
	const limit, each = 30, 25
	b.change(func(f *config.File) {
		f.Profiles["durand"].Limits.PerDay = limit
		f.Fallback = "" // what is over the limit waits
	})
	place := emptyPostgres(b)
	machines := []*Queue{b.worker(place), b.worker(place)}
	var senders sync.WaitGroup
	for _, q := range machines {
		senders.Go(func() {
			for n := range each {
				item := b.item()
				now := n%2 == 0
				if err := q.Accept(t.Context(), item, now); err != nil {
					t.Error(err)
					return
				}
				if now {
					if _, err := q.Deliver(t.Context(), item); err != nil {
						t.Error(err)
					}
				}
			}
			if err := q.Run(t.Context(), RunOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	if n := len(messages(b.own)); n != limit {
		t.Errorf("%d messages left, the limit is %d", n, limit)
	}
	b.clock.add(25 * time.Hour)
	for _, q := range machines {
		senders.Go(func() {
			if err := q.Run(t.Context(), RunOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	b.once(2 * each)
}

// As TestWorkersOnOneFile, on PostgreSQL.
func TestWorkersOnPostgres(t *testing.T) {
	b := newBench(t, nil, nil)
	place := emptyPostgres(b)
	b.contend(place, 4, 15)
}

// emptyPostgres is the database that the tests are given, without messages.
func emptyPostgres(b *bench) string {
	place := os.Getenv("POSTIER_TEST_POSTGRES")
	if place == "" {
		b.t.Fatal("POSTIER_TEST_POSTGRES names no database")
	}
	q := b.worker(place)
	_, err := q.Store.ResetLimits(b.t.Context(), "durand")
	b.must(err)
	_, err = q.Store.db.Exec(`TRUNCATE postier_message`)
	b.must(err)
	return place
}

// Machines agree on the time, whatever their own clocks say.
func TestDatabaseClock(t *testing.T) {
	b := newBench(t, nil, nil)
	s, err := OpenStore(t.Context(), databaseAt(t, emptyPostgres(b)))
	b.must(err)
	defer func() { _ = s.Close() }()
	s.reading.Store(&reading{there: time.Now().Add(3 * time.Hour), here: time.Now()})
	b.must(s.setClock(t.Context()))
	var there time.Time
	b.must(s.db.QueryRow(`SELECT clock_timestamp()`).Scan(&there))
	if off := s.Now().Sub(there).Abs(); off > 10*time.Second {
		t.Errorf("%s apart", off)
	}
}

// cutting passes octets on to the database, and ends the connection in place of the answer to the next commit.
func cutting(t *testing.T, place string, armed *atomic.Bool) string {
	t.Helper()
	there, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	backend := there.Host
	there.Host = listener.Addr().String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", backend)
			if err != nil {
				_ = client.Close()
				return
			}
			var cut atomic.Bool
			pass := func(to, from net.Conn, look bool) {
				defer func() { _, _ = client.Close(), server.Close() }()
				piece := make([]byte, 64<<10)
				for {
					n, err := from.Read(piece)
					if err != nil || !look && cut.Load() {
						return
					}
					if look && bytes.Contains(bytes.ToLower(piece[:n]), []byte("commit")) && armed.CompareAndSwap(true, false) {
						cut.Store(true)
					}
					if _, err := to.Write(piece[:n]); err != nil {
						return
					}
				}
			}
			go pass(server, client, true)
			go pass(client, server, false)
		}
	}()
	return there.String()
}

// The answer to the commit is lost: the message is accepted once, and its sender goes on with it.
func TestAnswerToTheCommitIsLost(t *testing.T) {
	b := newBench(t, nil, nil)
	var armed atomic.Bool
	q := b.worker(cutting(t, emptyPostgres(b), &armed))
	item := b.item()
	armed.Store(true)
	b.must(q.Accept(t.Context(), item, true))
	if armed.Load() {
		t.Fatal("nothing was cut")
	}
	try, err := q.Deliver(t.Context(), item)
	if err != nil || try.State != StateSent {
		t.Errorf("%+v, %v", try, err)
	}
	b.once(1)
	items, err := itemsOf(t.Context(), q.Store, true)
	if err != nil || len(items) != 1 || items[0].Doubt {
		t.Errorf("%d messages, %v", len(items), err)
	}
}

// The database goes away again and again while two workers send: nothing is lost, and what left twice is marked.
func TestDatabaseGoesAway(t *testing.T) {
	b := newBench(t, nil, nil)
	place := emptyPostgres(b)
	const accepted, cuts = 80, 12
	first := b.worker(place)
	for range accepted {
		b.must(first.Accept(t.Context(), b.item(), false))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for _, q := range []*Queue{first, b.worker(place)} {
		workers.Go(func() {
			for ctx.Err() == nil {
				_ = q.Run(ctx, RunOptions{}) // as the service is started again when it fails
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	other := b.worker(place)
	for range cuts {
		time.Sleep(150 * time.Millisecond)
		_, err := other.Store.db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		b.must(err)
	}
	open := func() int {
		items, err := itemsOf(t.Context(), other.Store, false)
		b.must(err)
		return len(items)
	}
	for end := time.Now().Add(time.Minute); open() > 0 && time.Now().Before(end); {
		b.clock.add(time.Minute) // what was put off comes due
		time.Sleep(200 * time.Millisecond)
	}
	cancel()
	workers.Wait()
	b.onceUnlessMarked(other, accepted)
}

// onceUnlessMarked holds that every message left, and that of those which left more than once the queue says so.
func (b *bench) onceUnlessMarked(q *Queue, accepted int) {
	b.t.Helper()
	items, err := itemsOf(b.t.Context(), q.Store, true)
	b.must(err)
	left := map[string]int{}
	for _, m := range messages(b.own) {
		parsed, err := Parse([]byte(m))
		b.must(err)
		left[parsed.Get("Message-ID")]++
	}
	twice := 0
	for _, item := range items {
		n := left[item.MessageID]
		if n > 1 {
			twice++
		}
		if n == 0 || n > 1 && !item.Doubt || item.State != StateSent {
			b.t.Errorf("%s left %d times, state %s, doubt %t", item.MessageID, n, item.State, item.Doubt)
		}
	}
	if len(items) != accepted {
		b.t.Errorf("%d messages are kept, %d were accepted", len(items), accepted)
	}
	b.t.Logf("%d of %d left twice, all marked", twice, accepted)
}

// Looking at a database that has no state creates none; and what is read is the same as from a file.
func TestStandingsOnPostgres(t *testing.T) {
	b := newBench(t, nil, nil)
	database := databaseAt(t, emptyPostgres(b))
	s, err := Peek(t.Context(), database)
	b.must(err)
	defer func() { _ = s.Close() }()
	q := b.worker(os.Getenv("POSTIER_TEST_POSTGRES"))
	item := b.item()
	b.must(q.Accept(t.Context(), item, false))
	_, err = s.Take(t.Context(), "durand", config.Limits{})
	b.must(err)
	_, _, err = s.failing(t.Context(), "durand", "connection-refused")
	b.must(err)
	standings, err := s.Standings(t.Context())
	b.must(err)
	if got := standings.Profiles["durand"]; got.Waiting != 1 || got.SentToday != 1 || got.Cause != "connection-refused" {
		t.Errorf("%+v", got)
	}
	b.must(s.healthy(t.Context(), "durand"))
	for _, table := range []string{"schema", "message", "sent", "batch", "suppressed", "health", "keeper", "part"} {
		_, err := s.db.Exec(`DROP TABLE postier_` + table)
		b.must(err)
	}
	if s, err := Peek(t.Context(), database); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}

// The log of a shared database: newest first, and pruned by age and number with the texts.
func TestLogOnPostgres(t *testing.T) {
	b := newBench(t, nil, nil)
	q := b.worker(emptyPostgres(b))
	q.Load = func() (*config.Document, error) {
		doc, err := config.Load(b.path)
		if err == nil {
			doc.File.Log = config.Log{Messages: 2}
		}
		return doc, err
	}
	q.Current = nil
	var want []string
	for n := range 5 {
		item := b.item()
		item.Accepted = time.UnixMilli(int64(n))
		item.Due, item.State, item.Raw = item.Accepted, StateSent, bytes.Repeat([]byte("x"), headSize+1)
		b.must(q.Store.insert(t.Context(), item))
		want = append([]string{item.ID}, want...)
	}
	list := func() (ids []string) {
		b.must(q.Store.Log(t.Context(), LogFilter{}, func(i *Item) error { ids = append(ids, i.ID); return nil }))
		return ids
	}
	if got := list(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.must(q.Store.purgeMost(t.Context(), 2))
	if got := list(); !slices.Equal(got, want[:2]) {
		t.Errorf("got %q, want %q", got, want[:2])
	}
	b.must(q.Purge(t.Context())) // they are older than 90 days
	var parts int
	b.must(q.Store.db.QueryRow(`SELECT COUNT(*) FROM postier_part`).Scan(&parts))
	if got := list(); len(got) > 0 || parts > 0 {
		t.Errorf("%q and %d parts are left", got, parts)
	}
}

// A reset makes due what waits for a limit, and nothing else.
func TestReleaseOnPostgres(t *testing.T) {
	b := newBench(t, nil, nil)
	q := b.worker(emptyPostgres(b))
	later := q.Store.Now().Add(time.Hour)
	for id, cause := range map[string]check.Cause{
		"limited": check.CauseOwnLimitReached, "greylisted": check.CauseGreylisted,
	} {
		item := b.item()
		item.ID, item.State, item.Due, item.Cause = id, StateWaiting, later, cause
		b.must(q.Store.insert(t.Context(), item))
	}
	released, err := q.Store.ResetLimits(t.Context(), "durand")
	b.must(err)
	limited, err := q.Store.Item(t.Context(), "limited")
	b.must(err)
	greylisted, err := q.Store.Item(t.Context(), "greylisted")
	b.must(err)
	if released != 1 || limited.Due.After(q.Store.Now()) || !greylisted.Due.After(q.Store.Now()) {
		t.Errorf("%d released, due %v and %v", released, limited.Due, greylisted.Due)
	}
}

// TestWatchedOnPostgres: what the watch knows, and whose turn it is, on a database that machines share.
func TestWatchedOnPostgres(t *testing.T) {
	watchedAt(t, databaseAt(t, emptyPostgres(newBench(t, nil, nil))))
}
