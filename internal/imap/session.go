package imap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/internal/safetext"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// Response codes that go-imap has no name for: CAPABILITY (RFC 9051 §7.1), APPENDUID (RFC 4315 §3), USEATTR (RFC 6154
// §6), READ-ONLY (RFC 9051 §7.1).
const (
	codeCapability imap.ResponseCode = "CAPABILITY"
	codeAppendUID  imap.ResponseCode = "APPENDUID"
	codeUseAttr    imap.ResponseCode = "USEATTR"
	CodeReadOnly   imap.ResponseCode = "READ-ONLY"
)

// ReplyError is a refusal: NO, BAD or BYE.
type ReplyError struct {
	Command string                  // LOGIN, APPEND, …; empty for an unasked BYE
	Status  imap.StatusResponseType // NO, BAD or BYE
	Code    imap.ResponseCode       // upper case; empty when there is none
	line    string
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%s: the server said %q", e.Command, safetext.Escape(e.line))
}

// Reply returns the server's line without its tag, as the catalogue of replies expects it.
func (e *ReplyError) Reply() string { return e.line }

// SignIn reports whether a command that signs in was refused.
func (e *ReplyError) SignIn() bool { return e.Command == loginCommand || e.Command == "AUTHENTICATE" }

func (s *Session) refusal(command string, r *response) *ReplyError {
	line := r.name
	if r.code != "" {
		line += " [" + strings.TrimSpace(string(r.code)+" "+r.args) + "]"
	}
	if r.text != "" {
		line += " " + r.text
	}
	return &ReplyError{Command: command, Status: r.status, Code: r.code, line: s.redact(line)}
}

// redact masks the secret in a server's text, since a server may echo what it received.
func (s *Session) redact(text string) string {
	return s.account.Secret.Redact(text, sasl.Names(s.account.Server.Username, false)...)
}

// Session is one connection to an IMAP server. It is not safe for use by several goroutines. After any error other than
// a *ReplyError with status NO it can no longer be used.
type Session struct {
	conn    *wire.Conn
	scan    *scanner
	record  *wire.Recorder
	account sasl.Account

	tag      int
	caps     imap.CapSet
	stale    bool // caps are those of before the sign-in: the server has not sent the new ones
	offersID bool // ID was offered at any time since TLS: some servers do not repeat it after the sign-in
	named    bool // ID was sent
	learned  int  // how often the server sent its capabilities
	secure   bool // inside verified TLS, or in cleartext that the account allows
	greeted  bool
	dead     bool
	hidden   bool // the server's lines are part of the sign-in and masked in the transcript

	alerts  []safetext.Remote // texts of [ALERT], received inside verified TLS
	uidplus bool
	exists  uint32 // messages in the selected folder
}

// New starts a session on an open connection on which nothing has been read or sent. The server of account must be
// settled.
func New(conn *wire.Conn, account sasl.Account) *Session {
	s := &Session{conn: conn, record: conn.Recorder(), account: account}
	s.record.Hide(account.Secret, sasl.Names(account.Server.Username, false)...)
	s.listen()
	return s
}

// listen starts a new scanner, so that nothing received before TLS is kept.
func (s *Session) listen() {
	s.scan = newScanner(s.conn, func(line string) {
		if s.hidden && strings.HasPrefix(line, "+") {
			line = "+ " + wire.Masked
		}
		s.record.Add(wire.Server, line)
	})
}

// Capabilities lists the server's capabilities in upper case, sorted. It is empty after a sign-in until the server has
// sent them again.
func (s *Session) Capabilities() []string {
	if s.stale {
		return nil
	}
	names := make([]string, 0, len(s.caps))
	for c := range s.caps {
		names = append(names, strings.ToUpper(string(c)))
	}
	slices.Sort(names)
	return names
}

// maxCapabilities is how many words of a CAPABILITY response are kept; real servers send about forty.
const maxCapabilities = 300

