package socket

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Shares of one user, so that none takes the service from the others. Whoever exceeds them waits for a turn: a program
// that sends a batch gets through, only slower.
const (
	maxSessions = 4   // dialogs of one user at once
	maxWaiting  = 100 // more that may wait for their turn
	perSecond   = 5   // messages of one user in the long run
	burst       = 300 // messages of one user at once
	turn        = 20 * time.Second
)

// shares are those of all users who are connected or were a moment ago.
type shares struct {
	mu    sync.Mutex
	users map[uint32]*share
}

// share is what one user takes.
type share struct {
	open  int           // connections, waiting ones too
	slots chan struct{} // one for each dialog
	rate  *rate.Limiter
}

// enter waits for the turn of a user's connection. It reports false when too many wait, or none has ended in time.
func (s *shares) enter(ctx context.Context, uid uint32) (own *share, leave func(), ok bool) {
	own, ok = s.open(uid)
	if !ok {
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	select {
	case own.slots <- struct{}{}:
		return own, func() {
			<-own.slots
			s.close(own)
		}, true
	case <-ctx.Done():
		s.close(own)
		return nil, nil, false
	}
}

func (s *shares) open(uid uint32) (*share, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.users[uid]
	if own == nil {
		maps.DeleteFunc(s.users, func(_ uint32, idle *share) bool {
			return idle.open == 0 && idle.rate.Tokens() >= burst
		})
		own = &share{slots: make(chan struct{}, maxSessions), rate: rate.NewLimiter(perSecond, burst)}
		if s.users == nil {
			s.users = map[uint32]*share{}
		}
		s.users[uid] = own
	}
	if own.open >= maxSessions+maxWaiting {
		return nil, false
	}
	own.open++
	return own, true
}

func (s *shares) close(own *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own.open--
}

// admit waits until the user may hand in one more message, and reports false when that would take too long.
func (s *share) admit(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	return s.rate.Wait(ctx) == nil
}
