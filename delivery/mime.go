package delivery

import (
	"bytes"
	"encoding/base64"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"

	"postier/internal/safetext"
)

// fit encodes again those parts that a server may refuse: lines above 998 octets, NUL (RFC 5322 §2.1.1, §2.3). Other
// parts keep every octet, signatures included.
func (m *Message) fit() error { return m.encode(false) }

// SevenBit encodes also what needs 8BITMIME (RFC 6152), for a server that does not offer it.
func (m *Message) SevenBit() error { return m.encode(true) }

func (m *Message) encode(seven bool) error {
	if !needsEncoding(m.body, seven) && !m.rest.needsEncoding(seven) {
		return nil
	}
	if err := m.gather(); err != nil {
		return err
	}
	if m.Get("MIME-Version") == "" {
		m.set("MIME-Version", "1.0")
	}
	m.fields, m.body = encodePart(m.fields, m.body, seven, 0)
	return nil
}

func needsEncoding(body []byte, seven bool) bool {
	return longestLine(body) > maxLineOctets || bytes.IndexByte(body, 0) >= 0 || seven && !safetext.IsASCII(body)
}

// maxNesting bounds multiparts inside multiparts; mail programs write three or four.
const maxNesting = 20

// encodePart encodes one part, or those parts of a multipart that need it.
func encodePart(fields []field, body []byte, seven bool, depth int) ([]field, []byte) {
	if !needsEncoding(body, seven) {
		return fields, body
	}
	part := &Message{fields: fields, body: body}
	kind, params, err := mime.ParseMediaType(part.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	switch {
	case depth < maxNesting && strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		part.body = encodeParts(body, params["boundary"], seven, depth+1)
		if seven {
			part.lowerEncoding()
		}
	case depth < maxNesting && kind == "message/rfc822":
		inner, err := Parse(body)
		if err != nil {
			return fields, body
		}
		inner.fields, inner.body = encodePart(inner.fields, inner.body, seven, depth+1)
		part.body = inner.Bytes()
		if seven {
			part.lowerEncoding()
		}
	default:
		part.encodeLeaf(kind, params["charset"], seven)
	}
	return part.fields, part.body
}

// lowerEncoding corrects the declaration of a part whose inside is 7bit now (RFC 2045 §6.4).
func (m *Message) lowerEncoding() {
	if e := strings.ToLower(m.Get("Content-Transfer-Encoding")); e == "8bit" || e == "binary" {
		m.set("Content-Transfer-Encoding", "7bit")
	}
}

func (m *Message) encodeLeaf(kind, charset string, seven bool) {
	switch strings.ToLower(m.Get("Content-Transfer-Encoding")) {
	case "", "7bit", "8bit", "binary":
	default: // encoded already, and wrongly: its lines are cut, which its decoder does not mind
		m.body = cutLines(m.body)
		return
	}
	if m.Get("Content-Type") == "" && !safetext.IsASCII(m.body) {
		m.set("Content-Type", "text/plain; charset=utf-8")
	}
	if strings.HasPrefix(kind, "text/") && bytes.IndexByte(m.body, 0) < 0 {
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write(m.body)
		_ = w.Close()
		m.body = endLine(b.Bytes())
		m.set("Content-Transfer-Encoding", "quoted-printable")
		return
	}
	m.body = base64Lines(m.body)
	m.set("Content-Transfer-Encoding", "base64")
}

func endLine(body []byte) []byte {
	if len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
		body = append(body, "\r\n"...)
	}
	return body
}

func base64Lines(data []byte) []byte {
	const width = 76
	var b bytes.Buffer
	for line := range slices.Chunk(base64.StdEncoding.AppendEncode(nil, data), width) {
		b.Write(append(line, "\r\n"...))
	}
	return b.Bytes()
}

func cutLines(body []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.SplitSeq(bytes.TrimSuffix(body, []byte("\r\n")), []byte("\r\n")) {
		for len(line) > maxLineOctets {
			b.WriteString(string(line[:maxLineOctets]) + "\r\n")
			line = line[maxLineOctets:]
		}
		b.WriteString(string(line) + "\r\n")
	}
	return b.Bytes()
}

