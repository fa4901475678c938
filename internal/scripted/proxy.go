package scripted

import (
	"net"
	"sync"
	"time"
)

// Proxy forwards a TCP connection and adds a round-trip time, so that a test can count round trips: elapsed / RTT.
//
// The network of a build machine cannot be slowed down by the kernel, so the delay is made here: the connection to the
// upstream opens after 1.5 RTT, which accounts for the TCP handshake that loopback hides, and each chunk waits RTT/2
// each way without delaying the next.
type Proxy struct {
	listener net.Listener
	upstream string
	rtt      time.Duration
	stop     chan struct{}
	closing  sync.Once
	done     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// StartProxy starts a proxy that ends with the test.
func StartProxy(t TB, upstream string, rtt time.Duration) *Proxy {
	t.Helper()
	p, err := NewProxy(upstream, rtt)
	if err != nil {
		t.Fatalf("scripted: %v", err)
		return nil
	}
	t.Cleanup(p.Close)
	return p
}

// NewProxy starts a proxy to upstream (host:port); Close ends it.
func NewProxy(upstream string, rtt time.Duration) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, upstream: upstream, rtt: rtt, stop: make(chan struct{}), conns: map[net.Conn]bool{}}
	p.done.Go(p.accept)
	return p, nil
}

// Addr is the proxy's address, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.closing.Do(func() {
		close(p.stop)
		_ = p.listener.Close()
		p.mu.Lock()
		for conn := range p.conns {
			_ = conn.Close()
		}
		p.mu.Unlock()
	})
	p.done.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.carry(client) })
	}
}

// keep registers a connection for Close; it reports false when the proxy has already ended.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stop:
		_ = conn.Close()
		return false
	default:
	}
	p.conns[conn] = true
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	delete(p.conns, conn)
	p.mu.Unlock()
}

func (p *Proxy) carry(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	opened := time.Now()
	gone := make(chan struct{})
	defer close(gone)
	toServer := p.read(client, gone)
	// The client considers the connection open 1 RTT earlier; what it sent since then has already crossed.
	open := opened.Add(p.rtt * 3 / 2)
	if !p.wait(time.Until(open)) {
		return
	}
	server, err := net.Dial("tcp", p.upstream)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	toClient := p.read(server, gone)
	var both sync.WaitGroup
	both.Go(func() { p.write(server, toServer) })
	both.Go(func() { p.write(client, toClient) })
	both.Wait()
}

func (p *Proxy) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.stop:
		return false
	}
}

type chunk struct {
	due  time.Time
	data []byte
}

// read queues the chunks from one side, each with the time at which it is due on the other. gone ends it.
func (p *Proxy) read(from net.Conn, gone <-chan struct{}) <-chan chunk {
	const inFlight = 1024 // chunks; a mail check sends a few dozen
	queue := make(chan chunk, inFlight)
	p.done.Go(func() {
		defer close(queue)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				select {
				case queue <- chunk{time.Now().Add(p.rtt / 2), buffer[:n]}:
				case <-gone:
					return
				}
			}
			if err != nil {
				select {
				case queue <- chunk{due: time.Now().Add(p.rtt / 2)}:
				case <-gone:
				}
				return
			}
		}
	})
	return queue
}

// write delivers the chunks when they are due; one without data is the end of that direction.
func (p *Proxy) write(to net.Conn, queue <-chan chunk) {
	for c := range queue {
		if !p.wait(time.Until(c.due)) {
			return
		}
		if c.data == nil {
			if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
			return
		}
		if _, err := to.Write(c.data); err != nil {
			_ = to.Close()
			return
		}
	}
}
