package imap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/internal/safetext"
	"postier/internal/spool"
	"postier/internal/wire"
)

// command is one command, with the functions that handle its responses.
type command struct {
	name string
	// args are sent unchanged, after a space.
	args string
	// shown replaces args in the transcript when they hold a secret.
	shown string
	// literal follows args as a literal; the transcript shows its size.
	literal []byte
	// rest follows literal, of which it is a part; nil when literal is all.
	rest spool.Text
	// data receives the untagged responses; nil ignores them.
	data func(*response)
	// answer replies to a continuation (AUTHENTICATE); nil means that none is expected.
	answer func(challenge string) ([]byte, error)
	// maxData is the cap on untagged responses, 0 means maxUntagged.
	maxData int

	tag  string
	sent bool // the whole command has been sent
	err  error
	// code and codeArgs are those of the completion.
	code     imap.ResponseCode
	codeArgs string
}

// exchange sends several commands at once and reads until all are completed. A NO is stored in its command's err, so
// that the other commands keep their results; any other error is returned.
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
	if err := s.unasked(commands); err != nil {
		return err
	}
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
		s.notice(r)
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

// unasked reads what the server has sent since the last command. Untagged responses may come at any time (RFC 9051 §7);
// a completion or a continuation may not, and one that names the next tag in advance would be taken for its verdict.
func (s *Session) unasked(commands []*command) error {
	for n := 0; ; n++ {
		unread := s.conn.Unread()
		switch {
		case len(unread) == 0:
			return nil
		case n > maxUntagged:
			return &wire.LimitError{Limit: "untagged", Max: maxUntagged}
		case unread[0] == '\r' || unread[0] == '\n': // an empty line, after which next would wait for another
			if err := s.scan.readLine(); err != nil {
				return err
			}
			continue
		}
		r, err := s.scan.next()
		if err != nil {
			return err
		}
		s.notice(r)
		if r.tag != "*" {
			return broken("a response %q that no command asked for", safetext.Escape(clip(r.tag+" "+r.name)))
		}
		if err := s.untagged(r, []*command{{name: commands[0].name}}); err != nil {
			return err
		}
	}
}

// send writes the commands in one piece. A synchronising literal (RFC 9051 §4.3) waits for its "+".
func (s *Session) send(commands []*command) error {
	var out []byte
	for _, c := range commands {
		s.tag++
		c.tag = "P" + strconv.Itoa(s.tag)
		literal := ""
		if c.literal != nil {
			literal = fmt.Sprintf(" {%d%s}", c.size(), s.literalSign(c.size()))
		}
		line := strings.TrimSuffix(c.tag+" "+c.name+" "+c.args, " ") + literal
		// A command must be one line: this is the last check against CR, LF and NUL in an argument (docs/security.md
		// T8).
		if strings.ContainsAny(line, "\r\n\x00") {
			return ErrUnsafe
		}
		shown := cmp.Or(c.shown, c.args)
		s.record.Add(wire.Client, strings.TrimSuffix(c.tag+" "+c.name+" "+shown, " ")+literal)
		out = append(out, line+"\r\n"...)
		if c.sent = c.literal == nil; strings.HasSuffix(literal, "+}") {
			if err := s.writeBody(c, out); err != nil {
				return err
			}
			out = nil
		}
	}
	if len(out) == 0 {
		return nil
	}
	_, err := s.conn.Write(out)
	return err
}

// size is that of the literal.
func (c *command) size() int64 { return int64(len(c.literal)) + spool.Size(c.rest) }

// writeBody sends the literal with its line end after what is to go before it; the transcript shows only its size.
func (s *Session) writeBody(c *command, before []byte) error {
	c.sent = true
	s.record.Add(wire.Client, fmt.Sprintf("(%d octets of our own message)", c.size()))
	const lineEnd = "\r\n"
	if c.rest == nil {
		_, err := s.conn.Write(slices.Concat(before, c.literal, []byte(lineEnd)))
		return err
	}
	if _, err := s.conn.Write(slices.Concat(before, c.literal)); err != nil {
		return err
	}
	for piece, err := range c.rest.Pieces() {
		if err == nil {
			_, err = s.conn.Write(piece)
		}
		if err != nil {
			return err
		}
	}
	_, err := s.conn.Write([]byte(lineEnd))
	return err
}

// literalSign is "+" when a literal of n octets may go without waiting (RFC 7888 §4 and §5).
func (s *Session) literalSign(n int64) string {
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
	case r.name == "EXISTS":
		s.exists = r.number
	}
	for _, c := range commands {
		if c.data != nil {
			c.data(r)
		}
	}
	return nil
}

// proceed handles a continuation request ("+"). It is a protocol error when no command waits for one.
func (s *Session) proceed(r *response, commands []*command) error {
	for _, c := range commands {
		switch {
		case c.literal != nil && !c.sent:
			return s.writeBody(c, nil)
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
	return broken("a continuation that was not asked for")
}

func (s *Session) complete(r *response, commands []*command) error {
	for _, c := range commands {
		if c.tag != r.tag { // the case of a tag counts, RFC 9051 §2.2.1
			continue
		}
		c.tag = "" // so that a second completion of the command fails like an unknown tag
		c.code, c.codeArgs = r.code, r.args
		switch r.status {
		case imap.StatusResponseTypeOK:
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
