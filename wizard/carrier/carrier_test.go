package carrier

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"postier/presets"
	"postier/wizard"
)

// workerFunc is a worker made of a function.
type workerFunc func(ctx context.Context, r wizard.Request, tell func(wizard.Outcome))

func (workerFunc) Close() {}

func (f workerFunc) Do(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	f(ctx, r, tell)
}

// patience is how long a test waits before it fails.
const patience = 10 * time.Second

func start(t *testing.T, worker workerFunc, requests ...wizard.Request) *Conversation {
	t.Helper()
	state, _ := wizard.New(wizard.Options{Book: presets.Default()})
	c := Start(t.Context(), state, requests, worker)
	t.Cleanup(c.Close)
	return c
}

// outcome waits for the next outcome.
func outcome(t *testing.T, c *Conversation) wizard.Outcome {
	t.Helper()
	select {
	case o, ok := <-c.Outcomes():
		if !ok {
			t.Fatalf("no outcome follows: %v", c.Err())
		}
		return o
	case <-time.After(patience):
		t.Fatal("no outcome comes")
	}
	return wizard.Outcome{}
}

func ended(r wizard.Request) wizard.Outcome {
	return wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true}
}

// TestWritesInOrder: a draft that is slow to write is finished before the save, the sign-out and the removal that were
// requested after it. Checks wait for none of them.
func TestWritesInOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []wizard.RequestKind
	checked := make(chan struct{})
	c := start(t, func(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
		if r.Kind == wizard.DoDraft {
			<-checked
		}
		mu.Lock()
		order = append(order, r.Kind)
		mu.Unlock()
		if r.Kind == wizard.DoDNS {
			close(checked)
		}
		tell(ended(r))
	}, wizard.Request{Kind: wizard.DoDraft}, wizard.Request{Kind: wizard.DoSave, ID: 7},
		wizard.Request{Kind: wizard.DoSignOut}, wizard.Request{Kind: wizard.DoForget},
		wizard.Request{Kind: wizard.DoDNS, ID: 8})
	for c.Running() {
		if err := c.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []wizard.RequestKind{
		wizard.DoDNS, wizard.DoDraft, wizard.DoSave, wizard.DoSignOut, wizard.DoForget,
	}
	if !slices.Equal(order, want) {
		t.Errorf("done in the order %v, want %v", order, want)
	}
}

// TestWritesAreFinished: neither the end of the context nor DoCancel nor Close interrupts a write, and Close waits for
// it.
func TestWritesAreFinished(t *testing.T) {
	t.Parallel()
	for _, kind := range []wizard.RequestKind{wizard.DoDraft, wizard.DoSave, wizard.DoForget, wizard.DoSignOut} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			state, _ := wizard.New(wizard.Options{Book: presets.Default()})
			begun, written := make(chan struct{}), false
			c := Start(ctx, state, []wizard.Request{{Kind: kind, ID: 7}},
				workerFunc(func(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
					close(begun)
					select {
					case <-ctx.Done():
					case <-time.After(30 * time.Millisecond):
						written = true
					}
					tell(ended(r))
				}))
			<-begun
			stop()
			c.carry([]wizard.Request{{Kind: wizard.DoCancel, ID: 7}})
			c.Close()
			if !written {
				t.Error("the write was cancelled")
			}
		})
	}
}

// TestChecksAreCancelled: DoCancel, Close and the end of the context cancel checks.
func TestChecksAreCancelled(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(c *Conversation, stop func()){
		"request": func(c *Conversation, _ func()) { c.carry([]wizard.Request{{Kind: wizard.DoCancel, ID: 9}}) },
		"close":   func(c *Conversation, _ func()) { c.Close() },
		"context": func(_ *Conversation, stop func()) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			state, _ := wizard.New(wizard.Options{Book: presets.Default()})
			cancelled := make(chan struct{})
			c := Start(ctx, state, []wizard.Request{{Kind: wizard.DoSubmission, ID: 9}},
				workerFunc(func(ctx context.Context, _ wizard.Request, _ func(wizard.Outcome)) {
					<-ctx.Done()
					close(cancelled)
				}))
			defer c.Close()
			cancel(c, stop)
			select {
			case <-cancelled:
			case <-time.After(patience):
				t.Error("the check goes on")
			}
		})
	}
}

