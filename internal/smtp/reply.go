package smtp

import (
	"fmt"
	"slices"
	"strings"

	"postier/internal/safetext"
	"postier/internal/wire"
)

// Reply is one reply of a server (RFC 5321 §4.2).
type Reply struct {
	Code     int
	Enhanced string // RFC 3463, such as 5.7.8; empty when there is none
	// Lines are the raw texts after code and separator, with the enhanced code.
	Lines []string
	raw   []string
}

// Text is the reply as received, its lines joined by LF.
func (r Reply) Text() string { return strings.Join(r.raw, "\n") }

// Words is what the server said without the reply code, lines joined by a space.
func (r Reply) Words() string { return strings.Join(r.Lines, " ") }

// Sentence returns the reply as one line that has each code once, as the catalogue's patterns expect, and the first
// enhanced status code of its lines. Unlike Enhanced, that one may be of another class and have the form #5.7.1.
func (r Reply) Sentence() (text, status string) {
	for i, line := range r.Lines {
		code, rest := leadingStatus(line)
		if status == "" {
			status = code
		}
		switch {
		case i == 0:
			text = strings.TrimSpace(r.raw[0])
			continue
		case code == "" || code != status:
			rest = strings.TrimSpace(line)
		}
		if line != "" {
			text += " " + rest
		}
	}
	return text, status
}

// leadingStatus reads class.subject.detail at the start of a text, in the forms that servers write: with # before it,
// with punctuation after it.
func leadingStatus(text string) (code, rest string) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "#")
	end := len(text) - len(strings.TrimLeft(text, "0123456789."))
	parts := strings.Split(text[:end], ".")
	if len(parts) != 3 || !slices.Contains([]string{"2", "4", "5"}, parts[0]) {
		return "", text
	}
	for _, p := range parts[1:] {
		if len(p) == 0 || len(p) > 3 {
			return "", text
		}
	}
	return text[:end], strings.TrimSpace(text[end:])
}

// ProtocolError says that the received text is no SMTP reply.
type ProtocolError struct {
	What string          // in a word: "code", "separator", "mixed-codes", "tls-record", "no-smtp", "unasked"
	Seen safetext.Remote // the received text, as far as it was read
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("not an SMTP reply (%s): %s", e.What, e.Seen.Escaped())
}

// lineReader is the part of wire.Conn that readReply needs.
type lineReader interface {
	ReadLine(limit int) (string, error)
}

// readReply reads one reply. Every line of a multi-line reply must carry the same code (RFC 5321 §4.2.1), so that
// 250-a, 550 no, 250 end is an error and no success.
func readReply(r lineReader) (Reply, error) {
	var reply Reply
	size := 0
	for {
		line, err := r.ReadLine(wire.MaxLine)
		if err != nil {
			if record(line) {
				return reply, &ProtocolError{"tls-record", received(reply.raw, line)}
			}
			if line != "" {
				reply.raw = append(reply.raw, line)
			}
			return reply, err
		}
		size += len(line)
		switch {
		case len(reply.raw) >= wire.MaxReply:
			return reply, &wire.LimitError{Limit: "reply", Max: wire.MaxReply}
		case size > wire.MaxReplyBytes:
			return reply, &wire.LimitError{Limit: "reply", Max: wire.MaxReplyBytes}
		}
		last, err := reply.add(line)
		if err != nil {
			return reply, err
		}
		if last {
			return reply, nil
		}
	}
}

// add adds one line and reports whether it was the last.
func (r *Reply) add(line string) (last bool, err error) {
	if record(line) {
		return false, &ProtocolError{"tls-record", received(r.raw, line)}
	}
	code, ok := replyCode(line)
	if !ok {
		return false, &ProtocolError{"code", received(r.raw, line)}
	}
	if len(r.raw) > 0 && code != r.Code {
		return false, &ProtocolError{"mixed-codes", received(r.raw, line)}
	}
	text := ""
	last = true
	if len(line) > codeLen {
		switch line[codeLen] {
		case ' ':
		case '-':
			last = false
		default:
			return false, &ProtocolError{"separator", received(r.raw, line)}
		}
		text = line[codeLen+1:]
	}
	if len(r.raw) == 0 {
		r.Code = code
		r.Enhanced = enhancedCode(code, text)
	}
	r.raw = append(r.raw, line)
	r.Lines = append(r.Lines, text)
	return last, nil
}

const codeLen = 3

// replyCode reads the three digits; the first is 2 to 5, the second 0 to 5 (RFC 5321 §4.2). Some servers use a second
// digit above 5 and are understood by the first digit, so only that is checked.
func replyCode(line string) (int, bool) {
	if len(line) < codeLen || line[0] < '2' || line[0] > '5' {
		return 0, false
	}
	code := 0
	for i := range codeLen {
		if line[i] < '0' || line[i] > '9' {
			return 0, false
		}
		code = code*10 + int(line[i]-'0')
	}
	return code, true
}

// enhancedCode reads class.subject.detail at the start of a text (RFC 2034 §4). Its class must be the reply code's.
func enhancedCode(code int, text string) string {
	word, _, _ := strings.Cut(text, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || int(parts[0][0]-'0') != code/100 {
		return ""
	}
	for _, p := range parts {
		if len(p) == 0 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return ""
		}
	}
	return word
}

// record reports whether bytes look like the start of a TLS record: handshake or alert, version 3.x (RFC 8446 §5.1).
func record(s string) bool {
	return len(s) >= 2 && (s[0] == 0x15 || s[0] == 0x16) && s[1] == 0x03
}

// received joins the lines read so far. The caller masks secrets before it shortens the text.
func received(before []string, line string) safetext.Remote {
	return safetext.FromRemote(strings.Join(append(append([]string(nil), before...), line), "\n"))
}
