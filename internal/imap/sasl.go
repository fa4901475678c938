package imap

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/wneessen/go-mail/smtp"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Bounds on the work factor of SCRAM: RFC 7677 §4 asks for at least 4,096 rounds, and more than a million only keeps
// this machine busy.
const (
	minIterations = 4096
	maxIterations = 1_000_000
)

// SignedIn tells how a sign-in went, also when it was refused.
type SignedIn struct {
	// Mechanism is the one that was tried last, or LOGIN for the command; Offered are those of the server.
	Mechanism string
	Offered   []string
	// Challenge is the decoded text that an OAuth server sends before it refuses (RFC 7628 §3.2.2).
	Challenge safetext.Remote
	// proofSent is true once the server has seen something that a wrong secret would give away as wrong.
	proofSent bool
}

// SignIn signs in once, by the strongest mechanism that both sides have. It never tries a second secret. Afterwards the
// old capabilities are dropped, unless the server sent the new ones by itself: then they are asked for with the next
// flight.
func (s *Session) SignIn(ctx context.Context) (SignedIn, error) {
	before := s.learned
	done, err := s.signIn(ctx)
	if err == nil && s.learned == before {
		s.caps = nil
	}
	return done, err
}

func (s *Session) signIn(ctx context.Context) (SignedIn, error) {
	done := SignedIn{Offered: s.offered()}
	if !s.secure {
		return done, ErrInsecure
	}
	if strings.ContainsAny(s.account.Username+s.account.Secret.Reveal(), "\r\n\x00") {
		return done, ErrUnsafe
	}
	choices, err := s.choices()
	if err != nil {
		return done, err
	}
	for i, name := range choices {
		done.Mechanism, done.proofSent = name, false
		err = s.authenticate(ctx, name, &done)
		// A server that does not know a mechanism it offered says BAD before it has seen a proof: that tested no password.
		if !misunderstood(err) || done.proofSent || i+1 == len(choices) {
			break
		}
	}
	return done, err
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

func (s *Session) authenticate(ctx context.Context, name string, done *SignedIn) error {
	user, pass := s.account.Username, s.account.Secret.Reveal()
	var d dialog
	switch name {
	case loginCommand:
		done.proofSent = true
		return s.login(ctx, user, pass)
	case "PLAIN":
		d = &oneShot{initial: []byte("\x00" + user + "\x00" + pass)}
	case "XOAUTH2":
		d = &oneShot{initial: []byte("user=" + user + "\x01auth=Bearer " + pass + "\x01\x01"), refusal: []byte{}}
	case "OAUTHBEARER":
		// RFC 7628 §3.1; the identity escapes "," and "=" (RFC 5801 §4), and §3.2.3 answers an error with one \x01.
		gs2 := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
		d = &oneShot{initial: []byte("n,a=" + gs2 + ",\x01auth=Bearer " + pass + "\x01\x01"), refusal: []byte("\x01")}
	case "CRAM-MD5": // where nothing else is offered: the server must keep the password readable for it
		d = &digest{auth: smtp.CRAMMD5Auth(user, pass)}
	case "SCRAM-SHA-1":
		d = &scram{auth: smtp.ScramSHA1Auth(user, pass)}
	case "SCRAM-SHA-256":
		d = &scram{auth: smtp.ScramSHA256Auth(user, pass)}
	case "SCRAM-SHA-256-PLUS":
		state, _ := s.conn.State()
		d = &scram{auth: smtp.ScramSHA256PlusAuth(user, pass, &state)}
	default:
		return fmt.Errorf("%w: %s", ErrNoMechanism, name)
	}
	return s.sasl(ctx, name, d, done)
}

// login sends the LOGIN command. What does not fit a quoted string (RFC 9051 §4.3) goes as literals, one at a time.
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
				return nil, ErrChallenge
			}
			out := parts[step]
			if step++; step < len(parts) {
				out += fmt.Sprintf(" {%d}", len(parts[step]))
			}
			return []byte(out), nil
		},
	})
}

// dialog is a SASL mechanism: it steps without doing any I/O.
type dialog interface {
	// first is the initial response; nil means that the server speaks first.
	first() ([]byte, error)
	// next answers a challenge; proof tells whether the answer depends on the secret.
	next(challenge []byte) (answer []byte, proof bool, err error)
	// end is called when the server says OK.
	end() error
}

