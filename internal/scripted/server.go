package scripted

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync"

	"postier/internal/secret"
)

// Options describe a server; the zero Options are a plain server without TLS.
type Options struct {
	Script Script
	// Certificate switches TLS on: STARTTLS is offered, or, with ImplicitTLS, spoken from the first octet.
	Certificate *tls.Certificate
	ImplicitTLS bool
	// TLS takes the place of the configuration made from Certificate.
	TLS *tls.Config
	// Capabilities are EHLO keywords or IMAP capabilities before TLS, CapabilitiesTLS inside it; nil means the usual.
	Capabilities    []string
	CapabilitiesTLS []string
	// Domain is the name in the greeting, by default mail.example.
	Domain string
	// Listen is the address to listen on, by default 127.0.0.1:0.
	Listen string
}

// Record is something that a client sent.
type Record struct {
	Conn  int // 1 for the first connection
	TLS   bool
	Phase string
	Data  []byte
}

// Server is a scripted server.
type Server struct {
	options  Options
	dialect  dialect
	config   *tls.Config
	listener net.Listener
	done     sync.WaitGroup
	stop     chan struct{}
	closing  sync.Once

	mu      sync.Mutex
	conns   map[net.Conn]bool
	count   int
	records []Record
}

// dialect is a protocol: what it says by default, and how it reads commands.
type dialect interface {
	greeting() Action
	serve(s *session)
}

// StartSMTP starts a scripted SMTP server that ends with the test.
func StartSMTP(t TB, o Options) *Server { t.Helper(); return start(t, o, smtpDialect{}) }

// StartIMAP starts a scripted IMAP server that ends with the test.
func StartIMAP(t TB, o Options) *Server { t.Helper(); return start(t, o, imapDialect{}) }

// ServeSMTP starts a scripted SMTP server outside a test; Close ends it.
func ServeSMTP(o Options) (*Server, error) { return serve(o, smtpDialect{}) }

// ServeIMAP starts a scripted IMAP server outside a test; Close ends it.
func ServeIMAP(o Options) (*Server, error) { return serve(o, imapDialect{}) }

func start(t TB, o Options, d dialect) *Server {
	t.Helper()
	s, err := serve(o, d)
	if err != nil {
		t.Fatalf("scripted: %v", err)
		return nil
	}
	t.Cleanup(s.Close)
	return s
}

func serve(o Options, d dialect) (*Server, error) {
	if o.Domain == "" {
		o.Domain = "mail.example"
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	s := &Server{
		options: o, dialect: d, listener: listener, config: o.TLS,
		stop: make(chan struct{}), conns: map[net.Conn]bool{},
	}
	if s.config == nil && o.Certificate != nil {
		s.config = &tls.Config{Certificates: []tls.Certificate{*o.Certificate}}
	}
	s.done.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.count++
		id := s.count
		s.conns[conn] = true
		s.mu.Unlock()
		s.done.Go(func() {
			newSession(s, conn, id).run()
			_ = conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

// Addr is the server's address, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the server's port.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.Addr())
	n, _ := strconv.Atoi(port)
	return n
}

// Close ends the server and its connections, and waits for its goroutines.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.stop)
		_ = s.listener.Close()
		s.mu.Lock()
		for conn := range s.conns {
			_ = conn.Close()
		}
		s.mu.Unlock()
	})
	s.done.Wait()
}

// Connections is the number of connections so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Open is the number of connections that are still there.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Records lists what clients sent, in order of arrival: lines, messages, literals.
func (s *Server) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Record(nil), s.records...)
}

// Commands lists the phases of the records, without hidden parts such as messages.
func (s *Server) Commands() []string {
	var out []string
	for _, r := range s.Records() {
		out = append(out, r.Phase)
	}
	return out
}

// Received is everything that clients sent, decrypted.
func (s *Server) Received() []byte { return s.received(func(Record) bool { return true }) }

// ReceivedPlain is what clients sent outside TLS.
func (s *Server) ReceivedPlain() []byte { return s.received(func(r Record) bool { return !r.TLS }) }

func (s *Server) received(want func(Record) bool) []byte {
	var out bytes.Buffer
	for _, r := range s.Records() {
		if want(r) {
			out.Write(r.Data)
		}
	}
	return out.Bytes()
}

// NoSecret reports an error when any form of the secret reached the server, inside TLS or outside.
func (s *Server) NoSecret(t TB, v secret.Value, users ...string) {
	t.Helper()
	noSecret(t, s.Received(), "the server", v, users)
}

// NoSecretInClear reports an error when any form of the secret was sent outside TLS.
func (s *Server) NoSecretInClear(t TB, v secret.Value, users ...string) {
	t.Helper()
	noSecret(t, s.ReceivedPlain(), "the wire in clear", v, users)
}

func noSecret(t TB, received []byte, where string, v secret.Value, users []string) {
	t.Helper()
	for i, form := range v.Forms(users...) {
		if bytes.Contains(received, []byte(form)) {
			t.Errorf("the secret reached %s, in form %d of secret.Forms", where, i)
		}
	}
}

func (s *Server) record(r Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}
