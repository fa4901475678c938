// Package served is the SSH server of `postier serve`: it lets people in by their keys, gives each of them a terminal,
// and runs the same front ends there as in a login shell.
//
// It offers terminals and nothing else: no command, no file transfer, no forwarding of ports, agents or displays (RFC
// 4254 §6.3, §6.5, §7). What a client sends is limited before it costs anything: connections and handshakes, sessions,
// the size of the window, keys and pastes, and time. See docs/security.md T14.
package served

import (
	"context"
	"errors"
	"io"
	"net"

	"charm.land/ssh"
	"charm.land/wish/v2"
	gossh "golang.org/x/crypto/ssh"
)

// Options are what a server needs. Keys, HostKey and Run must be given.
type Options struct {
	Keys    *Keys
	HostKey gossh.Signer
	Limits  Limits
	// Run is the program at a session's terminal. It ends soon after its context.
	Run func(ctx context.Context, s *Session) error
	// Code is the exit code of what Run returned; nil gives 0 and 1.
	Code func(error) int
	// Audit gets one line for each sign-in, end and refusal.
	Audit io.Writer
}

// Server is an SSH server.
type Server struct {
	keys   *Keys
	limits Limits
	run    func(context.Context, *Session) error
	code   func(error) int
	audit  *audit
	places *places
	ssh    *ssh.Server

	ending context.Context
	end    context.CancelFunc
}

// connectionKey is under what a connection is found in the context of its session.
type contextKey struct{}

var connectionKey contextKey

// New makes a server.
func New(o Options) (*Server, error) {
	s := &Server{
		keys: o.Keys, limits: o.Limits.complete(), run: o.Run, code: o.Code, audit: newAudit(o.Audit),
	}
	if s.code == nil {
		s.code = func(err error) int {
			if err != nil {
				return 1
			}
			return 0
		}
	}
	s.places = newPlaces(s.limits)
	s.ending, s.end = context.WithCancel(context.Background())
	var err error
	s.ssh, err = wish.NewServer(
		wish.WithVersion("postier"), wish.WithPublicKeyAuth(s.signIn), s.closed(o.HostKey),
	)
	return s, err
}

// closed sets up the server so that nothing is open that is not asked for.
func (s *Server) closed(key gossh.Signer) ssh.Option {
	return func(server *ssh.Server) error {
		server.AddHostKey(key)
		server.HandshakeTimeout = s.limits.Handshake
		server.MaxTimeout = s.limits.Absolute + 2*s.limits.Farewell //nolint:mnd // the session ends itself before
		server.ServerConfigCallback = s.config
		server.ConnCallback = func(ctx ssh.Context, conn net.Conn) net.Conn {
			ctx.SetValue(connectionKey, conn)
			return conn
		}
		server.ConnectionFailedCallback = func(conn net.Conn, err error) { s.audit.refused(conn.RemoteAddr(), err.Error()) }
		server.ChannelHandlers = map[string]ssh.ChannelHandler{
			"session": s.take,
			"default": func(_ *ssh.Server, _ *gossh.ServerConn, offered gossh.NewChannel, _ ssh.Context) {
				_ = offered.Reject(gossh.Prohibited, "this server offers terminals only, and forwards nothing")
			},
		}
		server.RequestHandlers = map[string]ssh.RequestHandler{}
		return nil
	}
}

// config is the cryptography: what current clients prefer, without what is known to be weak. x/crypto knows no
// compression, and numbers the packets of a handshake from its start when the client does (connection insists on that).
func (s *Server) config(ssh.Context) *gossh.ServerConfig {
	return &gossh.ServerConfig{
		Config: gossh.Config{
			KeyExchanges: []string{
				gossh.KeyExchangeMLKEM768X25519, gossh.KeyExchangeCurve25519, gossh.KeyExchangeECDHP256,
				gossh.KeyExchangeECDHP384, gossh.KeyExchangeECDHP521,
			},
			Ciphers: []string{gossh.CipherAES256GCM, gossh.CipherAES128GCM, gossh.CipherChaCha20Poly1305},
			MACs:    []string{gossh.HMACSHA256ETM, gossh.HMACSHA512ETM},
		},
		MaxAuthTries: s.limits.Tries,
		PublicKeyAuthAlgorithms: []string{
			gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256, gossh.KeyAlgoECDSA256,
			gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521, gossh.KeyAlgoRSASHA256, gossh.KeyAlgoRSASHA512,
		},
	}
}

// signIn decides by the key alone. The library keeps the key that was proven, not the last one that was asked about
// (CVE-2024-45337), and take looks it up again.
func (s *Server) signIn(_ ssh.Context, key ssh.PublicKey) bool {
	_, known := s.keys.account(key)
	return known
}

// Serve lets clients in until ctx ends. Then the sessions store what they have and end, and it returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		s.end()
	})
	defer stop()
	s.audit.write("listening", address(l.Addr()))
	err := s.ssh.Serve(&listener{l, s})
	if ctx.Err() == nil {
		s.end()
		return err
	}
	closing, cancel := context.WithTimeout(context.Background(), 2*s.limits.Farewell) //nolint:mnd // program and terminal
	defer cancel()
	if err := s.ssh.Shutdown(closing); err != nil && !errors.Is(err, net.ErrClosed) {
		_ = s.ssh.Close()
	}
	s.audit.write("stopped")
	return nil
}
