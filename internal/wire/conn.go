package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// Caps on what one connection may carry (security.md T9). Each is far above what real servers send.
const (
	MaxLine    = 8 << 10  // octets in an SMTP reply line; RFC 5321 §4.5.3.1.5 asks for 512
	MaxReply   = 128      // lines in one SMTP reply
	MaxSession = 8 << 20  // octets received in a session
	MaxClear   = 64 << 10 // octets received before TLS
)

// LimitError says which cap a peer went over.
type LimitError struct {
	Limit string // "line", "reply", "session", "before-tls", "literal", …
	Max   int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the server sent more than the %s limit of %d", e.Limit, e.Max)
}

// ErrInjected says that bytes came behind the server's consent to STARTTLS and before the handshake (security.md T2).
var ErrInjected = errors.New("bytes behind the STARTTLS reply")

// Conn is a connection with an absolute deadline a step and caps on what is received. Read and Write work as in net.Conn;
// SetDeadline and its kin never push a deadline beyond the one that Step set.
type Conn struct {
	net.Conn
	network  *Network
	recorder *Recorder

	mu       sync.Mutex
	limit    time.Time // absolute, set by Step
	received int
	secure   bool
}

func newConn(raw net.Conn, n *Network, recorder *Recorder) *Conn {
	if recorder == nil {
		recorder = NewRecorder()
	}
	return &Conn{Conn: raw, network: n, recorder: recorder}
}

// Step starts a step that must end within d, however slowly bytes arrive.
func (c *Conn) Step(d time.Duration) {
	c.mu.Lock()
	c.limit = time.Now().Add(c.network.deadline(d))
	limit := c.limit
	c.mu.Unlock()
	_ = c.Conn.SetDeadline(limit)
}

// Abort ends every read and write at once; the person cancelled.
func (c *Conn) Abort() { _ = c.Conn.SetDeadline(time.Unix(1, 0)) }

// bound returns t, or the step's limit when that is earlier or t is zero.
func (c *Conn) bound(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit.IsZero() || (!t.IsZero() && t.Before(c.limit)) {
		return t
	}
	return c.limit
}

// SetDeadline keeps within the step's deadline, so that a library cannot extend it.
func (c *Conn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(c.bound(t)) }

// SetReadDeadline is like SetDeadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(c.bound(t)) }

// SetWriteDeadline is like SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.bound(t)) }

// Read counts what was received and stops at the session's cap.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.received += n
	received, secure := c.received, c.secure
	c.mu.Unlock()
	switch {
	case received > MaxSession:
		return 0, &LimitError{"session", MaxSession}
	case !secure && received > MaxClear:
		return 0, &LimitError{"before-tls", MaxClear}
	}
	return n, err
}

// Recorder is where this connection's transcript is kept.
func (c *Conn) Recorder() *Recorder { return c.recorder }

// IsTimeout reports whether err is the end of a step's deadline.
func IsTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || (errors.As(err, &netErr) && netErr.Timeout())
}