// sasl carries a dialog out. The initial response goes with the command where the server offers that (RFC 4959).
//
// NetEase (163.com, 126.com) offers it and answers BAD to the line that uses it. Such a BAD tested no password, so the
// same mechanism is tried once more with the initial response on a line of its own.
func (s *Session) sasl(ctx context.Context, name string, d dialog, done *SignedIn) error {
	initial, err := d.first()
	if err != nil {
		return err
	}
	a := &authentication{session: s, dialog: d, done: done}
	_, a.bare = d.(*oneShot)
	s.hidden = !a.bare
	defer func() { s.hidden = false }()
	c := &command{name: "AUTHENTICATE", args: name, answer: a.answer}
	if initial != nil && s.caps.Has(imap.CapSASLIR) {
		done.proofSent = a.bare
		c.args, c.shown = name+" "+string(encode(initial)), name+" "+wire.Masked
		err = s.do(ctx, wire.AuthDeadline, c)
		if !misunderstood(err) || a.rounds > 0 {
			return a.end(err)
		}
		done.proofSent = false
		c = &command{name: "AUTHENTICATE", args: name, answer: a.answer}
	}
	a.pending = initial
	return a.end(s.do(ctx, wire.AuthDeadline, c))
}

// authentication is one AUTHENTICATE command under way.
type authentication struct {
	session *Session
	dialog  dialog
	done    *SignedIn
	pending []byte // the initial response, to be sent at the first challenge
	bare    bool   // the initial response holds the secret itself
	rounds  int
}

func (a *authentication) answer(challenge string) ([]byte, error) {
	const maxRounds = 8 // the longest mechanism here has three
	if a.rounds++; a.rounds > maxRounds {
		return nil, ErrChallenge
	}
	if initial := a.pending; initial != nil {
		a.pending = nil
		a.done.proofSent = a.done.proofSent || a.bare
		return encode(initial), nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(challenge))
	if err != nil {
		return nil, broken("a challenge that is not base64")
	}
	if a.bare {
		a.done.Challenge = safetext.FromRemote(a.session.hide(string(raw)))
	}
	answer, proof, err := a.dialog.next(raw)
	a.done.proofSent = a.done.proofSent || proof
	if err != nil {
		return nil, err
	}
	return encode(answer), nil
}

// end takes the outcome of the command. An OK counts only when the mechanism is content with the server.
func (a *authentication) end(err error) error {
	if err != nil {
		return err
	}
	if err := a.dialog.end(); err != nil {
		return a.session.fail(err)
	}
	return nil
}

func encode(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }

// oneShot says everything in the initial response. refusal, when not nil, answers the one challenge with which an OAuth
// server explains itself; PLAIN has no challenge, and a server that sends one wants something it must not get.
type oneShot struct {
	initial, refusal []byte
	asked            bool
}

func (m *oneShot) first() ([]byte, error) { return m.initial, nil }
func (m *oneShot) end() error             { return nil }

func (m *oneShot) next([]byte) ([]byte, bool, error) {
	if m.refusal == nil || m.asked {
		return nil, false, ErrChallenge
	}
	m.asked = true
	return m.refusal, true, nil
}

// digest is CRAM-MD5 (RFC 2195): one challenge, one proof.
type digest struct {
	auth  smtp.Auth
	asked bool
}

func (m *digest) first() ([]byte, error) { return nil, nil }
func (m *digest) end() error             { return nil }

func (m *digest) next(challenge []byte) ([]byte, bool, error) {
	if m.asked {
		return nil, false, ErrChallenge
	}
	m.asked = true
	answer, err := m.auth.Next(challenge, true)
	return answer, true, err
}

// scram wraps go-mail's mechanism with what it leaves out: bounds on the rounds, and an OK that comes without the
// server's signature.
type scram struct {
	auth   smtp.Auth
	proven bool
}

func (m *scram) first() ([]byte, error) { return m.auth.Next(nil, true) }

func (m *scram) next(challenge []byte) ([]byte, bool, error) {
	switch {
	case bytes.HasPrefix(challenge, []byte("r=")):
		if err := checkIterations(challenge); err != nil {
			return nil, false, err
		}
		answer, err := m.auth.Next(challenge, true)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", ErrServerUnproven, err)
		}
		return answer, true, nil
	case bytes.HasPrefix(challenge, []byte("v=")):
		answer, err := m.auth.Next(challenge, true)
		if err != nil {
			return nil, false, ErrServerUnproven
		}
		m.proven = true
		return answer, true, nil
	case bytes.HasPrefix(challenge, []byte("e=")): // RFC 5802 §5.1: the server says why; its NO follows
		return []byte{}, true, nil
	}
	return nil, false, ErrChallenge
}

func (m *scram) end() error {
	if !m.proven {
		return ErrServerUnproven
	}
	return nil
}

func checkIterations(challenge []byte) error {
	for part := range strings.SplitSeq(string(challenge), ",") {
		if digits, ok := strings.CutPrefix(part, "i="); ok {
			n, err := strconv.Atoi(digits)
			if err != nil || n < minIterations || n > maxIterations {
				return fmt.Errorf("%w: %s rounds of hashing", ErrServerUnproven, safetext.Escape(clip(digits)))
			}
			return nil
		}
	}
	return ErrChallenge
}

// quotable reports whether s fits a quoted string: no CR, LF, NUL and nothing beyond ASCII (RFC 9051 §4.3).
func quotable(s string) bool { return isASCII(s) && !strings.ContainsAny(s, "\r\n\x00") }

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
