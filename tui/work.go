package tui

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"postier/internal/locale"
	"postier/wizard"
)

// keepTime is how long the end of the program waits for a draft or a configuration that is being written. Writing a few
// kilobytes takes milliseconds; a disk that takes longer than this is stuck, and the file writer leaves the old file.
const keepTime = 3 * time.Second

// work carries out requests, each on its own goroutine with its own way to be cancelled.
type work struct {
	ctx    context.Context
	worker Worker
	send   func(tea.Msg)
	// ticking is the request whose seconds are being counted; it belongs to the model.
	ticking int

	mu      sync.Mutex
	cancels map[int]context.CancelFunc
	keeping sync.WaitGroup // drafts and configurations being written
	// written is closed when the last write so far has ended: writes happen in the order in which they were asked for.
	written chan struct{}
	// broken is what a worker's panic said; the program ends in order and reports it.
	broken any
}

func newWork(ctx context.Context, worker Worker) *work {
	return &work{ctx: ctx, worker: worker, send: func(tea.Msg) {}, cancels: map[int]context.CancelFunc{}}
}

// keeps reports whether a request writes something that must not be lost when the person leaves.
func keeps(kind wizard.RequestKind) bool {
	return kind == wizard.DoDraft || kind == wizard.DoSave || kind == wizard.DoForget || kind == wizard.DoSignOut
}

// start begins the requests; DoCancel ends one instead.
func (w *work) start(requests []wizard.Request, lang locale.Lang) {
	for _, r := range requests {
		if r.Kind == wizard.DoCancel {
			w.cancel(r.ID)
			continue
		}
		if r.Kind == wizard.DoDraft {
			r.Draft.Lang = string(lang)
		}
		if w.worker == nil {
			continue
		}
		if keeps(r.Kind) {
			w.write(r)
			continue
		}
		ctx, cancel := context.WithCancel(w.ctx)
		w.mu.Lock()
		w.cancels[r.ID] = cancel
		w.mu.Unlock()
		go w.do(ctx, r)
	}
}

// write carries out a request that must be finished even when the person leaves, after those before it.
func (w *work) write(r wizard.Request) {
	before, done := w.written, make(chan struct{})
	w.written = done
	w.keeping.Add(1)
	go func() {
		defer w.keeping.Done()
		defer close(done)
		if before != nil {
			<-before
		}
		w.do(context.WithoutCancel(w.ctx), r)
	}()
}

func (w *work) do(ctx context.Context, r wizard.Request) {
	var done atomic.Bool
	defer func() {
		cancelled := ctx.Err() != nil
		if !keeps(r.Kind) {
			w.cancel(r.ID)
		}
		if what := recover(); what != nil {
			w.mu.Lock()
			w.broken = what
			w.mu.Unlock()
			w.send(hangupMsg{})
			return
		}
		// A worker that ends without a word would leave the person waiting for ever.
		if !done.Load() && !cancelled {
			w.send(outcomeMsg{wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true, Err: wizard.M("tui.worker-silent")}})
		}
	}()
	w.worker.Do(ctx, r, func(o wizard.Outcome) {
		if o.Done {
			done.Store(true)
		}
		if ctx.Err() == nil {
			w.send(outcomeMsg{o})
		}
	})
}

func (w *work) cancel(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cancel, ok := w.cancels[id]; ok {
		cancel()
		delete(w.cancels, id)
	}
}

// stop cancels everything that does not write.
func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, cancel := range w.cancels {
		cancel()
		delete(w.cancels, id)
	}
}

// settle stops everything and waits until what is being written is written.
func (w *work) settle() {
	w.stop()
	written := make(chan struct{})
	go func() { w.keeping.Wait(); close(written) }()
	select {
	case <-written:
	case <-time.After(keepTime):
	}
}
