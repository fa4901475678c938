// Package watch checks again, from time to time, what was proven of saved profiles: the sign-in, the certificates, the
// Sent folder and the domain's records. It tells the owner once when something that worked stops working, and once when
// it works again.
//
// It knows no checks of its own: they are those of package diagnostics. A round finds out (probe.go), compares with
// what is known (judge.go), writes notices (notice.go) and takes them to people (tell.go). What looks like a fault of
// this machine's network, or like one that passes, says nothing; everything else has to fail twice. What is known is
// kept in the state of package delivery, and written before anyone is told, so that nothing is told twice.
package watch

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/turns"
)

// Watcher watches the profiles of a configuration.
type Watcher struct {
	// Queue has the state, the configuration and the way to the owners.
	Queue *delivery.Queue
	// Accounts supplies the servers and the sign-in of a profile.
	Accounts *account.Source
	// Lang is the language of what is handed to commands and URLs.
	Lang locale.Lang

	// try replaces the checks in tests, pause the waiting between two looks, patience turnWait.
	try      func(name string, p *config.Profile, resting []check.ID) []diagnostics.Result
	pause    func()
	patience time.Duration
}

const (
	// atOnce is how many profiles are checked at the same time.
	atOnce = 4
	// turnWait is how long a round waits for another one to end.
	turnWait = 20 * time.Second
	turnLook = 200 * time.Millisecond
	// again is when what failed once is looked at again, and what could not be told is tried again; it doubles up to the
	// longest.
	again        = 5 * time.Minute
	longestAgain = 4 * time.Hour
)

// ErrUnderWay says that another watch is doing a round at this moment.
var ErrUnderWay = errors.New("another watch is under way")

func (w *Watcher) lang() locale.Lang { return cmp.Or(w.Lang, locale.English) }

// Round checks the profiles that are switched on, or those that are named, and tells what changed.
func (w *Watcher) Round(ctx context.Context, names ...string) (Round, error) {
	release, err := w.turn(ctx)
	if err != nil {
		return Round{}, err
	}
	defer release()
	doc, err := w.Queue.Load()
	if err != nil {
		return Round{}, err
	}
	known, err := w.Queue.Store.Watched(ctx)
	if err != nil {
		return Round{}, err
	}
	all := len(names) == 0
	if all {
		names = enabled(&doc.File)
	}
	out := Round{Schema: Schema, Started: w.Queue.Store.Now(), Profiles: make([]Outcome, len(names))}
	failures := make([]error, len(names))
	places := turns.New(atOnce, 0, 0)
	var rounds sync.WaitGroup
	for i, name := range names {
		leave, err := places.Take(ctx)
		if err != nil {
			break
		}
		rounds.Go(func() {
			defer leave()
			out.Profiles[i], failures[i] = w.profile(ctx, doc, name, known[name])
		})
	}
	rounds.Wait()
	if all {
		failures = append(failures, w.forget(ctx, known))
	}
	out.Profiles = slices.DeleteFunc(out.Profiles, func(o Outcome) bool { return o.Profile == "" })
	out.finish(w.Queue.Store.Now())
	return out, errors.Join(append(failures, ctx.Err())...)
}

// turn waits for the turn of this process.
func (w *Watcher) turn(ctx context.Context) (release func(), err error) {
	for end := time.Now().Add(cmp.Or(w.patience, turnWait)); ; {
		release, err = w.Queue.Store.Turn(ctx, "watch")
		if !errors.Is(err, delivery.ErrTurn) {
			return release, err
		}
		if time.Now().After(end) {
			return nil, ErrUnderWay
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(turnLook):
		}
	}
}

func enabled(f *config.File) []string {
	return slices.DeleteFunc(f.Names(), func(name string) bool {
		return f.Profiles[name] == nil || !f.Profiles[name].Enabled
	})
}

// profile does a round for one profile. Its outcome is empty when the profile is gone.
func (w *Watcher) profile(ctx context.Context, doc *config.Document, name string, before delivery.Watched) (
	Outcome, error,
) {
	p := doc.File.Profiles[name]
	if p == nil {
		return Outcome{}, nil
	}
	r, now := decodeRecord(before.Detail), w.Queue.Store.Now()
	read := reading{now: now, profile: p, stamp: w.Accounts.Credentials.Stamp(name, p.Credential)}
	resting := r.resting(p, read.stamp, now)
	var err error
	if read.results, err = w.results(ctx, name, p, r, resting); err != nil {
		return Outcome{}, err
	}
	doc, err = w.Queue.Load()
	switch {
	case err != nil:
		return Outcome{}, err
	case doc.File.Profiles[name] == nil:
		return Outcome{}, nil // removed meanwhile: there is nobody to tell
	case doc.File.Profiles[name].Digest() != p.Digest():
		return edited(name, p), nil // what was found speaks for settings that are gone
	}
	read.profile = doc.File.Profiles[name]
	return w.conclude(ctx, doc, name, before, r, read, resting)
}

