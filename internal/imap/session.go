package imap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/internal/safetext"
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

// Reply is the server's line without its tag, as the catalogue of replies wants it.
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
	return &ReplyError{Command: command, Status: r.status, Code: r.code, line: s.hide(line)}
}

// hide masks the secret in what a server sent: it may echo what it was sent.
func (s *Session) hide(text string) string { return s.account.Secret.Redact(text, s.account.Username) }

// Session is one connection to an IMAP server. It is not safe for use by several goroutines. After an error other than
// a *ReplyError with status NO it is of no more use.
type Session struct {
	conn    *wire.Conn
	scan    *scanner
	record  *wire.Recorder
	account Account

	tag      int
	caps     imap.CapSet
	offersID bool // at any time since TLS, for servers that do not repeat it after the sign-in
	learned  int  // how often the server sent its capabilities
	secure   bool // inside verified TLS, or cleartext that a technician allowed
	greeted  bool
	dead     bool
	hidden   bool // what the server sends now is a proof: masked in the transcript

	alerts  []safetext.Remote // texts of [ALERT], received inside verified TLS
	uidplus bool
	exists  uint32 // messages in the selected folder
}

// New is a session on a connection that stands. Nothing has been read or sent on it yet. The server of account
// is settled.
func New(conn *wire.Conn, account Account) *Session {
	s := &Session{conn: conn, record: conn.Recorder(), account: account}
	s.record.Hide(account.Secret, account.Username)
	s.listen()
	return s
}

// listen starts a new scanner: nothing that came before TLS survives it.
func (s *Session) listen() {
	s.scan = newScanner(s.conn, func(line string) {
		if s.hidden && strings.HasPrefix(line, "+") {
			line = "+ " + wire.Masked
		}
		s.record.Add(wire.Server, line)
	})
}

// Capabilities lists what the server offers, in upper case, sorted. It is empty after a sign-in with which the server
// did not repeat them.
func (s *Session) Capabilities() []string {
	names := make([]string, 0, len(s.caps))
	for c := range s.caps {
		names = append(names, strings.ToUpper(string(c)))
	}
	slices.Sort(names)
	return names
}

// maxCapabilities bounds the words that are kept of a CAPABILITY response; real servers have about forty.
const maxCapabilities = 300

func (s *Session) learn(words []string) {
	s.learned++
	s.caps = imap.CapSet{}
	for _, w := range words[:min(len(words), maxCapabilities)] {
		s.caps[canonical(w)] = struct{}{}
	}
	s.offersID = s.offersID || s.caps.Has(imap.CapID)
}

// canonical spells a capability as CapSet looks it up: in upper case, but for the two protocol versions. Under another
// spelling IMAP4rev2 would imply nothing.
func canonical(word string) imap.Cap {
	for _, version := range []imap.Cap{imap.CapIMAP4rev1, imap.CapIMAP4rev2} {
		if strings.EqualFold(word, string(version)) {
			return version
		}
	}
	return imap.Cap(strings.ToUpper(word))
}

// notice takes what any response may bring: capabilities, and the text of an [ALERT] (RFC 9051 §7.1). An alert counts
// inside TLS only. Before TLS anybody could have written it, so that it stays in the transcript and goes nowhere else.
func (s *Session) notice(r *response) {
	const maxAlerts = 5
	switch {
	case r.name == "CAPABILITY":
		s.learn(words(r.values))
	case r.code == codeCapability && r.status == imap.StatusResponseTypeOK:
		s.learn(strings.Fields(r.args))
	case r.code == imap.ResponseCodeAlert && s.secure && len(s.alerts) < maxAlerts:
		s.alerts = append(s.alerts, safetext.FromRemote(s.hide(r.text)))
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

// clip is the beginning of s, in memory of its own: what the scanner returns holds on to the whole line.
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
		const logoutDeadline = 500 * time.Millisecond // for room in the send buffer
		s.conn.Step(logoutDeadline)
		_ = s.send([]*command{{name: "LOGOUT"}})
	}
	s.dead = true
	_ = s.conn.Close()
}

// Ended reports whether the connection is of no more use.
func (s *Session) Ended() bool { return s.dead }

// UIDPlus reports whether the server removes single messages by their UID (RFC 4315). It is known after Folders.
func (s *Session) UIDPlus() bool { return s.uidplus }

// Alerts are the texts that the server wants people to see, received inside verified TLS.
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
