package lookup

import (
	"context"
	"errors"
	"sync"
	"time"

	mdns "github.com/miekg/dns"

	"postier/internal/turns"
	"postier/internal/wire"
)

// Cache keeps answers for a run over many domains, so that names that their records share, such as the includes of
// large providers, are asked for once. Its size is bounded: there are two generations of answers, and the older one is
// dropped when the newer one is full. Temporary failures are not kept.
type Cache struct {
	resolver Resolver
	half     int
	mu       sync.Mutex
	young    map[question]*entry
	old      map[question]*entry
}

type question struct {
	name  string
	qtype uint16
}

type entry struct {
	done   chan struct{}
	answer wire.Answer
	err    error
}

// sharedAnswers is more than all checks of one domain can ask for.
const sharedAnswers = 1 << 14

// Share is a cache for one run over one domain, so that checks that need the same record send one query.
func Share(resolver Resolver) *Cache { return NewCache(resolver, sharedAnswers) }

// NewCache wraps a resolver; at most entries answers are kept.
func NewCache(resolver Resolver, entries int) *Cache {
	return &Cache{resolver: resolver, half: max(1, entries/2), young: map[question]*entry{}}
}

// Query implements Resolver. Callers that ask the same question at the same time share one query.
func (c *Cache) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	q := question{mdns.CanonicalName(name), qtype}
	for {
		e, known := c.find(q)
		if !known {
			e.answer, e.err = c.resolver.Query(ctx, name, qtype)
			if Temporary(e.err) {
				c.forget(q, e) // another caller may have more time, or get an answer
			}
			close(e.done)
			return e.answer, e.err
		}
		select {
		case <-e.done:
			if Temporary(e.err) && errors.Is(e.err, context.Canceled) && ctx.Err() == nil {
				continue // the caller that sent the query was cancelled; this one was not
			}
			return e.answer, e.err
		case <-ctx.Done():
			return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NoAnswer, Err: ctx.Err()}
		}
	}
}

// find returns the entry of a question, or makes it.
func (c *Cache) find(q question) (e *entry, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, known = c.young[q]; known {
		return e, true
	}
	if e, known = c.old[q]; !known {
		e = &entry{done: make(chan struct{})}
	}
	if len(c.young) >= c.half {
		c.old, c.young = c.young, map[question]*entry{}
	}
	c.young[q] = e
	return e, known
}

func (c *Cache) forget(q question, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, generation := range []map[question]*entry{c.young, c.old} {
		if generation[q] == e {
			delete(generation, q)
		}
	}
}

// Limit bounds the number of queries that have just been sent: a burst of datagrams overflows a resolver's receive
// buffer, and each lost one costs a whole timeout. A query that has waited for longer has left that buffer, and makes
// room: one domain whose servers are silent does not hold up the others.
type Limit struct {
	resolver Resolver
	turns    *turns.Turns
}

const (
	// inBuffer is how long a query may be in a resolver's receive buffer.
	inBuffer = 250 * time.Millisecond
	// slowTimes is how many times as many may wait for longer.
	slowTimes = 4
)

// NewLimit wraps a resolver.
func NewLimit(resolver Resolver, atOnce int) *Limit {
	return &Limit{resolver: resolver, turns: turns.New(atOnce, slowTimes*atOnce, inBuffer)}
}

// Query implements Resolver.
func (l *Limit) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	leave, err := l.turns.Take(ctx)
	if err != nil {
		return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NoAnswer, Err: err}
	}
	defer leave()
	return l.resolver.Query(ctx, name, qtype)
}