// results carries out the checks.
func (w *Watcher) results(ctx context.Context, name string, p *config.Profile, r *record, resting []check.ID) (
	[]diagnostics.Result, error,
) {
	if w.try != nil {
		return w.try(name, p, resting), ctx.Err()
	}
	results, err := w.probe(ctx, name, p, r, resting)
	return results, errors.Join(err, ctx.Err())
}

// edited is the outcome for a profile whose settings were changed while it was checked.
func edited(name string, p *config.Profile) Outcome {
	return Outcome{
		Profile: name, Address: p.From.Address, State: StateUnjudged, Verdict: check.Skip, Checks: []Check{},
		Certificates: []Certificate{}, Changes: []Change{}, Facts: []Fact{}, Notices: []Sent{},
	}
}

// conclude compares what was found with what is known, keeps it, and tells people.
func (w *Watcher) conclude(ctx context.Context, doc *config.Document, name string, before delivery.Watched, r *record,
	read reading, resting []check.ID,
) (Outcome, error) {
	moved := r.judge(read)
	r.announce(read.now)
	facts := r.facts(w.Accounts.Book, read.profile, read.now, w.lang())
	out := outcomeOf(name, read, r)
	out.Changes, out.Facts = moved, facts
	r.Checked, r.State = read.now, out.State
	r.schedule(read.now, out.State)
	if err := w.keep(ctx, name, before, r, read); err != nil {
		return out, err // nobody is told what would be told again in the next round
	}
	if blind(read.results) || len(r.Notices) == 0 {
		return out, nil
	}
	s := speech{
		name: name, profile: read.profile, program: cmp.Or(w.Queue.Program, config.Program),
		product: cmp.Or(w.Queue.Product, config.Program), contact: w.Queue.Contact, page: w.Queue.PageLines,
		record: r, now: read.now,
	}
	for _, n := range r.Notices {
		if r.ripe(n, read, resting) {
			w.tell(ctx, doc, n, s)
			out.Notices = append(out.Notices, n.sent()...)
		}
	}
	r.Notices = slices.DeleteFunc(r.Notices, (*notice).ended)
	r.schedule(read.now, out.State)
	return out, w.keep(context.WithoutCancel(ctx), name, before, r, read)
}

// keep writes what is known, and how the profile stands.
func (w *Watcher) keep(ctx context.Context, name string, before delivery.Watched, r *record, read reading) error {
	watched := delivery.Watched{Proven: before.Proven, Detail: r.encode()}
	if proves(read.results) {
		watched.Proven = read.now
	}
	if id, t := r.failure(); t != nil {
		watched.Cause, watched.Since, watched.Last, watched.Sending = t.Cause, t.Since, t.Last, sends(id)
	}
	return w.Queue.Store.SetWatched(ctx, name, watched)
}

// proves reports whether the results show that messages can be sent.
func proves(results []diagnostics.Result) bool {
	for _, id := range []check.ID{check.SMTPAuth, check.SMTPSender} {
		if r, ok := diagnostics.Find(results, id); ok && r.Status != check.Pass && r.Status != check.Warn {
			return false
		}
	}
	sender, ok := diagnostics.Find(results, check.SMTPSender)
	return ok && sender.Status != check.Skip
}

// sent lists what became of a notice.
func (n *notice) sent() []Sent {
	var list []Sent
	for _, a := range n.To {
		list = append(list, Sent{
			Kind: n.Kind, To: a.shown(), Result: a.Result, Cause: a.Cause, Code: explain.Code(a.Cause),
		})
	}
	return list
}

// schedule says when the profile is looked at again before the next round: nothing is known of one that could not be
// judged, as when the machine has no network yet.
func (r *record) schedule(now time.Time, state State) {
	watched := r.troubles(func(t *trouble) bool { return t.Told || t.doubtful() })
	switch {
	case len(watched) == 0 && len(r.Notices) == 0 && state != StateUnjudged:
		r.Again, r.Tries = time.Time{}, 0
	case !r.Again.After(now): // once a round
		const most = 6 // after which it is the longest
		r.Again = now.Add(min(again<<min(r.Tries, most), longestAgain))
		r.Tries++
	}
}

// forget drops what is known of profiles that are gone.
func (w *Watcher) forget(ctx context.Context, known map[string]delivery.Watched) error {
	doc, err := w.Queue.Load()
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if doc.File.Profiles[name] == nil {
			failures = append(failures, w.Queue.Store.ForgetWatched(ctx, name))
		}
	}
	return errors.Join(failures...)
}
