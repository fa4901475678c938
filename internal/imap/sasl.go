package imap

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// SignedIn describes a sign-in that succeeded or was refused.
type SignedIn struct {
	// Mechanism is the mechanism that was tried last, or LOGIN for the command; Offered lists those of the server.
	Mechanism string
	Offered   []string
	// Usernames are the forms of the user name that were tried, the one that worked last. There is more than one only for
	// an address with a domain outside ASCII.
	Usernames []string
	// Challenge is the decoded text that an OAuth server sends before it refuses (RFC 7628 §3.2.2).
	Challenge safetext.Remote
	// proofSent is true once the server has received data by which it can recognise a wrong secret.
	proofSent bool
}

// SignIn signs in once, by the strongest mechanism that both sides have. It never tries a second secret. Afterwards the
// old capabilities count as stale. If the server did not send the new ones by itself, the next commands ask for them.
func (s *Session) SignIn(ctx context.Context) (SignedIn, error) {
	before := s.learned
	done, err := s.signIn(ctx)
	if err == nil && s.learned == before {
		s.stale = true
	}
	return done, err
}

func (s *Session) signIn(ctx context.Context) (SignedIn, error) {
	done := SignedIn{Offered: s.offered()}
	if !s.secure {
		return done, ErrInsecure
	}
	if strings.ContainsAny(s.account.Server.Username+s.account.Secret.Reveal(), "\r\n\x00") {
		return done, ErrUnsafe
	}
	choices, err := s.choices()
	if err != nil {
		return done, err
	}
	var first error
	for _, user := range sasl.Names(s.account.Server.Username, s.caps.Has(capUTF8) || s.caps.Has(capOnlyUTF8)) {
		done.Usernames = append(done.Usernames, user)
		choices, err = s.signInAs(ctx, user, choices, &done)
		if first != nil && err != nil && !unknownName(err) {
			return done, first // the server hung up after a refusal
		}
		if !unknownName(err) {
			break
		}
		first = err
	}
	return done, err
}

// signInAs tries the mechanisms in turn under one user name. It returns the one that decided and those after it.
func (s *Session) signInAs(ctx context.Context, user string, choices []string, done *SignedIn) (left []string,
	err error,
) {
	for i, name := range choices {
		done.Mechanism, done.proofSent = name, false
		err = s.authenticate(ctx, name, user, done)
		// A server may answer BAD to a mechanism that it offered, or NO with words about the mechanism. Neither tested a
		// password, so the next mechanism may be tried. To a proof some servers answer BAD as well.
		next := misunderstood(err) && (!done.proofSent || name == sasl.Plain && !namesAccount(err)) || refusesMechanism(err)
		if !next || i+1 == len(choices) {
			return choices[i:], err
		}
	}
	return nil, err
}

// unknownName reports whether the server refused the name or the password (RFC 9051 §6.2.2): another form of the name
// may be known to it.
func unknownName(err error) bool {
	var refused *ReplyError
	return errors.As(err, &refused) && refused.Status == imap.StatusResponseTypeNo &&
		(refused.Code == "" || refused.Code == imap.ResponseCodeAuthenticationFailed)
}

// With these, user names outside ASCII are understood (RFC 6855 §5).
const (
	capUTF8     imap.Cap = "UTF8=ACCEPT"
	capOnlyUTF8 imap.Cap = "UTF8=ONLY"
)

// refusesMechanism reports whether the server answered NO to the mechanism and not to the secret.
func refusesMechanism(err error) bool {
	var refused *ReplyError
	return errors.As(err, &refused) && refused.Status == imap.StatusResponseTypeNo && refused.Code == "" &&
		sasl.NamesMechanism(refused.line)
}

// namesAccount reports whether a refusal speaks of the user or the password, whatever its status says.
func namesAccount(err error) bool {
	var refused *ReplyError
	return errors.As(err, &refused) && sasl.NamesAccount(refused.line)
}

// misunderstood reports whether the server answered BAD.
func misunderstood(err error) bool {
	var refused *ReplyError
	return errors.As(err, &refused) && refused.Status == imap.StatusResponseTypeBad
}

// offered lists the server's mechanisms, sorted.
func (s *Session) offered() []string { return slices.Sorted(slices.Values(s.caps.AuthMechanisms())) }

// choices lists mechanisms by strength. The last one is the LOGIN command.
func (s *Session) choices() ([]string, error) {
	offered := s.offered()
	wanted := []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", loginCommand, "CRAM-MD5"}
	if s.account.SecretType == config.SecretOAuth {
		wanted = []string{"OAUTHBEARER", "XOAUTH2"}
	}
	if auth := s.account.Server.Auth; auth != "" && auth != config.MechanismAuto {
		wanted = []string{strings.ToUpper(string(auth))}
		if auth == config.MechanismLogin {
			wanted = []string{loginCommand}
		}
	}
	_, inTLS := s.conn.State()
	out := slices.DeleteFunc(wanted, func(name string) bool {
		if name == loginCommand { // RFC 9051 §6.2.3: LOGINDISABLED forbids the command
			return s.caps.Has(imap.CapLoginDisabled)
		}
		return !slices.Contains(offered, name) || strings.HasSuffix(name, "-PLUS") && !inTLS
	})
	switch {
	case len(out) > 0:
		return out, nil
	case len(offered) == 0 && s.caps.Has(imap.CapLoginDisabled):
		return nil, ErrLoginDisabled
	}
	return nil, ErrNoMechanism
}