func (s *Session) learn(words []string) {
	s.learned++
	s.caps, s.stale = imap.CapSet{}, false
	for _, w := range words[:min(len(words), maxCapabilities)] {
		s.caps[canonical(w)] = struct{}{}
	}
	s.offersID = s.offersID || s.caps.Has(imap.CapID)
}

// know makes sure that the capabilities are those of now: after the sign-in a server may offer others (RFC 9051
// §6.1.1), and not every server sends them unasked. One that refuses to tell is taken at its earlier word.
func (s *Session) know(ctx context.Context) error {
	if len(s.caps) > 0 && !s.stale {
		return nil
	}
	s.stale = false
	return s.exchange(ctx, wire.CommandDeadline, &command{name: "CAPABILITY"})
}

// canonical spells a capability as CapSet looks it up: in upper case, but for the two protocol versions. Otherwise
// IMAP4rev2 would not imply the extensions that it includes.
func canonical(word string) imap.Cap {
	for _, version := range []imap.Cap{imap.CapIMAP4rev1, imap.CapIMAP4rev2} {
		if strings.EqualFold(word, string(version)) {
			return version
		}
	}
	return imap.Cap(strings.ToUpper(word))
}

// notice handles what any response may carry: capabilities, and the text of an [ALERT] (RFC 9051 §7.1). An alert counts
// only inside TLS. Before TLS an attacker could have written it, so it is shown nowhere but in the transcript.
func (s *Session) notice(r *response) {
	const maxAlerts = 5
	switch {
	case r.name == "CAPABILITY":
		s.learn(words(r.values))
	case r.code == codeCapability && r.status == imap.StatusResponseTypeOK:
		s.learn(strings.Fields(r.args))
	case r.code == imap.ResponseCodeAlert && s.secure && len(s.alerts) < maxAlerts:
		s.alerts = append(s.alerts, safetext.FromRemote(s.redact(r.text)))
	}
}

// Greet reads the greeting (RFC 9051 §7.1).
func (s *Session) Greet(ctx context.Context) error {
	s.conn.Step(greetingDeadline(s.account.Server))
	defer s.conn.Watch(ctx)()
	r, err := s.scan.next()
	if err != nil {
		return s.fail(err)
	}
	s.notice(r)
	switch {
	case r.tag != "*":
		return s.fail(broken("a greeting that begins with %q", safetext.Escape(clip(r.tag))))
	case r.status == imap.StatusResponseTypeBye:
		return s.fail(s.refusal("", r))
	case r.status == imap.StatusResponseTypePreAuth:
		return s.fail(ErrPreauth)
	case r.status != imap.StatusResponseTypeOK:
		return s.fail(broken("a greeting that says %q", safetext.Escape(clip(r.name))))
	}
	s.greeted = true
	return nil
}

// clip returns a copy of the beginning of s. A part of the scanner's string would keep the whole line in memory.
func clip(s string) string { return strings.Clone(s[:min(len(s), 60)]) }

func (s *Session) fail(err error) error {
	s.dead = true
	return err
}

// Close sends LOGOUT and closes the connection without waiting for the answer.
func (s *Session) Close() {
	if s == nil || s.conn == nil {
		return
	}
	if !s.dead && s.greeted {
		const logoutDeadline = 500 * time.Millisecond // enough to write into the send buffer
		s.conn.Step(logoutDeadline)
		_ = s.send([]*command{{name: "LOGOUT"}})
	}
	s.dead = true
	_ = s.conn.Close()
}

// Recorder keeps the transcript of the session.
func (s *Session) Recorder() *wire.Recorder { return s.record }

// Ended reports whether the connection can no longer be used.
func (s *Session) Ended() bool { return s.dead }

// UIDPlus reports whether the server can remove single messages by their UID (RFC 4315). It is known after Folders.
func (s *Session) UIDPlus() bool { return s.uidplus }

// Alerts returns the texts that the server wants people to see, received inside verified TLS.
func (s *Session) Alerts() []safetext.Remote { return s.alerts }

func words(values []value) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if v.kind == atom || v.kind == text {
			out = append(out, v.text)
		}
	}
	return out
}
