package smtp

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"regexp"
	"slices"
	"time"

	"postier/internal/pattern"
	"postier/internal/spool"
	"postier/internal/wire"
)

// Receipt is the server's reply to a message. After an error it shows how far the message got.
type Receipt struct {
	Reply   Reply
	QueueID string // as the server named it, raw; empty when it did not
	// Recipients are the server's verdicts, in the order of the call.
	Recipients []Recipient
	Octets     int // of the message on the wire; 0 when the server did not agree to take it
	Took       time.Duration
}

// Data sends the message and waits for the reply to it.
func (t *Transaction) Data(ctx context.Context) (Receipt, error) {
	receipt := Receipt{Recipients: t.Recipients}
	err := t.client.take(ctx, StepData, func(context.Context) error { return t.data(&receipt) })
	return receipt, err
}

func (t *Transaction) data(receipt *Receipt) error {
	c := t.client
	switch {
	case t.err != nil:
		return t.err
	case !t.dataSaid:
		return errNoData
	}
	c.dialog.conn.Step(wire.CommandDeadline)
	r, err := c.dialog.reply()
	if err != nil {
		return err
	}
	if r.Code != codeStart {
		c.dialog.inData = false
		if r.Code < 400 { // neither consent nor refusal: the server has lost count, and may read message text now
			c.dialog.broken = true
		}
		return c.refused(StepData, r, nil)
	}
	start := time.Now()
	r, octets, sent, err := t.write()
	c.dialog.inData = false
	receipt.Reply, receipt.Octets, receipt.Took = r, octets, time.Since(start)
	switch {
	case err != nil && sent:
		return c.lost(err)
	case err != nil:
		return err
	case r.Code/100 != 2:
		return c.refused(StepData, r, nil)
	}
	receipt.QueueID = queueID(r.Words())
	c.sent++
	c.begun = false
	return nil
}

// lost is the error of a message to which no reply came.
func (c *Client) lost(err error) error {
	var e *Error
	if errors.As(c.failure(StepData, err), &e) {
		e.Lost = true
		return e
	}
	return err
}

// pieceSize is about how much is written at once. The step's deadline starts again for each piece.
const pieceSize = 64 << 10

// endOfData is RFC 5321 §4.1.1.4. The last piece ends with CRLF, so the dot is on a line of its own.
const endOfData = ".\r\n"

// write sends the message and reads the reply. sent is true once the dot may have reached the server.
func (t *Transaction) write() (r Reply, octets int, sent bool, err error) {
	d := t.client.dialog
	d.conn.Recorder().Add(wire.Note, "message")
	var end []byte
	for piece := range pieces(t.mail.Message, t.mail.Rest) {
		octets += len(piece.text)
		switch {
		case piece.err != nil:
			d.hangUp()
			return r, octets, false, piece.err
		case piece.last:
			end = piece.text
			continue
		}
		d.conn.Step(wire.CommandDeadline)
		if _, err := d.conn.Write(piece.text); err != nil {
			r, sent, err := d.earlyVerdict(err)
			return r, octets, sent, err
		}
	}
	if t.mail.BeforeDot != nil {
		if err := t.mail.BeforeDot(); err != nil {
			d.hangUp()
			return r, octets, false, err
		}
	}
	d.conn.Recorder().Add(wire.Client, ".")
	d.conn.Step(max(wire.DataDeadline, t.mail.Patience))
	d.turns++
	d.awaited++
	if _, err := d.conn.Write(append(end, endOfData...)); err != nil {
		d.broken = true
		return r, octets, true, err
	}
	r, err = d.reply()
	return r, octets, true, err
}

// hangUp ends the connection before the dot, by which the server drops the message (RFC 5321 §4.1.1.4).
func (d *dialog) hangUp() {
	d.broken = true
	_ = d.conn.Close()
}

// earlyVerdict reads what a server said before it hung up in the middle of a message.
func (d *dialog) earlyVerdict(cause error) (Reply, bool, error) {
	d.broken = true
	d.conn.Step(quitDeadline)
	if r, err := d.reply(); err == nil {
		return r, false, nil
	}
	return Reply{}, false, cause
}

// piece is what is written of a message at once.
type piece struct {
	text []byte
	last bool
	err  error // the rest of the message could not be read
}

