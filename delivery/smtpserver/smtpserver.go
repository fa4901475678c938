// Package smtpserver is the SMTP server (RFC 5321) that other programs of this machine talk to: on standard input and
// output, as `sendmail -bs` offers it, and on the socket of the machine's service.
package smtpserver

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"postier/delivery"
	"postier/internal/addressfield"
	"postier/internal/safetext"
)

// Caps of a dialog: the caller is a program of this machine, but it may be faulty.
const (
	maxLine       = 4096 // octets; RFC 5321 §4.5.3.1 asks for 512 and extensions add some
	maxRecipients = 1000
	maxErrors     = 50
	readAhead     = 64 << 10
)

// Server takes messages for a submitter.
type Server struct {
	// Largest is the size of a message that is taken, in octets; 0 means delivery.MaxMessage.
	Largest   int
	Submitter *delivery.Submitter
	// Name and Kind apply to every message of a dialog.
	Name, Kind string
	// Direct sends each message before replying; Later leaves the delivery to the queue.
	Direct, Later bool
	// Words puts an error into words, and says whether the message itself is at fault.
	Words func(error) (text string, message bool)
	// Blocked says why a message is not sent.
	Blocked func(delivery.Decision) string
	// Forward hands a message to another service in place of the submitter, and returns the reply for the caller.
	Forward func(context.Context, *delivery.Message, delivery.Raw) (reply string)
	// Admit reports whether the caller may hand in one more message now; nil means always.
	Admit func(context.Context) bool
	// Accepted is called for each message that was accepted; it may be nil.
	Accepted func(*delivery.Item)
	// Transient reports whether a try that failed may succeed later.
	Transient func(delivery.Try) bool
}

// Serve holds the dialog with one caller. When it is over, the accepted messages are sent over one connection; those
// that cannot be sent stay in the queue.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	d := &dialog{Server: s, in: bufio.NewReaderSize(in, readAhead), out: bufio.NewWriter(out)}
	err := d.serve(ctx)
	for _, item := range d.accepted {
		if ctx.Err() != nil {
			break
		}
		if _, failed := s.Submitter.Queue.Deliver(ctx, item); failed != nil && err == nil {
			err = failed
		}
	}
	return err
}

// dialog is one conversation with a caller.
type dialog struct {
	*Server
	in  *bufio.Reader
	out *bufio.Writer

	hello bool
	from  *string
	to    []string
	wrong int
	// bare is set when the last command ended with LF alone. Such a caller ends its lines, and its message, so throughout.
	bare     bool
	accepted []*delivery.Item
}

func (d *dialog) serve(ctx context.Context) error {
	if err := d.say("220 postier ESMTP"); err != nil {
		return err
	}
	for {
		line, err := d.line()
		switch {
		case errors.Is(err, errLongLine):
			err = d.bad("500 5.5.2 line too long")
		case err != nil:
			return nil // the caller is gone; accepted messages are in the queue
		default:
			var over bool
			if over, err = d.command(ctx, line); over {
				return err
			}
		}
		if err != nil {
			return err
		}
		if d.wrong > maxErrors {
			return d.last("421 4.7.0 too many errors")
		}
	}
}

func (d *dialog) say(line string) error {
	_, _ = d.out.WriteString(line + "\r\n")
	if d.in.Buffered() > 0 { // RFC 2920 §3.2: answers to pipelined commands go together
		return nil
	}
	return d.out.Flush()
}

// last says the reply that ends the dialog. It is sent at once, whatever the caller has pipelined.
func (d *dialog) last(line string) error {
	_, _ = d.out.WriteString(line + "\r\n")
	return d.out.Flush()
}

func (d *dialog) bad(line string) error {
	d.wrong++
	return d.say(line)
}

var errLongLine = errors.New("line too long")

// line reads one command; its end may be LF, since people type here too.
func (d *dialog) line() (string, error) {
	if err := d.out.Flush(); d.in.Buffered() == 0 && err != nil {
		return "", err
	}
	text, err := d.in.ReadSlice('\n')
	long := false
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		text, err = d.in.ReadSlice('\n')
	}
	switch {
	case err != nil:
		return "", err
	case long || len(text) > maxLine:
		return "", errLongLine
	}
	d.bare = !strings.HasSuffix(string(text), "\r\n")
	return strings.TrimRight(string(text), "\r\n"), nil
}

