package imap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
func (s *Session) hide(text string) string { return s.access.Secret.Redact(text, s.access.Username) }

// Session is one connection to an IMAP server. It is not safe for use by several goroutines. After an error other than
// a *ReplyError with status NO it is of no more use.
type Session struct {
	conn   *wire.Conn
	scan   *scanner
	record *wire.Recorder
	access Access

	tag     int
	caps    imap.CapSet
	learned int  // how often caps were told
	secure  bool // inside verified TLS, or cleartext that a technician allowed
	greeted bool
	dead    bool
	hidden  bool // what the server sends now is a proof: masked in the transcript

	alerts   []safetext.Remote // [ALERT] texts heard inside verified TLS
	uidplus  bool
	selected *mailbox
}

// mailbox is the selected folder.
type mailbox struct {
	raw    string
	exists uint32
}

// New is a session on a connection that stands. Nothing has been read or sent on it yet. The server of access is
// settled.
func New(conn *wire.Conn, access Access) *Session {
	s := &Session{conn: conn, record: conn.Recorder(), access: access}
	s.record.Hide(access.Secret, access.Username)
	s.listen()
	return s
}

// listen starts reading afresh: nothing that came before TLS survives it.
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

// alert keeps the text of an [ALERT] (RFC 9051 §7.1) heard inside TLS. Before TLS anybody could have written it: it
// stays in the transcript and goes nowhere else.
func (s *Session) alert(r *response) {
	const maxAlerts = 5
	if s.secure && r.code == imap.ResponseCodeAlert && len(s.alerts) < maxAlerts {
		s.alerts = append(s.alerts, safetext.FromRemote(s.hide(r.text)))
	}
}

// Greet reads the greeting (RFC 9051 §7.1).
func (s *Session) Greet(ctx context.Context) error {
	s.conn.Step(greetingDeadline(s.access.Server))
	defer s.conn.Watch(ctx)()
	r, err := s.scan.next()
	if err != nil {
		return s.fail(err)
	}
	s.alert(r)
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
	if r.code == codeCapability {
		s.learn(strings.Fields(r.args))
	}
	return nil
}

// clip is the beginning of s, in memory of its own: what the scanner returns holds on to the whole line.
func clip(s string) string { return strings.Clone(s[:min(len(s), 60)]) }

func (s *Session) fail(err error) error {
	s.dead = true
	return err
}

// command is one command with what it waits for.
type command struct {
	name string
	// args are sent as they stand, after a blank.
	args string
	// shown replaces args in the transcript when they hold a secret.
	shown string
	// literal is sent behind args as a literal; the transcript shows its size.
	literal []byte
	// data receives the untagged responses; nil ignores them.
	data func(*response)
	// answer replies to a continuation (AUTHENTICATE); nil means that none is expected.
	answer func(challenge string) ([]byte, error)
	// maxData is the cap on untagged responses, 0 means maxUntagged.
	maxData int

	tag  string
	sent bool // everything is on its way
	err  error
	// code and codeArgs are those of the completion.
	code     imap.ResponseCode
	codeArgs string
}

