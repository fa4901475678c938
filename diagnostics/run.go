package diagnostics

import (
	"context"
	"slices"
	"sync"
	"time"

	"postier/internal/check"
)

// Event tells an observer that a check began (Result nil) or ended.
type Event struct {
	ID     check.ID
	Result *Result
}

// Run carries out the plans and returns one Result a check, in the order of the contract. Branches without a common
// need run at the same time. observe may be nil; it is never called by two goroutines at once. When ctx ends, the
// checks that have not begun are skipped with cause cancelled; those under way see the same ctx. When a check panics,
// Run lets the others end and panics with a PanicError; with a mistake in the plans it panics before the first check.
func Run(ctx context.Context, observe func(Event), plans ...Plan) []Result {
	if err := Validate(plans...); err != nil {
		panic(err)
	}
	var checks []Check
	for _, p := range plans {
		checks = append(checks, p.Checks...)
		if p.Close != nil {
			defer p.Close()
		}
	}
	r := runner{observe: observe, done: map[check.ID]chan struct{}{}, results: map[check.ID]*Result{}}
	for _, c := range checks {
		r.done[c.ID] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for _, c := range checks {
		wg.Go(func() { r.run(ctx, c) })
	}
	wg.Wait()
	if r.panicked != nil {
		panic(r.panicked)
	}

	results := make([]Result, 0, len(checks))
	for _, c := range checks {
		results = append(results, *r.results[c.ID])
	}
	order := check.All()
	slices.SortFunc(results, func(a, b Result) int { return slices.Index(order, a.ID) - slices.Index(order, b.ID) })
	return results
}

type runner struct {
	observe func(Event)
	done    map[check.ID]chan struct{}
	mu      sync.Mutex
	results map[check.ID]*Result
	// panicked is the first panic of a check.
	panicked *PanicError
}

func (r *runner) run(ctx context.Context, c Check) {
	result := Result{Status: check.Skip}
	switch r.wait(ctx, c) {
	case check.CauseNeedsFailed:
		result.Cause = check.CauseNeedsFailed
	case check.CauseCancelled:
		result.Cause = check.CauseCancelled
	default:
		r.tell(Event{ID: c.ID})
		start := time.Now()
		result = r.ask(ctx, c)
		if result.Took == 0 {
			result.Took = time.Since(start)
		}
	}
	result.ID = c.ID
	if result.Needs == nil { // a check may name the need that it found unmet
		result.Needs = c.Needs
	}
	r.mu.Lock()
	r.results[c.ID] = &result
	r.mu.Unlock()
	r.tell(Event{ID: c.ID, Result: &result})
	close(r.done[c.ID])
}

// wait waits for the needs of c and returns the cause for which c must be skipped, or nothing.
func (r *runner) wait(ctx context.Context, c Check) check.Cause {
	for _, id := range append(slices.Clone(c.Needs), c.After...) {
		done, planned := r.done[id]
		if !planned {
			continue // this run leaves its area out
		}
		// No select on ctx: the other check sees the same ctx and ends soon, and its result must be stored first.
		<-done
		r.mu.Lock()
		status := r.results[id].Status
		r.mu.Unlock()
		if (status == check.Fail || status == check.Skip) && slices.Contains(c.Needs, id) {
			return check.CauseNeedsFailed
		}
	}
	if ctx.Err() != nil {
		return check.CauseCancelled
	}
	return ""
}

func (r *runner) tell(e Event) {
	if r.observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe(e)
}
