package delivery

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"postier/config"
	"postier/internal/check"
)

// attempt tries once to send a message and records the outcome in the item, which the caller stores.
func (q *Queue) attempt(ctx context.Context, item *Item) Try {
	before := item.State
	if before == StateDot || before == StateUnknown {
		item.Doubt = true
	}
	doc, err := q.document()
	if err != nil {
		return q.putOff(item, Try{State: StateWaiting, Cause: check.CauseConfigInvalid, Err: err}, profileWait)
	}
	if !item.Doubt && before != StateCopy && item.outdated(&doc.File) {
		item.withdrawn = true
		return Try{State: StateWaiting}
	}
	p, try, ok := q.profileFor(doc, item)
	if !ok {
		return q.putOff(item, try, profileWait)
	}
	switch {
	case before == StateCopy:
		return q.copyAgain(ctx, item, p)
	case item.Doubt:
		if try, done := q.resolve(ctx, item, p); done {
			return try
		}
	}
	q.dropSuppressed(ctx, item)
	if len(item.Open()) == 0 {
		return q.finish(ctx, doc, item, p, Try{State: StateFailed, Cause: item.Cause})
	}
	if try, ok := q.knownQuota(ctx, doc, item); ok {
		return try
	}
	ticket, err := q.Store.Take(ctx, item.Profile, q.limits(p))
	var over *OverLimit
	switch {
	case errors.As(err, &over):
		if (Room{By: over.By}).usedUp() {
			if try, ok := q.aroundQuota(ctx, doc, item, check.CauseOwnLimitReached); ok {
				return try
			}
		}
		item.State, item.Due, item.Cause, item.Reply = StateWaiting, over.Next, check.CauseOwnLimitReached, ""
		return Try{State: StateWaiting, Cause: check.CauseOwnLimitReached, Err: over}
	case err != nil:
		return q.putOff(item, Try{State: StateWaiting, Cause: check.CauseFileFailed, Err: err}, firstRetry)
	}
	return q.send(ctx, doc, item, p, ticket)
}

func (q *Queue) limits(p *config.Profile) config.Limits {
	if q.Provider == nil {
		return p.Limits
	}
	return EffectiveLimits(p.Limits, q.Provider(p))
}

// profileFor is the profile that sends the message now: its own, or the fallback when that one was switched off by a
// failure.
func (q *Queue) profileFor(doc *config.Document, item *Item) (*config.Profile, Try, bool) {
	p := doc.File.Profiles[item.Profile]
	if p != nil && p.Enabled {
		return p, Try{}, true
	}
	if p != nil && p.Disabled != nil && !item.Own {
		if name, other, ok := fallbackOf(&doc.File, item.Profile); ok {
			if err := item.reroute(name, p, other, p.Disabled.Cause); err == nil {
				return other, Try{}, true
			}
		}
	}
	return nil, Try{State: StateWaiting, Cause: check.CauseProfileMissing, Profile: true}, false
}

func fallbackOf(f *config.File, profile string) (string, *config.Profile, bool) {
	other := f.Profiles[f.Fallback]
	return f.Fallback, other, f.Fallback != profile && other != nil && other.Enabled
}

// reroute prepares a message again for the fallback (D-5). The Message-ID stays the same.
func (i *Item) reroute(name string, from, to *config.Profile, cause config.Cause) error {
	m, err := i.message()
	if err != nil {
		return err
	}
	var d Decision
	d.speakFor(from, to, ownsAddress, Request{Author: i.Author, Envelope: i.Envelope})
	m.readdress(d)
	i.Instead, i.InsteadFor = cmp.Or(i.Instead, i.Profile), cause
	i.Raw, i.Profile, i.Envelope, i.reworded = m.Bytes(), name, d.Envelope, true
	return nil
}

