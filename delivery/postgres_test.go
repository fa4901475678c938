//go:build postgres

package delivery

import (
	"os"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/config/credential"
)

// Two machines on one PostgreSQL share a limit to the message, and no message leaves twice. Run with
//
//	POSTIER_TEST_POSTGRES=postgres://user@host/name go test -tags postgres -run TestTwoMachines ./delivery
func TestTwoMachines(t *testing.T) {
	place := os.Getenv("POSTIER_TEST_POSTGRES")
	if place == "" {
		t.Fatal("POSTIER_TEST_POSTGRES names no database")
	}
	b := newBench(t, nil, nil)
	const limit, each = 30, 25
	b.change(func(f *config.File) { f.Profiles["durand"].Limits.PerDay = limit })
	machine := func() *Queue {
		store, err := OpenStore(t.Context(), place)
		b.must(err)
		store.Now = b.clock.Now
		sender := &Sender{Network: b.queue.Sender.Network, Credentials: credential.For(b.path), ConfigPath: b.path}
		q := &Queue{Store: store, Sender: sender, Load: func() (*config.Document, error) { return config.Load(b.path) }}
		b.must(q.Open(t.Context()))
		t.Cleanup(func() { sender.Close(); _ = store.Close() })
		return q
	}
	machines := []*Queue{machine(), machine()}
	b.must(machines[0].Store.ResetLimits(t.Context(), "durand"))
	_, err := machines[0].Store.db.Exec(`TRUNCATE postier_message, river_job`)
	b.must(err)
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
	if n := len(messages(b.own)); n != 2*each {
		t.Errorf("%d messages left in the end, %d were accepted", n, 2*each)
	}
	seen := map[string]bool{}
	for _, m := range messages(b.own) {
		parsed, err := Parse([]byte(m))
		b.must(err)
		if id := parsed.Get("Message-ID"); seen[id] {
			t.Errorf("%s left twice", id)
		} else {
			seen[id] = true
		}
	}
}