// pieces iterates over a message as it is written after DATA (RFC 5321 §4.5.2): the dot at the start of a line is
// doubled, and every line ended, the last one too. A piece is overwritten by the next one: a large message is not held
// a second time.
func pieces(message []byte, rest spool.Text) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		lines := LineEnds{dots: true}
		buffer := make([]byte, 0, min(pieceSize, len(message)+len(message)/40)+len("\r\n")+len(endOfData))
		more := func(text []byte) bool {
			for part := range slices.Chunk(text, pieceSize/4) {
				if len(buffer)+2*len(part) > pieceSize { // each octet may become two
					if !yield(piece{text: buffer}) {
						return false
					}
					buffer = buffer[:0]
				}
				buffer = lines.Append(buffer, part)
			}
			return true
		}
		if !more(message) {
			return
		}
		if rest != nil {
			for text, err := range rest.Pieces() {
				if err != nil {
					yield(piece{err: err})
					return
				}
				if !more(text) {
					return
				}
			}
		}
		yield(piece{text: lines.End(buffer), last: true})
	}
}

// CRLF ends every line with CRLF (RFC 5322 §2.1), the last one too. It is the one conversion of line ends, for the wire
// and for signatures, which are computed over this form (RFC 6376 §3.4). Text that has it already is returned as it is.
func CRLF(text []byte) []byte {
	lines := bytes.Count(text, []byte("\n"))
	if bytes.HasSuffix(text, []byte("\n")) && bytes.Count(text, []byte("\r")) == lines &&
		bytes.Count(text, []byte("\r\n")) == lines {
		return text
	}
	var ends LineEnds
	return ends.End(ends.Append(make([]byte, 0, len(text)+lines+len("\r\n")), text))
}

// LineEnds is the same conversion of a text that comes in parts, which may begin and end anywhere. A bare CR or LF,
// which servers read differently (SMTP smuggling), is never part of a line: it ends the line as CRLF does.
type LineEnds struct {
	dots bool // the dot at the start of a line is doubled
	// begun is set within a line, after its first octet; cr after a CR, with which a LF that follows is one end; some
	// after the first octet.
	begun, cr, some bool
}

// Append converts a part and appends it.
func (e *LineEnds) Append(out, text []byte) []byte {
	if e.cr && len(text) > 0 {
		text, e.cr = bytes.TrimPrefix(text, []byte("\n")), false
	}
	for len(text) > 0 {
		line, end := lineOf(text)
		if e.dots && !e.begun && len(line) > 0 && line[0] == '.' {
			out = append(out, '.')
		}
		out, e.some = append(out, line...), true
		if end == 0 {
			e.begun = e.begun || len(line) > 0
			return out
		}
		out, e.begun = append(out, "\r\n"...), false
		e.cr = end == 1 && text[len(line)] == '\r' && len(text) == len(line)+1
		text = text[len(line)+end:]
	}
	return out
}

// End ends the last line. An empty text has one empty line.
func (e *LineEnds) End(out []byte) []byte {
	if e.begun || !e.some {
		out, e.begun, e.some = append(out, "\r\n"...), false, true
	}
	return out
}

// lineOf is the first line of a text without its end, and how many octets that end has: none when it is not there.
func lineOf(text []byte) (line []byte, end int) {
	at := bytes.IndexAny(text, "\r\n")
	switch {
	case at < 0:
		return text, 0
	case bytes.HasPrefix(text[at:], []byte("\r\n")):
		return text[:at], 2
	}
	return text[:at], 1
}

// queueIDs finds the number under which a server keeps a message: Postfix, Exim, Exchange and Gmail in turn. They are
// compiled one by one when they are needed, so that no command pays for more than it uses.
var queueIDs = []func() *regexp.Regexp{
	pattern.Of(`(?i)queued as ([A-Za-z0-9.-]{5,64})`),
	pattern.Of(`(?i)\bid=<?([A-Za-z0-9@._-]{5,100})`),
	pattern.Of(`(?i)InternalId=([0-9]{5,40})`),
	pattern.Of(`(?i)\bOK\b +[0-9]+ +([a-z0-9.-]+ - gsmtp|[A-Za-z0-9.-]{8,64})`),
	pattern.Of(`(?i)\bOK:? +(?:queued )?(?:as )?<?([A-Za-z0-9@._-]{8,100})>?`),
}

func queueID(words string) string {
	for _, find := range queueIDs {
		if m := find().FindStringSubmatch(words); m != nil {
			return m[1]
		}
	}
	return ""
}
