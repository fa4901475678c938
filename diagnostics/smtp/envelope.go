package smtp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Verdict is what the server said about one address.
type Verdict struct {
	Address  string
	Accepted bool
	Reply    Reply
	Cause    string
}

// exchange is the replies of one transaction up to DATA.
type exchange struct {
	mail     Reply // zero when no whole reply came
	rcpt     []Verdict
	dataSaid bool // DATA was said; its reply is not read yet
	err      error
}

func (x *exchange) accepted() int {
	n := 0
	for _, v := range x.rcpt {
		if v.Accepted {
			n++
		}
	}
	return n
}

// to lists who takes the trial recipient or the message.
func (l *ladder) to() []string {
	if len(l.opts.Recipients) > 0 {
		return l.opts.Recipients
	}
	return []string{l.target.To()}
}

// envelope says MAIL, RCPT and, with a message, DATA. Where the server takes several commands at once it is one round
// trip (RFC 2920 §3.1); DATA is last in its group, as it must be.
func (l *ladder) envelope() *exchange {
	if l.data != nil {
		return l.data
	}
	l.data = l.transaction(l.target.Author(), l.to(), l.opts.Message)
	l.dialog.inData = l.data.dataSaid
	return l.data
}

func (l *ladder) transaction(from string, to []string, message []byte) *exchange {
	x := &exchange{}
	commands, err := l.commands(from, to, message)
	if err != nil {
		x.err = err
		return x
	}
	if !l.dialog.ext.Has("PIPELINING") {
		l.oneByOne(x, to, commands)
		return x
	}
	if x.err = l.dialog.send(wire.CommandDeadline, commands...); x.err != nil {
		return x
	}
	x.dataSaid = message != nil
	if !l.mailReply(x) {
		return x
	}
	for _, address := range to {
		if !l.recipientReply(x, address) {
			return x
		}
	}
	return x
}

func (l *ladder) mailReply(x *exchange) bool {
	var r Reply
	if r, x.err = l.dialog.reply(); x.err == nil {
		x.mail = r
	}
	return x.err == nil
}

func (l *ladder) oneByOne(x *exchange, to []string, commands []command) {
	if x.err = l.dialog.send(wire.CommandDeadline, commands[0]); x.err != nil || !l.mailReply(x) || x.mail.Code/100 != 2 {
		return
	}
	for i, address := range to {
		if x.err = l.dialog.send(wire.CommandDeadline, commands[1+i]); x.err != nil || !l.recipientReply(x, address) {
			return
		}
	}
	if len(commands) > 1+len(to) && x.accepted() > 0 {
		x.err = l.dialog.send(wire.CommandDeadline, commands[1+len(to)])
		x.dataSaid = x.err == nil
	}
}

func (l *ladder) recipientReply(x *exchange, address string) bool {
	l.dialog.conn.Step(wire.CommandDeadline)
	var r Reply
	if r, x.err = l.dialog.reply(); x.err != nil {
		return false
	}
	x.rcpt = append(x.rcpt, Verdict{Address: address, Accepted: r.Code/100 == 2, Reply: r})
	return true
}

// Faults of an envelope that this side sees before anything is said.
var (
	errUTF8     = errors.New("the address needs SMTPUTF8, which the server does not offer")
	errAddress  = errors.New("not an address that can be put into a command")
	errTooLarge = errors.New("the message is larger than the server takes")
)

func (l *ladder) commands(from string, to []string, message []byte) ([]command, error) {
	ext := l.dialog.ext
	sender, utf8, err := path(from)
	if err != nil {
		return nil, err
	}
	var recipients []command
	for _, address := range to {
		p, needs, err := path(address)
		if err != nil {
			return nil, err
		}
		utf8 = utf8 || needs
		recipients = append(recipients, command{line: "RCPT TO:<" + p + ">"})
	}
	mail := "MAIL FROM:<" + sender + ">"
	if utf8 {
		if !ext.Has("SMTPUTF8") {
			return nil, errUTF8
		}
		mail += " SMTPUTF8"
	}
	if message != nil {
		if limit := ext.Size(); limit > 0 && int64(len(message)) > limit {
			return nil, errTooLarge
		}
		if ext.Has("SIZE") {
			mail += fmt.Sprintf(" SIZE=%d", len(message))
		}
		if ext.Has("8BITMIME") && !ascii(string(message)) {
			mail += " BODY=8BITMIME"
		}
	}
	commands := append([]command{{line: mail}}, recipients...)
	if message != nil {
		commands = append(commands, command{line: "DATA"})
	}
	return commands, nil
}