// TestOneEndEach: each request gets one final outcome, also when the worker returns without one or tells several.
func TestOneEndEach(t *testing.T) {
	t.Parallel()
	c := start(t, func(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
		switch r.ID {
		case 1: // silent
		case 2:
			tell(ended(r))
			tell(ended(r))
			tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Phase: "late"})
		case 3:
			<-ctx.Done()
		}
	}, wizard.Request{Kind: wizard.DoDNS, ID: 1}, wizard.Request{Kind: wizard.DoTest, ID: 2},
		wizard.Request{Kind: wizard.DoSent, ID: 3}, wizard.Request{Kind: wizard.DoCancel, ID: 3})
	got := map[int]string{}
	for c.Running() {
		o := outcome(t, c)
		if _, twice := got[o.ID]; twice || !o.Done {
			t.Errorf("told %+v", o)
		}
		got[o.ID] = o.Err.Msg.Key
		c.Tell(o)
	}
	if got[1] != "wizard.no-result" || got[2] != "" || got[3] != "wizard.cancelled" || len(got) != 3 {
		t.Errorf("told %v", got)
	}
}

// TestPanicIsReported: the conversation ends with the value of the panic, and a write under way is still finished.
func TestPanicIsReported(t *testing.T) {
	t.Parallel()
	broken, written := make(chan struct{}), false
	c := start(t, func(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
		if r.Kind == wizard.DoSave {
			<-broken
			time.Sleep(30 * time.Millisecond)
			written = true
			tell(ended(r))
			return
		}
		defer close(broken)
		panic("out of luck")
	}, wizard.Request{Kind: wizard.DoSave, ID: 1}, wizard.Request{Kind: wizard.DoDNS, ID: 2})
	err := c.Next(t.Context())
	var panicked *PanicError
	if !errors.As(err, &panicked) || panicked.Kind != wizard.DoDNS || err.Error() != "a check broke down: out of luck" ||
		len(panicked.Stack) == 0 {
		t.Errorf("%v", err)
	}
	c.Close()
	if !written || !errors.As(c.Err(), &panicked) {
		t.Errorf("written %v, then %v", written, c.Err())
	}
}

// TestOutcomesAreNotTaken: a worker goes on although the front end takes no outcome, and Close needs none taken.
func TestOutcomesAreNotTaken(t *testing.T) {
	t.Parallel()
	const many = 1000
	through := make(chan struct{})
	c := start(t, func(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
		for range many {
			tell(wizard.Outcome{ID: r.ID, Kind: r.Kind})
		}
		close(through)
	}, wizard.Request{Kind: wizard.DoDNS, ID: 1})
	select {
	case <-through:
	case <-time.After(patience):
		t.Fatal("the worker waits for the front end")
	}
	c.Close()
	for range c.Outcomes() { // some may have been on their way
	}
	if err := c.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestNextStopsWaiting when its own context ends.
func TestNextStopsWaiting(t *testing.T) {
	t.Parallel()
	c := start(t, func(ctx context.Context, _ wizard.Request, _ func(wizard.Outcome)) { <-ctx.Done() },
		wizard.Request{Kind: wizard.DoDNS, ID: 1})
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestDraftsNoteTheLanguage that is spoken when they are asked for.
func TestDraftsNoteTheLanguage(t *testing.T) {
	t.Parallel()
	langs := make(chan string, 1)
	c := start(t, func(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
		langs <- r.Draft.Lang
		tell(ended(r))
	})
	c.SetLang("fr")
	c.carry([]wizard.Request{{Kind: wizard.DoDraft}})
	if lang := <-langs; lang != "fr" {
		t.Errorf("%q", lang)
	}
}
