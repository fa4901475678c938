package smtp

import (
	"bytes"
	"context"
	"regexp"
	"sync"
	"time"

	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// message sends the message and waits for the verdict behind the dot.
func (l *ladder) message(context.Context) diagnostics.Result {
	x := l.envelope()
	if x.err != nil || !x.dataSaid {
		return l.fault(x.err, stageDialog)
	}
	l.dialog.conn.Step(wire.CommandDeadline)
	r, err := l.dialog.reply()
	if err != nil {
		return l.fault(err, stageDialog)
	}
	if r.Code != codeStart {
		l.dialog.inData = false
		return l.replied(r, causeMessageRefused)
	}
	start := time.Now()
	body := dotStuff(l.opts.Message)
	r, sent, err := l.sendBody(body)
	l.dialog.inData = false
	taken := diagnostics.Evidence{Kind: "message", Fields: map[string]any{
		"octets": len(body), "took_ms": time.Since(start).Milliseconds(), "recipients": x.accepted(),
	}}
	switch {
	case err != nil && sent:
		// RFC 1047: whoever loses the reply to the dot cannot know. Sending again could deliver twice.
		lost := l.fault(err, stageDialog)
		return fail(causeUnknownDelivery, append([]diagnostics.Evidence{taken}, lost.Evidence...)...)
	case err != nil:
		result := l.fault(err, stageDialog)
		result.Evidence = append([]diagnostics.Evidence{taken}, result.Evidence...)
		return result
	case r.Code/100 != 2:
		result := l.replied(r, causeMessageRefused)
		result.Evidence = append([]diagnostics.Evidence{taken}, result.Evidence...)
		return result
	}
	result := pass(taken, l.replyEvidence(r))
	result.Code = replyCodeOf(r)
	if id := queueID(r.Words()); id != "" {
		result.Evidence = append(result.Evidence, diagnostics.Evidence{Kind: "queue", Text: safetext.FromRemote(id)})
	}
	if !l.keep {
		l.dialog.quit()
	}
	return result
}

// bodyChunk is how much is written at once; a step's deadline counts anew for each.
const bodyChunk = 64 << 10

// endOfData is RFC 5321 §4.1.1.4. dotStuff ends with CRLF, so the dot stands on a line of its own.
const endOfData = ".\r\n"

// sendBody writes the message. sent is true once the dot may have reached the server.
func (l *ladder) sendBody(body []byte) (r Reply, sent bool, err error) {
	d := l.dialog
	d.conn.Recorder().Add(wire.Note, "message")
	for len(body) > bodyChunk {
		d.conn.Step(wire.CommandDeadline)
		if _, err := d.conn.Write(body[:bodyChunk]); err != nil {
			return l.earlyVerdict(err)
		}
		body = body[bodyChunk:]
	}
	if l.beforeDot != nil {
		if err := l.beforeDot(); err != nil {
			d.broken = true // hanging up before the dot takes the message back (RFC 5321 §4.1.1.4)
			_ = d.conn.Close()
			return r, false, err
		}
	}
	d.conn.Recorder().Add(wire.Client, ".")
	d.conn.Step(max(wire.DataDeadline, l.patience))
	d.turns++
	if _, err := d.conn.Write(append(bytes.Clone(body), endOfData...)); err != nil {
		d.broken = true
		return r, true, err
	}
	r, err = d.reply()
	return r, true, err
}

// earlyVerdict reads what a server said before it hung up in the middle of a message.
func (l *ladder) earlyVerdict(cause error) (Reply, bool, error) {
	l.dialog.broken = true
	l.dialog.conn.Step(quitDeadline)
	if r, err := l.dialog.reply(); err == nil {
		return r, false, nil
	}
	return Reply{}, false, cause
}

// dotStuff gives a message the form of RFC 5321 §4.5.2: CRLF at the end of every line, no bare CR or LF (which servers
// read differently: SMTP smuggling), and a second dot where a line begins with one.
func dotStuff(message []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(message) + len(message)/40)
	text := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\n"))
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if bytes.HasPrefix(line, []byte(".")) {
			out.WriteByte('.')
		}
		out.Write(line)
		out.WriteString("\r\n")
	}
	return out.Bytes()
}

// queueIDs finds the number under which a server keeps a message: Postfix, Exim, Exchange and Gmail in turn. Patterns
// are made when they are first needed: made at the start they would cost every command.
var queueIDs = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(?i)queued as ([A-Za-z0-9.-]{5,64})`),
		regexp.MustCompile(`(?i)\bid=<?([A-Za-z0-9@._-]{5,100})`),
		regexp.MustCompile(`(?i)InternalId=([0-9]{5,40})`),
		regexp.MustCompile(`(?i)\bOK\b +[0-9]+ +([a-z0-9.-]+ - gsmtp|[A-Za-z0-9.-]{8,64})`),
		regexp.MustCompile(`(?i)\bOK:? +(?:queued )?(?:as )?<?([A-Za-z0-9@._-]{8,100})>?`),
	}
})

func queueID(words string) string {
	for _, pattern := range queueIDs() {
		if m := pattern.FindStringSubmatch(words); m != nil {
			return m[1]
		}
	}
	return ""
}
