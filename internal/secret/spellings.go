package secret

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"postier/internal/pattern"
)

// maxSpelt is how many characters of a long secret, such as a token, are searched for in every spelling. What follows
// them up to the next space is taken as the rest of it.
const maxSpelt = 48

// spellings finds a secret as a server may write it back: each character plain or in any of the usual escapes, because
// two programs seldom escape the same characters, and the octets in hexadecimal, decimal and base64.
type spellings struct {
	// pattern finds them all; its only group is base64. It reads a few megabytes a second, and compiling it costs a tenth
	// of a call of sendmail, so possible goes first.
	pattern func() *regexp.Regexp

	plain, reversed               string
	hexadecimals, decimals, words []string
}

func newSpellings(plain string) *spellings {
	rest := ""
	if runes := []rune(plain); len(runes) > maxSpelt {
		plain, rest = string(runes[:maxSpelt]), `\S*`
	}
	s := &spellings{plain: plain, reversed: reversed(plain)}
	alternatives := []string{regexp.QuoteMeta(s.reversed), escaped(plain) + rest}
	var words []string
	for _, octets := range []string{plain, utf16Octets(plain, false), utf16Octets(plain, true)} {
		alternatives = append(alternatives, hexadecimal(octets)+rest, decimal(octets)+rest)
		s.hexadecimals = append(s.hexadecimals, hex.EncodeToString([]byte(octets)))
		s.decimals = append(s.decimals, strings.Trim(fmt.Sprint([]byte(octets)), "[]"))
		s.words = append(s.words, base64Words(octets)...)
	}
	for _, word := range s.words {
		words = append(words, strings.NewReplacer("+", "[+-]", "/", "[/_]").Replace(word))
	}
	if len(words) > 0 {
		alternatives = append(alternatives, "("+strings.Join(words, "|")+")")
	}
	s.pattern = pattern.Of(strings.Join(alternatives, "|"))
	return s
}

