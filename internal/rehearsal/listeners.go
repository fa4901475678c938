package rehearsal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"postier/internal/rehearsal/deadport"
)

// portFault is what happens to connections before a service sees them.
type portFault int

const (
	faultNone       portFault = iota
	faultRefused              // RST to the SYN
	faultSwallowed            // no answer to the SYN
	faultSilent               // connected, and then nothing
	faultSlow                 // the first octets come late
	faultTLSRefused           // 454 instead of 220 after STARTTLS
	faultInjected             // bytes injected after the 220 reply to STARTTLS
)

// service is one port of the provider.
type service struct {
	port     int
	implicit bool
	server   interface {
		Serve(net.Listener) error
		Close() error
	}
	fault portFault
}

// ports are the provider's listeners, and the dead ends for every other port.
type ports struct {
	services        []service
	v4, v6          map[int]string // port -> address, host:port
	listeners       []*portListener
	dead            []*deadport.Port
	refused4        string
	refused6        string
	ipv6            bool // whether this machine has ::1
	serving         sync.WaitGroup
	swallow4        string
	swallow6        string
	broken6         bool
	stop            chan struct{}
	closing         sync.Once
	implicitTLS     *tls.Config
	slow            time.Duration
	connectionsOpen sync.WaitGroup
}

func (p *Provider) openPorts() (*ports, error) {
	d := &ports{
		v4: map[int]string{}, v6: map[int]string{}, stop: make(chan struct{}),
		services: p.services(), implicitTLS: p.tls, slow: p.options.Slow, broken6: p.behaviour.ipv6Broken,
	}
	if err := d.open(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *ports) open() error {
	if probe, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		d.ipv6 = true
		_ = probe.Close()
	}
	if err := d.openDeadEnds(); err != nil {
		return err
	}
	for _, s := range d.services {
		if err := d.openService(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *ports) openDeadEnds() error {
	var err error
	if d.refused4, d.refused6, err = d.deadEnd(deadport.Refused); err != nil {
		return err
	}
	if slices.ContainsFunc(d.services, func(s service) bool { return s.fault == faultSwallowed }) {
		d.swallow4, d.swallow6, err = d.deadEnd(deadport.Blackhole)
	}
	return err
}

// deadEnd reserves a port of each address family; a machine without ::1 has the same for both.
func (d *ports) deadEnd(reserve func(string) (*deadport.Port, error)) (v4, v6 string, err error) {
	hosts := []string{"127.0.0.1"}
	if d.ipv6 {
		hosts = append(hosts, "::1")
	}
	for _, host := range hosts {
		dead, err := reserve(host)
		if err != nil {
			return "", "", err
		}
		d.dead = append(d.dead, dead)
		v4, v6 = cmp.Or(v4, dead.Addr()), dead.Addr()
	}
	return v4, v6, nil
}

func (d *ports) openService(s service) error {
	switch s.fault {
	case faultRefused:
		d.v4[s.port], d.v6[s.port] = d.refused4, d.refused6
		return nil
	case faultSwallowed:
		d.v4[s.port], d.v6[s.port] = d.swallow4, d.swallow6
		return nil
	}
	addr, err := d.listen("tcp4", "127.0.0.1:0", s)
	if err != nil {
		return err
	}
	d.v4[s.port], d.v6[s.port] = addr, addr
	switch {
	case d.broken6:
		d.v6[s.port] = d.refused6
	case d.ipv6:
		d.v6[s.port], err = d.listen("tcp6", "[::1]:0", s)
	}
	return err
}

func (d *ports) listen(network, address string, s service) (string, error) {
	inner, err := net.Listen(network, address)
	if err != nil {
		return "", err
	}
	entry := &portListener{
		Listener: inner, ports: d, fault: s.fault, conns: map[*portConn]bool{}, serving: make(chan struct{}),
	}
	d.listeners = append(d.listeners, entry)
	var listener net.Listener = entry
	if s.implicit {
		listener = tls.NewListener(entry, d.implicitTLS)
	}
	d.serving.Go(func() {
		defer entry.begun()
		_ = s.server.Serve(listener)
	})
	return inner.Addr().String(), nil
}

func (d *ports) close() {
	d.closing.Do(func() {
		close(d.stop)
		for _, entry := range d.listeners {
			_ = entry.Listener.Close()
			<-entry.serving
		}
		for _, s := range d.services {
			_ = s.server.Close()
		}
		for _, entry := range d.listeners {
			entry.expel()
		}
		for _, dead := range d.dead {
			dead.Close()
		}
	})
	d.serving.Wait()
	d.connectionsOpen.Wait()
}

// Route says where a host and port of the provider really are. network is tcp, tcp4 or tcp6; host is one of the
// provider's names or a loopback address. Every other host and port leads to a port that refuses, so that nothing
// leaves the machine; ok is therefore always true.
func (p *Provider) Route(network, host string, port int) (address string, ok bool) {
	ip := net.ParseIP(host)
	v6 := network == "tcp6" || ip != nil && ip.To4() == nil
	table, refused := p.ports.v4, p.ports.refused4
	if v6 {
		table, refused = p.ports.v6, p.ports.refused6
	}
	known := slices.Contains([]string{SMTPHost, IMAPHost, MXHost, LoginHost}, host) || ip != nil && ip.IsLoopback()
	if address, open := table[port]; open && known {
		return address, true
	}
	return refused, true
}

// Dial connects to a host:port of the provider, using Route.
func (p *Provider) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	routed, _ := p.Route(network, host, port)
	return new(net.Dialer).DialContext(ctx, "tcp", routed)
}

// portListener is a listener that applies the port's fault to its connections, and keeps track of them.
type portListener struct {
	net.Listener
	ports *ports
	fault portFault

	mu    sync.Mutex
	conns map[*portConn]bool

	// serving is closed once the server accepts, or has ended. The server's Close must not run before: it waits for a
	// wait group that Serve adds to (imapserver).
	serving chan struct{}
	begin   sync.Once
}

// begun notes that the server is serving.
func (l *portListener) begun() { l.begin.Do(func() { close(l.serving) }) }

// Accept implements net.Listener.
func (l *portListener) Accept() (net.Conn, error) {
	l.begun()
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		v := &portConn{Conn: conn, listener: l}
		if !l.admit(v) {
			continue
		}
		if l.fault != faultSilent {
			return v, nil
		}
		l.ports.serving.Go(func() {
			_, _ = io.Copy(io.Discard, v) // until the client gives up
			_ = v.Close()
		})
	}
}

