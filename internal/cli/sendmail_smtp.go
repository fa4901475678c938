package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"postier/delivery"
	"postier/internal/safetext"
)

// Caps of `sendmail -bs`: the other side is a program of this machine, and may still be wrong.
const (
	maxSMTPLine       = 4096 // octets; RFC 5321 §4.5.3.1 asks for 512 and extensions add some
	maxSMTPRecipients = 1000
	maxSMTPErrors     = 50
)

// smtpServer speaks SMTP (RFC 5321) on stdin and stdout, as `sendmail -bs` does.
type smtpServer struct {
	app     *app
	sending *sending
	options *sendmailOptions
	in      *bufio.Reader
	out     *bufio.Writer

	hello bool
	from  *string
	to    []string
	wrong int
	// accepted messages leave over one connection once the dialog is over.
	accepted []*delivery.Item
}

func (a *app) speakSMTP(ctx context.Context, s *sending, o *sendmailOptions) error {
	srv := &smtpServer{app: a, sending: s, options: o, in: bufio.NewReaderSize(a.in, 64<<10), out: bufio.NewWriter(a.out)}
	err := srv.serve(ctx)
	for _, item := range srv.accepted {
		if ctx.Err() != nil {
			break // the queue has them
		}
		if _, failed := s.queue.Deliver(ctx, item); failed != nil && err == nil {
			err = a.stateError(failed)
		}
	}
	return err
}

func (srv *smtpServer) serve(ctx context.Context) error {
	if err := srv.say("220 postier ESMTP"); err != nil {
		return err
	}
	for {
		line, err := srv.line()
		switch {
		case errors.Is(err, errLongLine):
			err = srv.bad("500 5.5.2 line too long")
		case err != nil:
			return nil // the other side is gone; what was accepted is in the queue
		default:
			var over bool
			if over, err = srv.command(ctx, line); over {
				return err
			}
		}
		if err != nil {
			return err
		}
		if srv.wrong > maxSMTPErrors {
			return srv.say("421 4.7.0 too many errors")
		}
	}
}

func (srv *smtpServer) say(line string) error {
	_, _ = srv.out.WriteString(line + "\r\n")
	if srv.in.Buffered() > 0 { // RFC 2920 §3.2: answers to pipelined commands go together
		return nil
	}
	return srv.out.Flush()
}

func (srv *smtpServer) bad(line string) error {
	srv.wrong++
	return srv.say(line)
}

var errLongLine = errors.New("line too long")

// line reads one command; its end may be LF, since people type here too.
func (srv *smtpServer) line() (string, error) {
	if err := srv.out.Flush(); srv.in.Buffered() == 0 && err != nil {
		return "", err
	}
	text, err := srv.in.ReadSlice('\n')
	long := false
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		text, err = srv.in.ReadSlice('\n')
	}
	switch {
	case err != nil:
		return "", err
	case long || len(text) > maxSMTPLine:
		return "", errLongLine
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func (srv *smtpServer) command(ctx context.Context, line string) (over bool, err error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		srv.reset()
		srv.hello = true
		return false, srv.say(fmt.Sprintf(
			"250-postier\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE %d",
			delivery.MaxMessage))
	case "HELO":
		srv.reset()
		srv.hello = true
		return false, srv.say("250 postier")
	case "MAIL":
		return false, srv.mail(rest)
	case "RCPT":
		return false, srv.rcpt(rest)
	case "DATA":
		return srv.data(ctx)
	case "RSET":
		srv.reset()
		return false, srv.say("250 2.0.0 forgotten")
	case "NOOP":
		return false, srv.say("250 2.0.0 ok")
	case "VRFY":
		return false, srv.say("252 2.0.0 send and see")
	case "QUIT":
		err := srv.say("221 2.0.0 bye")
		_ = srv.out.Flush()
		return true, err
	}
	return false, srv.bad("500 5.5.2 unknown command")
}

func (srv *smtpServer) reset() { srv.from, srv.to = nil, nil }

// pathOf reads FROM:<address> or TO:<address>; parameters follow behind a blank (RFC 5321 §4.1.2).
func pathOf(rest, word string) (address string, ok bool) {
	rest = strings.TrimSpace(rest)
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return "", false
	}
	rest = strings.TrimSpace(rest[len(word):])
	if !strings.HasPrefix(rest, "<") {
		return "", false
	}
	end := strings.IndexByte(rest, '>')
	if end < 0 {
		return "", false
	}
	return rest[1:end], true
}

