package delivery

import (
	"errors"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/scripted"
)

const years = 10 * 365 * 24 * time.Hour

// The clock jumps ahead: nothing expires after a single try.
func TestClockJumpsAhead(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"MAIL": scripted.Reply("451 4.3.0 later")}, nil)
	item := b.item()
	b.first(item)
	b.clock.add(years)
	b.run()
	if stored := b.stored(item.ID); stored.State != StateWaiting || stored.Attempts != 2 {
		t.Errorf("%s, %d attempts", stored.State, stored.Attempts)
	}
}

// The clock was ahead and is set right: what was accepted, put off or claimed by it does not wait for that time.
func TestClockJumpsBack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		ahead, wait time.Duration
		accept      func(*bench, *Item)
	}{
		{"accepted", years, 0, func(b *bench, i *Item) { b.must(b.queue.Accept(b.t.Context(), i, false)) }},
		{"accepted an hour ahead", time.Hour, 0, func(b *bench, i *Item) {
			b.must(b.queue.Accept(b.t.Context(), i, false))
		}},
		{"put off", years, 0, func(b *bench, i *Item) {
			i.Accepted, i.Due, i.Cause = i.Accepted.Add(-years), i.Due.Add(longestRetry), check.CauseServerBusy
			b.must(b.queue.Accept(b.t.Context(), i, false))
		}},
		{"over the limit", years, 0, func(b *bench, i *Item) {
			i.Accepted, i.Due, i.Cause = i.Accepted.Add(-years), i.Due.Add(longestLimit), check.CauseOwnLimitReached
			b.must(b.queue.Accept(b.t.Context(), i, false))
		}},
		{"claimed in another container", years, lease + time.Second, func(b *bench, i *Item) {
			b.must(b.queue.Accept(b.t.Context(), i, true))
			b.queue.release(i.ID)
			_, err := b.queue.Store.db.Exec(`UPDATE postier_message SET owner = 'x/y/z/1/1'`)
			b.must(err)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, nil)
			b.clock.add(row.ahead)
			item := b.item()
			row.accept(b, item)
			b.clock.add(-row.ahead)
			b.run()
			if row.wait > 0 {
				if n := len(messages(b.own)); n > 0 {
					t.Errorf("the claim was broken before its lease had ended")
				}
				b.clock.add(row.wait)
				b.run()
			}
			stored := b.stored(item.ID)
			if n := len(messages(b.own)); n != 1 || stored.State != StateSent || stored.Accepted.After(b.clock.Now()) {
				t.Errorf("%d messages left, %s, accepted %s", n, stored.State, stored.Accepted)
			}
		})
	}
}

// A message that waits for a limit of its own keeps its time.
func TestLongWaitStays(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	item := b.item()
	item.Due, item.Cause = item.Due.Add(6*24*time.Hour), check.CauseOwnLimitReached
	b.must(b.queue.Accept(t.Context(), item, false))
	b.run()
	if stored := b.stored(item.ID); !stored.Due.Equal(item.Due.Truncate(time.Millisecond)) {
		t.Errorf("due %s, want %s", stored.Due, item.Due)
	}
}

// No counter holds for ever after the clock was ahead.
func TestLimitsAfterAClockAhead(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limits config.Limits
		span   time.Duration
	}{
		"hour":  {config.Limits{PerHour: 1}, time.Hour},
		"week":  {config.Limits{PerWeek: 1}, 7 * 24 * time.Hour},
		"batch": {config.Limits{Batch: config.Batch{Messages: 1, WaitSeconds: 60}}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, clock := newStore(t)
			clock.add(years)
			if _, err := s.Take(t.Context(), "p", row.limits); err != nil {
				t.Fatal(err)
			}
			clock.add(-years)
			latest := clock.Now().Add(row.span)
			if room, err := s.Room(t.Context(), "p", row.limits); err != nil || room.Free() || room.Next.After(latest) {
				t.Errorf("free %t, until %s, %v", room.Free(), room.Next, err)
			}
			var over *OverLimit
			if _, err := s.Take(t.Context(), "p", row.limits); !errors.As(err, &over) || over.Next.After(latest) {
				t.Errorf("the next one: %v", err)
			}
			clock.add(row.span + time.Second)
			if _, err := s.Take(t.Context(), "p", row.limits); err != nil {
				t.Errorf("a span later: %v", err)
			}
		})
	}
}

// A profile that failed while the clock was ahead is switched off an hour after it was set right, not in ten years.
func TestFailuresAfterAClockAhead(t *testing.T) {
	t.Parallel()
	s, clock := newStore(t)
	clock.add(years)
	for range 2 {
		if _, since, err := s.failing(t.Context(), "p", check.CauseServerBusy); err != nil || since.After(clock.Now()) {
			t.Errorf("since %s, %v", since, err)
		}
		clock.add(-years)
	}
}
