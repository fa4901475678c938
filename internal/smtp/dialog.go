package smtp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"postier/internal/safetext"
	"postier/internal/wire"
)

// command is one line for the server. The transcript has shown, or line where shown is empty.
type command struct {
	line  string
	shown string
}

// dialog is the exchange of commands and replies on one connection.
type dialog struct {
	conn *wire.Conn
	ext  Extensions // of the last EHLO
	// turns counts the writes that waited for a reply: the round trips of the dialog.
	turns int
	// awaited counts the replies that are due; last is the code of the newest one.
	awaited, last int
	// inData is set while the server may read what is sent as message text.
	inData bool
	// broken is set when the connection takes no further command.
	broken bool
}

// send writes commands in one segment. It refuses a command with a line break, whatever the callers checked
// (docs/security.md T8). It writes nothing when the server has sent a reply that no command asked for: every later
// reply would be taken for that of another command.
func (d *dialog) send(within time.Duration, commands ...command) error {
	if err := d.unasked(); err != nil {
		d.broken = true
		return err
	}
	return d.write(within, commands...)
}

// unasked is the error for a reply beyond those that were due. Within an exchange (3yz) the server may send its verdict
// together with a challenge, and 421 may come at any time (RFC 5321 §3.8).
func (d *dialog) unasked() error {
	const intermediate = 3
	if d.awaited > 0 || d.last/100 == intermediate {
		return nil
	}
	text := string(d.conn.Unread())
	if text == "" || strings.HasPrefix(text, strconv.Itoa(codeClosing)) {
		return nil
	}
	line, _, _ := strings.Cut(text, "\r\n")
	d.conn.Recorder().Add(wire.Server, line)
	return &ProtocolError{"unasked", safetext.FromRemote(line)}
}

func (d *dialog) write(within time.Duration, commands ...command) error {
	var b strings.Builder
	for _, c := range commands {
		if strings.ContainsAny(c.line, "\r\n\x00") {
			return errLineBreak
		}
		b.WriteString(c.line)
		b.WriteString("\r\n")
	}
	for _, c := range commands {
		shown := c.shown
		if shown == "" {
			shown = c.line
		}
		d.conn.Recorder().Add(wire.Client, shown)
	}
	d.conn.Step(within)
	d.turns++
	d.awaited += len(commands)
	_, err := d.conn.Write([]byte(b.String()))
	if err != nil {
		d.broken = true
	}
	return err
}

// reply reads the next reply within the step that send began.
func (d *dialog) reply() (Reply, error) { return d.replyShown(nil) }

// replyShown reads a reply; show replaces it in the transcript.
func (d *dialog) replyShown(show func(Reply) string) (Reply, error) {
	r, err := readReply(d.conn)
	if show != nil && err == nil {
		d.conn.Recorder().Add(wire.Server, show(r))
	} else {
		for _, line := range r.raw {
			d.conn.Recorder().Add(wire.Server, line)
		}
	}
	if err != nil {
		d.broken = true
		var protocol *ProtocolError
		if errors.As(err, &protocol) {
			d.conn.Recorder().Add(wire.Server, lastLine(protocol.Seen.Raw()))
		}
		d.conn.Recorder().Add(wire.Note, wire.Classify(err).Text.Raw())
		return r, err
	}
	d.awaited, d.last = max(d.awaited-1, 0), r.Code
	// RFC 5321 §3.8: after 421 the server closes.
	if r.Code == codeClosing {
		d.broken = true
	}
	return r, nil
}

func lastLine(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }

const codeClosing = 421

// ask sends one command and reads its reply.
func (d *dialog) ask(within time.Duration, c command) (Reply, error) {
	if err := d.send(within, c); err != nil {
		return Reply{}, err
	}
	return d.reply()
}

// ehlo sends EHLO and reads the extensions. Those of an earlier EHLO are dropped first (RFC 3207 §4.2).
func (d *dialog) ehlo(name string) (Reply, error) {
	d.ext = Extensions{}
	r, err := d.ask(wire.CommandDeadline, command{line: "EHLO " + name})
	if err == nil && r.Code == codeOK {
		d.ext = parseEHLO(r.Lines)
	}
	return r, err
}

const (
	codeReady   = 220
	codeBye     = 221
	codeOK      = 250
	codeStart   = 354
	codeAuthOK  = 235
	codeProceed = 334

	codeAuthRefused = 535
)

// quit sends QUIT and closes the connection without waiting for the reply: nothing depends on it, and a server may
// never close.
func (d *dialog) quit() {
	if !d.broken && !d.inData { // the server drops a message without its dot (RFC 5321 §4.1.1.4)
		_ = d.write(quitDeadline, command{line: "QUIT"})
	}
	d.broken = true
	_ = d.conn.Close()
}

// farewell is quit for a server that is being examined: it waits a moment for the replies, and returns the error of one
// that no command asked for. Nothing else depends on it, so a server that does not answer costs only that moment.
func (d *dialog) farewell(commands ...command) error {
	const patience = 500 * time.Millisecond
	if d.broken || d.inData {
		d.quit()
		return nil
	}
	defer func() {
		d.broken = true
		_ = d.conn.Close()
	}()
	err := d.unasked()
	if err != nil || d.write(patience, append(commands, command{line: "QUIT"})...) != nil {
		return err
	}
	due := len(commands) + 1
	var replies []Reply
	for len(replies) <= due {
		r, err := readReply(d.conn)
		if err != nil {
			return nil
		}
		if replies = append(replies, r); r.Code == codeBye && len(replies) <= due {
			return nil
		}
	}
	d.conn.Recorder().Add(wire.Server, replies[0].Text())
	return &ProtocolError{"unasked", safetext.FromRemote(replies[0].Text())}
}

// quitDeadline bounds a write whose outcome does not matter.
const quitDeadline = 2 * time.Second

// heloName is the name for EHLO: the configured one, or an address literal of this end of the connection, which is
// always correct and reveals no host name (RFC 5321 §4.1.4).
func heloName(configured string, local net.Addr) string {
	if configured != "" {
		return configured
	}
	target, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return "[127.0.0.1]"
	}
	addr := target.Addr().Unmap().WithZone("")
	if addr.Is6() {
		return fmt.Sprintf("[IPv6:%s]", addr)
	}
	return fmt.Sprintf("[%s]", addr)
}
