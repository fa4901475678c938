package delivery

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postier/config"
	"postier/internal/check"
)

const (
	// failuresInARow is after how many failures of a profile, over at least failuresFor, it is switched off (D-5).
	failuresInARow = 10
	failuresFor    = time.Hour
	// saveTries is how often a configuration that another process saved in between is read again.
	saveTries = 5
)

// healthy resets the count of a profile's failures, and ends a failure of sending that the watch had found.
func (s *Store) healthy(ctx context.Context, profile string) error {
	var failures int
	err := s.view(ctx, func(on executor) error {
		return s.row(ctx, on, `SELECT failures FROM postier_health WHERE profile = ?1 UNION ALL
			SELECT 1 FROM postier_watch WHERE profile = ?1 AND cause <> '' AND sending = 1 LIMIT 1`, profile).Scan(&failures)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return s.inTx(ctx, func(tx executor) error {
		return errors.Join(s.exec(ctx, tx, `DELETE FROM postier_health WHERE profile = ?1`, profile),
			s.exec(ctx, tx, `UPDATE postier_watch SET cause = '' WHERE profile = ?1 AND sending = 1`, profile))
	})
}

// failing counts a failure of a profile, and returns how many there were in a row and since when.
func (s *Store) failing(ctx context.Context, profile string, cause config.Cause) (failures int, since time.Time,
	err error,
) {
	var at int64
	err = s.locked(ctx, "health:"+profile, func(tx executor) error {
		return s.row(ctx, tx, `INSERT INTO postier_health (profile, failures, cause, since, last) VALUES (?1, 1, ?2, ?3, ?3)
			ON CONFLICT (profile) DO UPDATE SET failures = postier_health.failures + 1, cause = ?2, last = ?3,
				since = CASE WHEN postier_health.since > ?3 THEN ?3 ELSE postier_health.since END
			RETURNING failures, since`,
			profile, string(cause), s.Now().UnixMilli()).Scan(&failures, &at)
	})
	return failures, time.UnixMilli(at), err
}

// notTheProfile are the causes that no change of the profile corrects, however often they come: faults of this machine,
// what a server says about a command or a mechanism, and a quota, which another day gives back.
var notTheProfile = map[config.Cause]bool{
	check.CauseNetworkUnreachable: true, check.CauseDNSFailure: true,
	check.CauseCancelled: true, check.CauseFileFailed: true,
	check.CauseAuthMechanismUnsupported: true, check.CauseProtocolError: true,
	check.CauseSendingQuotaExceeded: true,
}

// tooOften counts a failure of the profile and reports whether there were enough to switch it off.
func (q *Queue) tooOften(ctx context.Context, item *Item, try Try) bool {
	if notTheProfile[try.Cause] || item.Own {
		return false
	}
	failures, since, err := q.Store.failing(ctx, item.Profile, try.Cause)
	return err == nil && failures >= failuresInARow && q.Store.Now().Sub(since) >= failuresFor
}

// turnAway switches the profile off with the cause, notifies the owner, and sends the message through the fallback
// (D-5). The program's own messages and those of the fallback only wait: no other profile would send them.
func (q *Queue) turnAway(ctx context.Context, doc *config.Document, item *Item, p *config.Profile, try Try) Try {
	profile := item.Profile
	first, err := q.deactivate(ctx, profile, try.Cause)
	if err != nil {
		try.Err = errors.Join(try.Err, err) // the configuration cannot be written; the message goes on all the same
	}
	_ = q.Store.healthy(ctx, profile)
	name, other, ok := fallbackOf(&doc.File, profile)
	if !ok || item.Own {
		return q.putOff(item, try, profileWait)
	}
	if first {
		if err := q.notifyOwner(ctx, name, other, profile, p, try); err != nil {
			try.Err = errors.Join(try.Err, err)
		}
	}
	if err := item.reroute(name, p, other, try.Cause); err != nil {
		return q.putOff(item, try, profileWait)
	}
	q.step("turned")
	again := q.attempt(ctx, item)
	again.Instead = profile
	return again
}

// deactivate switches a profile off in the file. first is false when another process has done so already.
func (q *Queue) deactivate(ctx context.Context, profile string, cause config.Cause) (first bool, err error) {
	for range saveTries {
		doc, err := q.Load()
		if err != nil {
			return true, err
		}
		p := doc.File.Profiles[profile]
		if p == nil || !p.Enabled {
			return false, nil
		}
		if err := doc.Disable(profile, cause, q.Store.Now()); err != nil {
			return true, err
		}
		err = doc.Save()
		var changed *config.ChangedError
		if err == nil || !errors.As(err, &changed) {
			return true, err
		}
	}
	return true, ctx.Err()
}
