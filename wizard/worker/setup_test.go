package worker

import (
	"context"
	"runtime"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/secret"
	"postier/wizard"
	"postier/wizard/carrier"
)

func (h *fixture) start(ctx context.Context, o wizard.Options) *setup {
	o.Book, o.Address, o.ConfigPath, o.Today = h.Book, h.provider.Address, h.ConfigPath, "2026-11-21"
	state, requests := wizard.New(o)
	return &setup{carrier.Start(ctx, state, requests, h.Worker)}
}

// setup is a conversation that goes on by itself.
type setup struct{ *carrier.Conversation }

// onward takes the first action of each screen and waits for work, until a step is reached.
func (s *setup) onward(t *testing.T, to wizard.Step) {
	t.Helper()
	const most = 600 // outcomes and answers; far more than a setup has
	for range most {
		if s.Step() == to {
			return
		}
		v := s.Screen()
		if v.Busy != nil {
			if err := s.Next(context.Background()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.Answer(wizard.Answer{Action: v.Actions[0].ID})
	}
	t.Fatalf("stuck at %s: %+v", s.Step(), s.Finding())
}

// TestWholeSetup runs a setup against real servers, from the address and the password to a proven configuration.
func TestWholeSetup(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	s := h.start(context.Background(), wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepDone)
	for s.Running() {
		if err := s.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if n := h.provider.SignIns(); n != 2 {
		t.Errorf("%d sign-ins; one at each server is enough", n)
	}
	doc := h.load()
	p := doc.File.Profiles[doc.File.Default]
	if p == nil || !p.Proven() || len(doc.Validate()) > 0 {
		t.Fatalf("%+v, %v", p, doc.Validate())
	}
	for _, id := range []string{"smtp.auth", "imap.append", "dns.spf", "dns.dkim", "arrival.delivered", "smtp.data"} {
		if p.Validated.Checks[check.ID(id)] != "pass" {
			t.Errorf("%s is %q", id, p.Validated.Checks[check.ID(id)])
		}
	}
	if h.file("draft.json") != "" {
		t.Error("the draft is left")
	}
	if s.Saved() == nil || p.SentCopy.Folder != "Envoyés" {
		t.Errorf("%+v", p.SentCopy)
	}
	// The profile is edited and saved without typing anything.
	stored := secret.New(h.provider.Typed.Reveal())
	s = h.start(context.Background(),
		wizard.Options{Draft: wizard.DraftOf(doc.File.Default, p, true), Stored: stored, Names: doc.File.Names()})
	s.onward(t, wizard.StepDone)
	s.Close()
	if again := h.load().File.Profiles[doc.File.Default]; !again.Proven() || again.Digest() != p.Digest() {
		t.Errorf("editing changed\n%+v\n%+v", p, again)
	}
}

// TestSetupEnds: no goroutine is left after cancelling and closing.
func TestSetupEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	h := newFixture(t, "silent-server")
	s := h.start(context.Background(), wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepSubmission)
	if !s.Running() {
		t.Error("nothing runs")
	}
	s.Answer(wizard.Answer{Action: wizard.ActCancel})
	if s.Screen().Busy != nil {
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

// TestSetupStopsWaiting: Next returns when the context ends.
func TestSetupStopsWaiting(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "silent-server")
	ctx, cancel := context.WithCancel(context.Background())
	s := h.start(ctx, wizard.Options{Secret: h.provider.Typed})
	s.onward(t, wizard.StepSubmission)
	time.AfterFunc(50*time.Millisecond, cancel)
	for s.Next(ctx) == nil {
	}
	s.Close()
}
