package imap

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/internal/secret"
	"postier/internal/wire"
)

// Access says which mailbox to open and how to sign in to it.
type Access struct {
	// Server is where the mailbox is; Settle fills in what it leaves open.
	Server   config.Server
	Username string
	Secret   secret.Value
	// SecretType tells an OAuth token from a password: tokens have mechanisms of their own.
	SecretType config.SecretType
	// Pins are accepted SPKI fingerprints (docs/security.md T4).
	Pins []string
	// AllowCleartext is set only after a technician typed the host name.
	AllowCleartext bool
}

// impatience is how long a server may keep silent on the port of implicit TLS before that is taken for the reason:
// there both sides would wait for each other until the greeting's own deadline.
const impatience = 5 * time.Second

func greetingDeadline(server config.Server) time.Duration {
	if server.Security != config.SecurityTLS && server.Port == config.PortIMAPS {
		return impatience
	}
	return wire.GreetingDeadline
}

// StartTLS asks for TLS (RFC 9051 §6.2.1) and leaves the connection ready for the handshake. Capabilities learned
// before TLS are dropped there: anybody could have sent them.
func (s *Session) StartTLS(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.do(ctx, wire.CommandDeadline, &command{name: "CAPABILITY"}); err != nil {
			return err
		}
	}
	if !s.caps.Has(imap.CapStartTLS) {
		return ErrNoStartTLS
	}
	// Nothing is ever sent after STARTTLS before the handshake.
	return s.do(ctx, wire.CommandDeadline, &command{name: "STARTTLS"})
}

// Handshake brings TLS up and forgets what was said before. Whether secrets may follow is the report's verdict.
func (s *Session) Handshake(ctx context.Context) (wire.TLSReport, error) {
	report, err := s.conn.Handshake(ctx, s.access.Server.Host, s.access.Pins)
	s.caps, s.alerts = nil, nil
	if err != nil {
		return report, s.fail(err)
	}
	s.secure = report.Verified()
	s.listen()
	return report, nil
}

// AcceptCleartext lets the session sign in without TLS. It fails unless the access allows that.
func (s *Session) AcceptCleartext() error {
	if !s.access.AllowCleartext {
		return ErrInsecure
	}
	s.secure = true
	return nil
}

// Prepare brings the session to the moment before sign-in: it reads the greeting, unless that was done before, and
// learns the capabilities.
func (s *Session) Prepare(ctx context.Context) error {
	if !s.greeted {
		if err := s.Greet(ctx); err != nil {
			return err
		}
	}
	if len(s.caps) == 0 {
		return s.do(ctx, wire.CommandDeadline, &command{name: "CAPABILITY"})
	}
	return nil
}

// Step is where opening a session ended.
type Step string

// The steps of Open, in their order.
const (
	StepConnect     Step = "imap.connect"
	StepTLS         Step = "imap.tls"
	StepCertificate Step = "imap.certificate"
	StepAuth        Step = "imap.auth"
)

// StepError says at which step opening a session ended.
type StepError struct {
	Step Step
	Err  error
	// TLS is the handshake's report when the certificate was refused.
	TLS wire.TLSReport
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }

func (e *StepError) Unwrap() error { return e.Err }

// Open connects, secures and signs in, for code that needs a mailbox and not a verdict on each step. The error is a
// *StepError. It signs in once; after a refusal it must not be called again with the same secret.
func Open(ctx context.Context, network *wire.Network, access Access, recorder *wire.Recorder) (*Session, error) {
	if access.Server.Host == "" {
		return nil, &StepError{Step: StepConnect, Err: ErrNoServer}
	}
	access.Server = Settle(ctx, network, access.Server)
	access.AllowCleartext = network.Policy.Cleartext(access.AllowCleartext)
	addresses, err := network.Addresses(ctx, access.Server.Host)
	if err != nil {
		return nil, &StepError{Step: StepConnect, Err: err}
	}
	conn, attempts := network.ConnectAny(ctx, access.Server.Host, access.Server.Port, addresses, recorder)
	if conn == nil {
		err = wire.ErrNoAddress
		if len(attempts) > 0 {
			err = attempts[len(attempts)-1].Err
		}
		return nil, &StepError{Step: StepConnect, Err: err}
	}
	s := New(conn, access)
	if failed := s.climb(ctx); failed != nil {
		s.Close()
		return nil, failed
	}
	return s, nil
}

// climb takes a fresh connection through the steps up to the sign-in.
func (s *Session) climb(ctx context.Context) *StepError {
	fail := func(step Step, err error) *StepError { return &StepError{Step: step, Err: err} }
	switch s.access.Server.Security {
	case config.SecurityNone:
		if err := s.AcceptCleartext(); err != nil {
			return fail(StepTLS, err)
		}
	case config.SecurityStartTLS:
		if err := s.Greet(ctx); err != nil {
			return fail(StepConnect, err)
		}
		if err := s.StartTLS(ctx); err != nil {
			return fail(StepTLS, err)
		}
	}
	if s.access.Server.Security != config.SecurityNone {
		report, err := s.Handshake(ctx)
		if err != nil {
			return fail(StepTLS, err)
		}
		if !report.Verified() {
			return &StepError{Step: StepCertificate, Err: report.Err, TLS: report}
		}
	}
	if err := s.Prepare(ctx); err != nil {
		return fail(StepAuth, err)
	}
	if _, err := s.SignIn(ctx); err != nil {
		return fail(StepAuth, err)
	}
	return nil
}
