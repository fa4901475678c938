package smtp

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/spool"
	"postier/internal/wire"
)

// Mail is one message with its envelope.
type Mail struct {
	From string
	To   []string
	// Message is a whole message with its header, lines ended by CRLF; nil asks for the envelope's verdicts alone.
	Message []byte
	// Rest follows Message, whose header is whole; nil when Message is all.
	Rest spool.Text
	// BeforeDot runs just before the last part of the message is written. After it, only the server knows whether the
	// message was accepted (RFC 1047). An error stops the transaction.
	BeforeDot func() error
	// Patience is how long to wait for the reply to the message; 0 means as long as a user would.
	Patience time.Duration
}

// Recipient is one address with the server's reply to it.
type Recipient struct {
	Address string
	Reply   Reply
	Refusal *Error // nil when the server takes messages for the address
}

// Transaction holds the replies of one transaction up to DATA.
type Transaction struct {
	Mail       Reply // zero when no whole reply came
	Recipients []Recipient

	client   *Client
	mail     Mail
	dataSaid bool // DATA was sent and its reply is not read yet
	err      error
}

// Accepted counts the recipients that the server takes.
func (t *Transaction) Accepted() int {
	n := 0
	for _, r := range t.Recipients {
		if r.Refusal == nil {
			n++
		}
	}
	return n
}

// OK reports whether the server would take a message.
func (t *Transaction) OK() bool { return t.err == nil && t.Mail.Code/100 == 2 && t.Accepted() > 0 }

// SenderErr says why the server does not take the sender.
func (t *Transaction) SenderErr() error {
	switch {
	case t.Mail.Code == 0:
		return t.client.failure(StepSender, t.err)
	case t.Mail.Code/100 != 2:
		return t.client.refused(StepSender, t.Mail, nil)
	}
	return nil
}

// RecipientErr says why the server takes no recipient: the first refusal gives the reason.
func (t *Transaction) RecipientErr() error {
	switch {
	case t.Accepted() > 0:
		return nil
	case len(t.Recipients) == 0:
		return t.client.failure(StepRecipient, t.err)
	}
	return t.Recipients[0].Refusal
}

// Refusal is the refusal of the transaction in the server's words, empty when there was none.
func (t *Transaction) Refusal() string {
	if t.Mail.Code != 0 && t.Mail.Code/100 != 2 {
		return t.Mail.Text()
	}
	for _, r := range t.Recipients {
		if r.Refusal != nil {
			return r.Reply.Text()
		}
	}
	if t.err != nil {
		return t.err.Error()
	}
	return strings.TrimSpace(t.Mail.Text())
}

// Begin sends MAIL, RCPT and, with a message, DATA; without one, RSET. Where the server allows pipelining, they are one
// round trip (RFC 2920 §3.1), with DATA as the last command of its group; where it does not, RSET is left to Reset.
func (c *Client) Begin(ctx context.Context, m Mail) *Transaction {
	defer c.dialog.conn.Watch(ctx)()
	t := &Transaction{client: c, mail: m}
	c.begun = true
	commands, err := c.envelope(m)
	switch {
	case err != nil:
		t.err = err
	case c.dialog.ext.Has("PIPELINING"):
		t.pipeline(commands)
	default:
		t.oneByOne(commands)
	}
	c.dialog.inData = t.dataSaid
	return t
}

func (t *Transaction) pipeline(commands []command) {
	if t.mail.Message == nil {
		commands = append(commands, command{line: reset})
	}
	if !t.say(commands...) {
		return
	}
	t.dataSaid = t.mail.Message != nil
	if !t.readMail() {
		return
	}
	for _, address := range t.mail.To {
		if !t.readRecipient(address) {
			return
		}
	}
	if t.mail.Message == nil {
		t.readReset()
	}
}

// readReset reads the reply to RSET. Whatever it is, the verdicts before it stand.
func (t *Transaction) readReset() {
	t.client.dialog.conn.Step(wire.CommandDeadline)
	r, err := t.client.dialog.reply()
	t.client.begun = err != nil || r.Code != codeOK
}

func (t *Transaction) oneByOne(commands []command) {
	if !t.say(commands[0]) || !t.readMail() || t.Mail.Code/100 != 2 {
		return
	}
	for i, address := range t.mail.To {
		if !t.say(commands[1+i]) || !t.readRecipient(address) {
			return
		}
	}
	if t.mail.Message != nil && t.Accepted() > 0 {
		t.dataSaid = t.say(commands[len(commands)-1])
	}
}

func (t *Transaction) say(commands ...command) bool {
	t.err = t.client.dialog.send(wire.CommandDeadline, commands...)
	return t.err == nil
}

func (t *Transaction) readMail() bool {
	var r Reply
	if r, t.err = t.client.dialog.reply(); t.err == nil {
		t.Mail = r
	}
	return t.err == nil
}

func (t *Transaction) readRecipient(address string) bool {
	t.client.dialog.conn.Step(wire.CommandDeadline)
	var r Reply
	if r, t.err = t.client.dialog.reply(); t.err != nil {
		return false
	}
	recipient := Recipient{Address: address, Reply: r}
	if r.Code/100 != 2 {
		recipient.Refusal = t.client.refused(StepRecipient, r, nil)
	}
	t.Recipients = append(t.Recipients, recipient)
	return true
}

// envelope lists the commands of a transaction.
func (c *Client) envelope(m Mail) ([]command, error) {
	ext := c.dialog.ext
	sender, utf8, err := path(m.From)
	if err != nil {
		return nil, err
	}
	var recipients []command
	for _, address := range m.To {
		p, needs, err := path(address)
		if err != nil {
			return nil, err
		}
		utf8 = utf8 || needs
		recipients = append(recipients, command{line: "RCPT TO:<" + p + ">"})
	}
	// A header outside ASCII, as an author's local part makes it, needs the extension too (RFC 6531 §3.4).
	header, _, _ := bytes.Cut(m.Message, []byte("\r\n\r\n"))
	utf8 = utf8 || ext.Has("SMTPUTF8") && !safetext.IsASCII(header)
	mail := "MAIL FROM:<" + sender + ">"
	if utf8 {
		if !ext.Has("SMTPUTF8") {
			return nil, ErrUTF8
		}
		mail += " SMTPUTF8"
	}
	if m.Message != nil {
		size := int64(len(m.Message)) + spool.Size(m.Rest)
		if limit := ext.Size(); limit > 0 && size > limit {
			return nil, ErrTooLarge
		}
		if ext.Has("SIZE") {
			mail += fmt.Sprintf(" SIZE=%d", size)
		}
		// A rest is not read for it: what has seven bits is 8BITMIME too (RFC 6152 §3).
		if ext.Has("8BITMIME") && (m.Rest != nil || !safetext.IsASCII(m.Message)) {
			mail += " BODY=8BITMIME"
		}
		recipients = append(recipients, command{line: "DATA"})
	}
	return append([]command{{line: mail}}, recipients...), nil
}

// path returns an address for MAIL and RCPT: the domain in A-labels, the local part unchanged. utf8 reports whether the
// local part needs SMTPUTF8 (RFC 6531 §3.3).
func path(address string) (p string, utf8 bool, err error) {
	if !config.ValidateRecipient(address).Empty() {
		return "", false, ErrAddress
	}
	p = config.AddressASCIIDomain(address)
	return p, !safetext.IsASCII(p), nil
}
