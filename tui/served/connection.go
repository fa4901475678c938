package served

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// listener gives out the connections for which there is a place, and closes the others at once: they get no goroutine
// and no handshake.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(raw.RemoteAddr())
		if !l.server.places.arrive(from) {
			_ = raw.Close()
			l.server.audit.refused(raw.RemoteAddr(), "too many connections")
			continue
		}
		return l.server.newConnection(raw, from), nil
	}
}

// connection is one client's. Until the key exchange has begun it reads along.
type connection struct {
	net.Conn
	server *Server
	from   netip.Prefix
	opened time.Time

	halfOpen atomic.Bool
	begun    atomic.Bool // its one session
	late     *time.Timer
	closing  sync.Once

	mu       sync.Mutex
	wanted   time.Time // the deadline that the SSH library set
	greeting greeting
}

func (s *Server) newConnection(raw net.Conn, from netip.Prefix) *connection {
	c := &connection{Conn: raw, server: s, from: from, opened: time.Now()}
	c.halfOpen.Store(true)
	// A client that signs in and never asks for a session would keep its place for ever.
	c.late = time.AfterFunc(s.limits.Handshake+s.limits.Begin, func() { _ = c.Close() })
	return c
}

// proven is called once the client's key is accepted.
func (c *connection) proven() {
	if c.halfOpen.CompareAndSwap(true, false) {
		c.server.places.proven(c.from)
	}
}

// Close implements net.Conn.
func (c *connection) Close() error {
	err := c.Conn.Close()
	c.closing.Do(func() {
		c.late.Stop()
		c.server.places.leave(c.from, c.halfOpen.Swap(false))
	})
	return err
}

// SetDeadline implements net.Conn. While the client has not said what it is, the deadline for that comes first.
func (c *connection) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = t
	if limit := c.opened.Add(c.server.limits.Identification); !c.greeting.named && (t.IsZero() || t.After(limit)) {
		t = limit
	}
	return c.Conn.SetDeadline(t)
}

// errWeak ends a handshake whose packets could be cut away unnoticed.
var errWeak = errors.New("the client has no strict key exchange (CVE-2023-48795)")

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeting.over {
		return n, err
	}
	named := c.greeting.named
	if !c.greeting.read(p[:n]) {
		return 0, errWeak
	}
	if c.greeting.named && !named {
		_ = c.Conn.SetDeadline(c.wanted)
	}
	return n, err
}

// greeting reads what a client sends before anything is encrypted: the line with its name (RFC 4253 §4.2), and the
// packet with what it offers for the key exchange (§7.1).
type greeting struct {
	named bool // the line is complete
	over  bool // so is the packet
	data  []byte
}

// maxGreeting is more than any client sends: the line has at most 255 octets, the packet at most 35,000 (RFC 4253
// §6.1).
const maxGreeting = 255 + 35000

// strict is what a client that numbers its packets from the start offers.
var strict = []byte("kex-strict-c-v00@openssh.com")

// read returns false for a client that must not go on.
func (g *greeting) read(p []byte) bool {
	if g.data = append(g.data, p...); len(g.data) > maxGreeting {
		g.data = g.data[:maxGreeting]
	}
	line := bytes.IndexByte(g.data, '\n')
	if line < 0 {
		return len(g.data) < maxGreeting
	}
	g.named = true
	packet := g.data[line+1:]
	const header = 4
	if len(packet) < header {
		return true
	}
	size := int64(binary.BigEndian.Uint32(packet)) + header
	if int64(len(packet)) < size && len(g.data) < maxGreeting {
		return true
	}
	g.over, g.data = true, nil
	return bytes.Contains(packet[:min(size, int64(len(packet)))], strict)
}
