package arrival

import (
	"bytes"
	"strings"
)

// maxHeader bounds the header section that is read; real ones stay far below (RFC 5322 sets no limit).
const maxHeader = 256 << 10

// field is one header field with its folding removed.
type field struct {
	name  string // lower case
	value string
}

// splitHeader splits the header of a message into fields, topmost first. Lines end with CRLF or LF. A line that is no
// field becomes an empty one.
func splitHeader(raw []byte) []field {
	raw = raw[:min(len(raw), maxHeader)]
	var fields []field
	for len(raw) > 0 {
		var line []byte
		if end := bytes.IndexByte(raw, '\n'); end >= 0 {
			line, raw = raw[:end], raw[end+1:]
		} else {
			line, raw = raw, nil
		}
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' { // RFC 5322 §2.2.3: folded
			if len(fields) > 0 {
				last := &fields[len(fields)-1]
				last.value += " " + strings.TrimLeft(text, " \t")
			}
			continue
		}
		name, value, found := strings.Cut(text, ":")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !found || name == "" || strings.ContainsAny(name, " \t") {
			fields = append(fields, field{}) // so that its continuation lines do not join the field above
			continue
		}
		fields = append(fields, field{name, strings.TrimLeft(value, " \t")})
	}
	return fields
}

func first(fields []field, name string) (string, bool) {
	for _, f := range fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}
