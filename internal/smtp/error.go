package smtp

import (
	"errors"
	"fmt"
	"time"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/sasl"
	"postier/internal/secret"
	"postier/internal/wire"
)

// Step is a part of a submission.
type Step string

// The steps, in the order in which a submission takes them with implicit TLS.
const (
	StepResolve     Step = "resolve"
	StepConnect     Step = "connect"
	StepTLS         Step = "tls" // with STARTTLS from the EHLO before it on
	StepInjection   Step = "injection"
	StepGreeting    Step = "greeting"
	StepCertificate Step = "certificate"
	StepHello       Step = "hello"
	StepMechanism   Step = "mechanism"
	StepAuth        Step = "auth"
	StepSender      Step = "sender"
	StepRecipient   Step = "recipient"
	StepData        Step = "data"
)

// Error says at which step a submission stopped, and why: the server's refusal (Reply), a fault of the connection or a
// finding of the client (Err), or both.
type Error struct {
	Step  Step
	Err   error
	Reply Reply // its code is 0 when no whole reply led to the error
	// Said is what came from the server, without any form of the secret.
	Said safetext.Remote
	// Secret is the kind of secret that was shown at StepAuth.
	Secret config.SecretType
	// Letters says what kind of letters that secret holds.
	Letters secret.Letters
	// Lost is true when the message had been written whole and the reply to it did not come. Then only the server knows
	// whether it accepted the message (RFC 1047), and sending again could deliver it twice (docs/security.md T18).
	Lost bool
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("submission stopped at %s: %d %s", e.Step, e.Reply.Code, e.Reply.Enhanced)
	}
	return fmt.Sprintf("submission stopped at %s: %v", e.Step, e.Err)
}

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// State says whether a message was accepted.
type State string

// The states. With unknown the message may have been delivered, so it must not be sent again before someone has looked
// into the mailboxes.
const (
	StateAccepted State = "accepted"
	StateRefused  State = "refused"
	StateUnknown  State = "unknown"
	StateNotSent  State = "not-sent"
)

// StateOf returns the state of the message after an error of Send.
func StateOf(err error) State {
	var e *Error
	switch {
	case err == nil:
		return StateAccepted
	case !errors.As(err, &e):
		return StateNotSent
	case e.Lost:
		return StateUnknown
	case e.Reply.Code != 0:
		return StateRefused
	}
	return StateNotSent
}

// The findings of the client, used as Err of an Error.
var (
	ErrHost        = errors.New("the server's name is malformed")
	ErrNoTLS       = errors.New("the connection is not encrypted")
	ErrNoStartTLS  = errors.New("the server does not offer STARTTLS")
	ErrOverwritten = errors.New("something on the way has overwritten the server's words")
	ErrStartTLS    = errors.New("the server refused STARTTLS")
	ErrWantsTLS    = errors.New("the server waits for TLS")
	ErrNoKey       = errors.New("the server agreed to TLS and could not begin it")
	ErrNoAuth      = errors.New("the server offers no sign-in")
	ErrNoMechanism = errors.New("the server offers no sign-in that fits")
	ErrMechanism   = errors.New("the server refused the mechanism that it offered")
	ErrOnlyTokens  = errors.New("the server takes tokens alone")
	ErrNoSecret    = errors.New("there is no secret to sign in with")
	ErrUTF8        = errors.New("the address needs SMTPUTF8, which the server does not offer")
	ErrAddress     = errors.New("not an address that can be put into a command")
	ErrTooLarge    = errors.New("the message is larger than the server takes")
	errLineBreak   = errors.New("a command must not contain CR, LF or NUL")
	errNoData      = errors.New("the server was not asked to take the message")
)

// ErrOver says that a connection that carried messages before takes no further one. Nothing of this message was handed
// over, so it may be sent over a new connection.
var ErrOver = errors.New("the connection has ended")

// finding is an error of the connection together with what it means: the text is the error's, errors.Is finds both.
type finding struct {
	error
	what error
}

func (f finding) Is(target error) bool { return target == f.what }
func (f finding) Unwrap() error        { return f.error }

// CertificateError says that the chain was not valid for the host at a given time.
type CertificateError struct {
	TLS wire.TLSReport
	At  time.Time
}

func (e *CertificateError) Error() string { return e.TLS.Err.Error() }

// Unwrap gives the report's error.
func (e *CertificateError) Unwrap() error { return e.TLS.Err }

// failure adds the step to an error, unless it has one already.
func (c *Client) failure(step Step, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	if errors.Is(err, wire.ErrInjected) {
		step = StepInjection
	}
	e = &Error{Step: step, Err: err}
	var protocol *ProtocolError
	if errors.As(err, &protocol) {
		text := c.Clean(protocol.Seen.Raw()).Raw()
		e.Said = safetext.FromRemote(text[:min(len(text), maxStrange)])
	}
	return e
}

// maxStrange is how many octets of an invalid reply are kept.
const maxStrange = 500

// refused is the error for a refusal. err adds the reason where the step alone does not tell it.
func (c *Client) refused(step Step, r Reply, err error) *Error {
	return &Error{Step: step, Err: err, Reply: r, Said: c.Clean(r.Text())}
}

// Clean masks every form of the secret in text from the server, which may echo it.
func (c *Client) Clean(text string) safetext.Remote {
	return safetext.FromRemote(c.account.Secret.Redact(text, sasl.Names(c.account.Server.Username, false)...))
}
