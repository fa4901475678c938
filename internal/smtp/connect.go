package smtp

import (
	"context"
	"slices"
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

// settle is how long IPv4 may take to show its outcome once IPv6 stands: the Connection Attempt Delay of RFC 8305 §5.
// IPv6 may take longer; it is waited for while the dialog goes on.
const settle = 250 * time.Millisecond

// dial connects over both families at once and returns the first connection that stands.
func (c *Client) dial(ctx context.Context, w config.Server) *wire.Conn {
	c.race = c.network.Race(ctx, c.account.Server.Host, w.Port, slices.Concat(c.look.V4, c.look.V6), c.recorder)
	conn, attempts := c.race.First(settle, 0)
	c.attempts = append(c.attempts, tagged(attempts, w.Security)...)
	return conn
}

func tagged(attempts []wire.Attempt, security config.Security) []Attempt {
	var out []Attempt
	for _, a := range attempts {
		out = append(out, Attempt{a, security})
	}
	return out
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
		conn := c.dial(ctx, w)
		if conn == nil {
			c.race.Stop()
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
	c.race.Stop()
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
	tried, stands, err := c.race.IPv6(ctx)
	return tagged(tried, c.way.Security), stands, err
}