// possible is false only where pattern finds nothing.
func (s *spellings) possible(text string) bool {
	in := func(text string) func(string) bool {
		return func(form string) bool { return strings.Contains(text, form) }
	}
	return strings.Contains(text, s.reversed) || s.escapes(text) ||
		strings.Contains(strings.ReplaceAll(text, `\`, ""), strings.ReplaceAll(s.plain, `\`, "")) ||
		slices.ContainsFunc(s.words, in(strings.Map(standardAlphabet, text))) ||
		slices.ContainsFunc(s.hexadecimals, in(hexDigits(text))) || slices.ContainsFunc(s.decimals, in(numbers(text)))
}

// escapes reports whether an escape of any kind starts somewhere in the text.
func (s *spellings) escapes(text string) bool {
	blanks, ascii := strings.Contains(s.plain, " "), !strings.ContainsFunc(s.plain, beyondASCII)
	for i := range len(text) {
		next := text[i+1:]
		var found bool
		switch text[i] {
		case '%':
			found = startsOctet(next) || strings.HasPrefix(next, "u")
		case '=':
			found = startsOctet(next) || strings.HasPrefix(strings.TrimLeft(next, " \t\r"), "\n")
		case '\\':
			found = startsEscape(next)
		case '&':
			found = startsEntity(next)
		case 'U':
			found = strings.HasPrefix(next, "+")
		case '+', '_':
			found = blanks
		case 0:
			found = true
		}
		if found {
			return true
		}
	}
	return !ascii && !utf8.ValidString(text)
}

func beyondASCII(r rune) bool { return r >= utf8.RuneSelf }

func startsOctet(s string) bool { return len(s) >= 2 && hexDigit(s[0]) && hexDigit(s[1]) }

// startsEscape reports whether what follows a backslash is a character by its number: x41, u0041, u{41}, 101.
func startsEscape(s string) bool {
	switch {
	case strings.HasPrefix(s, "x"):
		return startsOctet(s[1:])
	case strings.HasPrefix(s, "u"):
		return len(s) > 1 && (s[1] == '{' || hexDigit(s[1]))
	}
	return len(s) >= 3 && strings.Trim(s[:3], "01234567") == ""
}

// startsEntity reports whether what follows an ampersand is a character by its number or name: #65, amp.
func startsEntity(s string) bool {
	return s != "" && (s[0] == '#' || 'a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

func hexDigit(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

// standardAlphabet turns the URL alphabet of base64 into the standard one (RFC 4648 §5).
func standardAlphabet(r rune) rune {
	switch r {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return r
}

// hexDigits is what is left of the text without everything that may stand between two octets.
func hexDigits(text string) string {
	digits := make([]byte, 0, len(text))
	for i := range len(text) {
		switch b := text[i]; {
		case b == '0' && i+1 < len(text) && text[i+1]|0x20 == 'x': // the mark 0x
		case 'A' <= b && b <= 'F':
			digits = append(digits, b|0x20)
		case hexDigit(b):
			digits = append(digits, b)
		}
	}
	return string(digits)
}

// numbers is the text with one blank wherever numbers may be kept apart.
func numbers(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }), " ")
}

// mask replaces every spelling. Of base64 the whole word goes, because the characters next to the secret's
// own carry bits of it, and so does whatever follows a secret that is too long to be spelt.
func (s *spellings) mask(text string) string {
	if !s.possible(text) {
		return text
	}
	var out strings.Builder
	end := 0
	for _, at := range s.pattern().FindAllStringSubmatchIndex(text, -1) {
		from, to := at[0], at[1]
		if len(at) > 2 && at[2] >= 0 {
			from = end + len(strings.TrimRightFunc(text[end:max(from, end)], base64Digit))
			to += len(text[to:]) - len(strings.TrimLeftFunc(text[to:], base64Digit))
		}
		if to <= end {
			continue // it stands in a word that is masked already
		}
		out.WriteString(text[end:max(from, end)])
		out.WriteString("***")
		end = to
	}
	return out.String() + text[end:]
}

func base64Digit(r rune) bool {
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("+/_=-", r)
}

// escaped matches the characters one after the other, each in any escape. Between two of them a quoted-printable text
// may break the line (RFC 2045 §6.7), and UTF-16 that is read as ASCII has a NUL.
func escaped(plain string) string {
	var characters []string
	for i, r := range plain {
		_, size := utf8.DecodeRuneInString(plain[i:])
		characters = append(characters, "(?:"+strings.Join(escapes(r, plain[i:i+size]), "|")+")")
	}
	return strings.Join(characters, `(?:=[ \t]*\r?\n|\x00)?`)
}

// namedEntities are the HTML entities that html.EscapeString does not write.
func namedEntities(r rune) []string {
	return map[rune][]string{
		'"': {"&quot;"}, '\'': {"&apos;"}, '\u00a0': {"&nbsp;"}, '$': {"&dollar;"}, '%': {"&percnt;"}, '#': {"&num;"},
		'\\': {"&bsol;"}, '/': {"&sol;"}, '+': {"&plus;"}, '=': {"&equals;"}, ';': {"&semi;"}, '@': {"&commat;"},
		'!': {"&excl;"}, '?': {"&quest;"}, '*': {"&ast;"}, '(': {"&lpar;"}, ')': {"&rpar;"}, ':': {"&colon;"},
		',': {"&comma;"}, '.': {"&period;"}, '_': {"&lowbar;"}, '`': {"&grave;"}, '|': {"&vert;"}, '~': {"&tilde;"},
		'ä': {"&auml;"}, 'ö': {"&ouml;"}, 'ü': {"&uuml;"}, 'Ä': {"&Auml;"}, 'Ö': {"&Ouml;"}, 'Ü': {"&Uuml;"},
		'ß': {"&szlig;"}, 'é': {"&eacute;"}, 'è': {"&egrave;"}, 'ê': {"&ecirc;"}, 'à': {"&agrave;"}, 'â': {"&acirc;"},
		'ç': {"&ccedil;"}, 'î': {"&icirc;"}, 'ï': {"&iuml;"}, 'ô': {"&ocirc;"}, 'ù': {"&ugrave;"}, 'û': {"&ucirc;"},
		'£': {"&pound;"}, '§': {"&sect;"}, '€': {"&euro;"}, '°': {"&deg;"},
	}[r]
}

// notUTF8 is how a regular expression sees an octet that is not UTF-8.
const notUTF8 = `\x{FFFD}`

// escapes are the patterns of one character; raw is how it stands in the secret, which need not be valid UTF-8.
func escapes(r rune, raw string) []string {
	var octal, octets strings.Builder
	for _, b := range []byte(raw) {
		fmt.Fprintf(&octets, `(?:%%(?:25)*|=|\\+x)(?i:%02x)`, b)
		fmt.Fprintf(&octal, `\\+%03o`, b)
	}
	patterns := []string{octets.String(), octal.String()}
	if r == utf8.RuneError || r >= 0x80 && r <= 0xff {
		patterns = append(patterns, notUTF8) // a letter of ISO 8859-1, or whatever is not UTF-8 in the secret itself
	}
	if r == utf8.RuneError {
		return patterns
	}
	patterns = append(patterns, `\\*`+regexp.QuoteMeta(raw),
		fmt.Sprintf(`(?:&amp;|&)#(?:[xX]0*(?i:%x)|0*%d);?`, r, r),
		fmt.Sprintf(`(?:\\+u\{?|%%u|U\+)0*(?i:%x)\}?`, r))
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		patterns = append(patterns, fmt.Sprintf(`\\+u(?i:%x)\\+u(?i:%x)`, high, low))
	}
	if entity := html.EscapeString(string(r)); entity != string(r) {
		patterns = append(patterns, strings.Replace(regexp.QuoteMeta(entity), "&", "&(?:amp;)*", 1))
	}
	for _, entity := range namedEntities(r) {
		patterns = append(patterns, strings.Replace(entity, "&", "&(?:amp;)*", 1))
	}
	if r == ' ' {
		patterns = append(patterns, `\+`, `%(?:25)*2[bB]`, "_") // a form's blank, and that of RFC 2047 §4.2
	}
	return patterns
}

// hexadecimal matches the octets in hexadecimal digits, with the usual marks between them.
func hexadecimal(octets string) string {
	pairs := make([]string, len(octets))
	for i, b := range []byte(octets) {
		pairs[i] = fmt.Sprintf("%02x", b)
	}
	return "(?i:" + strings.Join(pairs, `(?:[ :_-]|,? ?0x|, ?|\\x)?`) + ")"
}

// decimal matches the octets as numbers: [104 117 110].
func decimal(octets string) string {
	numbers := make([]string, len(octets))
	for i, b := range []byte(octets) {
		numbers[i] = fmt.Sprint(b)
	}
	return `\b` + strings.Join(numbers, "[ ,;]+") + `\b`
}

// base64Words are the octets in base64 at any alignment.
func base64Words(octets string) []string {
	var words []string
	encoded := append(base64Aligned(octets), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(octets)), "="))
	for _, word := range encoded {
		if len(word) >= minForm {
			words = append(words, word)
		}
	}
	return words
}

func utf16Octets(s string, bigEndian bool) string {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		if bigEndian {
			octets = append(octets, byte(unit>>8), byte(unit))
		} else {
			octets = append(octets, byte(unit), byte(unit>>8))
		}
	}
	return string(octets)
}

func reversed(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}