// send hands the message over and judges the outcome.
func (q *Queue) send(ctx context.Context, doc *config.Document, item *Item, p *config.Profile, ticket Ticket) Try {
	keep := context.WithoutCancel(ctx)
	item.Attempts++
	item.State = StateSending
	q.step("sending")
	stale := false
	try := q.Sender.Send(ctx, item.Profile, p, item, func() error {
		item.State = StateDot
		err := q.Store.change(keep, item)
		stale = errors.Is(err, errStale)
		q.step("dot")
		return err
	})
	if stale { // another process has the message, and nothing was handed over
		_ = q.Store.Return(keep, ticket)
		return Try{State: StateWaiting, Cause: check.CauseCancelled, Err: errStale}
	}
	q.step("answered")
	if try.State != StateSent && try.State != StateUnknown && !item.anySent() {
		_ = q.Store.Return(keep, ticket)
	}
	return q.finish(ctx, doc, item, p, try)
}

func (i *Item) anySent() bool {
	return slices.ContainsFunc(i.Recipients, func(r Recipient) bool { return r.State == StateSent })
}

// finish decides what follows from a try.
func (q *Queue) finish(ctx context.Context, doc *config.Document, item *Item, p *config.Profile, try Try) Try {
	keep := context.WithoutCancel(ctx)
	if !try.Profile && try.State != StateUnknown {
		_ = q.Store.healthy(keep, item.Profile)
	}
	if try.State == StateWaiting && try.Cause == check.CauseSendingQuotaExceeded {
		_ = q.Store.refusedForQuota(keep, item.Profile)
		if again, ok := q.aroundQuota(ctx, doc, item, try.Cause); ok {
			return again
		}
	}
	q.propose(keep, item)
	item.Cause, item.Reply = try.Cause, try.Reply
	if try.QueueID != "" {
		item.QueueID = try.QueueID
	}
	switch {
	case try.State == StateSent:
		item.Cause, item.Reply = "", ""
		return q.sent(ctx, doc, item, p, try)
	case try.State == StateUnknown:
		item.State, item.Doubt, item.Cause = StateUnknown, true, check.CauseDeliveryUnknown
		item.Due = q.Store.Now().Add(doubtWait)
		return try
	case try.State == StateFailed:
		if item.anySent() && item.wantsCopy(p) {
			return q.sent(ctx, doc, item, p, try)
		}
		item.State, item.Due = StateFailed, q.Store.Now()
		q.bounce(keep, doc, item)
		return try
	case try.SignIn, try.Profile && q.tooOften(keep, item, try):
		return q.turnAway(keep, doc, item, p, try)
	case q.tooOld(item):
		item.refuse(try.Cause, try.Reply)
		item.State, item.Due, try.State = StateFailed, q.Store.Now(), StateFailed
		q.bounce(keep, doc, item)
		return try
	}
	return q.putOff(item, try, backOff(item.Attempts))
}

// putOff lets the message wait before the next try.
func (q *Queue) putOff(item *Item, try Try, wait time.Duration) Try {
	if item.State != StateUnknown && item.State != StateCopy {
		item.State = StateWaiting
	}
	item.Cause, item.Reply, item.Due = try.Cause, try.Reply, q.Store.Now().Add(wait)
	try.State = StateWaiting
	return try
}

// backOff is the wait after the nth try: one minute, doubled each time up to four hours, a quarter more or less so
// that messages that failed together do not come back together.
func backOff(attempts int) time.Duration {
	wait := longestRetry
	if shift := max(attempts-1, 0); shift < 8 {
		wait = min(firstRetry<<shift, longestRetry)
	}
	const quarter = 4
	return wait - wait/quarter + time.Duration(rand.Int64N(int64(wait)/2))
}

func (q *Queue) tooOld(item *Item) bool {
	return item.Attempts >= expiryTries && q.Store.Now().Sub(item.Accepted) > expiry
}