func (d *dialog) command(ctx context.Context, line string) (over bool, err error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		return false, d.greet(fmt.Sprintf(
			"250-postier\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE %d",
			d.largest()))
	case "HELO":
		return false, d.greet("250 postier")
	case "MAIL":
		return false, d.mail(ctx, rest)
	case "RCPT":
		return false, d.rcpt(rest)
	case "DATA":
		return d.data(ctx)
	case "RSET":
		d.reset()
		return false, d.say("250 2.0.0 forgotten")
	case "NOOP":
		return false, d.say("250 2.0.0 ok")
	case "VRFY":
		return false, d.say("252 2.0.0 send and see")
	case "QUIT":
		return true, d.last("221 2.0.0 bye")
	}
	return false, d.bad("500 5.5.2 unknown command")
}

func (d *dialog) greet(line string) error {
	d.reset()
	d.hello = true
	return d.say(line)
}

func (d *dialog) reset() { d.from, d.to = nil, nil }

// pathOf reads FROM:<address> or TO:<address>; parameters follow after a space (RFC 5321 §4.1.2).
func pathOf(rest, word string) (address string, ok bool) {
	rest = strings.TrimSpace(rest)
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return "", false
	}
	inside, opened := strings.CutPrefix(strings.TrimSpace(rest[len(word):]), "<")
	address, _, closed := strings.Cut(inside, ">")
	return address, opened && closed
}

// largest is the size of a message that is taken, in octets.
func (d *dialog) largest() int { return cmp.Or(d.Largest, delivery.MaxMessage) }

// announced is the parameter SIZE of MAIL (RFC 1870 §6), 0 without one.
func announced(rest string) int64 {
	_, params, _ := strings.Cut(rest, ">")
	for param := range strings.FieldsSeq(params) {
		name, value, _ := strings.Cut(param, "=")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && strings.EqualFold(name, "SIZE") {
			return n
		}
	}
	return 0
}

func (d *dialog) mail(ctx context.Context, rest string) error {
	address, ok := pathOf(rest, "FROM:")
	switch {
	case !d.hello:
		return d.bad("503 5.5.1 EHLO first")
	case d.from != nil:
		return d.bad("503 5.5.1 a message is under way")
	case !ok:
		return d.bad("501 5.5.4 MAIL FROM:<address>")
	}
	if announced(rest) > int64(d.largest()) { // RFC 1870 §6.1
		return d.bad("552 5.3.4 the message is too large")
	}
	if address != "" {
		if list, _ := addressfield.List(address); len(list) != 1 {
			return d.bad("553 5.1.7 malformed address")
		}
	}
	if d.Admit != nil && !d.Admit(ctx) {
		return d.bad("450 4.7.1 too many messages, try again later")
	}
	d.from = &address
	return d.say("250 2.1.0 ok")
}

func (d *dialog) rcpt(rest string) error {
	address, ok := pathOf(rest, "TO:")
	switch {
	case d.from == nil:
		return d.bad("503 5.5.1 MAIL first")
	case !ok:
		return d.bad("501 5.5.4 RCPT TO:<address>")
	case len(d.to) >= maxRecipients:
		return d.say("452 4.5.3 too many recipients")
	}
	list, _ := addressfield.List(address)
	if len(list) != 1 {
		return d.bad("553 5.1.3 malformed address")
	}
	d.to = append(d.to, list[0].Address)
	return d.say("250 2.1.5 ok")
}

func (d *dialog) data(ctx context.Context) (over bool, err error) {
	if len(d.to) == 0 {
		return false, d.bad("503 5.5.1 RCPT first")
	}
	if err := d.say("354 end with a dot on a line of its own"); err != nil {
		return true, err
	}
	_ = d.out.Flush()
	defer d.reset()
	text := &dataReader{in: d.in, bare: d.bare, most: d.largest(), start: true}
	m, err := delivery.Read(text, false)
	if _, broken := io.Copy(io.Discard, text); broken != nil {
		return true, nil // the caller broke off before the dot: nothing was accepted
	}
	if text.large || errors.Is(err, delivery.ErrTooLarge) {
		return false, d.bad("552 5.3.4 the message is too large")
	}
	return false, d.say(d.take(ctx, m, err))
}

