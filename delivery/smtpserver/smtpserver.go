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
	"sync"

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
	d := &dialog{Server: s, out: bufio.NewWriter(out)}
	d.in = bufio.NewReaderSize(&source{d, in}, readAhead)
	err := d.serve(ctx)
	if failed := d.settle(); err == nil {
		err = failed
	}
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
	// replies wait until there is nothing to read any more: the messages among them are stored together.
	replies []reply
	known   delivery.Lookups

	hello bool
	from  *string
	to    []string
	wrong int
	// bare is set when the last command ended with LF alone. Such a caller ends its lines, and its message, so throughout.
	bare     bool
	accepted []*delivery.Item
}

// reply is a line for the caller. That about a message is made when the message was handed over.
type reply struct {
	line  string
	hand  func()
	about func() string
}

// source is what the caller sends. Before it waits for more, the caller gets the replies that are due.
type source struct {
	dialog *dialog
	in     io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.dialog.settle(); err != nil {
		return 0, err
	}
	return s.in.Read(p)
}

// settle hands over the messages to which no reply was sent yet, side by side, so that they share a commit, and sends
// all replies in the order of the commands (RFC 2920 §3.2).
func (d *dialog) settle() error {
	var handing sync.WaitGroup
	for _, r := range d.replies {
		if r.hand != nil {
			handing.Go(r.hand)
		}
	}
	handing.Wait()
	for _, r := range d.replies {
		line := r.line
		if r.about != nil {
			line = r.about()
		}
		_, _ = d.out.WriteString(line + "\r\n")
	}
	clear(d.replies)
	d.replies, d.known = d.replies[:0], delivery.NewLookups()
	return d.out.Flush()
}

func (d *dialog) serve(ctx context.Context) error {
	d.say("220 postier ESMTP")
	for {
		line, err := d.line()
		switch {
		case errors.Is(err, errLongLine):
			d.bad("500 5.5.2 line too long")
		case err != nil:
			return nil // the caller is gone; accepted messages are in the queue
		case d.command(ctx, line):
			return nil
		}
		if d.wrong > maxErrors {
			d.say("421 4.7.0 too many errors")
			return nil
		}
	}
}

func (d *dialog) say(line string) { d.replies = append(d.replies, reply{line: line}) }

func (d *dialog) bad(line string) {
	d.wrong++
	d.say(line)
}

var errLongLine = errors.New("line too long")

// line reads one command; its end may be LF, since people type here too.
func (d *dialog) line() (string, error) {
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

func (d *dialog) command(ctx context.Context, line string) (over bool) {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		d.greet(fmt.Sprintf(
			"250-postier\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE %d",
			d.largest()))
	case "HELO":
		d.greet("250 postier")
	case "MAIL":
		d.mail(ctx, rest)
	case "RCPT":
		d.rcpt(rest)
	case "DATA":
		return d.data(ctx)
	case "RSET":
		d.reset()
		d.say("250 2.0.0 forgotten")
	case "NOOP":
		d.say("250 2.0.0 ok")
	case "VRFY":
		d.say("252 2.0.0 send and see")
	case "QUIT":
		d.say("221 2.0.0 bye")
		return true
	default:
		d.bad("500 5.5.2 unknown command")
	}
	return false
}

func (d *dialog) greet(line string) {
	d.reset()
	d.hello = true
	d.say(line)
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

func (d *dialog) mail(ctx context.Context, rest string) {
	address, ok := pathOf(rest, "FROM:")
	switch {
	case !d.hello:
		d.bad("503 5.5.1 EHLO first")
	case d.from != nil:
		d.bad("503 5.5.1 a message is under way")
	case !ok:
		d.bad("501 5.5.4 MAIL FROM:<address>")
	case announced(rest) > int64(d.largest()): // RFC 1870 §6.1
		d.bad("552 5.3.4 the message is too large")
	case address != "" && !isOne(address):
		d.bad("553 5.1.7 malformed address")
	case !d.admitted(ctx):
		d.bad("450 4.7.1 too many messages, try again later")
	default:
		d.from = &address
		d.say("250 2.1.0 ok")
	}
}

func isOne(address string) bool {
	list, _ := addressfield.List(address)
	return len(list) == 1
}

// admitted may wait for the caller's turn; the messages before are not kept waiting.
func (d *dialog) admitted(ctx context.Context) bool {
	if d.Admit == nil {
		return true
	}
	_ = d.settle() // the next read has the error as well
	return d.Admit(ctx)
}

func (d *dialog) rcpt(rest string) {
	address, ok := pathOf(rest, "TO:")
	list, _ := addressfield.List(address)
	switch {
	case d.from == nil:
		d.bad("503 5.5.1 MAIL first")
	case !ok:
		d.bad("501 5.5.4 RCPT TO:<address>")
	case len(d.to) >= maxRecipients:
		d.say("452 4.5.3 too many recipients")
	case len(list) != 1:
		d.bad("553 5.1.3 malformed address")
	default:
		d.to = append(d.to, list[0].Address)
		d.say("250 2.1.5 ok")
	}
}

func (d *dialog) data(ctx context.Context) (over bool) {
	if len(d.to) == 0 {
		d.bad("503 5.5.1 RCPT first")
		return false
	}
	d.say("354 end with a dot on a line of its own")
	defer d.reset()
	text := &dataReader{in: d.in, bare: d.bare, most: d.largest(), start: true}
	m, err := delivery.Read(text, false)
	if _, broken := io.Copy(io.Discard, text); broken != nil {
		return true // the caller broke off before the dot: nothing was accepted
	}
	if text.large || errors.Is(err, delivery.ErrTooLarge) {
		d.bad("552 5.3.4 the message is too large")
		return false
	}
	d.replies = append(d.replies, d.take(ctx, m, err))
	return false
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
func (d *dialog) take(ctx context.Context, m *delivery.Message, err error) reply {
	if errors.Is(err, delivery.ErrEmpty) { // sendmail sends an empty message
		m, err = &delivery.Message{}, nil
	}
	switch {
	case errors.Is(err, delivery.ErrHeader):
		return reply{line: "554 5.6.0 " + safetext.Escape(err.Error())}
	case err != nil:
		return reply{line: "451 4.3.0 " + safetext.Escape(err.Error())}
	}
	raw := delivery.Raw{Sender: *d.from, Name: d.Name, Kind: d.Kind, Recipients: d.to}
	if d.Forward != nil {
		defer m.Close()
		return reply{line: d.Forward(ctx, m, raw)}
	}
	return d.submit(ctx, m, raw)
}

func (d *dialog) submit(ctx context.Context, m *delivery.Message, raw delivery.Raw) reply {
	how := delivery.How{Direct: d.Direct, Later: true, Held: !d.Later}
	out, err := d.Submitter.Prepare(ctx, m, raw, d.known)
	hand := func() {
		if err == nil {
			err = d.Submitter.Hand(ctx, out, how)
		}
		m.Close()
	}
	about := func() string { return d.about(out, err, how) }
	if how.Direct { // one after the other
		hand()
		return reply{line: about()}
	}
	return reply{hand: hand, about: about}
}

// about is the reply to a message that was handed over.
func (d *dialog) about(out *delivery.Receipt, err error, how delivery.How) string {
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
