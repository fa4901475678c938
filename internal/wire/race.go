package wire

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"postier/internal/parallel"
)

// Race is connecting over both address families at once.
type Race struct {
	four, six *runner // nil where there are no addresses
	cancel    context.CancelFunc
	spare     bool
}

// runner is one family's attempt. It runs by itself and closes done at its end.
type runner struct {
	done     chan struct{}
	conn     *Conn
	attempts []Attempt
	broken   *parallel.Panic

	mu    sync.Mutex
	taken bool
}

// Race begins to connect to host, which has these addresses. Stop must be called.
func (n *Network) Race(ctx context.Context, host string, port int, addresses []netip.Addr, recorder *Recorder) *Race {
	ctx, cancel := context.WithCancel(ctx)
	start := func(list []netip.Addr) *runner {
		if len(list) == 0 {
			return nil
		}
		r := &runner{done: make(chan struct{})}
		go func() {
			defer close(r.done)
			r.broken = parallel.Catch(func() { r.conn, r.attempts = n.Connect(ctx, host, port, list, recorder) })
		}()
		return r
	}
	v4, v6 := Families(addresses)
	return &Race{four: start(v4), six: start(v6), cancel: cancel}
}

// First is the first connection that stands, with the attempts of each family that ended: once one stands, the other
// one is waited for, IPv4 and IPv6 each as long as is said here. When both stand by then it is the one over IPv4,
// whichever was faster, so that the outcome does not depend on chance. The other connection is closed, unless Spare
// takes it. First is called once.
func (r *Race) First(grace4, grace6 time.Duration) (conn *Conn, attempts []Attempt) {
	defer func() {
		r.four.release()
		if !r.spare {
			r.six.release()
		}
	}()
	four, six := r.four.ended(), r.six.ended()
	var over <-chan time.Time
	for four != nil || six != nil {
		var runner *runner
		var grace time.Duration
		select {
		case <-four:
			four, runner, grace = nil, r.four, grace6
		case <-six:
			six, runner, grace = nil, r.six, grace4
		case <-over:
			return conn, attempts
		}
		runner.broken.Rethrow()
		attempts = append(attempts, runner.attempts...)
		if conn != nil {
			if runner == r.four && r.four.conn != nil {
				r.six.giveBack()
				return r.four.take(), attempts
			}
			continue
		}
		if conn = runner.take(); conn != nil {
			if grace == 0 {
				return conn, attempts
			}
			over = time.After(grace)
		}
	}
	return conn, attempts
}

// Keep makes First leave a connection over IPv6 that it does not return to Spare.
func (r *Race) Keep() { r.spare = true }

// Spare is the connection over IPv6 that First did not return, nil when there is none.
func (r *Race) Spare() *Conn {
	if r == nil || r.six == nil {
		return nil
	}
	select {
	case <-r.six.done:
		return r.six.take()
	default:
		return nil
	}
}

// IPv6 waits for the attempts over IPv6 to end, and tells whether one of them connected. The error is ErrNoAddress when
// none was made, or ctx's.
func (r *Race) IPv6(ctx context.Context) (attempts []Attempt, stands bool, err error) {
	if r == nil || r.six == nil {
		return nil, false, ErrNoAddress
	}
	select {
	case <-r.six.done:
		return r.six.attempts, r.six.conn != nil, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// Stop ends the attempts that still run, and closes a connection that was kept.
func (r *Race) Stop() {
	r.cancel()
	if r.spare {
		r.six.release()
	}
}

func (r *runner) ended() <-chan struct{} {
	if r == nil {
		return nil
	}
	return r.done
}

// take gives the connection out, once.
func (r *runner) take() *Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken {
		return nil
	}
	r.taken = true
	return r.conn
}

// giveBack undoes take.
func (r *runner) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = false
}

// release closes the connection when it comes, or has come, and was not given out.
func (r *runner) release() {
	if r == nil {
		return
	}
	go func() {
		<-r.done
		if conn := r.take(); conn != nil {
			_ = conn.Close()
		}
	}()
}
