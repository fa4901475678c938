package spf

import (
	"strconv"
	"strings"
)

// Macro is a parsed macro-string (RFC 7208 §7.1).
type Macro []piece

// piece is literal text, or a macro when letter is set.
type piece struct {
	literal string
	letter  byte // lower case
	escape  bool // the letter was a capital: URL-escape the expansion
	keep    int  // right-hand parts to keep; 0 keeps all
	reverse bool
	split   string // delimiters; empty means "."
}

const (
	letters    = "slodiphcrtv"
	expLetters = "crt" // RFC 7208 §7.2: only in the text of an explanation
	delimiters = ".-+,/_="
	maxDigits  = 3 // no name has more than 127 labels
)

// String is the macro-string with its macros shown as %{x}.
func (m Macro) String() string {
	var b strings.Builder
	for _, p := range m {
		if p.letter == 0 {
			b.WriteString(p.literal)
			continue
		}
		b.WriteString("%{" + string(rune(p.letter)) + "}")
	}
	return b.String()
}

// Literal reports whether m holds no macro, and its text.
func (m Macro) Literal() (string, bool) {
	for _, p := range m {
		if p.letter != 0 {
			return "", false
		}
	}
	return m.String(), true
}

func (m Macro) uses(letter byte) bool {
	for _, p := range m {
		if p.letter == letter {
			return true
		}
	}
	return false
}

// parseMacro reads *( macro-expand / macro-literal ), also with spaces if explain is set (explain-string). The fault's
// offset counts from the beginning of s.
func parseMacro(s string, explain bool) (Macro, *Fault) {
	var m Macro
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			m = append(m, piece{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '%' {
			if c < 0x20 || c > 0x7e || c == ' ' && !explain {
				return nil, &Fault{Kind: FaultCharacter, Offset: i}
			}
			literal.WriteByte(c)
			continue
		}
		if i+1 == len(s) {
			return nil, &Fault{Kind: FaultMacro, Offset: i}
		}
		switch s[i+1] {
		case '%':
			literal.WriteByte('%')
		case '_':
			literal.WriteByte(' ')
		case '-':
			literal.WriteString("%20")
		case '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, &Fault{Kind: FaultMacro, Offset: i}
			}
			p, ok := parseExpand(s[i+2 : i+end])
			if !ok {
				return nil, &Fault{Kind: FaultMacro, Offset: i}
			}
			flush()
			m = append(m, p)
			i += end
			continue
		default:
			return nil, &Fault{Kind: FaultMacro, Offset: i}
		}
		i++
	}
	flush()
	return m, nil
}

// parseExpand reads macro-letter transformers *delimiter.
func parseExpand(s string) (piece, bool) {
	if s == "" || strings.IndexByte(letters, s[0]|0x20) < 0 || !alpha(s[0]) {
		return piece{}, false
	}
	p := piece{letter: s[0] | 0x20, escape: s[0] < 'a'}
	s = s[1:]
	digits := 0
	for digits < len(s) && digit(s[digits]) {
		digits++
	}
	if digits > 0 {
		number := strings.TrimLeft(s[:digits], "0")
		if number == "" { // RFC 7208 §7.3: the number must not be zero
			return piece{}, false
		}
		if len(number) > maxDigits {
			number = "999"
		}
		p.keep, _ = strconv.Atoi(number)
		s = s[digits:]
	}
	if s != "" && s[0]|0x20 == 'r' {
		p.reverse = true
		s = s[1:]
	}
	for i := range len(s) {
		if strings.IndexByte(delimiters, s[i]) < 0 {
			return piece{}, false
		}
	}
	p.split = s
	return p, true
}

// parseDomainSpec reads macro-string domain-end: a domain-spec ends in a macro or in "." toplabel [ "." ].
func parseDomainSpec(s string) (Macro, *Fault) {
	if s == "" {
		return nil, &Fault{Kind: FaultMissing}
	}
	m, fault := parseMacro(s, false)
	if fault != nil {
		return nil, fault
	}
	for _, p := range m {
		if p.letter != 0 && strings.IndexByte(expLetters, p.letter) >= 0 {
			return nil, &Fault{Kind: FaultMacro}
		}
	}
	tail := s[lastExpand(s):]
	if tail == "" {
		return m, nil
	}
	tail = strings.TrimSuffix(tail, ".")
	dot := strings.LastIndexByte(tail, '.')
	if dot < 0 || !topLabel(tail[dot+1:]) {
		return nil, &Fault{Kind: FaultDomain}
	}
	return m, nil
}

// lastExpand is where the literal text after the last macro-expand begins. s is a valid macro-string.
func lastExpand(s string) int {
	at := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if s[i+1] == '{' {
			i += strings.IndexByte(s[i:], '}')
		} else {
			i++
		}
		at = i + 1
	}
	return at
}

// topLabel is toplabel: letters and digits with at least one letter, or with a hyphen inside.
func topLabel(s string) bool {
	special := false
	for i := range len(s) {
		switch c := s[i]; {
		case alpha(c):
			special = true
		case digit(c):
		case c == '-':
			if i == 0 || i == len(s)-1 {
				return false
			}
			special = true
		default:
			return false
		}
	}
	return special
}

// expand applies the transformers of p to a value (RFC 7208 §7.3): split, reverse, keep the right-hand parts, join by
// dots.
func (p piece) expand(value string) string {
	split := p.split
	if split == "" {
		split = "."
	}
	if p.keep > 0 || p.reverse || p.split != "" {
		parts := fieldsBy(value, split)
		if p.reverse {
			for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
				parts[i], parts[j] = parts[j], parts[i]
			}
		}
		if p.keep > 0 && p.keep < len(parts) {
			parts = parts[len(parts)-p.keep:]
		}
		value = strings.Join(parts, ".")
	}
	if p.escape {
		value = urlEscape(value)
	}
	return value
}

// fieldsBy splits at each delimiter and keeps empty parts.
func fieldsBy(s, delimiters string) []string {
	var parts []string
	start := 0
	for i := range len(s) {
		if strings.IndexByte(delimiters, s[i]) >= 0 {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// urlEscape percent-encodes all but the unreserved characters of RFC 3986 §2.3.
func urlEscape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if alpha(c) || digit(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// maxName is the longest name for a query (RFC 7208 §7.3).
const maxName = 253

// truncate drops labels from the left until at most 253 characters are left.
func truncate(name string) string {
	name = strings.TrimSuffix(name, ".")
	for len(name) > maxName {
		_, rest, found := strings.Cut(name, ".")
		if !found {
			return name
		}
		name = rest
	}
	return name
}
