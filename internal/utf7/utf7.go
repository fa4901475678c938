// Package utf7 writes and reads folder names in modified UTF-7 (RFC 3501 §5.1.3), as they go over the wire as long as
// UTF8=ACCEPT is not switched on, and as some mail programs keep them.
package utf7

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"postier/internal/safetext"
)

var alphabet = base64.NewEncoding(
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

var errForm = errors.New("not modified UTF-7")

// Encode encodes a folder name in modified UTF-7.
func Encode(name string) string {
	var b strings.Builder
	var run []byte // UTF-16, not written yet
	flush := func() {
		if len(run) > 0 {
			b.WriteString("&" + alphabet.EncodeToString(run) + "-")
			run = run[:0]
		}
	}
	for _, r := range name {
		if r < 0x20 || r > 0x7e {
			for _, unit := range utf16.AppendRune(nil, r) {
				run = binary.BigEndian.AppendUint16(run, unit)
			}
			continue
		}
		flush()
		b.WriteRune(r)
		if r == '&' {
			b.WriteByte('-')
		}
	}
	flush()
	return b.String()
}

// Decode decodes a folder name from modified UTF-7.
func Decode(raw string) (string, error) {
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '&' {
			b.WriteByte(c)
			continue
		}
		end := strings.IndexByte(raw[i:], '-')
		if end < 0 {
			return "", errForm
		}
		encoded := raw[i+1 : i+end]
		i += end
		if encoded == "" {
			b.WriteByte('&')
			continue
		}
		octets, err := alphabet.DecodeString(encoded)
		if err != nil || len(octets)%2 != 0 {
			return "", errForm
		}
		units := make([]uint16, len(octets)/2)
		for j := range units {
			units[j] = binary.BigEndian.Uint16(octets[2*j:])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	return b.String(), nil
}

// Readable turns a name from the wire into the one that people read. A name that is not modified UTF-7 stays unchanged,
// since some servers send plain UTF-8; the front ends escape what they show.
func Readable(raw string) string {
	if !safetext.IsASCII(raw) || !strings.Contains(raw, "&") {
		return raw
	}
	if name, err := Decode(raw); err == nil && utf8.ValidString(name) {
		return name
	}
	return raw
}