// encodeParts encodes the parts of a multipart (RFC 2046 §5.1.1) and keeps the text around them.
func encodeParts(body []byte, boundary string, seven bool, depth int) []byte {
	delimiter := []byte("--" + boundary)
	var out, part bytes.Buffer
	inside := false
	flush := func() {
		defer part.Reset()
		if !inside {
			out.Write(cutLines(part.Bytes()))
			return
		}
		out.Write(encodeEntity(part.Bytes(), seven, depth))
	}
	for line := range bytes.Lines(body) {
		trimmed := bytes.TrimRight(line, " \t\r\n")
		if !bytes.Equal(trimmed, delimiter) && !bytes.Equal(trimmed, append(bytes.Clone(delimiter), "--"...)) {
			part.Write(line)
			continue
		}
		if part.Len() > 0 {
			flush()
		}
		out.Write(line)
		inside = !bytes.HasSuffix(trimmed, []byte("--")) || bytes.Equal(trimmed, delimiter)
	}
	if part.Len() > 0 {
		flush()
	}
	return out.Bytes()
}

// encodeEntity encodes one part, which is given with its header.
func encodeEntity(raw []byte, seven bool, depth int) []byte {
	if !needsEncoding(raw, seven) {
		return raw
	}
	// A part may begin with a blank line: it has no header.
	entity := &Message{}
	if bytes.HasPrefix(raw, []byte("\r\n")) {
		entity.body = raw[2:]
	} else if parsed, err := Parse(raw); err == nil {
		entity = parsed
	}
	entity.fields, entity.body = encodePart(entity.fields, entity.body, seven, depth)
	return entity.Bytes()
}

// OriginalsHeader names the recipients that a message in test mode would have had.
const OriginalsHeader = "X-Postier-Original-Recipients"

// wrapForTest addresses the message to the test address. The original recipients are named in a header field and at the
// top of the body; the message itself follows as it would have been sent (P-5). No customer's address stays in To or
// Cc, where "reply to all" would find it.
func (m *Message) wrapForTest(d Decision) error {
	list := strings.Join(d.Originals, ", ")
	boundary := "=_" + strings.Trim(NewMessageID("a@test.invalid"), "<>@")
	boundary, _, _ = strings.Cut(boundary, "@")
	inner := &Message{body: m.body}
	kept := m.fields[:0:0]
	for _, f := range m.fields {
		if strings.HasPrefix(strings.ToLower(f.name), "content-") {
			inner.fields = append(inner.fields, f)
		} else {
			kept = append(kept, f)
		}
	}
	var shown []string
	for _, name := range []string{"To", "Cc"} {
		for _, value := range m.all(name) {
			shown = append(shown, name+": "+decodeWords(value))
		}
	}
	m.fields = kept
	m.drop("To", "Cc", "MIME-Version", "Resent-To", "Resent-Cc")
	m.set("To", strings.Join(asciiDomains(d.Recipients), ", "))
	m.set("Subject", foldWords("[TEST] "+m.Get("Subject")))
	m.set(OriginalsHeader, foldWords(mime.QEncoding.Encode("utf-8", list)))
	m.set("MIME-Version", "1.0")
	m.set("Content-Type", "multipart/mixed; boundary=\""+boundary+"\"")
	notice := &Message{fields: []field{
		{"Content-Type", " text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", " 8bit"},
	}, body: []byte("*** TEST ***\r\n-> " + list + "\r\n" + strings.Join(shown, "\r\n") + "\r\n")}
	if !safetext.IsASCII(notice.body) {
		notice.encodeLeaf("text/plain", "utf-8", true)
	} else {
		notice.set("Content-Transfer-Encoding", "7bit")
	}
	var b bytes.Buffer
	b.WriteString("--" + boundary + "\r\n")
	b.Write(notice.Bytes())
	b.WriteString("--" + boundary + "\r\n")
	b.Write(inner.Bytes())
	end := []byte("--" + boundary + "--\r\n")
	if m.rest == nil {
		b.Write(end)
	} else if err := m.rest.add(end); err != nil {
		return err
	}
	m.body = b.Bytes()
	return nil
}

func decodeWords(value string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(value)
	if err != nil {
		return value
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, decoded)
}
