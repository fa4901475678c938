// Package parallel runs the parts of one piece of work side by side. A panic in one of them comes to whoever waits for
// them, as if they ran one after another. On a goroutine of its own it would end the process, and with it the sessions
// of everyone whom a server serves (docs/security.md T14).
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Panic is what a part panicked with.
type Panic struct {
	Value any
	Stack []byte
}

// Error implements error. The stack is the part's own, which that of whoever waits does not show.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Catch calls part and returns its panic; nil where there was none.
func Catch(part func()) (broken *Panic) {
	defer func() {
		switch what := recover().(type) {
		case nil:
		case *Panic: // of a part of its own
			broken = what
		default:
			broken = &Panic{Value: what, Stack: debug.Stack()}
		}
	}()
	part()
	return nil
}

// Rethrow panics with what Catch returned, if it is one.
func (p *Panic) Rethrow() {
	if p != nil {
		panic(p)
	}
}

// Group is a sync.WaitGroup whose Wait panics after a part has panicked and all have ended. The zero Group is ready.
type Group struct {
	wg     sync.WaitGroup
	once   sync.Once
	broken *Panic
}

// Go runs a part on its own goroutine.
func (g *Group) Go(part func()) {
	g.wg.Go(func() {
		if broken := Catch(part); broken != nil {
			g.once.Do(func() { g.broken = broken })
		}
	})
}

// Wait waits for all parts.
func (g *Group) Wait() {
	g.wg.Wait()
	g.broken.Rethrow()
}
