package smtp

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"postier/config"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// Mechanism picks the sign-in mechanism from those that the server offers. Its name is empty with an error.
func (c *Client) Mechanism() (string, error) {
	offered := c.dialog.ext.Mechanisms()
	token := c.account.SecretType == config.SecretOAuth
	_, inTLS := c.dialog.conn.State()
	name := choose(offered, c.account.Server.Auth, token, inTLS)
	switch {
	case name != "":
		return name, nil
	case len(offered) == 0:
		return "", c.failure(StepMechanism, ErrNoAuth)
	case !token && choose(offered, config.MechanismAuto, true, inTLS) != "" &&
		choose(offered, config.MechanismAuto, false, inTLS) == "":
		return "", c.failure(StepMechanism, ErrOnlyTokens)
	}
	return "", c.failure(StepMechanism, ErrNoMechanism)
}

// Clear reports whether a mechanism sends the password itself.
func Clear(mechanism string) bool { return mechanism == sasl.Plain || mechanism == sasl.Login }

// mayReveal must be true before a secret is written: there is TLS with a valid chain, or a technician has allowed
// cleartext for this host.
func (c *Client) mayReveal() bool {
	if c.server.Security == config.SecurityNone {
		return c.account.AllowCleartext
	}
	_, inTLS := c.dialog.conn.State()
	return inTLS && c.tls.Verified()
}

// SignIn is one sign-in.
type SignIn struct {
	Mechanism string
	Reply     Reply
	// Usernames are the forms of the user name that were tried, the one that worked last. There is more than one only for
	// an address with a domain outside ASCII.
	Usernames []string
	// Challenges are those of XOAUTH2 and OAUTHBEARER: the document in which the server explains an error (RFC 7628
	// §3.2.2). They may hold the secret: see Clean.
	Challenges [][]byte
	// Weak is set when SCRAM's iteration count is below the minimum.
	Weak bool
	// Passed are the mechanisms that the server offered and then refused, before the one above.
	Passed []RefusedMechanism
}

// RefusedMechanism is a mechanism that a server refused without looking at the secret.
type RefusedMechanism struct {
	Name  string
	Reply Reply
}

// SignIn signs in once, however often it is called, because servers lock accounts after refusals (docs/security.md
// T21). A mechanism that the server offers and then refuses as such leads to the next one: that cost no attempt.
func (c *Client) SignIn(ctx context.Context) (SignIn, error) {
	_, err := c.Mechanism()
	if err == nil {
		err = c.once(ctx, StepAuth, func(context.Context) error { return c.signInBy(c.mechanisms()) })
	}
	return c.signedIn, err
}

// mechanisms lists those that may be tried, best first.
func (c *Client) mechanisms() []string {
	_, inTLS := c.dialog.conn.State()
	token := c.account.SecretType == config.SecretOAuth
	return fitting(c.dialog.ext.Mechanisms(), c.account.Server.Auth, token, inTLS)
}

func (c *Client) signInBy(names []string) error {
	for i, name := range names {
		attempt := SignIn{Passed: c.signedIn.Passed}
		err := c.signIn(name, &attempt)
		c.signedIn = attempt
		var refusal *Error
		if !errors.As(err, &refusal) || !errors.Is(refusal.Err, ErrMechanism) || c.dialog.broken || i+1 == len(names) {
			return err
		}
		c.signedIn.Passed = append(c.signedIn.Passed, RefusedMechanism{name, attempt.Reply})
	}
	return ErrNoMechanism
}

