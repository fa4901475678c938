package discovery

import (
	"context"
	"errors"

	"postier/internal/parallel"
	"postier/internal/wire"
)

// source is one place to ask. best is the best rank that its answers can have: once there is a better answer, the
// search no longer waits for it.
type source struct {
	name string
	best int
	ask  func(context.Context) outcome
}

// outcome is the answer of a source.
type outcome struct {
	candidates []Candidate
	exchangers []string // MX hosts that no preset knows, for probing
	err        error
}

const (
	sourceMX    = "mx"
	sourceSRV   = "srv"
	sourceHTTPS = "https"
	sourceProbe = "probe"
)

// online asks all sources at once and collects answers until no pending source could give a better one.
func (f *finder) online(parent context.Context) ([]Candidate, error) {
	ctx, cancel := context.WithTimeout(parent, Limit)
	defer cancel()
	ctx = wire.WithBudget(ctx)

	type event struct {
		source source
		outcome
		done   bool
		broken *parallel.Panic
	}
	events := make(chan event)
	tell := func(e event) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
	pending := map[string]int{}
	start := func(s source) {
		pending[s.name] = s.best
		go func() {
			e := event{source: s, done: true}
			e.broken = parallel.Catch(func() { e.outcome = s.ask(ctx) })
			tell(e)
		}()
	}
	start(source{sourceMX, rankMX, f.askMX})
	start(source{sourceSRV, rankSRV, f.askSRV})
	start(source{sourceHTTPS, rankAutoconfig, f.askHTTPS})

	var exchangers []string
	var failed error
	probing := false
	for len(pending) > 0 {
		var e event
		select {
		case e = <-events:
		case <-ctx.Done():
			return f.result(parent, failed)
		}
		e.broken.Rethrow()
		if e.done {
			delete(pending, e.source.name)
		}
		for _, c := range e.candidates {
			f.take(c)
		}
		f.tell()
		if e.source.name == sourceMX {
			exchangers, failed = e.exchangers, e.err
			if notFound(e.err) && len(f.candidates) == 0 {
				return nil, ErrNoDomain
			}
		}
		if rank, ok := f.settled(); ok && nothingBetter(pending, rank) {
			break
		}
		// Probe names and ports only after DNS has answered without a clear result, so that other people's servers get no
		// needless connections.
		_, mx := pending[sourceMX]
		_, srv := pending[sourceSRV]
		if _, ok := f.settled(); !ok && !mx && !srv && !probing {
			probing = true
			start(source{sourceProbe, rankProbe, func(ctx context.Context) outcome {
				return f.probe(ctx, exchangers, func(c Candidate) {
					tell(event{source: source{name: "partial"}, outcome: outcome{candidates: []Candidate{c}}})
				})
			}})
		}
	}
	return f.result(parent, failed)
}

func nothingBetter(pending map[string]int, rank int) bool {
	for _, best := range pending {
		if best < rank {
			return false
		}
	}
	return true
}

// result returns the candidates at the end of a search, or the reason why there are none.
func (f *finder) result(parent context.Context, failed error) ([]Candidate, error) {
	switch {
	case len(f.candidates) > 0:
		return f.candidates, nil
	case errors.Is(parent.Err(), context.Canceled):
		return nil, parent.Err()
	case failed != nil:
		return nil, errors.Join(ErrUnreachable, failed)
	}
	return nil, nil
}

func notFound(err error) bool {
	var failed *wire.ResolveError
	return errors.As(err, &failed) && failed.Kind == wire.NotFound
}
