package worker

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"postier/internal/secret"
	"postier/presets"
	"postier/wizard"
)

func (h *house) session(ctx context.Context, o wizard.Options) *Session {
	o.Book, o.Address, o.ConfigPath, o.Today = h.Book, h.provider.Address, h.ConfigPath, "2026-11-21"
	state, requests := wizard.New(o)
	return NewSession(ctx, state, requests, h.Worker)
}

// onward takes the first action of each screen and waits for work, until a step is reached.
func (s *Session) onward(t *testing.T, to wizard.Step) {
	t.Helper()
	const most = 600 // outcomes and answers; far more than a setup has
	for range most {
		if s.State.Step() == to {
			return
		}
		v := s.State.Screen()
		if v.Busy != nil {
			if _, ok := s.Next(context.Background()); !ok {
				t.Fatal("ended")
			}
			continue
		}
		s.Answer(wizard.Answer{Action: v.Actions[0].ID})
	}
	t.Fatalf("stuck at %s: %+v", s.State.Step(), s.State.Finding())
}

// TestWholeSetup is the main job against a real peer: address and password in, a proven configuration out.
func TestWholeSetup(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	s := h.session(context.Background(), wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepDone)
	for s.Running() {
		s.Next(context.Background())
	}
	s.Close()
	doc := h.load()
	p := doc.File.Profiles[doc.File.Default]
	if p == nil || !p.Proven() || len(doc.Validate()) > 0 {
		t.Fatalf("%+v, %v", p, doc.Validate())
	}
	for _, id := range []string{"smtp.auth", "imap.append", "dns.spf", "dns.dkim", "arrival.delivered", "smtp.data"} {
		if p.Validated.Checks[id] != "pass" {
			t.Errorf("%s is %q", id, p.Validated.Checks[id])
		}
	}
	if h.file("draft.json") != "" {
		t.Error("the draft is left")
	}
	if s.State.Saved() == nil || p.SentCopy.Folder != "Envoyés" {
		t.Errorf("%+v", p.SentCopy)
	}
	// Edited and saved again without typing anything.
	stored := secret.New(h.provider.Typed.Reveal())
	s = h.session(context.Background(),
		wizard.Options{Draft: wizard.DraftOf(doc.File.Default, p, true), Stored: stored, Names: doc.File.Names()})
	s.onward(t, wizard.StepDone)
	s.Close()
	if again := h.load().File.Profiles[doc.File.Default]; !again.Proven() || again.Digest() != p.Digest() {
		t.Errorf("editing changed\n%+v\n%+v", p, again)
	}
}

// TestSessionEnds: cancelling and closing leave nothing behind.
func TestSessionEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	h := newHouse(t, "silent-server")
	s := h.session(context.Background(), wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepSubmission)
	if !s.Running() {
		t.Error("nothing runs")
	}
	s.Answer(wizard.Answer{Action: wizard.ActCancel})
	if s.State.Screen().Busy != nil {
		t.Error("still busy after cancelling")
	}
	s.Answer(wizard.Answer{Action: wizard.ActRetry})
	started := time.Now()
	s.Close()
	if took := time.Since(started); took > 3*time.Second || s.Running() {
		t.Errorf("closing took %s", took)
	}
	h.provider.Close()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestSessionContext: the end of the context ends waiting.
func TestSessionContext(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "silent-server")
	ctx, cancel := context.WithCancel(context.Background())
	s := h.session(ctx, wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepSubmission)
	time.AfterFunc(50*time.Millisecond, cancel)
	for {
		if _, ok := s.Next(ctx); !ok {
			break
		}
	}
	s.Close()
}

// slowFirst is a worker whose first request takes longest.
type slowFirst struct {
	mu    sync.Mutex
	order []wizard.RequestKind
}

func (w *slowFirst) Do(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	if r.Kind == wizard.DoDraft {
		time.Sleep(30 * time.Millisecond)
	}
	w.mu.Lock()
	w.order = append(w.order, r.Kind)
	w.mu.Unlock()
	tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true})
}

// TestWritesInOrder: a draft that is slow to write comes before the save and the forgetting that were asked for after
// it; checks wait for none of them.
func TestWritesInOrder(t *testing.T) {
	t.Parallel()
	w := &slowFirst{}
	state, _ := wizard.New(wizard.Options{Book: presets.Default()})
	s := &Session{
		State: state, ctx: t.Context(), worker: w, outcomes: make(chan wizard.Outcome, 64),
		cancels: map[int]context.CancelFunc{},
	}
	s.carry([]wizard.Request{
		{Kind: wizard.DoDraft},
		{Kind: wizard.DoSave, ID: 7},
		{Kind: wizard.DoForget},
		{Kind: wizard.DoDNS, ID: 8},
	})
	s.Close()
	if want := []wizard.RequestKind{wizard.DoDNS, wizard.DoDraft, wizard.DoSave, wizard.DoForget}; !slices.Equal(w.order,
		want) {
		t.Errorf("done in the order %v, want %v", w.order, want)
	}
}
