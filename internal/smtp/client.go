package smtp

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// Client speaks with one server. Its steps are called one after the other; IPv6 may be called at any time after
// Connect.
type Client struct {
	network  *wire.Network
	account  sasl.Account
	recorder *wire.Recorder

	validHost bool
	look      Addresses
	attempts  []Attempt
	ways      []config.Server
	race      *wire.Race // for the way in use, or the one tried last

	mu     sync.Mutex
	traces map[Step]Trace

	connection
	// examined keeps the connection over IPv6 that lost the race. moved is set once the other address family was tried,
	// mute6 when IPv6 connected and stayed silent.
	examined, moved, mute6 bool
	unwatch                func()
	// helo is the name that the server took after it had refused refusedHelo.
	helo, refusedHelo string

	before   Extensions // offered before TLS; shown to the user and never relied on
	signedIn SignIn
	sent     int
	// begun is set while a transaction is open.
	begun bool
}

// connection is an open connection and what was read on it.
type connection struct {
	server   config.Server // with the port and security of the connection
	dialog   *dialog
	greeting Greeting
	tls      wire.TLSReport
}

// Addresses are the addresses of the server's name.
type Addresses struct{ V4, V6 []netip.Addr }

// Trace records how long a step took, and its lines of the transcript.
type Trace struct {
	Took  time.Duration
	Lines []wire.Line

	from, to int // where its lines are in the transcript
	err      error
}

// New makes a client. It dials nothing yet.
func New(network *wire.Network, account sasl.Account) *Client {
	c := &Client{network: network, account: account, recorder: wire.NewRecorder(), traces: map[Step]Trace{}}
	c.account.AllowCleartext = network.Policy.Cleartext(account.AllowCleartext)
	// DNS and TLS take A-labels; U-labels are for display (RFC 5890 §2.3.2.1).
	if ascii, ok := config.HostASCII(strings.Trim(account.Server.Host, "[]")); ok {
		c.account.Server.Host, c.validHost = ascii, true
	}
	c.recorder.Hide(account.Secret, sasl.Names(account.Server.Username, false)...)
	c.ways = c.account.Server.SubmissionWays()
	c.server = c.ways[0]
	return c
}

// Ways lists the ports and kinds of security that may be tried, best first.
func (c *Client) Ways() []config.Server { return c.ways }

// Server is the server with the port and security of the connection.
func (c *Client) Server() config.Server { return c.server }

// Account is the account of the client, with its host in A-labels.
func (c *Client) Account() sasl.Account { return c.account }

// Recorder keeps the transcript.
func (c *Client) Recorder() *wire.Recorder { return c.recorder }

// Extensions is what the server offered in its last EHLO, inside TLS where there is TLS.
func (c *Client) Extensions() Extensions { return c.dialog.ext }

// Before is what the server offered before TLS.
func (c *Client) Before() Extensions { return c.before }

// Turns counts the writes that waited for a reply: the round trips of the dialog.
func (c *Client) Turns() int { return c.dialog.turns }

// Usable reports whether the connection takes further commands.
func (c *Client) Usable() bool { return c.dialog != nil && !c.dialog.broken }

// Trace returns the trace of a step that ran.
func (c *Client) Trace(step Step) Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.traces[step]
	t.Lines = c.recorder.Between(t.from, t.to) // searched for secrets now, which a message that is sent needs not
	return t
}

// once runs a step, or returns the error of its earlier run. The order of the steps depends on the mode, so one step
// may run another.
func (c *Client) once(ctx context.Context, step Step, take func(context.Context) error) error {
	c.mu.Lock()
	known, taken := c.traces[step]
	c.mu.Unlock()
	if taken {
		return known.err
	}
	mark, start := c.recorder.Mark(), time.Now()
	err := c.take(ctx, step, take)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.traces[step] = Trace{Took: time.Since(start), from: mark, to: c.recorder.Mark(), err: err}
	return err
}

// take runs a step and ends it when ctx ends.
func (c *Client) take(ctx context.Context, step Step, take func(context.Context) error) error {
	if c.dialog != nil {
		defer c.dialog.conn.Watch(ctx)()
	}
	err := take(ctx)
	if c.unwatch != nil {
		c.unwatch()
		c.unwatch = nil
	}
	if err != nil {
		return c.failure(step, err)
	}
	return nil
}

// Reset drops the current transaction (RFC 5321 §4.1.1.5).
func (c *Client) Reset(ctx context.Context) error {
	if !c.begun {
		return nil
	}
	defer c.dialog.conn.Watch(ctx)()
	r, err := c.dialog.ask(wire.CommandDeadline, command{line: reset})
	c.begun = err != nil || r.Code != codeOK
	return err
}

const reset = "RSET"

// Rest drops the current transaction and leaves the connection open for a message. It reports false when the server's
// replies do not fit: the connection must not carry one then.
func (c *Client) Rest(ctx context.Context) bool {
	return c.Usable() && c.Reset(ctx) == nil && !c.begun && c.dialog.unasked() == nil
}

// Abandon drops the current transaction, sends QUIT in the same segment, and waits a moment for the replies. The error
// is an *Error for a reply that no command asked for: then the replies before it may belong to other commands.
func (c *Client) Abandon(ctx context.Context) error {
	if !c.begun {
		return c.leave(ctx, StepRecipient)
	}
	return c.leave(ctx, StepRecipient, command{line: reset})
}

// Quit sends QUIT and closes the connection. Close also stops attempts to connect that are still running.
func (c *Client) Quit() {
	if c.dialog != nil {
		c.dialog.quit()
	}
}

// Farewell is Quit for a server that is being examined: it also waits a moment for the reply to QUIT. The error is an
// *Error for a reply that no command asked for.
func (c *Client) Farewell(ctx context.Context) error { return c.leave(ctx, StepData) }

func (c *Client) leave(ctx context.Context, step Step, commands ...command) error {
	if c.dialog == nil {
		return nil
	}
	defer c.dialog.conn.Watch(ctx)()
	if err := c.dialog.farewell(commands...); err != nil {
		return c.failure(step, err)
	}
	return nil
}

// Close sends QUIT, closes the connection and stops attempts to connect that are still running.
func (c *Client) Close() {
	c.Quit()
	if c.race != nil {
		c.race.Stop()
	}
}