// path is an address as it stands between angle brackets: the domain in A-labels, the local part untouched. utf8 tells
// that the local part needs SMTPUTF8 (RFC 6531 §3.3).
func path(address string) (p string, utf8 bool, err error) {
	if !config.ValidateAddress(address).Empty() {
		return "", false, errAddress
	}
	p = config.AddressASCIIDomain(address)
	return p, !ascii(p), nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (l *ladder) envelopeFault(err error) diagnostics.Result {
	evidence := diagnostics.Evidence{Kind: "error", Text: safetext.FromRemote(err.Error())}
	switch {
	case errors.Is(err, errUTF8):
		return fail(causeUTF8, evidence)
	case errors.Is(err, errAddress):
		return fail(causeAddressInvalid, evidence)
	case errors.Is(err, errTooLarge):
		return fail(causeTooLarge, evidence)
	}
	return l.fault(err, stageDialog)
}

// sender judges MAIL, and those refusals of RCPT that are about the sender: most servers hold a refused sender back
// until then (Postfix smtpd_delay_reject).
func (l *ladder) sender(context.Context) diagnostics.Result {
	x := l.envelope()
	from := diagnostics.Evidence{Kind: "sender", Text: safetext.FromRemote(l.target.Author())}
	if x.mail.Code == 0 {
		result := l.envelopeFault(x.err)
		result.Evidence = append([]diagnostics.Evidence{from}, result.Evidence...)
		return result
	}
	var result diagnostics.Result
	if x.mail.Code/100 != 2 {
		result = l.replied(x.mail, causeSenderRejected)
	} else {
		result = pass(l.replyEvidence(x.mail))
		result.Code = replyCodeOf(x.mail)
		if v, about := l.aboutSender(x); about {
			result = l.replied(v.Reply, causeSenderRejected)
		}
	}
	result.Args = append(result.Args, "from", safetext.FromRemote(l.target.Author()), "username",
		safetext.FromRemote(l.userName()))
	result.Evidence = append([]diagnostics.Evidence{from}, result.Evidence...)
	return result
}

// aboutSender finds a refused recipient whose cause lies with the sender.
func (l *ladder) aboutSender(x *exchange) (Verdict, bool) {
	if x.accepted() > 0 {
		return Verdict{}, false
	}
	for _, v := range x.rcpt {
		if !v.Accepted && l.match(v.Reply).Group == "sender" {
			return v, true
		}
	}
	return Verdict{}, false
}

// recipient judges RCPT. The first refusal gives the cause; with several recipients one that is taken makes it a
// warning.
func (l *ladder) recipient(context.Context) diagnostics.Result {
	x := l.envelope()
	var result *diagnostics.Result
	evidence := []diagnostics.Evidence{}
	for i, v := range x.rcpt {
		evidence = append(evidence, diagnostics.Evidence{
			Kind: "recipient", Text: safetext.FromRemote(v.Address), Fields: map[string]any{"accepted": v.Accepted},
		})
		judged := pass(l.replyEvidence(v.Reply))
		judged.Code = replyCodeOf(v.Reply)
		if !v.Accepted {
			judged = l.replied(v.Reply, causeRecipientRefused)
			x.rcpt[i].Cause = judged.Cause
		}
		judged.Args = append(judged.Args, "recipient", safetext.FromRemote(v.Address))
		if result == nil || (judged.Status == diagnostics.Fail && result.Status == diagnostics.Pass) {
			result = &judged
		}
	}
	l.recipients = x.rcpt
	if result == nil || (x.err != nil && x.accepted() == 0 && result.Status == diagnostics.Pass) {
		failed := l.envelopeFault(x.err)
		result = &failed
	}
	if result.Status == diagnostics.Fail && x.accepted() > 0 {
		result.Status = diagnostics.Warn
	}
	result.Evidence = append(evidence, result.Evidence...)
	if l.opts.Message == nil {
		result.Evidence = append(result.Evidence, l.aliases()...)
		l.dialog.quit(command{line: "RSET"})
	}
	return *result
}

// maxAliases bounds the trial senders of one run: servers count errors and hang up.
const maxAliases = 10

// aliases tries further sender addresses, each in a transaction that is never finished.
func (l *ladder) aliases() []diagnostics.Evidence {
	var list []diagnostics.Evidence
	for _, address := range l.opts.Aliases[:min(len(l.opts.Aliases), maxAliases)] {
		if l.dialog.broken {
			break
		}
		if _, err := l.dialog.ask(wire.CommandDeadline, command{line: "RSET"}); err != nil {
			break
		}
		x := l.transaction(address, l.to()[:1], nil)
		if x.err != nil && x.mail.Code == 0 && l.dialog.broken {
			break
		}
		accepted := x.err == nil && x.mail.Code/100 == 2 && x.accepted() > 0
		e := diagnostics.Evidence{
			Kind: "alias", Text: safetext.FromRemote(address),
			Fields: map[string]any{"accepted": accepted},
		}
		if !accepted {
			e.Fields["reply"] = l.clean(x.lastText())
		}
		list = append(list, e)
	}
	return list
}

// lastText is the refusal of a transaction, raw.
func (x *exchange) lastText() string {
	if x.mail.Code/100 != 2 && x.mail.Code != 0 {
		return x.mail.Text()
	}
	for _, v := range x.rcpt {
		if !v.Accepted {
			return v.Reply.Text()
		}
	}
	if x.err != nil {
		return x.err.Error()
	}
	return strings.TrimSpace(x.mail.Text())
}
