package smtp

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"postier/config"
	"postier/internal/wire"
)

// Attempt is one try to connect, and in which mode.
type Attempt struct {
	wire.Attempt
	Security config.Security
}

// Resolve looks up the server's name.
func (c *Client) Resolve(ctx context.Context) (Addresses, error) {
	err := c.once(ctx, StepResolve, func(ctx context.Context) error {
		if !c.validHost {
			return ErrHost
		}
		addresses, err := c.network.Addresses(ctx, c.account.Server.Host)
		c.look.V4, c.look.V6 = wire.Families(addresses)
		return err
	})
	return c.look, err
}

// family is the attempt to connect over one address family. It runs by itself and closes done at its end.
type family struct {
	done     chan struct{}
	conn     *wire.Conn
	attempts []Attempt

	mu    sync.Mutex
	taken bool // by the client, or released
}

func (c *Client) dial(ctx context.Context, addresses []netip.Addr, w config.Server) *family {
	if len(addresses) == 0 {
		return nil
	}
	f := &family{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		conn, attempts := c.network.Connect(ctx, c.account.Server.Host, w.Port, addresses, c.recorder)
		f.conn = conn
		for _, a := range attempts {
			f.attempts = append(f.attempts, Attempt{a, w.Security})
		}
	}()
	return f
}

// release closes the connection when it comes, or has come, and was not taken.
func (f *family) release() {
	go func() {
		<-f.done
		if conn := f.take(); conn != nil {
			_ = conn.Close()
		}
	}()
}

func (f *family) take() *wire.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken {
		return nil
	}
	f.taken = true
	return f.conn
}

// settle is how long the slower family may take to show its outcome once the other one stands: the Connection Attempt
// Delay of RFC 8305 §5. IPv6 may take longer; IPv6 waits for it while the dialog goes on.
const settle = 250 * time.Millisecond

// both connects over both families at once and returns the first connection that stands.
func (c *Client) both(ctx context.Context, w config.Server) (conn *wire.Conn, attempts []Attempt) {
	four, six := c.dial(ctx, c.look.V4, w), c.dial(ctx, c.look.V6, w)
	c.six = six
	var fourDone, sixDone <-chan struct{}
	if four != nil {
		fourDone = four.done
		defer four.release()
	}
	if six != nil {
		sixDone = six.done
	}
	var patience <-chan time.Time
	for fourDone != nil || (sixDone != nil && conn == nil) {
		select {
		case <-fourDone:
			fourDone = nil
			attempts = append(attempts, four.attempts...)
			if conn == nil && four.conn != nil {
				conn = four.take()
			}
		case <-sixDone:
			sixDone = nil
			if conn == nil && six.conn != nil {
				conn, attempts = six.take(), append(attempts, six.attempts...)
				patience = time.After(settle)
			} else if conn == nil {
				attempts = append(attempts, six.attempts...)
			}
		case <-patience:
			return conn, attempts
		}
	}
	return conn, attempts
}

// Connect finds a way in. With several ways, one on which TLS does not come about is left for the next; when none is
// better, the first one that connected stays, with its failure for Secure to show. The attempts are given on success
// too.
func (c *Client) Connect(ctx context.Context) ([]Attempt, error) {
	err := c.once(ctx, StepConnect, c.connect)
	return c.attempts, err
}

func (c *Client) connect(ctx context.Context) error {
	var kept *kept
	for i, w := range c.ways {
		conn, tried := c.both(ctx, w)
		c.attempts = append(c.attempts, tried...)
		if conn == nil {
			continue
		}
		c.line = line{way: w, dialog: &dialog{conn: conn}}
		if len(c.ways) == 1 || w.Security != config.SecurityTLS {
			return nil
		}
		if _, err := c.Secure(ctx); err == nil || ctx.Err() != nil || i == len(c.ways)-1 {
			return nil
		}
		kept = c.setAside()
	}
	if kept != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.line, c.traces[StepTLS] = kept.line, kept.tls
		return nil
	}
	return c.unconnected(ctx)
}

// kept is a way that connected and had no TLS, while another one is tried.
type kept struct {
	line line
	tls  Trace
}

func (c *Client) setAside() *kept {
	k := &kept{c.line, c.Trace(StepTLS)}
	_ = c.dialog.conn.Close()
	if c.six != nil {
		c.six.release()
	}
	c.dialog = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.traces, StepTLS)
	return k
}

// unconnected is the most telling error of the attempts.
func (c *Client) unconnected(ctx context.Context) error {
	err := wire.ErrNoAddress
	for i, a := range c.attempts {
		if i == 0 || !a.IPv6() { // of both families the older one is the more telling
			err = a.Err
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return err
}

// IPv6 waits for the outcome of the attempts over IPv6, which go on while the dialog does; stands tells whether one of
// them connected. The error is wire.ErrNoAddress when none was made.
func (c *Client) IPv6(ctx context.Context) (attempts []Attempt, stands bool, err error) {
	if c.six == nil {
		return nil, false, wire.ErrNoAddress
	}
	select {
	case <-c.six.done:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	if c.six.conn != nil {
		c.six.release()
	}
	return c.six.attempts, c.six.conn != nil, nil
}
