package explain

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"postier/internal/pattern"
)

// maxReply bounds what is read of a pasted reply (docs/security.md T9); the clients read no more of a reply either.
const maxReply = 64 << 10

var (
	smtpLine     = pattern.Of(`^([2-5][0-9]{2})(?:[- ](.*))?$`)
	enhancedCode = pattern.Of(`^#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|$)`)
	embedded     = pattern.Of(`(?:^|[^0-9.])([45][0-9]{2})[- ]#?([45]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|$)`)
	// introduced finds the code in "smtp; 550 no" and "host mx.example said: 550 no".
	introduced       = pattern.Of(`(?:^smtp; ?|[a-z]: ["']?)([45][0-9]{2})[- ][^0-9]`)
	embeddedEnhanced = pattern.Of(`(?:^|[\s#(])([45]\.[0-9]\.[0-9]{1,3})(?:[^0-9.]|$)`)
	imapLine         = pattern.Of(`^(?:(?:\*|[A-Za-z0-9._-]{1,32}) )?(OK|NO|BAD|BYE|PREAUTH)(?: (.*))?$`)
	imapCode         = pattern.Of(`^\[([A-Za-z0-9-]+)[^\]]*\]?`)
	// direction is what swaks, postier and others print before a server's line in their transcripts.
	direction = pattern.Of(`^(?:S: |server[|│] |<(?:-|~|\*\*|~\*)\s+)`)
)

// ParseReplyAs reads a reply as it was copied from a log or a transcript: an SMTP reply of one or more lines
// ("535-5.7.8 …"), an IMAP line with or without its tag ("A1 NO [AUTHENTICATIONFAILED] …"), or the text of an error.
// An empty protocol is guessed.
func ParseReplyAs(protocol, text string) Query {
	lines := cleanLines(text)
	joined := strings.Join(lines, " ")
	if protocol == "" {
		protocol = guessProtocol(joined)
	}
	switch protocol {
	case SMTP:
		return parseSMTP(lines, joined)
	case IMAP:
		return parseIMAP(lines, joined)
	}
	return Query{Protocol: protocol, Code: errnoName(joined), Text: joined}
}

func cleanLines(text string) []string {
	text = cut(text, maxReply)
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
		line = direction().ReplaceAllString(strings.TrimSpace(line), "")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// parseSMTP takes the last refusal, or the last reply when nothing was refused. RFC 5321 §4.2.1: the lines of one reply
// bear the same code, all but the last followed by a hyphen.
func parseSMTP(lines []string, joined string) Query {
	q := Query{Protocol: SMTP, Text: joined}
	start, end := lastReply(lines)
	if start < 0 {
		q.Code, q.Enhanced = embeddedCodes(joined)
		if m := introduced().FindStringSubmatch(joined); m != nil && q.Code == "" {
			q.Code = m[1]
		}
		return q
	}
	var text []string
	for i, line := range lines[start:end] {
		part := smtpLine().FindStringSubmatch(line)
		if part == nil { // a long line that was broken when it was copied
			text = append(text, line)
			continue
		}
		rest := strings.TrimSpace(part[2])
		enhanced := ""
		if m := enhancedCode().FindStringSubmatch(rest); m != nil {
			enhanced = m[1]
		}
		if q.Code == "" {
			q.Code, q.Enhanced = part[1], enhanced
		}
		if q.Enhanced == "" {
			q.Enhanced = enhanced
		}
		if i == 0 {
			text = append(text, line)
			continue
		}
		// The codes of the following lines would end up in the middle of a sentence.
		if enhanced != "" && enhanced == q.Enhanced {
			rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(rest, "#"), enhanced))
		}
		text = append(text, rest)
	}
	q.Text = strings.Join(text, " ")
	// A 334 with the reason why XOAUTH2 was refused has it in base64 (RFC 7628 §3.2.2).
	if decoded, ok := decodeChallenge(strings.TrimPrefix(q.Text, "334 ")); ok && q.Code == "334" {
		q.Text = decoded
	}
	return q
}

