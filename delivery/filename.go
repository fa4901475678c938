package delivery

import (
	"fmt"
	"mime"
	"path/filepath"
	"strings"

	"github.com/wneessen/go-mail"

	"postier/internal/safetext"
)

// named gives an attachment the fields that carry its name. Encoded words must not stand in a parameter (RFC 2047 §5
// (3)); a name outside ASCII, or a long one, is written in pieces as RFC 2231 §3 and §4 have it.
func named(name string) mail.FileOption {
	return func(f *mail.File) {
		kind := mime.TypeByExtension(filepath.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		f.Header.Set("Content-Type", kind)
		f.Header.Set("Content-Disposition", "attachment"+fileName(name))
	}
}

// fileName is the parameter with its semicolon.
func fileName(name string) string {
	const longest = 60 // octets in one piece; the line stays within 78 columns
	name = strings.Map(withoutControl, strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == '\t' || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name))
	if safetext.IsASCII(name) && len(name) <= longest && !strings.Contains(name, `"`) {
		return `; filename="` + name + `"`
	}
	const charset = "utf-8''"
	var pieces []string
	piece := charset
	for _, r := range name {
		encoded := percent(string(r))
		if len(piece)+len(encoded) > longest {
			pieces, piece = append(pieces, piece), ""
		}
		piece += encoded
	}
	pieces = append(pieces, piece)
	if len(pieces) == 1 {
		return ";\r\n filename*=" + piece
	}
	var b strings.Builder
	for i, p := range pieces {
		fmt.Fprintf(&b, ";\r\n filename*%d*=%s", i, p)
	}
	return b.String()
}

// percent encodes what is no attribute-char (RFC 5987 §3.2.1, which narrows RFC 2231 §7).
func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
