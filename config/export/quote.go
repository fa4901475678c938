package export

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
)

// The functions below write one value in the syntax of a family of formats. The callers have already refused line
// breaks and NUL.

// jsonQuote writes a JSON string (RFC 8259 §7) without escapes for HTML. It is also a string of JavaScript (ECMAScript
// 2019), Python, TOML and YAML (double-quoted style), since all of them know its escapes.
func jsonQuote(value string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("export: a string always encodes: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// jsonList writes a list of strings, for the languages of jsonQuote.
func jsonList(values []string) string { return "[" + joinQuoted(values, ", ", jsonQuote) + "]" }

func joinQuoted(values []string, between string, quote func(string) string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quote(value)
	}
	return strings.Join(quoted, between)
}

// singleQuote writes a single-quoted string of PHP or Ruby: only the backslash and the quote itself are special there.
func singleQuote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// shellQuote writes one word for a POSIX shell (POSIX.1 §2.2.2).
func shellQuote(value string) string { return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'" }

// shellWords writes an argument list for a shell script of our own, where there is one layer of quotes.
func shellWords(argv []string) string { return joinQuoted(argv, " ", shellQuote) }

const unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" // RFC 3986 §2.3

// percentEncode writes a part of a URL: every octet that is not unreserved is encoded.
func percentEncode(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if strings.IndexByte(unreserved, value[i]) >= 0 {
			b.WriteByte(value[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", value[i])
		}
	}
	return b.String()
}

// composeQuote writes a YAML string for Docker Compose, which replaces $NAME in the values afterwards.
func composeQuote(value string) string { return jsonQuote(strings.ReplaceAll(value, "$", "$$")) }

// goINIQuote writes a value for programs that read with go-ini: everything from the first back quote of the line to the
// last one is taken as it is, and afterwards %(name)s is replaced, for which there is no escape.
func goINIQuote(value string) (string, bool) {
	return "`" + value + "`", !strings.Contains(value, "%(")
}

// propertiesQuote writes a value of a Java properties file (java.util.Properties), in ASCII whatever the reader's
// encoding.
func propertiesQuote(value string) string {
	var b strings.Builder
	for i, r := range value {
		switch {
		case r == '\\', r == ' ' && i == 0:
			b.WriteString(`\` + string(r))
		case r < ' ' || r > '~':
			for _, unit := range utf16Units(r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// utf16Units are the code units of a character: Java writes those above U+FFFF as two.
func utf16Units(r rune) []rune {
	if r <= 0xffff {
		return []rune{r}
	}
	r -= 0x10000
	return []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
}

// encodedPhrase writes a display name in ASCII, quoted (RFC 5322 §3.2.4) or encoded (RFC 2047 §5).
func encodedPhrase(name string) string {
	if name == "" {
		return ""
	}
	return strings.TrimSuffix((&mail.Address{Name: name, Address: "a@b"}).String(), " <a@b>")
}

// quotedPhrase writes a display name as RFC 5322 §3.2.4 does, leaving UTF-8 as it is (RFC 6532 §3.2).
func quotedPhrase(name string) string {
	plain := encodedPhrase(name)
	if strings.HasPrefix(plain, "=?") || strings.HasPrefix(plain, `"`) {
		return gitQuote(name)
	}
	return name
}