// admit registers a connection; it reports false if the provider has ended.
func (l *portListener) admit(v *portConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.ports.stop:
		_ = v.Conn.Close()
		return false
	default:
	}
	l.conns[v] = true
	l.ports.connectionsOpen.Add(1)
	return true
}

// expel breaks every connection. The services then close them, which close waits for.
func (l *portListener) expel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for v := range l.conns {
		_ = v.Conn.Close()
	}
}

// portConn is one connection.
type portConn struct {
	net.Conn
	listener *portListener
	spoken   bool
	mute     bool
	once     sync.Once
}

// errTurnedAway ends the session of a client whose STARTTLS was refused.
var errTurnedAway = errors.New("turned away after STARTTLS")

// startTLSReply is how the SMTP server begins its answer to STARTTLS.
var startTLSReply = []byte("220 2.0.0 Ready to start TLS")

// Write implements net.Conn and changes what the server sends as the port's fault requires.
func (v *portConn) Write(data []byte) (int, error) {
	if v.mute {
		return len(data), nil
	}
	first := !v.spoken
	v.spoken = true
	switch v.listener.fault {
	case faultSlow:
		if first && !v.wait() {
			return 0, net.ErrClosed
		}
	case faultTLSRefused:
		if bytes.HasPrefix(data, startTLSReply) {
			v.mute = true
			_, err := io.WriteString(v.Conn, "454 4.7.0 TLS not available due to local problem\r\n")
			return len(data), err
		}
	case faultInjected:
		if bytes.HasPrefix(data, startTLSReply) {
			injected := "250-" + SMTPHost + "\r\n250 AUTH PLAIN LOGIN\r\n"
			_, err := v.Conn.Write(append(bytes.Clone(data), injected...))
			return len(data), err
		}
	}
	return v.Conn.Write(data)
}

// Read implements net.Conn.
func (v *portConn) Read(data []byte) (int, error) {
	if v.mute {
		return 0, errTurnedAway
	}
	return v.Conn.Read(data)
}

func (v *portConn) wait() bool {
	select {
	case <-time.After(v.listener.ports.slow):
		return true
	case <-v.listener.ports.stop:
		return false
	}
}

// Close implements net.Conn.
func (v *portConn) Close() error {
	err := v.Conn.Close()
	v.once.Do(func() {
		v.listener.mu.Lock()
		delete(v.listener.conns, v)
		v.listener.mu.Unlock()
		v.listener.ports.connectionsOpen.Done()
	})
	return err
}