// loginCommand is the LOGIN command, which is no SASL mechanism.
const loginCommand = "LOGIN"

func (s *Session) authenticate(ctx context.Context, name, user string, done *SignedIn) error {
	if name == loginCommand {
		done.proofSent = true
		return s.login(ctx, user, s.account.Secret.Reveal())
	}
	credentials := sasl.Credentials{
		Username: user, Secret: s.account.Secret, LeastIterations: sasl.MinIterations,
	}
	if state, inTLS := s.conn.State(); inTLS {
		credentials.TLS = &state
	}
	m, ok := sasl.New(name, credentials)
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoMechanism, name)
	}
	return s.exchangeAuth(ctx, m, done)
}

// login sends the LOGIN command. A name or password that does not fit a quoted string (RFC 9051 §4.3) is sent as a
// literal, one at a time.
func (s *Session) login(ctx context.Context, user, pass string) error {
	if quotable(user) && quotable(pass) {
		return s.do(ctx, wire.AuthDeadline,
			&command{name: loginCommand, args: quote(user) + " " + quote(pass), shown: wire.Masked})
	}
	parts := []string{user, pass}
	step := 0
	return s.do(ctx, wire.AuthDeadline, &command{
		name: loginCommand, args: fmt.Sprintf("{%d}", len(user)), shown: wire.Masked,
		answer: func(string) ([]byte, error) {
			if step == len(parts) {
				return nil, sasl.ErrChallenge
			}
			out := parts[step]
			if step++; step < len(parts) {
				out += fmt.Sprintf(" {%d}", len(parts[step]))
			}
			return []byte(out), nil
		},
	})
}

// exchangeAuth carries out a SASL exchange. The initial response is sent with the command where the server offers that
// (RFC 4959).
//
// NetEase (163.com, 126.com) offers it but answers BAD to a command that uses it. Such a BAD tested no password, so the
// same mechanism is tried once more with the initial response on a line of its own.
func (s *Session) exchangeAuth(ctx context.Context, m *sasl.Mechanism, done *SignedIn) error {
	initial, err := m.Start()
	if err != nil {
		return err
	}
	a := &authentication{session: s, mechanism: m, done: done}
	s.hidden = !m.Bare()
	defer func() { s.hidden = false }()
	c := &command{name: "AUTHENTICATE", args: m.Name, answer: a.answer}
	if initial != nil && s.caps.Has(imap.CapSASLIR) {
		done.proofSent = m.Bare()
		c.args, c.shown = m.Name+" "+string(encode(initial)), m.Name+" "+wire.Masked
		err = s.do(ctx, wire.AuthDeadline, c)
		if !misunderstood(err) || a.rounds > 0 {
			return a.end(err)
		}
		done.proofSent = false
		c = &command{name: "AUTHENTICATE", args: m.Name, answer: a.answer}
	}
	a.pending = initial
	return a.end(s.do(ctx, wire.AuthDeadline, c))
}

// authentication is one AUTHENTICATE command under way.
type authentication struct {
	session   *Session
	mechanism *sasl.Mechanism
	done      *SignedIn
	pending   []byte // the initial response, to be sent at the first challenge
	rounds    int
}

func (a *authentication) answer(challenge string) ([]byte, error) {
	const maxRounds = 8 // the longest mechanism here has three rounds
	if a.rounds++; a.rounds > maxRounds {
		return nil, sasl.ErrChallenge
	}
	if initial := a.pending; initial != nil {
		a.pending = nil
		a.done.proofSent = a.done.proofSent || a.mechanism.Bare()
		return encode(initial), nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(challenge))
	if err != nil {
		return nil, broken("a challenge that is not base64")
	}
	if a.mechanism.Bare() {
		a.done.Challenge = safetext.FromRemote(a.session.redact(string(raw)))
	}
	answer, err := a.mechanism.Next(raw)
	if err != nil {
		return nil, err
	}
	a.done.proofSent = true
	return encode(answer), nil
}

// end judges the outcome of the command. An OK counts only when the mechanism has verified the server.
func (a *authentication) end(err error) error {
	if err != nil {
		return err
	}
	if err := a.mechanism.Done(); err != nil {
		return a.session.fail(err)
	}
	return nil
}

func encode(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }

// quotable reports whether s fits a quoted string: no CR, LF, NUL and nothing beyond ASCII (RFC 9051 §4.3).
func quotable(s string) bool { return safetext.IsASCII(s) && !strings.ContainsAny(s, "\r\n\x00") }

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
