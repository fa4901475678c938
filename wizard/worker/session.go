package worker

import (
	"context"

	"postier/wizard"
)

// Session carries a conversation out without a full-screen loop: requests run side by side, outcomes are taken one at a
// time by Next. The plain front end and unattended runs use it. It is for one goroutine.
type Session struct {
	State wizard.State

	ctx    context.Context
	worker interface {
		Do(context.Context, wizard.Request, func(wizard.Outcome))
	}
	outcomes chan wizard.Outcome
	cancels  map[int]context.CancelFunc
	running  int
	// written is closed when the last write so far has ended: writes happen in the order in which they were asked for.
	written chan struct{}
}

// NewSession begins to carry out a conversation.
func NewSession(ctx context.Context, state wizard.State, requests []wizard.Request, worker *Worker) *Session {
	s := &Session{
		State: state, ctx: ctx, worker: worker, outcomes: make(chan wizard.Outcome, 64),
		cancels: map[int]context.CancelFunc{},
	}
	s.carry(requests)
	return s
}

// Answer answers the current screen and starts what it asks for.
func (s *Session) Answer(a wizard.Answer) {
	state, requests := s.State.Answer(a)
	s.State = state
	s.carry(requests)
}

// Next waits for the next outcome, lets the conversation take it, and returns it. ok is false when ctx ended.
func (s *Session) Next(ctx context.Context) (o wizard.Outcome, ok bool) {
	select {
	case o = <-s.outcomes:
	case <-ctx.Done():
		return o, false
	}
	if o.Done {
		s.running--
		if cancel, known := s.cancels[o.ID]; known {
			cancel()
			delete(s.cancels, o.ID)
		}
	}
	state, requests := s.State.Tell(o)
	s.State = state
	s.carry(requests)
	return o, true
}

// Running reports whether any request is under way, drafts and saves included.
func (s *Session) Running() bool { return s.running > 0 }

// Close cancels what is under way and waits for it.
func (s *Session) Close() {
	for _, cancel := range s.cancels {
		cancel()
	}
	for s.running > 0 {
		if o := <-s.outcomes; o.Done {
			s.running--
		}
	}
}

func (s *Session) carry(requests []wizard.Request) {
	for _, r := range requests {
		if r.Kind == wizard.DoCancel {
			if cancel, ok := s.cancels[r.ID]; ok {
				cancel()
			}
			continue
		}
		ctx, cancel := context.WithCancel(s.ctx)
		if r.ID != 0 {
			s.cancels[r.ID] = cancel
		}
		s.running++
		wait, done := s.turn(r.Kind)
		go func() {
			defer done()
			wait()
			s.worker.Do(ctx, r, func(o wizard.Outcome) { s.outcomes <- o })
			if r.ID == 0 {
				cancel()
			}
		}()
	}
}

// turn makes a request that writes wait for the writes before it, so that no late draft is left after the one that was
// forgotten. Other requests wait for nothing.
func (s *Session) turn(kind wizard.RequestKind) (wait, done func()) {
	switch kind {
	case wizard.DoDraft, wizard.DoSave, wizard.DoForget:
	default:
		return func() {}, func() {}
	}
	before, ended := s.written, make(chan struct{})
	s.written = ended
	return func() {
		if before != nil {
			<-before
		}
	}, func() { close(ended) }
}