// exchange sends commands in one flight and reads until all are answered. A NO is left in the command's err, so that
// the others keep their result; anything worse is returned.
func (s *Session) exchange(ctx context.Context, within time.Duration, commands ...*command) error {
	if s.dead {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.conn.Step(within)
	defer s.conn.Watch(ctx)()
	s.scan.flight = 0
	err := s.converse(commands)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *Session) converse(commands []*command) error {
	if err := s.send(commands); err != nil {
		return err
	}
	open := len(commands)
	untagged, limit := 0, 0
	for _, c := range commands {
		limit = max(limit, c.maxData, maxUntagged)
	}
	for open > 0 {
		r, err := s.scan.next()
		if err != nil {
			return err
		}
		s.alert(r)
		switch r.tag {
		case "*":
			if untagged++; untagged > limit {
				return &wire.LimitError{Limit: "untagged", Max: limit}
			}
			if err := s.untagged(r, commands); err != nil {
				return err
			}
		case "+":
			if err := s.proceed(r, commands); err != nil {
				return err
			}
		default:
			if err := s.complete(r, commands); err != nil {
				return err
			}
			open--
		}
	}
	return nil
}

// send writes the commands in one piece. A synchronising literal (RFC 9051 §4.3) waits for its "+".
func (s *Session) send(commands []*command) error {
	var out []byte
	for _, c := range commands {
		s.tag++
		c.tag = "P" + strconv.Itoa(s.tag)
		line := c.tag + " " + c.name
		shown := line
		if c.args != "" {
			line += " " + c.args
			if c.shown == "" {
				c.shown = c.args
			}
			shown += " " + c.shown
		}
		if c.literal != nil {
			announce := fmt.Sprintf(" {%d%s}", len(c.literal), s.literalSign(len(c.literal)))
			line += announce
			shown += announce
		}
		// One command is one line: the last gate against CR, LF and NUL in an argument (docs/security.md T8).
		if strings.ContainsAny(line, "\r\n\x00") {
			return ErrUnsafe
		}
		s.record.Add(wire.Client, shown)
		out = append(out, line+"\r\n"...)
		c.sent = true
		if c.literal != nil {
			c.sent = false
			if s.literalSign(len(c.literal)) != "" {
				out = append(out, s.body(c)...)
			}
		}
	}
	_, err := s.conn.Write(out)
	return err
}

// body is the literal with the line end behind it; the transcript shows only how much it is.
func (s *Session) body(c *command) []byte {
	c.sent = true
	s.record.Add(wire.Client, fmt.Sprintf("(%d octets of our own message)", len(c.literal)))
	return append(slices.Clone(c.literal), "\r\n"...)
}

// literalSign is "+" when a literal of n octets may go without waiting (RFC 7888 §4 and §5).
func (s *Session) literalSign(n int) string {
	const literalMinus = 4096
	if s.caps.Has(imap.CapLiteralPlus) || (n <= literalMinus && s.caps.Has(imap.CapLiteralMinus)) {
		return "+"
	}
	return ""
}

func (s *Session) untagged(r *response, commands []*command) error {
	switch {
	case r.status == imap.StatusResponseTypeBye:
		return s.refusal(commands[0].name, r)
	case r.status == imap.StatusResponseTypePreAuth:
		return broken("PREAUTH in the middle of a session")
	case r.name == "CAPABILITY":
		s.learn(words(r.values))
	case r.status == imap.StatusResponseTypeOK && r.code == codeCapability:
		s.learn(strings.Fields(r.args))
	case r.name == "EXISTS" && s.selected != nil:
		s.selected.exists = r.number
	}
	for _, c := range commands {
		if c.data != nil {
			c.data(r)
		}
	}
	return nil
}

// proceed answers "+". One that nobody waited for is refused.
func (s *Session) proceed(r *response, commands []*command) error {
	for _, c := range commands {
		switch {
		case c.literal != nil && !c.sent:
			_, err := s.conn.Write(s.body(c))
			return err
		case c.answer != nil:
			reply, err := c.answer(r.text)
			if err != nil {
				return err
			}
			s.record.Add(wire.Client, wire.Masked)
			_, err = s.conn.Write(append(slices.Clone(reply), "\r\n"...))
			return err
		}
	}
	return broken("a continuation that nobody asked for")
}

func (s *Session) complete(r *response, commands []*command) error {
	for _, c := range commands {
		if c.tag != r.tag { // the case of a tag counts, RFC 9051 §2.2.1
			continue
		}
		c.tag = "" // a second completion is as wrong as an unknown tag
		c.code, c.codeArgs = r.code, r.args
		switch r.status {
		case imap.StatusResponseTypeOK:
			if r.code == codeCapability {
				s.learn(strings.Fields(r.args))
			}
			if c.literal != nil && !c.sent {
				return broken("OK to %s before the message was sent", c.name)
			}
		case imap.StatusResponseTypeNo, imap.StatusResponseTypeBad:
			c.err = s.refusal(c.name, r)
		default:
			return broken("the tag of %s with %q", c.name, r.name)
		}
		return nil
	}
	return broken("a tag %q that is not ours", safetext.Escape(clip(r.tag)))
}

// do runs one command and returns its refusal as an error as well.
func (s *Session) do(ctx context.Context, within time.Duration, c *command) error {
	if err := s.exchange(ctx, within, c); err != nil {
		return err
	}
	return c.err
}

// Close says LOGOUT without waiting for the answer and lets go.
func (s *Session) Close() {
	if s == nil || s.conn == nil {
		return
	}
	if !s.dead && s.greeted {
		const farewell = 500 * time.Millisecond // nobody waits for the answer, only for room in the send buffer
		s.conn.Step(farewell)
		_ = s.send([]*command{{name: "LOGOUT"}})
	}
	s.dead = true
	_ = s.conn.Close()
}

// Ended reports whether the connection is of no more use.
func (s *Session) Ended() bool { return s.dead }

// UIDPlus reports whether the server removes single messages by their UID (RFC 4315). It is known after Folders.
func (s *Session) UIDPlus() bool { return s.uidplus }

// Greeted reports whether the greeting was read.
func (s *Session) Greeted() bool { return s.greeted }

// Secured reports whether secrets may be sent: TLS stands and its certificate held, or cleartext was accepted.
func (s *Session) Secured() bool { return s.secure }

// Alerts are the texts that the server wants people to see, heard inside verified TLS.
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
