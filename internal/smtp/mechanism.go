package smtp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"postier/config"
)

// The names of the mechanisms on the wire (IANA SASL Mechanisms).
const (
	mechPlain       = "PLAIN"
	mechLogin       = "LOGIN"
	mechCRAM        = "CRAM-MD5"
	mechSCRAM1      = "SCRAM-SHA-1"
	mechSCRAM256    = "SCRAM-SHA-256"
	mechSCRAM1Plus  = "SCRAM-SHA-1-PLUS"
	mechSCRAM256Pls = "SCRAM-SHA-256-PLUS"
	mechNTLM        = "NTLM"
	mechXOAuth2     = "XOAUTH2"
	mechOAuthBearer = "OAUTHBEARER"
)

// Orders of preference. With a password: those that prove it without showing it, then those that show it inside TLS.
// CRAM-MD5 comes after PLAIN, because inside TLS it protects nothing and asks the server to keep the password
// readable. NTLM only when there is nothing else.
var (
	passwordOrder = []string{
		mechSCRAM256Pls, mechSCRAM256, mechSCRAM1Plus, mechSCRAM1, mechPlain, mechLogin, mechCRAM,
		mechNTLM,
	}
	tokenOrder = []string{mechXOAuth2, mechOAuthBearer}
)

// wanted lists the wire names that fit the configured mechanism, best first.
func wanted(m config.Mechanism, token bool) []string {
	switch m {
	case config.MechanismPlain:
		return []string{mechPlain}
	case config.MechanismLogin:
		return []string{mechLogin}
	case config.MechanismCRAMMD5:
		return []string{mechCRAM}
	case config.MechanismSCRAMSHA1:
		return []string{mechSCRAM1Plus, mechSCRAM1}
	case config.MechanismSCRAMSHA256:
		return []string{mechSCRAM256Pls, mechSCRAM256}
	case config.MechanismNTLM:
		return []string{mechNTLM}
	case config.MechanismXOAuth2:
		return []string{mechXOAuth2}
	case config.MechanismOAuthBearer:
		return []string{mechOAuthBearer}
	}
	if token {
		return tokenOrder
	}
	return passwordOrder
}

// choose picks the mechanism, or "" when none fits. Channel binding needs TLS; servers that offer -PLUS without it
// exist.
func choose(offered []string, m config.Mechanism, token, tls bool) string {
	for _, name := range wanted(m, token) {
		if slices.Contains(offered, name) && (tls || !strings.HasSuffix(name, "-PLUS")) {
			return name
		}
	}
	return ""
}

// Bounds of the iteration count of SCRAM (docs/security.md T17). RFC 7677 §4 asks for at least 4096; a count beyond a
// million is an attack on this computer's time.
const (
	minIterations = 4096
	maxIterations = 1_000_000
)

var (
	errIterations = &MechanismError{"the server asks for an unreasonable SCRAM iteration count"}
	errUnproven   = &MechanismError{"the server could not prove that it knows the password"}
	errChallenge  = &MechanismError{"the server asked for more than the mechanism has"}
	errPanic      = &MechanismError{"the mechanism could not read the server's challenge"}
)

// mechanism is a client side of a SASL exchange.
type mechanism struct {
	name string
	auth gosmtp.Auth
	// proven is set once the server has shown its SCRAM signature.
	proven bool
	// weak is set when SCRAM's iteration count is below the minimum.
	weak bool
	// challenges are those that explain an error of OAuth.
	challenges [][]byte
}

