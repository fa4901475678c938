//go:build postgres

package delivery

import (
	"os"
	"sync"
	"testing"
	"time"

	"postier/config"
)

// Two machines on one PostgreSQL share a limit to the message, and no message leaves twice. Run with
//
//	POSTIER_TEST_POSTGRES=postgres://user@host/name go test -tags postgres -run TestTwoMachines ./delivery
func TestTwoMachines(t *testing.T) {
	b := newBench(t, nil, nil)
	const limit, each = 30, 25
	b.change(func(f *config.File) { f.Profiles["durand"].Limits.PerDay = limit })
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
func TestWorkersOnOnePostgres(t *testing.T) {
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
	b.must(q.Store.ResetLimits(b.t.Context(), "durand"))
	_, err := q.jobs(b.t.Context())
	b.must(err)
	_, err = q.Store.db.Exec(`TRUNCATE postier_message, river_job`)
	b.must(err)
	return place
}
