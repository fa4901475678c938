// Package secret holds a password, key or token in a way that keeps it from being printed by accident.
//
// The bytes are kept in a closure, so reflection, %#v, encoding/json and log/slog reach only the word "[secret]". Go
// cannot guarantee that memory is wiped, so this package does not promise it.
package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// mask is what every verb prints. Its width is constant, so that it says nothing about the secret's length.
const mask = "[secret]"

// Value is a secret. The zero Value is empty.
type Value struct {
	reveal func() string
	// spellings finds the ways to write the secret; it is built when text is first searched.
	spellings func() *spellings
}

// New wraps s.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{
		reveal:    func() string { return s },
		spellings: sync.OnceValue(func() *spellings { return newSpellings(s) }),
	}
}

// Reveal returns the secret itself. The only callers are the SASL mechanisms, the credential store and `secret get`.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// Empty reports whether there is no secret.
func (v Value) Empty() bool { return v.reveal == nil }

// Equal reports whether both hold the same bytes.
func (v Value) Equal(other Value) bool { return v.Reveal() == other.Reveal() }

// Format implements fmt.Formatter for every verb, so that %d, %#v and %x print the mask as well.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// String implements fmt.Stringer.
func (Value) String() string { return mask }

// GoString implements fmt.GoStringer.
func (Value) GoString() string { return mask }

// MarshalText implements encoding.TextMarshaler; encoding/json uses it too.
func (Value) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue implements slog.LogValuer.
func (Value) LogValue() slog.Value { return slog.StringValue(mask) }

// minForm is the shortest form worth searching for: shorter ones would mask ordinary text.
const minForm = 4

// Forms returns the encodings in which the secret may turn up in a byte stream, for the redaction filter and the
// canary scan: plain, base64 (as PLAIN, LOGIN and XOAUTH2 send it, at each of the three alignments), hex,
// percent-encoded, and the quoted forms of IMAP, JSON, HTML and Go.
func (v Value) Forms(users ...string) []string {
	plain := v.Reveal()
	if len(plain) < minForm {
		return nil
	}
	seen := map[string]bool{}
	var forms []string
	add := func(s string) {
		if len(s) >= minForm && !seen[s] {
			seen[s] = true
			forms = append(forms, s)
		}
	}
	add(plain)
	add(base64.StdEncoding.EncodeToString([]byte(plain)))
	add(base64.RawStdEncoding.EncodeToString([]byte(plain)))
	add(base64.URLEncoding.EncodeToString([]byte(plain)))
	for _, shifted := range base64Aligned(plain) {
		add(shifted)
	}
	for _, user := range users {
		add(base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + plain)))
		add(base64.StdEncoding.EncodeToString([]byte(user + "\x00" + user + "\x00" + plain)))
		add(base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + plain + "\x01\x01")))
	}
	add(hex.EncodeToString([]byte(plain)))
	add(strings.ToUpper(hex.EncodeToString([]byte(plain))))
	add(url.QueryEscape(plain))
	add(url.PathEscape(plain))
	add(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain))
	add(quotedJSON(plain))
	add(html.EscapeString(plain))
	add(strings.Trim(strconv.QuoteToASCII(plain), `"`))
	return forms
}

// quotedJSON is how encoding/json writes a string, without the quotes.
func quotedJSON(plain string) string {
	data, err := json.Marshal(plain)
	if err != nil || len(data) < 2 {
		return ""
	}
	return string(data[1 : len(data)-1])
}

// base64Aligned returns the part of base64(prefix+plain+suffix) that does not depend on prefix and suffix, for each of
// the three positions that plain can start at.
func base64Aligned(plain string) []string {
	var out []string
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + plain))
		// The first characters carry bits of the prefix, the last one may carry bits of what follows.
		first := []int{0, 2, 3}[shift]
		last := (shift + len(plain)) * 8 / 6
		const minDistinct = 6 // shorter runs of base64 turn up by chance
		if last-first >= minDistinct {
			out = append(out, encoded[first:last])
		}
	}
	return out
}

// Redact replaces every form of the secret in text with a mask of constant width.
func (v Value) Redact(text string, users ...string) string {
	forms := v.Forms(users...)
	if len(forms) == 0 {
		return text
	}
	text = v.spellings().mask(text)
	// The longest form goes first: replacing a short form inside a long one would leave the ends of the long one.
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, "***")
	}
	return text
}

// In reports whether text holds the secret in any form that Redact replaces.
func (v Value) In(text string, users ...string) bool { return v.Redact(text, users...) != text }