// resolve finds out what became of a message whose fate is unknown. done is false when it must be handed over again,
// under the same Message-ID: no accepted message is lost, and a second copy is possible only where neither side could
// know of the first (RFC 1047).
func (q *Queue) resolve(ctx context.Context, item *Item, p *config.Profile) (Try, bool) {
	found, checked, err := q.Sender.Found(ctx, item.Profile, p, item.MessageID)
	switch {
	case found:
		for n := range item.Recipients {
			if r := &item.Recipients[n]; r.State == "" {
				r.State = StateSent
			}
		}
		item.State, item.CopyDue, item.Cause, item.Due = StateSent, false, "", q.Store.Now()
		return Try{State: StateSent}, true
	case err != nil && !checked && !signInStep(err) && item.Attempts < expiryTries:
		item.State, item.Due = StateUnknown, q.Store.Now().Add(backOff(item.Attempts))
		item.Attempts++
		return Try{State: StateUnknown, Cause: check.CauseDeliveryUnknown, Err: err}, true
	}
	return Try{}, false
}

// sent files the Sent copy. When that fails the message still counts as sent, and the copy alone is tried again.
func (q *Queue) sent(ctx context.Context, doc *config.Document, item *Item, p *config.Profile, try Try) Try {
	keep := context.WithoutCancel(ctx)
	final := try.State
	item.State, item.Due = final, q.Store.Now()
	item.CopyByServer = p.SentCopy.Mode == config.SentServer
	if final == StateSent && len(item.Failed()) > 0 {
		defer q.bounce(keep, doc, item)
	}
	if !item.wantsCopy(p) {
		return try
	}
	item.CopyDue, item.State = true, StateCopy
	if err := q.fileCopy(ctx, item, p); err != nil {
		item.CopyFailures++
		item.Due = q.Store.Now().Add(backOff(item.CopyFailures))
		return try
	}
	item.State = final
	return try
}

// fileCopy files the Sent copy. It first stores that a copy may exist from now on.
func (q *Queue) fileCopy(ctx context.Context, item *Item, p *config.Profile) error {
	search := item.CopyTried
	item.CopyTried = true
	keep := context.WithoutCancel(ctx)
	if err := q.Store.change(keep, item); err != nil {
		return err
	}
	q.step("copy")
	if err := q.Sender.FileCopy(ctx, item.Profile, p, item, search); err != nil {
		return err
	}
	q.step("copied")
	item.CopyDue = false
	return nil
}

// copyAgain tries once more to file the Sent copy of a message that was sent.
func (q *Queue) copyAgain(ctx context.Context, item *Item, p *config.Profile) Try {
	final := StateSent
	if !item.anySent() {
		final = StateFailed
	}
	err := q.fileCopy(ctx, item, p)
	switch {
	case err == nil:
		item.State, item.Due = final, q.Store.Now()
		return Try{State: final}
	case item.CopyFailures >= copyTries:
		item.State, item.Due, item.Cause = final, q.Store.Now(), check.CauseAppendRefused
		return Try{State: final, Err: err}
	}
	item.CopyFailures++
	item.State, item.Due = StateCopy, q.Store.Now().Add(backOff(item.CopyFailures))
	return Try{State: StateCopy, Err: err}
}

// dropSuppressed leaves out recipients that were put on the suppression list while the message waited.
func (q *Queue) dropSuppressed(ctx context.Context, item *Item) {
	if item.Own || item.TestMode {
		return
	}
	for n := range item.Recipients {
		r := &item.Recipients[n]
		if r.State != "" || r.Blind {
			continue
		}
		if reason, listed, err := q.Store.IsSuppressed(ctx, r.Address); err == nil && listed {
			r.State, r.Cause, r.Reply = StateFailed, check.CauseRecipientSuppressed, reason
			item.Cause = check.CauseRecipientSuppressed
		}
	}
}

// propose puts addresses that a server does not know on the list as proposals: a person decides (P-7).
func (q *Queue) propose(ctx context.Context, item *Item) {
	if item.TestMode {
		return
	}
	for _, r := range item.Failed() {
		if r.Cause == check.CauseRecipientUnknown || r.Cause == check.CauseNullMX {
			_ = q.Store.Suppress(ctx, Entry{Pattern: r.Address, Reason: r.Reply, Proposed: true})
		}
	}
}
