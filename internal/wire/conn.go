package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Caps on what one connection may carry (docs/security.md T9). Each is far above what real servers send.
const (
	MaxLine       = 8 << 10  // octets in an SMTP reply line; RFC 5321 §4.5.3.1.5 asks for 512
	MaxReply      = 128      // lines in one SMTP reply
	MaxReplyBytes = 64 << 10 // octets in one SMTP reply
	MaxSession    = 8 << 20  // octets received in a session
	MaxClear      = 64 << 10 // octets received before TLS
)

// LimitError says which cap a peer exceeded.
type LimitError struct {
	Limit string // "line", "reply", "session", "before-tls", "literal", …
	Max   int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the server sent more than the %s limit of %d", e.Limit, e.Max)
}

// ErrInjected says that bytes came after the server's consent to STARTTLS and before the handshake (docs/security.md
// T2).
var ErrInjected = errors.New("bytes behind the STARTTLS reply")

// ErrCancelled says that a read or write was ended by Abort. It wraps context.Canceled.
var ErrCancelled = fmt.Errorf("stopped by the user: %w", context.Canceled)

// Conn is a connection with an absolute deadline for each step and caps on what it receives. Read and Write work as in
// net.Conn; SetDeadline and the like never extend a deadline beyond the one that Step set.
//
// One goroutine reads and one writes; any goroutine may call Abort and Watch.
type Conn struct {
	net.Conn          // the TLS connection after Handshake, raw before
	raw      net.Conn // where deadlines are set, the same before and after Handshake
	network  *Network
	recorder *Recorder
	pending  []byte // read from Conn and not yet handed out
	target   netip.AddrPort

	mu       sync.Mutex
	limit    time.Time // absolute, set by Step
	received int
	secure   bool
	aborted  bool
}

func newConn(raw net.Conn, n *Network, recorder *Recorder) *Conn {
	if recorder == nil {
		recorder = NewRecorder()
	}
	return &Conn{Conn: raw, raw: raw, network: n, recorder: recorder}
}

// IPv6 reports whether the connection was made to an IPv6 address.
func (c *Conn) IPv6() bool { return c.target.Addr().Is6() && !c.target.Addr().Is4In6() }

// Step starts a step that must end within d, however slowly bytes arrive.
func (c *Conn) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = time.Now().Add(c.network.deadline(d))
	if !c.aborted {
		_ = c.raw.SetDeadline(c.limit)
	}
}

// Abort ends every read and write at once, and makes every later one fail: the person cancelled.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	_ = c.raw.SetDeadline(time.Unix(1, 0))
}

// Watch aborts the connection when ctx ends, until stop is called.
func (c *Conn) Watch(ctx context.Context) (stop func()) {
	end := context.AfterFunc(ctx, c.Abort)
	return func() { end() }
}

// bounded passes on t, or the step's limit when that is earlier or t is zero, unless the connection was aborted.
func (c *Conn) bounded(set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aborted {
		return nil
	}
	if !c.limit.IsZero() && (t.IsZero() || c.limit.Before(t)) {
		t = c.limit
	}
	return set(t)
}

// SetDeadline stays within the step's deadline, so that a library cannot extend it.
func (c *Conn) SetDeadline(t time.Time) error { return c.bounded(c.raw.SetDeadline, t) }

// SetReadDeadline is like SetDeadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.bounded(c.raw.SetReadDeadline, t) }

// SetWriteDeadline is like SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.bounded(c.raw.SetWriteDeadline, t) }

// Read counts what was received and stops at the session's cap.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	return c.receive(p)
}

func (c *Conn) receive(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.received += n
	received, secure, aborted := c.received, c.secure, c.aborted
	c.mu.Unlock()
	switch {
	case received > MaxSession:
		return 0, &LimitError{"session", MaxSession}
	case !secure && received > MaxClear:
		return 0, &LimitError{"before-tls", MaxClear}
	case err != nil && aborted:
		return n, ErrCancelled
	}
	return n, err
}

// Write implements net.Conn; after Abort its error is ErrCancelled.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && c.isAborted() {
		return n, ErrCancelled
	}
	return n, err
}

// ReadLine reads up to LF and returns the line without its CRLF or LF. A line longer than max octets is a LimitError.
// Octets after the line stay for the next call, for Read, and for Handshake, which refuses them. With an error, it
// returns the part of the line that had arrived.
func (c *Conn) ReadLine(limit int) (string, error) {
	scanned := 0
	for {
		if end := bytes.IndexByte(c.pending[scanned:], '\n'); end >= 0 {
			end += scanned
			if end > limit {
				return "", &LimitError{"line", limit}
			}
			line := string(bytes.TrimSuffix(c.pending[:end], []byte("\r")))
			c.pending = c.pending[end+1:]
			return line, nil
		}
		scanned = len(c.pending)
		if scanned > limit {
			return "", &LimitError{"line", limit}
		}
		buf := make([]byte, readSize)
		n, err := c.receive(buf)
		c.pending = append(c.pending, buf[:n]...)
		if err != nil && n == 0 {
			rest := string(c.pending)
			c.pending = nil
			return rest, err
		}
	}
}

// readSize is how much ReadLine asks for at once; a reply is rarely longer.
const readSize = 2 << 10

// Buffered is how many octets were received and not yet read.
func (c *Conn) Buffered() int { return len(c.pending) }

// Received is how many octets were received in all, without TLS framing.
func (c *Conn) Received() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received
}

// Recorder is where this connection's transcript is kept.
func (c *Conn) Recorder() *Recorder { return c.recorder }

func (c *Conn) isAborted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.aborted
}

// IsTimeout reports whether err is the end of a step's deadline.
func IsTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || (errors.As(err, &netErr) && netErr.Timeout())
}
