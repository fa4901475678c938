// Package sasl is the client side of the mechanisms by which an account signs in over SMTP and IMAP. It returns what to
// send and touches no connection. The exchanges themselves are go-mail's. This package adds bounds on what a server may
// ask, checks the server's own proof, and recovers from panics caused by what a server sends.
package sasl

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"postier/internal/secret"
)

// The names of the mechanisms on the wire (IANA SASL Mechanisms).
const (
	Plain           = "PLAIN"
	Login           = "LOGIN"
	CRAMMD5         = "CRAM-MD5"
	SCRAMSHA1       = "SCRAM-SHA-1"
	SCRAMSHA256     = "SCRAM-SHA-256"
	SCRAMSHA1Plus   = "SCRAM-SHA-1-PLUS"
	SCRAMSHA256Plus = "SCRAM-SHA-256-PLUS"
	NTLM            = "NTLM"
	XOAuth2         = "XOAUTH2"
	OAuthBearer     = "OAUTHBEARER"
)

// RFC 7677 §4 asks for an iteration count of at least MinIterations; a count above a million would only cost this
// computer time (docs/security.md T17).
const (
	MinIterations = 4096
	maxIterations = 1_000_000
)

// Error is a fault of the server within an exchange. It is no refusal of the secret.
type Error struct{ what string }

func (e *Error) Error() string { return e.what }

// The faults that callers distinguish. Others have go-mail's text.
var (
	ErrIterations = &Error{"the server asks for an unreasonable SCRAM iteration count"}
	ErrUnproven   = &Error{"the server could not prove that it knows the password"}
	ErrChallenge  = &Error{"the server asked for more than the mechanism has"}
	ErrUnreadable = &Error{"the mechanism could not read the server's challenge"}
	ErrEncoding   = &Error{"the server's challenge is not base64"}
)

// Credentials are who signs in, and where.
type Credentials struct {
	Username string
	Secret   secret.Value
	// Host and Port are named to the server by OAUTHBEARER; without a port they are left out.
	Host string
	Port int
	// TLS is the connection's state, for channel binding; nil without TLS.
	TLS *tls.ConnectionState
	// LeastIterations is the lowest iteration count of SCRAM that is answered.
	LeastIterations int
}

// Mechanism is one exchange under way.
type Mechanism struct {
	Name string
	// Weak is set when SCRAM's iteration count is below MinIterations.
	Weak bool

	auth   smtp.Auth
	host   string
	least  int
	rounds int // how many challenges the mechanism has
	proven bool
}

// New begins an exchange. ok is false for a mechanism that is not known, or needs TLS where there is none.
func New(name string, c Credentials) (m *Mechanism, ok bool) {
	user, password := c.Username, c.Secret.Reveal()
	m = &Mechanism{Name: name, host: c.Host, least: c.LeastIterations}
	switch name {
	case Plain:
		// The client has already decided whether the password may be sent.
		m.auth = smtp.PlainAuth("", user, password, c.Host, true)
	case Login:
		m.auth, m.rounds = smtp.LoginAuth(user, password, c.Host, true), 2
	case CRAMMD5:
		m.auth, m.rounds = smtp.CRAMMD5Auth(user, password), 1
	case SCRAMSHA1:
		m.auth, m.rounds = smtp.ScramSHA1Auth(user, password), 2
	case SCRAMSHA256:
		m.auth, m.rounds = smtp.ScramSHA256Auth(user, password), 2
	case SCRAMSHA1Plus:
		m.auth, m.rounds = smtp.ScramSHA1PlusAuth(user, password, c.TLS), 2
	case SCRAMSHA256Plus:
		m.auth, m.rounds = smtp.ScramSHA256PlusAuth(user, password, c.TLS), 2
	case NTLM:
		domain, name := parseNTLM(user)
		m.auth, m.rounds = smtp.NTLMAuth(name, password, domain), 2
	case XOAuth2:
		m.auth, m.rounds = smtp.XOAuth2Auth(user, password), 1
	case OAuthBearer:
		m.auth, m.rounds = &bearer{user: user, token: password, host: c.Host, port: c.Port}, 1
	}
	return m, m.auth != nil && (c.TLS != nil || !strings.HasSuffix(name, "-PLUS"))
}

