// Package nameserver is a DNS server on loopback that answers from the text of a zone.
//
// It behaves like a recursive resolver: it follows aliases, answers NXDOMAIN with the SOA of the enclosing zone (RFC
// 2308 §3), and sets RA.
package nameserver

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/miekg/dns"
)

// Server is a running DNS server.
type Server struct {
	udp, tcp *dns.Server
	addr     string
	done     sync.WaitGroup
	closing  sync.Once
}

// Serve lets a handler, usually a Zone, answer on a free port of 127.0.0.1, the same one for UDP and TCP. Close ends
// it.
func Serve(handler dns.Handler) (*Server, error) {
	listener, conn, err := listenBoth()
	if err != nil {
		return nil, err
	}
	return serve(handler, listener, conn), nil
}

// ServeAt lets a handler answer on an address of its own, host:port. Close ends it.
func ServeAt(address string, handler dns.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for DNS over TCP: %w", err)
	}
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("listen for DNS over UDP: %w", err)
	}
	return serve(handler, listener, conn), nil
}

func serve(handler dns.Handler, listener net.Listener, conn net.PacketConn) *Server {
	started := make(chan struct{}, 2)
	notify := func() { started <- struct{}{} }
	s := &Server{
		addr: conn.LocalAddr().String(),
		udp:  &dns.Server{PacketConn: conn, Handler: handler, NotifyStartedFunc: notify},
		tcp:  &dns.Server{Listener: listener, Handler: handler, NotifyStartedFunc: notify},
	}
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		s.done.Go(func() { _ = server.ActivateAndServe() })
	}
	<-started
	<-started
	return s
}

// listenBoth finds a port that is free for TCP and for UDP.
func listenBoth() (net.Listener, net.PacketConn, error) {
	const attempts = 20 // another process may hold the UDP port of the number that TCP was given
	var last error
	for range attempts {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("listen for DNS over TCP: %w", err)
		}
		conn, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return listener, conn, nil
		}
		last = err
		_ = listener.Close()
	}
	return nil, nil, fmt.Errorf("listen for DNS on one port for UDP and TCP: %w", last)
}

// Addr is the server's address, host:port, for UDP and TCP.
func (s *Server) Addr() string { return s.addr }

// Close stops the server and waits for its goroutines.
func (s *Server) Close() {
	s.closing.Do(func() {
		_ = s.udp.Shutdown()
		_ = s.tcp.Shutdown()
		s.done.Wait()
	})
}

// Resolver is a net.Resolver that asks this server and no other.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		},
	}
}
