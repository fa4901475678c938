package imap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/wire"
)

// The registered ports (RFC 8314 §7.2, RFC 9051 §2.1).
const (
	portTLS   = 993
	portClear = 143
)

// settle fills in port and security. Auto means implicit TLS, or STARTTLS on the port that is made for it; never
// cleartext.
func settle(server config.Server) config.Server {
	if server.Security == "" {
		server.Security = config.SecurityAuto
	}
	if server.Security == config.SecurityAuto {
		server.Security = config.SecurityTLS
		if server.Port == portClear {
			server.Security = config.SecurityStartTLS
		}
	}
	if server.Port == 0 {
		server.Port = portTLS
		if server.Security != config.SecurityTLS {
			server.Port = portClear
		}
	}
	return server
}

// username is the name to sign in with.
func username(target account.Target) string {
	if target.IMAP.Username != "" {
		return target.IMAP.Username
	}
	if target.Submission.Username != "" {
		return target.Submission.Username
	}
	return target.Address
}

// impatience is how long a server may keep silent on the port of implicit TLS before that is taken for the reason:
// there both sides would wait for each other until the greeting's own deadline.
const impatience = 5 * time.Second

func greetingDeadline(server config.Server) time.Duration {
	if server.Security != config.SecurityTLS && server.Port == portTLS {
		return impatience
	}
	return wire.GreetingDeadline
}

// startTLS asks for TLS (RFC 9051 §6.2.1) and leaves the connection ready for the handshake. What was learned before is
// dropped: anybody could have said it.
func (s *Session) startTLS(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.do(ctx, wire.CommandDeadline, &command{name: "CAPABILITY"}); err != nil {
			return err
		}
	}
	if !s.has("STARTTLS") {
		return errStripped
	}
	// Nothing is ever sent behind STARTTLS before the handshake.
	return s.do(ctx, wire.CommandDeadline, &command{name: "STARTTLS"})
}

// handshake brings TLS up and forgets what was said before. Whether secrets may follow is the report's verdict.
func (s *Session) handshake(ctx context.Context, host string, pins []string) (wire.TLSReport, error) {
	report, err := s.conn.Handshake(ctx, host, pins)
	s.caps, s.alerts = nil, nil
	if err != nil {
		return report, s.fail(err)
	}
	s.secure = report.Verified()
	s.listen()
	return report, nil
}

// ready brings the session from verified TLS to the moment before sign-in: greeting and capabilities.
func (s *Session) ready(ctx context.Context, server config.Server) error {
	if !s.greeted {
		if err := s.greet(ctx, greetingDeadline(server)); err != nil {
			return err
		}
	}
	if len(s.caps) == 0 {
		return s.do(ctx, wire.CommandDeadline, &command{name: "CAPABILITY"})
	}
	return nil
}

// enter signs in and drops the capabilities unless the server told the new ones itself.
func (s *Session) enter(ctx context.Context, target account.Target) (signedIn, error) {
	before := s.learned
	done, err := s.signIn(ctx, target)
	if err == nil && s.learned == before {
		s.caps = nil // asked again with the next flight
	}
	return done, err
}

// ErrNoIMAP says that the target has no IMAP server.
var ErrNoIMAP = errors.New("no IMAP server is set")

// StepError says at which step opening a session ended.
type StepError struct {
	Step diagnostics.ID
	Err  error
	TLS  wire.TLSReport
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }

func (e *StepError) Unwrap() error { return e.Err }

// Open connects, secures and signs in, for code that needs a mailbox and not a verdict on each step. The error is a
// *StepError. It signs in once; after a refusal it must not be called again with the same secret.
func Open(ctx context.Context, network *wire.Network, target account.Target, recorder *wire.Recorder) (*Session,
	error,
) {
	if target.IMAP == nil {
		return nil, &StepError{Step: diagnostics.IMAPConnect, Err: ErrNoIMAP}
	}
	target.AllowCleartext = network.Policy.Cleartext(target.AllowCleartext)
	server := settle(*target.IMAP)
	addresses, err := network.Addresses(ctx, server.Host)
	if err != nil {
		return nil, &StepError{Step: diagnostics.IMAPConnect, Err: err}
	}
	conn, attempts := network.ConnectAny(ctx, server.Host, server.Port, addresses, recorder)
	if conn == nil {
		err = wire.ErrNoAddress
		if len(attempts) > 0 {
			err = attempts[len(attempts)-1].Err
		}
		return nil, &StepError{Step: diagnostics.IMAPConnect, Err: err}
	}
	s := newSession(conn, target.Secret, username(target))
	if failed := s.climb(ctx, server, target); failed != nil {
		s.Close()
		return nil, failed
	}
	return s, nil
}

func (s *Session) climb(ctx context.Context, server config.Server, target account.Target) *StepError {
	fail := func(step diagnostics.ID, err error) *StepError { return &StepError{Step: step, Err: err} }
	switch server.Security {
	case config.SecurityNone:
		if !target.AllowCleartext {
			return fail(diagnostics.IMAPTLS, errInsecure)
		}
		s.secure = true
	case config.SecurityStartTLS:
		if err := s.greet(ctx, greetingDeadline(server)); err != nil {
			return fail(diagnostics.IMAPConnect, err)
		}
		if err := s.startTLS(ctx); err != nil {
			return fail(diagnostics.IMAPTLS, err)
		}
	}
	if server.Security != config.SecurityNone {
		report, err := s.handshake(ctx, server.Host, target.Pins)
		if err != nil {
			return fail(diagnostics.IMAPTLS, err)
		}
		if !report.Verified() {
			return &StepError{Step: diagnostics.IMAPCertificate, Err: report.Err, TLS: report}
		}
	}
	if err := s.ready(ctx, server); err != nil {
		return fail(diagnostics.IMAPAuth, err)
	}
	if _, err := s.enter(ctx, target); err != nil {
		return fail(diagnostics.IMAPAuth, err)
	}
	return nil
}

// FiledByProvider looks whether a copy of a message that was just sent already stands in the folder for sent mail,
// without anybody having put it there: then the provider files copies itself, and an APPEND would make a second one.
func FiledByProvider(ctx context.Context, network *wire.Network, target account.Target, messageID string) (bool,
	error,
) {
	s, err := Open(ctx, network, target, nil)
	if err != nil {
		return false, err
	}
	defer s.Close()
	listing, err := s.Folders(ctx)
	if err != nil {
		return false, err
	}
	sent := SentOf(listing, target)
	if !sent.Found {
		return false, nil
	}
	uids, err := s.FindIn(ctx, sent.Folder, messageID)
	return len(uids) > 0, err
}

// FindIn is Select and then Find.
func (s *Session) FindIn(ctx context.Context, folder Folder, messageID string) ([]UID, error) {
	if err := s.Select(ctx, folder); err != nil {
		return nil, err
	}
	return s.Find(ctx, messageID)
}

// SentOf finds the folder for sent mail by the target's setting and preset.
func SentOf(l Listing, target account.Target) Choice {
	return l.Sent(target.SentFolder, preferred(target.Provider)...)
}