// newMechanism builds the client side of one mechanism for these credentials.
func (c *Client) newMechanism(name string) *mechanism {
	user, password, host := c.account.Server.Username, c.account.Secret.Reveal(), c.account.Server.Host
	m := &mechanism{name: name}
	state, inTLS := c.dialog.conn.State()
	switch name {
	case mechPlain:
		// Whether it may be said at all was decided before, by mayReveal.
		m.auth = gosmtp.PlainAuth("", user, password, host, true)
	case mechLogin:
		m.auth = gosmtp.LoginAuth(user, password, host, true)
	case mechCRAM:
		m.auth = gosmtp.CRAMMD5Auth(user, password)
	case mechSCRAM1:
		m.auth = gosmtp.ScramSHA1Auth(user, password)
	case mechSCRAM256:
		m.auth = gosmtp.ScramSHA256Auth(user, password)
	case mechNTLM:
		domain, name := ntlmUser(user)
		m.auth = gosmtp.NTLMAuth(name, password, domain)
	case mechXOAuth2:
		m.auth = gosmtp.XOAuth2Auth(user, password)
	case mechOAuthBearer:
		m.auth = &oauthBearer{user: user, token: password, host: host, port: c.way.Port}
	case mechSCRAM1Plus, mechSCRAM256Pls:
		if !inTLS {
			return nil
		}
		m.auth = gosmtp.ScramSHA256PlusAuth(user, password, &state)
		if name == mechSCRAM1Plus {
			m.auth = gosmtp.ScramSHA1PlusAuth(user, password, &state)
		}
	default:
		return nil
	}
	return m
}

// ntlmUser parts DOMAIN\user.
func ntlmUser(user string) (domain, name string) {
	if d, n, ok := strings.Cut(user, `\`); ok {
		return d, n
	}
	return "", user
}

func (m *mechanism) scram() bool { return strings.HasPrefix(m.name, "SCRAM-") }

// start gives the initial response; nil means none.
func (m *mechanism) start(host string, offered []string) (out []byte, err error) {
	defer guard(&err)
	_, out, err = m.auth.Start(&gosmtp.ServerInfo{Name: host, TLS: true, Auth: offered})
	if err == nil && m.scram() {
		// RFC 4954 §4 takes the client-first message along with AUTH and saves a round trip.
		out, err = m.auth.Next(nil, true)
	}
	return out, err
}

// next answers a challenge.
func (m *mechanism) next(challenge []byte) (out []byte, err error) {
	defer guard(&err)
	if m.scram() {
		if err := m.checkSCRAM(challenge); err != nil {
			return nil, err
		}
	}
	out, err = m.auth.Next(challenge, true)
	if err != nil {
		return nil, &MechanismError{err.Error()}
	}
	if m.scram() && bytes.HasPrefix(challenge, []byte("v=")) {
		m.proven = true
	}
	return out, nil
}

// done is called on the server's consent. SCRAM's own point is that the server proves itself too (RFC 5802 §3); a 235
// without its signature is a server that only says yes.
func (m *mechanism) done() error {
	if m.scram() && !m.proven {
		return errUnproven
	}
	return nil
}

func (m *mechanism) checkSCRAM(challenge []byte) error {
	switch {
	case bytes.HasPrefix(challenge, []byte("r=")):
	case bytes.HasPrefix(challenge, []byte("v=")):
		return nil
	default:
		return errChallenge // among others m=, an extension that must be understood (RFC 5802 §5.1)
	}
	for field := range strings.SplitSeq(string(challenge), ",") {
		count, ok := strings.CutPrefix(field, "i=")
		if !ok {
			continue
		}
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > maxIterations {
			return errIterations
		}
		m.weak = n < minIterations
		return nil
	}
	return errIterations
}

// guard turns a panic into an error: what a mechanism parses comes from the server.
func guard(err *error) {
	if recover() != nil {
		*err = errPanic
	}
}

// oauthBearer is RFC 7628.
type oauthBearer struct {
	user, token, host string
	port              int
}

// Start gives the initial response of RFC 7628 §3.1.
func (a *oauthBearer) Start(*gosmtp.ServerInfo) (string, []byte, error) {
	// RFC 5801 §4: = and , in an authorization identity are written =3D and =2C.
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(a.user)
	return mechOAuthBearer, fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", user, a.host,
		a.port, a.token), nil
}

// Next answers the error that the server explains by the single octet of RFC 7628 §3.2.3.
func (a *oauthBearer) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return []byte{1}, nil
	}
	return nil, nil
}

// decode reads the base64 of a 334. LOGIN's prompts are mere words to us, and some servers send them in clear.
func (m *mechanism) decode(text string) ([]byte, error) {
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil && m.name != mechLogin {
		return nil, &MechanismError{"the server's challenge is not base64"}
	}
	return challenge, nil
}