// lastReply returns the index of the reply's first line and the index after its last line, or -1 when no line has a
// code.
func lastReply(lines []string) (start, end int) {
	start = -1
	startCode := ""
	previous := ""
	for i, line := range lines {
		part := smtpLine().FindStringSubmatch(line)
		if part == nil {
			continue
		}
		code := part[1]
		if code == previous {
			if code == startCode {
				end = i + 1
			}
			continue
		}
		previous = code
		if refusal(code) || !refusal(startCode) {
			start, end, startCode = i, i+1, code
		}
	}
	for start >= 0 && end < len(lines) && !smtpLine().MatchString(lines[end]) {
		end++
	}
	return start, end
}

func refusal(code string) bool {
	return strings.HasPrefix(code, "4") || strings.HasPrefix(code, "5")
}

// embeddedCodes finds the codes in a sentence such as "SMTP error from remote mail server: 550 5.7.1 no".
func embeddedCodes(text string) (code, enhanced string) {
	if m := embedded().FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	if m := embeddedEnhanced().FindStringSubmatch(text); m != nil {
		return "", m[1]
	}
	return "", ""
}

// parseIMAP puts the deciding line first, which is the last NO, BAD or BYE. Other lines, such as an ALERT, follow it.
func parseIMAP(lines []string, joined string) Query {
	q := Query{Protocol: IMAP, Text: joined}
	var texts []string
	decisive := -1
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "+"); ok {
			if decoded, ok := decodeChallenge(strings.TrimSpace(rest)); ok {
				texts = append(texts, decoded)
				if decisive < 0 {
					q.Code = "+"
				}
				continue
			}
		}
		part := imapLine().FindStringSubmatch(line)
		if part == nil {
			texts = append(texts, line)
			continue
		}
		if part[1] != "OK" && part[1] != "PREAUTH" || decisive < 0 {
			decisive = len(texts)
			q.Code = part[1]
			q.Enhanced = ""
			if m := imapCode().FindStringSubmatch(part[2]); m != nil {
				q.Enhanced = strings.ToUpper(m[1])
			}
		}
		texts = append(texts, strings.TrimSpace(part[1]+" "+part[2]))
	}
	if decisive > 0 {
		first := texts[decisive]
		copy(texts[1:decisive+1], texts[:decisive])
		texts[0] = first
	}
	q.Text = strings.Join(texts, " ")
	return q
}

// decodeChallenge decodes a continuation that is JSON in base64 and leaves anything else unchanged.
func decodeChallenge(text string) (string, bool) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(decoded) == 0 || decoded[0] != '{' || !utf8.Valid(decoded) {
		return "", false
	}
	return string(decoded), true
}

// errnoName finds the name of an errno in the text, for the few that the catalogue distinguishes.
func errnoName(text string) string {
	for _, name := range []string{
		"ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH", "NXDOMAIN",
		"SERVFAIL",
	} {
		if strings.Contains(text, name) {
			return name
		}
	}
	return ""
}

// signs are words in an error's text that reveal its protocol, the most telling first.
var signs = []struct{ protocol, word string }{
	{TLS, "x509:"},
	{TLS, "tls:"},
	{TLS, "ssl routines"},
	{TLS, "certificate"},
	{TLS, "ssl alert"},
	{TLS, "issuer="},
	{TCP, "unknown tag"},
	{DNS, "lookup "},
	{DNS, "no such host"},
	{DNS, "mx 0 ."},
	{DNS, "nxdomain"},
	{DNS, "servfail"},
	{DNS, "name resolution"},
	{DNS, "name or service not known"},
	{TCP, "dial tcp"},
	{TCP, "read tcp"},
	{TCP, "write tcp"},
	{TCP, "connection refused"},
	{TCP, "connection reset"},
	{TCP, "connection timed out"},
	{TCP, "broken pipe"},
	{TCP, "no route to host"},
	{TCP, "network is unreachable"},
	{TCP, "i/o timeout"},
	{TCP, "unexpected eof"},
}

// guessProtocol guesses the protocol of a reply from its form, and SMTP when nothing suggests another.
func guessProtocol(text string) string {
	first := strings.TrimSpace(cut(text, maxText))
	if smtpLine().MatchString(first) {
		return SMTP
	}
	if imapLine().MatchString(first) || strings.HasPrefix(first, "+ ") {
		return IMAP
	}
	if code, _ := embeddedCodes(first); code != "" {
		return SMTP
	}
	lower := strings.ToLower(first)
	if lower == "eof" {
		return TCP
	}
	for _, sign := range signs {
		if strings.Contains(lower, sign.word) {
			return sign.protocol
		}
	}
	return SMTP
}
