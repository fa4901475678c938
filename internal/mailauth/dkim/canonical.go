package dkim

import (
	"bytes"
	"strings"
)

// canonical reports whether a form of canonicalization is known (RFC 6376 §3.4).
func canonical(form string) bool { return form == "simple" || form == "relaxed" }

// splitMessage returns the header fields as they stand, each with its line ends, and the body.
func splitMessage(message []byte) (fields []string, body []byte) {
	start, at := 0, 0
	field := func() {
		if at > start {
			fields = append(fields, string(message[start:at]))
		}
		start = at
	}
	for at < len(message) {
		line := message[at:]
		if end := bytes.Index(line, []byte("\r\n")); end >= 0 {
			line = line[:end+2]
		}
		if string(line) == "\r\n" {
			field()
			return fields, message[at+2:]
		}
		if line[0] != ' ' && line[0] != '\t' {
			field()
		}
		at += len(line)
	}
	field()
	return fields, nil
}

// fieldName is the name of a field as written.
func fieldName(field string) string {
	name, _, _ := strings.Cut(field, ":")
	return strings.TrimRight(name, fws)
}

// canonicalField is a header field by RFC 6376 §3.4.1 or §3.4.2.
func canonicalField(field, form string) string {
	if form == "simple" {
		return field
	}
	_, value, _ := strings.Cut(field, ":")
	value = strings.ReplaceAll(value, "\r\n", "")
	return strings.ToLower(fieldName(field)) + ":" + strings.Trim(string(reduce([]byte(value))), wsp) + "\r\n"
}

const wsp = " \t"

// canonicalBody is a body by RFC 6376 §3.4.3 or §3.4.4: without the empty lines at its end, and ended by CRLF. An empty
// body is CRLF in the simple form and nothing in the relaxed one.
func canonicalBody(body []byte, form string) []byte {
	if form == "relaxed" {
		var out bytes.Buffer
		out.Grow(len(body))
		for len(body) > 0 {
			line, rest, found := bytes.Cut(body, []byte("\r\n"))
			out.Write(bytes.TrimRight(reduce(line), wsp))
			if found {
				out.WriteString("\r\n")
			}
			body = rest
		}
		body = out.Bytes()
	}
	end := len(body)
	for end >= 2 && body[end-2] == '\r' && body[end-1] == '\n' {
		end -= 2
	}
	if end == 0 && form == "relaxed" {
		return nil
	}
	return append(body[:end:end], '\r', '\n')
}

// reduce makes one space of every run of spaces and tabs.
func reduce(line []byte) []byte {
	if !bytes.ContainsAny(line, "\t") && !bytes.Contains(line, []byte("  ")) {
		return line
	}
	out := make([]byte, 0, len(line))
	for i, c := range line {
		blank := c == ' ' || c == '\t'
		switch {
		case !blank:
			out = append(out, c)
		case i == 0 || line[i-1] != ' ' && line[i-1] != '\t':
			out = append(out, ' ')
		}
	}
	return out
}

// withoutSpaces drops folding white space (RFC 6376 §3.2).
func withoutSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(fws, r) {
			return -1
		}
		return r
	}, s)
}
