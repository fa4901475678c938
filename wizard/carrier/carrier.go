// Package carrier carries out the requests of a wizard's conversation. The full screen, plain lines and unattended runs
// all use it, so that their requests are started, cancelled, kept in order and ended by the same rules.
//
// It knows no terminal and no network: a front end gives the answers, and a Worker does the work.
package carrier

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postier/internal/locale"
	"postier/wizard"
)

// Worker does the work. Do returns when the request has ended. It tells each outcome as it comes, the last one with
// Done set, and stops soon after ctx is cancelled. Several calls may run at once, each on its own goroutine, and tell
// may be called from any goroutine until Do returns.
type Worker interface {
	Do(ctx context.Context, request wizard.Request, tell func(wizard.Outcome))
	// Close ends what the worker keeps between two requests.
	Close()
}

// closeLimit is how long Close waits for the work under way. Writing a few kilobytes takes milliseconds, and checks
// stop when they are cancelled. A disk that takes longer than this is stuck, and the file writer leaves the old file.
const closeLimit = 3 * time.Second

// ErrClosed is why no outcome follows after Close.
var ErrClosed = errors.New("the conversation is closed")

// ErrInterrupted is returned by a front end when the person, a signal or the end of input ended the conversation before
// it was complete. The draft of the last step is stored.
var ErrInterrupted = errors.New("setup was interrupted")

// PanicError says that a worker panicked. The front end ends in order, restores the terminal and reports it.
type PanicError struct {
	Kind  wizard.RequestKind
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	line, _, _ := strings.Cut(fmt.Sprint(e.Value), "\n") // the stack of a check follows on further lines
	return "a check broke down: " + line
}

// Conversation is a wizard whose requests are being carried out. Its methods belong to one goroutine, that of the front
// end. Outcomes may be received on another one, as long as Tell is called on the first.
type Conversation struct {
	wizard.State

	lang    locale.Lang
	ctx     context.Context
	worker  Worker
	cancels map[int]context.CancelFunc
	running int
	// written is closed when the latest write has ended.
	written chan struct{}
	working sync.WaitGroup

	reported chan wizard.Outcome // by the workers
	outcomes chan wizard.Outcome // for the front end
	ended    chan struct{}
	ending   sync.Once
	err      error // why it ended; set before ended is closed
}

// Start begins to carry out a conversation, with the requests that came with its state. The caller must Close it.
func Start(ctx context.Context, state wizard.State, requests []wizard.Request, worker Worker) *Conversation {
	c := &Conversation{
		State: state, ctx: ctx, worker: worker, cancels: map[int]context.CancelFunc{},
		reported: make(chan wizard.Outcome), outcomes: make(chan wizard.Outcome), ended: make(chan struct{}),
	}
	go c.queue()
	c.carry(requests)
	return c
}

// SetLang sets the language that is stored in drafts.
func (c *Conversation) SetLang(lang locale.Lang) { c.lang = lang }

// Answer gives the wizard an answer and starts the work that it requests. It does no I/O itself and returns at once.
func (c *Conversation) Answer(a wizard.Answer) {
	state, requests := c.State.Answer(a)
	c.State = state
	c.carry(requests)
}

// Outcomes are what the work found, to be handed to Tell one by one. Each request gets exactly one outcome with Done
// set. The channel is closed when no outcome follows; Err then says why.
func (c *Conversation) Outcomes() <-chan wizard.Outcome { return c.outcomes }

// Err is why Outcomes was closed: ErrClosed or a PanicError.
func (c *Conversation) Err() error { return c.err }

// Tell hands an outcome to the wizard and starts the work that it requests. Like Answer it returns at once.
func (c *Conversation) Tell(o wizard.Outcome) {
	if o.Done {
		c.running--
		c.cancel(o.ID)
	}
	state, requests := c.State.Tell(o)
	c.State = state
	c.carry(requests)
}

// Masker hides the secrets that the conversation holds now. It does not change with the conversation.
func (c *Conversation) Masker() func(string) string { return c.State.Mask }

// Next waits for the next outcome and tells it. The error says that ctx ended, or why no outcome follows.
func (c *Conversation) Next(ctx context.Context) error {
	select {
	case o, ok := <-c.outcomes:
		if !ok {
			return c.err
		}
		c.Tell(o)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Running reports whether the end of any request is still to be told, drafts and saves included.
func (c *Conversation) Running() bool { return c.running > 0 }

// Close cancels what is under way, waits until what is being written is written, and ends the conversation.
func (c *Conversation) Close() {
	for id := range c.cancels {
		c.cancel(id)
	}
	idle := make(chan struct{})
	go func() { c.working.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(closeLimit):
	}
	c.worker.Close()
	c.running = 0 // the requests under way will not report their end
	c.end(ErrClosed)
}

func (c *Conversation) end(err error) { c.ending.Do(func() { c.err = err; close(c.ended) }) }

func (c *Conversation) cancel(id int) {
	if cancel, ok := c.cancels[id]; ok {
		cancel()
		delete(c.cancels, id)
	}
}

// carry starts each request on its own goroutine; DoCancel ends one instead.
func (c *Conversation) carry(requests []wizard.Request) {
	for _, r := range requests {
		if r.Kind == wizard.DoCancel {
			c.cancel(r.ID)
			continue
		}
		if r.Kind == wizard.DoDraft {
			r.Draft.Lang = string(c.lang)
		}
		c.running++
		if r.Kind.Writes() {
			c.write(r)
			continue
		}
		ctx, cancel := context.WithCancel(c.ctx)
		c.cancels[r.ID] = cancel
		c.working.Go(func() { c.do(ctx, r) })
	}
}

// write carries out a request that changes files. It waits for the writes before it, so that no late write brings a
// removed draft back, and it is finished even when the person leaves.
func (c *Conversation) write(r wizard.Request) {
	before, done := c.written, make(chan struct{})
	c.written = done
	c.working.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		c.do(context.WithoutCancel(c.ctx), r)
	})
}

// do carries out one request and makes sure that exactly one outcome ends it.
func (c *Conversation) do(ctx context.Context, r wizard.Request) {
	var done atomic.Bool
	tell := func(o wizard.Outcome) {
		if done.Load() || o.Done && done.Swap(true) {
			return
		}
		select {
		case c.reported <- o:
		case <-c.ended:
		}
	}
	defer func() {
		if what := recover(); what != nil {
			c.end(&PanicError{Kind: r.Kind, Value: what, Stack: debug.Stack()})
			return
		}
		// Without this outcome a worker that returns without one would leave the person waiting for ever.
		err := wizard.Msg("wizard.no-result")
		if ctx.Err() != nil {
			err = wizard.Msg("wizard.cancelled")
		}
		tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true, Err: err})
	}()
	c.worker.Do(ctx, r, tell)
}

// queue stores outcomes until the front end receives them. Without it a check would wait while a person reads, and its
// deadlines would pass.
func (c *Conversation) queue() {
	defer close(c.outcomes)
	var waiting []wizard.Outcome
	for {
		var out chan<- wizard.Outcome // nil blocks while there is nothing to hand out
		var next wizard.Outcome
		if len(waiting) > 0 {
			out, next = c.outcomes, waiting[0]
		}
		select {
		case o := <-c.reported:
			waiting = append(waiting, o)
		case out <- next:
			waiting = waiting[1:]
		case <-c.ended:
			return
		}
	}
}
