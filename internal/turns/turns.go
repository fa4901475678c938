// Package turns bounds how much is done at a time without letting what is slow hold up the rest.
package turns

import (
	"context"
	"sync"
	"time"
)

// Turns are places for what is done at the same time. What has taken longer than a patience makes room for another one
// and counts as slow. So much may be slow as the caller says and no more: on a busy machine, where everything is slow,
// it is not given more and more of it.
type Turns struct {
	room, slow chan struct{}
	patience   time.Duration
}

// New makes turns; without a patience, nothing counts as slow.
func New(atOnce, slow int, patience time.Duration) *Turns {
	return &Turns{make(chan struct{}, max(1, atOnce)), make(chan struct{}, slow), patience}
}

// Take waits for a turn; leave ends it. The error is that of ctx.
func (t *Turns) Take(ctx context.Context) (leave func(), err error) {
	select {
	case t.room <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t.patience <= 0 {
		return func() { <-t.room }, nil
	}
	var mu sync.Mutex
	place := t.room
	timer := time.AfterFunc(t.patience, func() {
		mu.Lock()
		defer mu.Unlock()
		if place == nil {
			return
		}
		select {
		case t.slow <- struct{}{}:
			place = t.slow
			<-t.room
		default: // enough is slow
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		<-place
		place = nil
	}, nil
}
