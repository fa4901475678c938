package delivery

import (
	"context"
	"time"

	"postier/config"
	"postier/internal/check"
)

// A quota that is used up until tomorrow says nothing against the profile, so it stays on. Its messages go on through
// the fallback, where there is one with room of its own (D-5, D-6); without one they wait.

// quotaPause is for how long a provider that named its quota is not asked again.
const quotaPause = time.Hour

// usedUp reports whether nothing may leave before another day.
func (r Room) usedUp() bool { return r.Refused || r.By == windowDay || r.By == windowWeek }

// avoidQuota chooses the fallback in place of a profile whose quota is used up.
func (d *Decision) avoidQuota(f *config.File, facts Facts) {
	room := func(name string) Room {
		p := f.Profiles[name]
		return facts.Room(name, facts.limits(p))
	}
	name, _, ok := fallbackOf(f, d.Profile)
	if !ok || d.Instead != "" || d.Block != BlockNone || facts.Room == nil {
		return
	}
	if full := room(d.Profile); full.usedUp() && !room(name).usedUp() {
		d.goThrough(name, full.cause())
	}
}

// cause is that of a quota that is used up.
func (r Room) cause() config.Cause {
	if r.Refused {
		return check.CauseSendingQuotaExceeded
	}
	return check.CauseOwnLimitReached
}

// aroundQuota sends a message through the fallback when the quota of its profile is used up. ok is false when there is
// no way round, and then the item is as it was.
func (q *Queue) aroundQuota(ctx context.Context, doc *config.Document, item *Item, cause config.Cause) (Try, bool) {
	name, other, ok := fallbackOf(&doc.File, item.Profile)
	if !ok || item.Own {
		return Try{}, false
	}
	if room, err := q.Store.Room(ctx, name, q.limits(other)); err != nil || room.usedUp() {
		return Try{}, false
	}
	profile := item.Profile
	if err := item.reroute(name, doc.File.Profiles[profile], other, cause); err != nil {
		return Try{}, false
	}
	q.step("turned")
	again := q.attempt(ctx, item)
	again.Instead = profile
	return again, true
}

// knownQuota does so without asking a provider that named its quota lately.
func (q *Queue) knownQuota(ctx context.Context, doc *config.Document, item *Item) (try Try, ok bool) {
	if _, _, ok = fallbackOf(&doc.File, item.Profile); !ok || item.Own {
		return Try{}, false
	}
	_ = q.Store.view(ctx, func(on executor) (err error) {
		ok, err = q.Store.quotaRefused(ctx, on, item.Profile, q.Store.Now())
		return err
	})
	if !ok {
		return Try{}, false
	}
	return q.aroundQuota(ctx, doc, item, check.CauseSendingQuotaExceeded)
}

// refusedForQuota notes that the provider named its quota.
func (s *Store) refusedForQuota(ctx context.Context, profile string) error {
	return s.inTx(ctx, func(tx executor) error {
		return s.exec(ctx, tx, `INSERT INTO postier_health (profile, failures, cause, since, last) VALUES (?1, 0, ?2, ?3, ?3)
			ON CONFLICT (profile) DO UPDATE SET cause = ?2, last = ?3`,
			profile, string(check.CauseSendingQuotaExceeded), s.Now().UnixMilli())
	})
}

// quotaRefused reports whether the provider named its quota within the last hour.
func (s *Store) quotaRefused(ctx context.Context, on executor, profile string, now time.Time) (bool, error) {
	var refused int
	query := `SELECT COUNT(*) FROM postier_health WHERE profile = ?1 AND cause = ?2 AND last > ?3 AND last <= ?4`
	err := s.row(ctx, on, query, profile, string(check.CauseSendingQuotaExceeded), now.Add(-quotaPause).UnixMilli(),
		now.UnixMilli()).Scan(&refused)
	return refused > 0, err
}