// parseNTLM splits DOMAIN\user.
func parseNTLM(user string) (domain, name string) {
	if d, n, ok := strings.Cut(user, `\`); ok {
		return d, n
	}
	return "", user
}

func (m *Mechanism) scram() bool { return strings.HasPrefix(m.Name, "SCRAM-") }

// Token reports whether a mechanism takes a token: then a challenge is the document in which the server explains a
// refusal (RFC 7628 §3.2.2), and no secret.
func (m *Mechanism) Token() bool { return m.Name == XOAuth2 || m.Name == OAuthBearer }

// Bare reports whether the initial response holds the secret itself.
func (m *Mechanism) Bare() bool { return m.Name == Plain || m.Token() }

// Start gives the initial response; nil means that the server speaks first.
func (m *Mechanism) Start() (initial []byte, err error) {
	defer guard(&err)
	_, initial, err = m.auth.Start(&smtp.ServerInfo{Name: m.host, TLS: true, Auth: []string{m.Name}})
	if err == nil && m.scram() {
		// The client speaks first (RFC 5802 §3), and go-mail only when it is asked.
		initial, err = m.auth.Next(nil, true)
	}
	return initial, err
}

// Next answers a challenge. The answer depends on the secret; an error never contains it.
func (m *Mechanism) Next(challenge []byte) (answer []byte, err error) {
	defer guard(&err)
	if m.rounds--; m.rounds < 0 {
		return nil, ErrChallenge
	}
	if !m.scram() {
		return m.auth.Next(challenge, true)
	}
	switch {
	case bytes.HasPrefix(challenge, []byte("r=")):
		if err := m.checkIterations(challenge); err != nil {
			return nil, err
		}
		return m.auth.Next(challenge, true)
	case bytes.HasPrefix(challenge, []byte("v=")):
		answer, err = m.auth.Next(challenge, true)
		m.proven = err == nil
		return answer, err
	case bytes.HasPrefix(challenge, []byte("e=")): // RFC 5802 §5.1: the server says why; its refusal follows
		return []byte{}, nil
	}
	return nil, ErrChallenge // among others m=, an extension that must be understood (RFC 5802 §5.1)
}

func (m *Mechanism) checkIterations(challenge []byte) error {
	for field := range strings.SplitSeq(string(challenge), ",") {
		if count, ok := strings.CutPrefix(field, "i="); ok {
			n, err := strconv.Atoi(count)
			if err != nil || n < max(m.least, 1) || n > maxIterations {
				return ErrIterations
			}
			m.Weak = n < MinIterations
			return nil
		}
	}
	return ErrIterations
}

// Done is called when the server has accepted the sign-in. With SCRAM the server must prove itself too (RFC 5802 §3),
// so acceptance without its signature is an error.
func (m *Mechanism) Done() error {
	if m.scram() && !m.proven {
		return ErrUnproven
	}
	return nil
}

// guard turns every error of an exchange into an *Error, and so a panic, because the mechanisms parse what the server
// sends.
func guard(err *error) {
	var known *Error
	switch {
	case recover() != nil:
		*err = ErrUnreadable
	case *err != nil && !errors.As(*err, &known):
		*err = &Error{(*err).Error()}
	}
}

// bearer is OAUTHBEARER (RFC 7628).
type bearer struct {
	user, token, host string
	port              int
}

// Start gives the initial response of RFC 7628 §3.1.
func (b *bearer) Start(*smtp.ServerInfo) (string, []byte, error) {
	where := ""
	if b.port != 0 {
		where = fmt.Sprintf("host=%s\x01port=%d\x01", b.host, b.port)
	}
	// RFC 5801 §4: = and , in an authorization identity are written =3D and =2C.
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.user)
	return OAuthBearer, []byte("n,a=" + user + ",\x01" + where + "auth=Bearer " + b.token + "\x01\x01"), nil
}

// Next answers the server's error document with the single octet of RFC 7628 §3.2.3.
func (b *bearer) Next([]byte, bool) ([]byte, error) { return []byte{1}, nil }