// dataReader reads up to CRLF . CRLF and removes doubled dots. Nothing else ends a message (SMTP smuggling,
// CVE-2023-51764), unless the caller ended its commands with LF alone: then that is the end of its lines. Of a message
// that is too large, it reads to the end as well and passes on the beginning.
type dataReader struct {
	in    *bufio.Reader
	bare  bool
	most  int
	start bool // after the end of a line
	ended bool
	large bool
	size  int
	piece []byte
	err   error
}

func (r *dataReader) Read(p []byte) (int, error) {
	for len(r.piece) == 0 {
		switch {
		case r.err != nil:
			return 0, r.err
		case r.ended:
			return 0, io.EOF
		}
		r.next()
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

// next reads a line, or a part of a long one.
func (r *dataReader) next() {
	lineEnd := "\r\n"
	if r.bare {
		lineEnd = "\n"
	}
	piece, err := r.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		r.err = errBroken
		return
	}
	if r.ended = r.start && (string(piece) == ".\r\n" || string(piece) == "."+lineEnd); r.ended {
		return
	}
	if r.start && len(piece) > 1 && piece[0] == '.' && piece[1] == '.' {
		piece = piece[1:]
	}
	r.start = bytes.HasSuffix(piece, []byte(lineEnd))
	r.size += len(piece)
	if r.large = r.large || r.size > r.most; !r.large {
		r.piece = piece
	}
}

// errBroken is the end of a caller in the middle of a message.
var errBroken = errors.New("the message has no end")

// take accepts a message: 250 means that it is on disk.
func (d *dialog) take(ctx context.Context, m *delivery.Message, err error) string {
	if errors.Is(err, delivery.ErrEmpty) { // sendmail sends an empty message
		m, err = &delivery.Message{}, nil
	}
	switch {
	case errors.Is(err, delivery.ErrHeader):
		return "554 5.6.0 " + safetext.Escape(err.Error())
	case err != nil:
		return "451 4.3.0 " + safetext.Escape(err.Error())
	}
	defer m.Close()
	raw := delivery.Raw{Sender: *d.from, Name: d.Name, Kind: d.Kind, Recipients: d.to}
	if d.Forward != nil {
		return d.Forward(ctx, m, raw)
	}
	return d.submit(ctx, m, raw)
}

func (d *dialog) submit(ctx context.Context, m *delivery.Message, raw delivery.Raw) string {
	how := delivery.How{Direct: d.Direct, Later: true, Held: !d.Later}
	out, err := d.Submitter.SubmitRaw(ctx, m, raw, how)
	var state *delivery.StateError
	if errors.As(err, &state) && state.Fate == delivery.FateAccepted { // a refusal would make the caller send it again
		return "250 2.0.0 ok: " + safetext.Escape(state.Error())
	}
	if err != nil {
		text, message := d.Words(err)
		if message {
			return "554 5.6.0 " + safetext.Escape(text)
		}
		return "451 4.3.0 " + safetext.Escape(text)
	}
	switch block := out.Decision.Block; {
	case block == delivery.BlockTooMany:
		return "452 4.5.3 too many recipients"
	case block == delivery.BlockNoProfile, block == delivery.BlockOff, block == delivery.BlockUnknown:
		return "554 5.3.5 " + safetext.Escape(d.Blocked(out.Decision))
	case block != delivery.BlockNone:
		return "554 5.7.1 " + safetext.Escape(d.Blocked(out.Decision))
	}
	item := out.Item
	switch try := out.Try; {
	case !how.Direct, try.State == delivery.StateCopy, try.State == delivery.StateSent && len(item.Failed()) == 0:
	case try.State != delivery.StateSent && d.Transient(try):
		return "451 4.3.0 not now: " + string(item.Cause)
	default:
		return "554 5.0.0 not sent: " + string(item.Cause)
	}
	if how.Held && !how.Direct && out.Decision.Room.Free() {
		d.accepted = append(d.accepted, item)
	}
	if d.Accepted != nil {
		d.Accepted(item)
	}
	return "250 2.0.0 ok: queued as " + item.ID
}