func (srv *smtpServer) mail(rest string) error {
	address, ok := pathOf(rest, "FROM:")
	switch {
	case !srv.hello:
		return srv.bad("503 5.5.1 EHLO first")
	case srv.from != nil:
		return srv.bad("503 5.5.1 a message is under way")
	case !ok:
		return srv.bad("501 5.5.4 MAIL FROM:<address>")
	}
	if address != "" {
		if list, err := delivery.ParseAddresses(address); err != nil || len(list) != 1 {
			return srv.bad("553 5.1.7 malformed address")
		}
	}
	srv.from = &address
	return srv.say("250 2.1.0 ok")
}

func (srv *smtpServer) rcpt(rest string) error {
	address, ok := pathOf(rest, "TO:")
	switch {
	case srv.from == nil:
		return srv.bad("503 5.5.1 MAIL first")
	case !ok:
		return srv.bad("501 5.5.4 RCPT TO:<address>")
	case len(srv.to) >= maxSMTPRecipients:
		return srv.say("452 4.5.3 too many recipients")
	}
	list, err := delivery.ParseAddresses(address)
	if err != nil || len(list) != 1 {
		return srv.bad("553 5.1.3 malformed address")
	}
	srv.to = append(srv.to, list[0].Address)
	return srv.say("250 2.1.5 ok")
}

func (srv *smtpServer) data(ctx context.Context) (over bool, err error) {
	if len(srv.to) == 0 {
		return false, srv.bad("503 5.5.1 RCPT first")
	}
	if err := srv.say("354 end with a dot on a line of its own"); err != nil {
		return true, err
	}
	_ = srv.out.Flush()
	raw, large, err := readData(srv.in)
	if err != nil {
		return true, nil // broken off before the dot: nothing was taken
	}
	defer srv.reset()
	if large {
		return false, srv.bad("552 5.3.4 the message is too large")
	}
	return false, srv.say(srv.take(ctx, raw))
}

// readData reads up to CRLF . CRLF, and nothing else ends a message (SMTP smuggling, CVE-2023-51764). Doubled dots are
// undone.
func readData(in *bufio.Reader) (raw []byte, large bool, err error) {
	start := true // behind a CRLF
	for {
		piece, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, false, err
		}
		if start && string(piece) == ".\r\n" {
			return raw, large, nil
		}
		if start && len(piece) > 1 && piece[0] == '.' && piece[1] == '.' {
			piece = piece[1:]
		}
		start = strings.HasSuffix(string(piece), "\r\n")
		if large = large || len(raw)+len(piece) > delivery.MaxMessage; !large {
			raw = append(raw, piece...)
		}
	}
}

// take accepts a message: 250 means that it is on disk.
func (srv *smtpServer) take(ctx context.Context, raw []byte) string {
	m, err := delivery.Parse(raw)
	if err != nil {
		return "554 5.6.0 " + safetext.Escape(err.Error())
	}
	o := *srv.options
	o.sender = *srv.from
	how := submitOptions{direct: o.direct, later: true, held: !o.later}
	out, err := srv.app.sendRaw(ctx, srv.sending, &o, m, srv.to, how)
	var coded *exitError
	switch {
	case errors.As(err, &coded) && coded.code == exitData:
		return "554 5.6.0 " + safetext.Escape(coded.text)
	case err != nil:
		return "451 4.3.0 " + safetext.Escape(err.Error())
	case out.Decision.Block == delivery.BlockTooMany:
		return "452 4.5.3 too many recipients"
	case out.Decision.Block != delivery.BlockNone:
		return "554 5.7.1 not sent: " + string(out.Decision.Block)
	case out.exit == exitTempFail:
		return "451 4.3.0 not now: " + out.Cause
	case out.exit != exitOK:
		return "554 5.0.0 not sent: " + out.Cause
	}
	if out.item != nil && how.held && !how.direct && out.Decision.Room.Free() {
		srv.accepted = append(srv.accepted, out.item)
	}
	return "250 2.0.0 ok: queued as " + out.ID
}
