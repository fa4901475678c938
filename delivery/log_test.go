package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/check"
)

// fill writes finished messages, one a second.
func fill(t *testing.T, s *Store, most int) {
	t.Helper()
	_, err := s.db.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?1)
		INSERT INTO postier_message (id, job, version, accepted, due, state, attempts, owner, profile, message_id, envelope,
			detail, head)
		SELECT printf('m%07d', i), 0, i, i * 1000, i * 1000, 'sent', 1, '', 'durand', '<m@x>', 'a@x',
			'{"subject":"Invoice","recipients":[{"address":"b@customer.example","state":"sent","reply":"250 ok"}]}', x''
		FROM n`, most)
	if err != nil {
		t.Fatal(err)
	}
}

// TestLogStreams: a hundred thousand rows come newest first, and never more than a page of them is in memory. It runs
// alone, since the memory of other tests would count.
func TestLogStreams(t *testing.T) {
	const most, room = 100_000, 32 << 20
	s, _ := newStore(t)
	fill(t, s, most)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	count, last := 0, ""
	err := s.Log(t.Context(), LogFilter{}, func(i *Item) error {
		if last != "" && i.ID >= last {
			return fmt.Errorf("%s after %s", i.ID, last)
		}
		last = i.ID
		if count++; count%(most/4) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > before.HeapAlloc+room {
				return fmt.Errorf("%d MiB after %d rows", (now.HeapAlloc-before.HeapAlloc)>>20, count)
			}
		}
		return nil
	})
	if err != nil || count != most {
		t.Errorf("%d rows, %v", count, err)
	}
	stop := errors.New("enough")
	if err := s.Log(t.Context(), LogFilter{}, func(*Item) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	since := LogFilter{Since: time.UnixMilli(int64(most-2) * 1000)}
	count = 0
	if err := s.Log(t.Context(), since, func(*Item) error { count++; return nil }); err != nil || count != 3 {
		t.Errorf("%d rows since, %v", count, err)
	}
}

// TestLogIsPruned: by age and by number, with the texts that were kept, and not without a readable configuration.
func TestLogIsPruned(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	file := &config.File{}
	var broken error
	q := &Queue{Store: s, Load: func() (*config.Document, error) { return &config.Document{File: *file}, broken }}
	count := func(table string) (n int) {
		if err := s.db.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	purge := func(want int) {
		t.Helper()
		if err := q.Purge(t.Context()); err != nil || count("postier_message") != want {
			t.Errorf("%d rows are left, want %d: %v", count("postier_message"), want, err)
		}
	}
	c.now = time.UnixMilli(0).Add(24 * time.Hour)
	fill(t, s, 50)
	start := time.UnixMilli(0)
	waiting := &Item{ID: "waiting", State: StateWaiting, Accepted: start, Due: start, Raw: []byte{}}
	if err := s.insert(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	large := &Item{ID: "large", State: StateSent, keepText: true, Raw: bytes.Repeat([]byte("x"), headSize+1)}
	large.Accepted, large.Due = time.UnixMilli(500), time.UnixMilli(500)
	if err := s.insert(t.Context(), large); err != nil || count("postier_part") != 1 {
		t.Fatal(err)
	}
	purge(52)
	file.Log.Messages = 10
	purge(11)
	if count("postier_part") != 0 {
		t.Error("the text stayed without its row")
	}
	c.now = c.now.Add(365 * 24 * time.Hour)
	broken = errors.New("unreadable")
	purge(11)
	broken = nil
	purge(1) // what waits is no log
	if _, err := s.Item(t.Context(), "waiting"); err != nil {
		t.Error(err)
	}
}

// TestPurgedWithoutAService: where only callers send, the log is purged once a day.
func TestPurgedWithoutAService(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	q := &Queue{Store: s, Load: func() (*config.Document, error) { return &config.Document{}, nil }}
	left := func() (n int) {
		if err := s.db.QueryRow(`SELECT COUNT(*) FROM postier_message`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range []struct {
		later time.Duration
		want  int
	}{{0, 0}, {time.Hour, 3}, {24 * time.Hour, 0}} {
		c.add(row.later)
		fill(t, s, 3)
		if err := q.Sweep(t.Context()); err != nil || left() != row.want {
			t.Errorf("%s later: %d rows, want %d, %v", row.later, left(), row.want, err)
		}
		if _, err := s.db.Exec(`DELETE FROM postier_message`); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTextIsKeptOnRequest: a finished message keeps its text only if the configuration says so.
func TestTextIsKeptOnRequest(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		b := newBench(t, nil, nil)
		b.change(func(f *config.File) { f.Log.Text = keep })
		item := b.item()
		b.must(b.queue.Accept(t.Context(), item, true))
		_, err := b.queue.Deliver(t.Context(), item)
		b.must(err)
		stored, err := b.queue.Store.Item(t.Context(), item.ID)
		b.must(err)
		if stored.State != StateSent || (len(stored.Raw) > 0) != keep {
			t.Errorf("keep %t: %s with %d octets", keep, stored.State, len(stored.Raw))
		}
	}
}

// TestLogIsBroken: a message that was sent directly counts as sent although no row can be written, so that its caller
// does not send it again; with a row, nothing of it waits.
func TestLogIsBroken(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		b := newBench(t, nil, nil)
		if broken {
			_, err := b.queue.Store.db.Exec(`CREATE TRIGGER full BEFORE INSERT ON postier_message
				BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
			b.must(err)
		}
		try, err := b.queue.Direct(t.Context(), b.item())
		if err != nil || try.State != StateSent {
			t.Errorf("broken %t: %s, %v", broken, try.State, err)
		}
		var rows []State
		b.must(b.queue.Store.Log(t.Context(), LogFilter{}, func(i *Item) error { rows = append(rows, i.State); return nil }))
		if broken != (len(rows) == 0) || !broken && rows[0] != StateSent {
			t.Errorf("broken %t: %v", broken, rows)
		}
		b.once(1)
	}
}

// TestExportIsCSV: one line a recipient, and nothing that a spreadsheet would evaluate.
func TestExportIsCSV(t *testing.T) {
	t.Parallel()
	s, err := OpenStore(context.Background(), fileAt(filepath.Join(t.TempDir(), "postier.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	item := &Item{
		ID: "m", State: StateSent, Profile: "durand", Envelope: "a@x.example", Raw: []byte{}, Accepted: time.UnixMilli(0),
		Detail: Detail{
			Author: "b@x.example", Subject: "=?utf-8?q?=3DSUM(1)_=C3=A9?=", QueueID: "Q,1",
			Recipients: []Recipient{
				{Address: "c@y.example", State: StateSent},
				{Address: "d@y.example", State: StateFailed, Reply: "550 no", Cause: check.CauseRecipientUnknown},
			},
			Suppressed: []Suppressed{{Address: "e@y.example", Reason: "@wish"}},
		},
	}
	if err := s.insert(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.ExportLog(t.Context(), LogFilter{Failed: true}, &out); err != nil {
		t.Fatal(err)
	}
	const begin, end = "1970-01-01T00:00:00Z,m,durand,b@x.example,'=SUM(1) é,", `,"Q,1",none,false,false,,`
	want := strings.Join(logHeader, ",") + "\n" + begin + "c@y.example,sent," + end + "\n" + begin +
		"d@y.example,failed,550 no" + end + explain.Code(check.CauseRecipientUnknown) + "\n" + begin +
		"e@y.example,suppressed,'@wish" + end + explain.Code(check.CauseRecipientSuppressed) + "\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
