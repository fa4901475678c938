package imap

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// silenceLimit is how long we wait for a greeting on the port of implicit TLS when no TLS is expected there. A server
// that expects TLS waits for us to speak first, so a longer wait would only end at the greeting's own deadline.
const silenceLimit = 5 * time.Second

func greetingDeadline(server config.Server) time.Duration {
	if server.Security != config.SecurityTLS && server.Port == config.PortIMAPS {
		return silenceLimit
	}
	return wire.GreetingDeadline
}

// StartTLS asks for TLS (RFC 9051 §6.2.1) and leaves the connection ready for the handshake. Capabilities received
// before TLS are dropped, since an attacker could have sent them.
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

// Handshake starts TLS and drops what was received before. The report says whether secrets may be sent.
func (s *Session) Handshake(ctx context.Context) (wire.TLSReport, error) {
	report, err := s.conn.Handshake(ctx, s.account.Server.Host, s.account.Pins)
	s.caps, s.alerts, s.offersID, s.stale = nil, nil, false, false
	if err != nil {
		return report, s.fail(err)
	}
	s.secure = report.Verified()
	s.listen()
	return report, nil
}

// AcceptCleartext lets the session sign in without TLS. It fails unless the account allows that.
func (s *Session) AcceptCleartext() error {
	if !s.account.AllowCleartext {
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

// Step is a step of opening a session.
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

// stepError wraps an error with the step at which it happened; nil stays nil.
func stepError(step Step, err error) error {
	if err == nil {
		return nil
	}
	return &StepError{Step: step, Err: err}
}

// Open connects, secures and signs in, for code that needs a mailbox and not a verdict on each step. The error is a
// *StepError. It signs in once; after a refusal it must not be called again with the same secret.
func Open(ctx context.Context, network *wire.Network, account sasl.Account, recorder *wire.Recorder) (*Session, error) {
	if account.Server.Host == "" {
		return nil, stepError(StepConnect, ErrNoServer)
	}
	account.Server = Settle(ctx, network, account.Server)
	account.AllowCleartext = network.Policy.Cleartext(account.AllowCleartext)
	conn, err := Connect(ctx, network, account.Server, recorder)
	if err != nil {
		return nil, stepError(StepConnect, err)
	}
	s := New(conn, account)
	if err := s.establish(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Connect connects to a server whose port and security are settled.
func Connect(ctx context.Context, network *wire.Network, server config.Server, recorder *wire.Recorder) (*wire.Conn,
	error,
) {
	addresses, err := network.Addresses(ctx, server.Host)
	if err != nil {
		return nil, err
	}
	conn, attempts := network.ConnectAny(ctx, server.Host, server.Port, addresses, recorder)
	switch {
	case conn != nil:
		return conn, nil
	case len(attempts) == 0:
		return nil, wire.ErrNoAddress
	}
	return nil, attempts[len(attempts)-1].Err
}

// establish takes a new connection through the steps up to the sign-in.
func (s *Session) establish(ctx context.Context) (err error) {
	security := s.account.Server.Security
	switch security {
	case config.SecurityNone:
		err = stepError(StepTLS, s.AcceptCleartext())
	case config.SecurityStartTLS:
		if err = stepError(StepConnect, s.Greet(ctx)); err == nil {
			err = stepError(StepTLS, s.StartTLS(ctx))
		}
	}
	if err == nil && security != config.SecurityNone {
		err = s.Verify(ctx)
	}
	if err == nil {
		err = stepError(StepAuth, s.Prepare(ctx))
	}
	if err == nil {
		_, err = s.SignIn(ctx)
		err = stepError(StepAuth, err)
	}
	return err
}

// Verify starts TLS and requires a valid certificate. The error is a *StepError.
func (s *Session) Verify(ctx context.Context) error {
	report, err := s.Handshake(ctx)
	if err == nil && !report.Verified() {
		return &StepError{Step: StepCertificate, Err: report.Err, TLS: report}
	}
	return stepError(StepTLS, err)
}
