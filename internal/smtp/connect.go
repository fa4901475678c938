package smtp

import (
	"context"
	"net/netip"
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

// dial connects over both families at once and returns the first connection.
func (c *Client) dial(ctx context.Context, w config.Server) *wire.Conn {
	c.race = c.network.Race(ctx, c.account.Server.Host, w.Port, slices.Concat(c.look.V4, c.look.V6), c.recorder)
	if c.examined {
		c.race.Keep()
	}
	conn, attempts := c.race.First(wire.Settle, 0)
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

// patience is how long a new connection may stay silent before another address family is tried.
const patience = 5 * time.Second

// elsewhere lists the addresses of the family that the connection does not use. It is empty once they were tried, and
// once the server has spoken.
func (c *Client) elsewhere() []netip.Addr {
	if c.moved || c.dialog.conn.Received() > 0 {
		return nil
	}
	if c.dialog.conn.IPv6() {
		return c.look.V4
	}
	return c.look.V6
}

// move leaves a connection that said nothing, or was cut off before it did, for one over the other address family. It
// reports false when there is none; then the first connection's error stands.
func (c *Client) move(ctx context.Context, err error) bool {
	kind := wire.Classify(err).Kind
	others := c.elsewhere()
	if len(others) == 0 || kind != wire.KindTimeout && kind != wire.KindReset && kind != wire.KindClosed {
		return false
	}
	conn, attempts := c.network.Connect(ctx, c.account.Server.Host, c.server.Port, others, c.recorder)
	c.moved = true
	if conn == nil {
		return false
	}
	c.recorder.Add(wire.Note, "silent; another address family is tried")
	c.mute6 = c.dialog.conn.IPv6()
	_ = c.dialog.conn.Close()
	c.attempts = append(c.attempts, tagged(attempts, c.server.Security)...)
	c.dialog = &dialog{conn: conn}
	c.unwatch = conn.Watch(ctx)
	return true
}

// SpeaksIPv6 reports whether the server says anything over IPv6: a connection that stays silent is of no use. It is
// called after the greeting and TLS.
func (c *Client) SpeaksIPv6(ctx context.Context) bool {
	switch {
	case c.mute6:
		return false
	case c.dialog != nil && c.dialog.conn.IPv6():
		return c.dialog.conn.Received() > 0
	}
	conn := c.race.Spare()
	if conn == nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	defer conn.Watch(ctx)()
	if c.server.Security == config.SecurityTLS {
		_, err := conn.Handshake(ctx, c.account.Server.Host, c.account.Pins)
		return err == nil || conn.Received() > 0
	}
	conn.Step(wire.GreetingDeadline)
	_, err := conn.ReadLine(maxGreetingLine)
	return err == nil
}

const maxGreetingLine = 4096

// Examine makes the client keep a second connection over IPv6 for SpeaksIPv6.
func (c *Client) Examine() { c.examined = true }

// IPv6 waits for the attempts over IPv6, which go on during the dialog. stands reports whether one of them connected.
// The error is wire.ErrNoAddress when there were none.
func (c *Client) IPv6(ctx context.Context) (attempts []Attempt, stands bool, err error) {
	tried, stands, err := c.race.IPv6(ctx)
	return tagged(tried, c.server.Security), stands, err
}
