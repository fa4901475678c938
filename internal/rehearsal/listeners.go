package rehearsal

import (
	"bytes"
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

// entrance is what happens to connections before a service sees them.
type entrance int

const (
	entranceOpen       entrance = iota
	entranceRefused             // RST to the SYN
	entranceSwallowed           // no answer to the SYN
	entranceSilent              // connected, and then nothing
	entranceSlow                // the first octets come late
	entranceTLSRefused          // 454 instead of 220 after STARTTLS
	entranceInjected            // bytes smuggled behind the 220 after STARTTLS
)

// service is one port of the provider.
type service struct {
	port     int
	implicit bool
	server   interface {
		Serve(net.Listener) error
		Close() error
	}
	entrance entrance
}

// doors are the listeners of the provider, and the dead ends for everything else.
type doors struct {
	services        []service
	v4, v6          map[int]string // port -> address, host:port
	listeners       []*door
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

func (p *Provider) openDoors() (*doors, error) {
	d := &doors{
		v4: map[int]string{}, v6: map[int]string{}, stop: make(chan struct{}),
		services: p.services(), implicitTLS: p.tls, slow: p.options.Slow, broken6: p.quirks.ipv6Broken,
	}
	if err := d.open(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *doors) open() error {
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

func (d *doors) openDeadEnds() error {
	var err error
	if d.refused4, err = d.deadEnd(deadport.Refused, "127.0.0.1"); err != nil {
		return err
	}
	d.refused6 = d.refused4
	if d.ipv6 {
		if d.refused6, err = d.deadEnd(deadport.Refused, "::1"); err != nil {
			return err
		}
	}
	swallows := func(s service) bool { return s.entrance == entranceSwallowed }
	if !slices.ContainsFunc(d.services, swallows) {
		return nil
	}
	if d.swallow4, err = d.deadEnd(deadport.Blackhole, "127.0.0.1"); err != nil {
		return err
	}
	d.swallow6 = d.swallow4
	if d.ipv6 {
		d.swallow6, err = d.deadEnd(deadport.Blackhole, "::1")
	}
	return err
}

func (d *doors) deadEnd(make func(string) (*deadport.Port, error), host string) (string, error) {
	dead, err := make(host)
	if err != nil {
		return "", err
	}
	d.dead = append(d.dead, dead)
	return dead.Addr(), nil
}

func (d *doors) openService(s service) error {
	switch s.entrance {
	case entranceRefused:
		d.v4[s.port], d.v6[s.port] = d.refused4, d.refused6
		return nil
	case entranceSwallowed:
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

func (d *doors) listen(network, address string, s service) (string, error) {
	inner, err := net.Listen(network, address)
	if err != nil {
		return "", err
	}
	entry := &door{Listener: inner, doors: d, entrance: s.entrance, conns: map[*visitor]bool{}}
	d.listeners = append(d.listeners, entry)
	var listener net.Listener = entry
	if s.implicit {
		listener = tls.NewListener(entry, d.implicitTLS)
	}
	d.serving.Go(func() { _ = s.server.Serve(listener) })
	return inner.Addr().String(), nil
}

func (d *doors) close() {
	d.closing.Do(func() {
		close(d.stop)
		for _, entry := range d.listeners {
			_ = entry.Listener.Close()
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
// provider's names or a loopback address. Whatever the provider does not have leads to a port that refuses, so that
// nothing leaves the machine; ok is therefore always true.
func (p *Provider) Route(network, host string, port int) (address string, ok bool) {
	ip := net.ParseIP(host)
	v6 := network == "tcp6" || ip != nil && ip.To4() == nil
	table, refused := p.doors.v4, p.doors.refused4
	if v6 {
		table, refused = p.doors.v6, p.doors.refused6
	}
	known := slices.Contains([]string{SMTPHost, IMAPHost, MXHost, LoginHost}, host) || ip != nil && ip.IsLoopback()
	if address, open := table[port]; open && known {
		return address, true
	}
	return refused, true
}

// Dial connects to a host:port of the provider by way of Route.
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

// door is a listener that does to connections what the entrance says, and knows them all.
type door struct {
	net.Listener
	doors    *doors
	entrance entrance

	mu    sync.Mutex
	conns map[*visitor]bool
}

// Accept implements net.Listener.
func (l *door) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		v := &visitor{Conn: conn, door: l}
		if !l.admit(v) {
			continue
		}
		if l.entrance != entranceSilent {
			return v, nil
		}
		l.doors.serving.Go(func() {
			_, _ = io.Copy(io.Discard, v) // until the client gives up
			_ = v.Close()
		})
	}
}

// admit notes a connection; it reports false when the provider has ended.
func (l *door) admit(v *visitor) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.doors.stop:
		_ = v.Conn.Close()
		return false
	default:
	}
	l.conns[v] = true
	l.doors.connectionsOpen.Add(1)
	return true
}

// expel breaks every connection; the service then closes it, which is what close waits for.
func (l *door) expel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for v := range l.conns {
		_ = v.Conn.Close()
	}
}

// visitor is one connection.
type visitor struct {
	net.Conn
	door   *door
	spoken bool
	mute   bool
	once   sync.Once
}

// errTurnedAway ends the session of a client that was told that there is no TLS.
var errTurnedAway = errors.New("turned away after STARTTLS")

// startTLSReply is how the SMTP server begins its answer to STARTTLS.
var startTLSReply = []byte("220 2.0.0 Ready to start TLS")

// Write implements net.Conn, with the entrance's changes to what the server says.
func (v *visitor) Write(data []byte) (int, error) {
	if v.mute {
		return len(data), nil
	}
	first := !v.spoken
	v.spoken = true
	switch v.door.entrance {
	case entranceSlow:
		if first && !v.wait() {
			return 0, net.ErrClosed
		}
	case entranceTLSRefused:
		if bytes.HasPrefix(data, startTLSReply) {
			v.mute = true
			_, err := io.WriteString(v.Conn, "454 4.7.0 TLS not available due to local problem\r\n")
			return len(data), err
		}
	case entranceInjected:
		if bytes.HasPrefix(data, startTLSReply) {
			injected := "250-" + SMTPHost + "\r\n250 AUTH PLAIN LOGIN\r\n"
			_, err := v.Conn.Write(append(bytes.Clone(data), injected...))
			return len(data), err
		}
	}
	return v.Conn.Write(data)
}

// Read implements net.Conn.
func (v *visitor) Read(data []byte) (int, error) {
	if v.mute {
		return 0, errTurnedAway
	}
	return v.Conn.Read(data)
}

func (v *visitor) wait() bool {
	timer := time.NewTimer(v.door.doors.slow)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-v.door.doors.stop:
		return false
	}
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	err := v.Conn.Close()
	v.once.Do(func() {
		v.door.mu.Lock()
		delete(v.door.conns, v)
		v.door.mu.Unlock()
		v.door.doors.connectionsOpen.Done()
	})
	return err
}
