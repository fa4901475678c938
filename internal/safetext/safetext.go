// Package safetext is the only way in which text from elsewhere (servers, DNS, certificates, files) reaches a screen or
// a file.
//
// See Unicode UTR #36 and CWE-150: control characters, bidirectional overrides and invisible characters are shown as
// escapes such as \x1b and \u202e, never sent raw.
package safetext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Remote is text that someone else wrote. It deliberately has no String method: it is shown only through Escape or
// Block.
type Remote struct {
	// The text is behind a pointer, because fmt calls no method on an unexported field and would print the text; so it
	// prints an address. Remote is not comparable, because == would compare addresses.
	_   [0]func()
	raw *string
}

// FromRemote marks s as someone else's text.
func FromRemote(s string) Remote {
	if s == "" {
		return Remote{}
	}
	return Remote{raw: &s}
}

// FromRemotes marks each text of a list; no list becomes an empty one.
func FromRemotes(list []string) []Remote {
	out := make([]Remote, len(list))
	for i, s := range list {
		out[i] = FromRemote(s)
	}
	return out
}

// Raw returns the text unescaped, for parsing and comparing. It must never be printed.
func (r Remote) Raw() string {
	if r.raw == nil {
		return ""
	}
	return *r.raw
}

// Empty reports whether there is no text.
func (r Remote) Empty() bool { return r.raw == nil }

// Escaped returns the text on one line, safe to print.
func (r Remote) Escaped() string { return Escape(r.Raw()) }

// Format implements fmt.Formatter, so that a Remote passed to a print verb by mistake is escaped.
func (r Remote) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Escape(r.Raw()))) }

// MarshalJSON writes the text as a JSON string in which every character that could act on a terminal is a \u escape.
// A byte that is not UTF-8 becomes the four characters \xNN.
func (r Remote) MarshalJSON() ([]byte, error) { return EscapeJSON(r.Raw()), nil }

// UnmarshalJSON reads a string.
func (r *Remote) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*r = FromRemote(s)
	return nil
}

// LogValue implements slog.LogValuer.
func (r Remote) LogValue() slog.Value { return slog.StringValue(Escape(r.Raw())) }

// maxCombining is how many combining marks in a row are shown; more would only cover neighbouring lines.
const maxCombining = 4

// Escape returns s with every control, format, bidirectional, invisible, private-use and unassigned character and every
// invalid byte written as \xNN, \uNNNN or \UNNNNNNNN. The result is one line.
func Escape(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	var e escaper
	for len(s) > 0 {
		size := e.next(&b, s)
		s = s[size:]
	}
	return b.String()
}

// EscapeText returns finished text with what could act on a terminal escaped. Unlike Escape it keeps the ends of lines,
// tabs and the no-break spaces of French typography. It is the last guard of an output, for text that an earlier one
// missed: the name of a profile, a path, a value of the configuration.
func EscapeText(s string) string {
	if !strings.ContainsFunc(s, harmfulInText) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case harmfulInText(r):
			writeEscape(&b, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func harmfulInText(r rune) bool {
	const narrowNoBreak, noBreak = '\u202f', '\u00a0'
	return r != '\n' && r != '\t' && r != noBreak && r != narrowNoBreak && (r == utf8.RuneError || Harmful(r))
}

// EscapeDocument returns a finished JSON text in which every such character is a \u escape. Outside its strings JSON
// has only ASCII.
func EscapeDocument(data []byte) []byte {
	if !bytes.ContainsFunc(data, harmfulInText) {
		return data
	}
	var b strings.Builder
	for _, r := range string(data) {
		if r != utf8.RuneError && harmfulInText(r) {
			writeJSONEscape(&b, r)
		} else {
			b.WriteRune(r)
		}
	}
	return []byte(b.String())
}

// escaper writes one character after the other and remembers how many combining marks came in a row.
type escaper struct{ marks int }

// next writes the first character of s, escaped where needed, and returns its length in s.
func (e *escaper) next(b *strings.Builder, s string) (size int) {
	r, size := utf8.DecodeRuneInString(s)
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
		e.marks++
	} else {
		e.marks = 0
	}
	switch {
	case r == utf8.RuneError && size == 1:
		fmt.Fprintf(b, `\x%02x`, s[0])
	case Harmful(r) || e.marks > maxCombining:
		writeEscape(b, r)
	default:
		b.WriteString(s[:size])
	}
	return size
}

// IsASCII reports whether s has no byte outside ASCII.
func IsASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func writeEscape(b *strings.Builder, r rune) {
	switch {
	case r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// Harmful reports whether a character could act on a terminal, hide, reorder or imitate layout.
func Harmful(r rune) bool {
	return invisible(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Co, r) ||
		unicode.Is(unicode.Cs, r) || (unicode.IsSpace(r) && r != ' ') || (!unicode.IsGraphic(r) && !unicode.Is(unicode.M, r))
}

// invisible lists the characters outside category Cf that show nothing and so can hide text.
func invisible(r rune) bool {
	switch {
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x3164, r == 0xffa0, r == 0x2800:
		return true
	case r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f:
		return true
	case r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// EscapeJSON returns s as a JSON string literal without any raw control, format or bidirectional character.
func EscapeJSON(s string) []byte {
	var b strings.Builder
	b.WriteByte('"')
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\\x%02x`, s[i])
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case Harmful(r) || marks > maxCombining || r == '<' || r == '>' || r == '&':
			writeJSONEscape(&b, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	b.WriteByte('"')
	return []byte(b.String())
}

func writeJSONEscape(b *strings.Builder, r rune) {
	if r > 0xffff {
		r -= 0x10000
		fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// Limits of a block of remote text on a screen (docs/security.md T7).
const (
	blockLines = 20
	blockCells = 500
)

// lineEnds turns everything that a terminal or a browser could take for the end of a line into LF.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n",
	"\u2029", "\n")

// Block returns remote text as lines for a marked block; the caller prints each one after a prefix that postier
// chooses. LF, CR, VT, FF, NEL, LS and PS end a line. At most 20 lines and 500 terminal cells; a last line then says
// how many octets are missing.
func (r Remote) Block(prefix string) []string {
	rest := strings.TrimRight(lineEnds.Replace(r.Raw()), "\n")
	var lines []string
	room := blockCells
	for len(lines) < blockLines && room > 0 {
		line, _, more := strings.Cut(rest, "\n")
		shown, used, cells := fit(line, room)
		room -= cells
		lines = append(lines, prefix+shown)
		rest = rest[used:]
		if used < len(line) {
			break
		}
		if !more {
			return lines
		}
		rest = rest[len("\n"):]
	}
	return append(lines, fmt.Sprintf("%s… +%d", prefix, len(rest)))
}

// fit escapes as much of a line as fits into room terminal cells; used is how many octets of the line that is.
func fit(line string, room int) (shown string, used, cells int) {
	var b strings.Builder
	var e escaper
	for used < len(line) {
		var piece strings.Builder
		size := e.next(&piece, line[used:])
		wide := cellsOf(piece.String())
		if cells+wide > room {
			break
		}
		b.WriteString(piece.String())
		used += size
		cells += wide
	}
	return b.String(), used, cells
}

// cellsOf is an upper bound of the terminal cells: a wide character counts two, every other one counts one.
func cellsOf(s string) int {
	cells := 0
	for _, r := range s {
		cells++
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			cells++
		}
	}
	return cells
}
