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

// Client speaks with one server. Its steps are taken one after the other; IPv6 may be asked at any time after Connect.
type Client struct {
	network  *wire.Network
	account  sasl.Account
	recorder *wire.Recorder

	validHost bool
	look      Addresses
	attempts  []Attempt
	ways      []config.Server
	race      *wire.Race // of the way that was taken, or tried last

	mu     sync.Mutex
	traces map[Step]Trace

	line
	before   Extensions // offered before TLS; worth showing and nothing else
	signedIn SignIn
	sent     int
}

// line is a connection and what was learned on it.
type line struct {
	way      config.Server // as the connection has it
	dialog   *dialog
	greeting Greeting
	tls      wire.TLSReport
}

// Addresses are those of the server's name.
type Addresses struct{ V4, V6 []netip.Addr }

// Trace is what a step left: how long it took, and its lines of the transcript.
type Trace struct {
	Took  time.Duration
	Lines []wire.Line
	err   error
}

// New makes a client; nothing is dialled yet.
func New(network *wire.Network, account sasl.Account) *Client {
	c := &Client{network: network, account: account, recorder: wire.NewRecorder(), traces: map[Step]Trace{}}
	c.account.AllowCleartext = network.Policy.Cleartext(account.AllowCleartext)
	// U-labels are for people; DNS and TLS take A-labels (RFC 5890 §2.3.2.1).
	if ascii, ok := config.HostASCII(strings.Trim(account.Server.Host, "[]")); ok {
		c.account.Server.Host, c.validHost = ascii, true
	}
	c.recorder.Hide(account.Secret, account.Server.Username)
	c.ways = c.account.Server.SubmissionWays()
	c.way = c.ways[0]
	return c
}

// Ways lists the ports and kinds of security that may be tried, best first.
func (c *Client) Ways() []config.Server { return c.ways }

// Way is the server with the port and security of the connection.
func (c *Client) Way() config.Server { return c.way }

// Account is what the client was made for, its host in A-labels.
func (c *Client) Account() sasl.Account { return c.account }

// Recorder keeps the transcript.
func (c *Client) Recorder() *wire.Recorder { return c.recorder }

// Extensions is what the server offered in its last EHLO, inside TLS where there is TLS.
func (c *Client) Extensions() Extensions { return c.dialog.ext }

// Before is what the server offered before TLS.
func (c *Client) Before() Extensions { return c.before }

// Turns counts the writes that waited for a reply: the round trips of the dialog.
func (c *Client) Turns() int { return c.dialog.turns }

// Usable reports whether anything more may be said.
func (c *Client) Usable() bool { return c.dialog != nil && !c.dialog.broken }

// Trace is what a step that was taken has left.
func (c *Client) Trace(step Step) Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.traces[step]
}

// once takes a step, or gives the error that it ended with when it was taken before: which step comes first depends on
// the mode, so a step may take another one.
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
	c.traces[step] = Trace{Took: time.Since(start), Lines: c.recorder.Since(mark), err: err}
	return err
}

// take takes a step, which ends when ctx ends.
func (c *Client) take(ctx context.Context, step Step, take func(context.Context) error) error {
	if c.dialog != nil {
		defer c.dialog.conn.Watch(ctx)()
	}
	if err := take(ctx); err != nil {
		return c.failure(step, err)
	}
	return nil
}

// Reset drops a transaction that was begun (RFC 5321 §4.1.1.5).
func (c *Client) Reset(ctx context.Context) error {
	defer c.dialog.conn.Watch(ctx)()
	_, err := c.dialog.ask(wire.CommandDeadline, command{line: "RSET"})
	return err
}

// Abandon drops a transaction that was begun and says goodbye, in one segment.
func (c *Client) Abandon() { c.dialog.quit(command{line: "RSET"}) }

// Quit says goodbye; Close lets go of the rest.
func (c *Client) Quit() {
	if c.dialog != nil {
		c.dialog.quit()
	}
}

// Close says goodbye and lets go of everything.
func (c *Client) Close() {
	c.Quit()
	if c.race != nil {
		c.race.Stop()
	}
}
