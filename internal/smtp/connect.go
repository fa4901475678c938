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

// settle is how long Connect waits for the outcome of IPv4 once IPv6 is connected: the Connection Attempt Delay of RFC
// 8305 §5. The outcome of IPv6 is awaited while the dialog goes on.
const settle = 250 * time.Millisecond

// dial connects over both families at once and returns the first connection.
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

// Connect connects in one of the ways. Where TLS fails in one of several ways, it tries the next; when no other works,
// it keeps one that connected, and Secure returns its failure. The attempts are returned on success too.
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
		c.connection = connection{server: w, dialog: &dialog{conn: conn}}
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
		c.connection, c.traces[StepTLS] = kept.connection, kept.tls
		return nil
	}
	return c.unconnected(ctx)
}

// kept is a way that connected but failed to establish TLS, set aside while another one is tried.
type kept struct {
	connection connection
	tls        Trace
}

func (c *Client) setAside() *kept {
	k := &kept{c.connection, c.Trace(StepTLS)}
	_ = c.dialog.conn.Close()
	c.race.Stop()
	c.dialog = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.traces, StepTLS)
	return k
}

// unconnected returns the most telling error of the attempts.
func (c *Client) unconnected(ctx context.Context) error {
	err := wire.ErrNoAddress
	for i, a := range c.attempts {
		if i == 0 || !a.IPv6() { // an error of IPv4 tells more than one of IPv6
			err = a.Err
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return err
}

// IPv6 waits for the attempts over IPv6, which go on during the dialog. stands reports whether one of them connected.
// The error is wire.ErrNoAddress when there were none.
func (c *Client) IPv6(ctx context.Context) (attempts []Attempt, stands bool, err error) {
	tried, stands, err := c.race.IPv6(ctx)
	return tagged(tried, c.server.Security), stands, err
}