func (c *Client) signIn(name string, s *SignIn) (err error) {
	switch {
	case !c.mayReveal():
		return ErrNoTLS
	case c.account.Secret.Empty():
		return ErrNoSecret
	}
	for _, user := range sasl.Names(c.account.Server.Username, c.dialog.ext.Has("SMTPUTF8")) {
		m, ok := c.newMechanism(name, user)
		if !ok {
			return ErrNoMechanism
		}
		if len(s.Usernames) > 0 && (s.Reply.Code != codeAuthRefused || !c.Usable()) {
			break
		}
		s.Mechanism, s.Usernames = name, append(s.Usernames, user)
		before := s.Reply
		s.Reply, err = c.exchangeAuth(m, s)
		s.Weak = m.Weak
		if before.Code != 0 && (err != nil || s.Reply.Code != codeAuthOK && s.Reply.Code != codeAuthRefused) {
			s.Reply = before // the server hung up after its refusal
			break
		}
		if err != nil || s.Reply.Code == codeAuthOK {
			return err
		}
		if sasl.RefusesMechanism(s.Reply.Code, s.Reply.Text()) {
			break
		}
	}
	refusal := c.refused(StepAuth, s.Reply, nil)
	refusal.Secret, refusal.Letters = c.account.SecretType, c.account.Secret.Letters()
	if sasl.RefusesMechanism(s.Reply.Code, s.Reply.Text()) {
		refusal.Err = ErrMechanism
	}
	return refusal
}

// maxAuthLine is the longest AUTH line, initial response included (RFC 4954 §4).
const maxAuthLine = 12288

// exchangeAuth carries out the exchange. Each command has the longer deadline of a sign-in, because servers delay
// refusals on purpose. The transcript masks everything that the client sends after the mechanism's name, proofs too
// (docs/security.md T12).
func (c *Client) exchangeAuth(m *sasl.Mechanism, s *SignIn) (r Reply, err error) {
	d := c.dialog
	initial, err := m.Start()
	if err != nil {
		return r, err
	}
	line, shown := "AUTH "+m.Name, "AUTH "+m.Name
	held := initial
	if encoded := encodeInitial(initial); encoded != "" && len(line)+1+len(encoded)+2 <= maxAuthLine {
		line, shown, held = line+" "+encoded, shown+" "+wire.Masked, nil
	}
	if err := d.send(wire.AuthDeadline, command{line, shown}); err != nil {
		return r, err
	}
	for { // the mechanism bounds the challenges
		r, err = d.replyShown(func(r Reply) string { return shownIn(m, r) })
		if err != nil {
			return r, err
		}
		if r.Code == codeAuthOK {
			return r, m.Done()
		}
		if r.Code != codeProceed {
			return r, nil
		}
		var out []byte
		if held != nil {
			out, held = held, nil
		} else if out, err = s.answer(m, r); err != nil {
			return r, c.cancelAuth(err)
		}
		if err := d.send(wire.AuthDeadline, command{base64.StdEncoding.EncodeToString(out), wire.Masked}); err != nil {
			return r, err
		}
	}
}

// encodeInitial is the initial response in base64; an empty one is "=" (RFC 4954 §4), none is "".
func encodeInitial(initial []byte) string {
	switch {
	case initial == nil:
		return ""
	case len(initial) == 0:
		return "="
	}
	return base64.StdEncoding.EncodeToString(initial)
}

// answer reads a challenge and gives the response. LOGIN's prompts carry no meaning, and some servers send them without
// base64.
func (s *SignIn) answer(m *sasl.Mechanism, r Reply) ([]byte, error) {
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.Join(r.Lines, "")))
	if err != nil && m.Name != sasl.Login {
		return nil, sasl.ErrEncoding
	}
	if m.Token() {
		s.Challenges = append(s.Challenges, challenge)
	}
	return m.Next(challenge)
}

// shownIn is a reply in the transcript. The challenges of SCRAM, NTLM and CRAM are masked: with the proof they would
// allow guessing offline. Those of OAuth explain an error and those of LOGIN are prompts.
func shownIn(m *sasl.Mechanism, r Reply) string {
	if r.Code != codeProceed || m.Token() || m.Name == sasl.Login || r.Words() == "" {
		return r.Text()
	}
	return "334 " + wire.Masked
}

// cancelAuth cancels an exchange (RFC 4954 §4: a single asterisk), so that client and server agree on the next command.
func (c *Client) cancelAuth(cause error) error {
	if err := c.dialog.send(wire.CommandDeadline, command{line: "*"}); err == nil {
		_, _ = c.dialog.reply()
	}
	return cause
}
