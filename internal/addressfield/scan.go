package addressfield

import (
	"slices"
	"strings"

	"postier/config"
	"postier/internal/safetext"
)

// kind tells tokens apart (RFC 5322 §3.2).
type kind int

const (
	atom    kind = iota // atoms and dots, also outside ASCII
	text                // a quoted string, without quotes and backslashes
	comment             // a comment, without its parentheses
	literal             // a domain literal, with its brackets
	special             // one of <>@,;:
)

type token struct {
	kind kind
	text string
	// raw is how the token was written.
	raw string
	// spaced is set when white space or a comment stood before the token.
	spaced bool
}

// scan takes a value apart. Control characters are refused: none belongs into an address field (RFC 5322 §3.2.2).
func scan(value string) ([]token, error) {
	var out []token
	spaced := false
	for i := 0; i < len(value); {
		c := value[i]
		if c == ' ' || c == '\t' {
			spaced = true
			i++
			continue
		}
		var t token
		switch {
		case c < ' ' || c == 0x7f:
			return nil, ErrMalformed
		case strings.IndexByte("<>@,;:", c) >= 0:
			t = token{kind: special, text: value[i : i+1], raw: value[i : i+1]}
		case c == '"' || c == '(' || c == '[':
			var ok bool
			if t, ok = delimited(value[i:]); !ok {
				return nil, ErrMalformed
			}
		case c == ')' || c == ']' || c == '\\':
			return nil, ErrMalformed
		default:
			end := i
			for end < len(value) && value[end] > ' ' && strings.IndexByte("<>@,;:\"([)]\\\x7f", value[end]) < 0 {
				end++
			}
			t = token{kind: atom, text: value[i:end], raw: value[i:end]}
		}
		t.spaced, spaced = spaced, t.kind == comment
		i += len(t.raw)
		out = append(out, t)
	}
	return out, nil
}

// delimited reads a quoted string, a comment (which may hold others) or a domain literal.
func delimited(s string) (t token, ok bool) {
	opening, closing, kind := s[0], s[0], text
	switch opening {
	case '(':
		closing, kind = ')', comment
	case '[':
		closing, kind = ']', literal
	}
	var plain strings.Builder
	depth := 0
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			plain.WriteByte(s[i])
			continue
		case c == closing && depth == 0:
			t = token{kind: kind, text: plain.String(), raw: s[:i+1]}
			if kind == literal {
				t.text = t.raw
			}
			return t, true
		case kind == comment && c == '(':
			depth++
		case kind == comment && c == ')':
			depth--
		case c < ' ' && c != '\t' || c == 0x7f:
			return token{}, false
		}
		plain.WriteByte(c)
	}
	return token{}, false
}

// word is a piece of the rewritten value, which is never broken.
type word struct {
	text string
	// glued is set when no white space may or need stand before the word.
	glued bool
}

// rewrite goes through the mailboxes and groups of a list.
func rewrite(tokens []token) ([]word, error) {
	var out []word
	for len(tokens) > 0 {
		end := elementEnd(tokens)
		words, err := element(tokens[:end], end < len(tokens) && tokens[end].text == ":")
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
		if end < len(tokens) {
			out = append(out, word{text: tokens[end].text, glued: true})
			end++
		}
		tokens = tokens[end:]
	}
	return out, nil
}

// elementEnd is the index of the comma, colon or semicolon that ends an element. In angle brackets they belong to an
// old route (RFC 5322 §4.4).
func elementEnd(tokens []token) int {
	inside := false
	for i, t := range tokens {
		if t.kind != special {
			continue
		}
		switch {
		case t.text == "<":
			inside = true
		case t.text == ">":
			inside = false
		case !inside && strings.Contains(",;:", t.text):
			return i
		}
	}
	return len(tokens)
}

// element rewrites a mailbox, or the name of a group.
func element(tokens []token, group bool) ([]word, error) {
	open, plain := -1, true
	for i, t := range tokens {
		if t.kind == special && t.text == "<" {
			open = i
			break
		}
		plain = plain && t.kind == comment
	}
	switch {
	case plain && open < 0: // nothing, or comments alone (RFC 5322 §4.4 allows empty elements)
		return phrase(tokens), nil
	case group:
		if open >= 0 || hasSpecial(tokens) {
			return nil, ErrMalformed
		}
		return phrase(tokens), nil
	case open < 0:
		return address(tokens, false)
	case hasSpecial(tokens[:open]):
		return nil, ErrMalformed
	}
	last := len(tokens) - 1
	for last > open && tokens[last].kind == comment {
		last--
	}
	if tokens[last].text != ">" || tokens[last].kind != special {
		return nil, ErrMalformed
	}
	inner, err := address(tokens[open+1:last], true)
	if err != nil {
		return nil, err
	}
	return append(append(phrase(tokens[:open]), inner...), phrase(tokens[last+1:])...), nil
}

func hasSpecial(tokens []token) bool {
	for _, t := range tokens {
		if t.kind == special || t.kind == literal {
			return true
		}
	}
	return false
}

// address rewrites an addr-spec with the comments around it. With angle brackets it is one word.
func address(tokens []token, angle bool) ([]word, error) {
	var before, after, spec []token
	for _, t := range tokens {
		switch {
		case t.kind == comment && len(spec) == 0:
			before = append(before, t)
		case t.kind == comment:
			after = append(after, t)
		case t.is("<"), len(spec) > 0 && apart(spec[len(spec)-1], t):
			return nil, ErrMalformed
		default:
			spec = append(spec, t)
		}
	}
	written, err := addressOf(spec)
	if err != nil {
		return nil, err
	}
	if angle {
		written = "<" + written + ">"
	}
	return append(append(phrase(before), word{text: written}), phrase(after)...), nil
}

// addressOf joins the tokens of an addr-spec: a local part, and a domain that becomes A-labels. An old route stands
// before both: @relay,@relay: (RFC 5322 §4.4).
func addressOf(tokens []token) (string, error) {
	var b strings.Builder
	for len(tokens) > 0 && tokens[0].is("@") {
		end := slices.IndexFunc(tokens, func(t token) bool { return t.is(",") || t.is(":") })
		if end < 0 {
			return "", ErrMalformed
		}
		name, err := domain(tokens[1:end])
		if err != nil {
			return "", err
		}
		b.WriteString("@" + name + tokens[end].raw)
		tokens = tokens[end+1:]
	}
	at := slices.IndexFunc(tokens, func(t token) bool { return t.is("@") })
	local := tokens
	if at >= 0 {
		local = tokens[:at]
	}
	if hasSpecial(local) {
		return "", ErrMalformed
	}
	for _, t := range local {
		b.WriteString(t.raw)
	}
	if at < 0 {
		if written := b.String(); safetext.IsASCII(written) {
			return written, nil // a local name, or the empty address
		}
		return "", ErrMalformed
	}
	name, err := domain(tokens[at+1:])
	if err != nil {
		return "", err
	}
	return b.String() + "@" + name, nil
}

// domain writes a domain in A-labels. One in ASCII stays as it is, even when it is no valid name: the server decides.
func domain(tokens []token) (string, error) {
	var b strings.Builder
	for _, t := range tokens {
		if t.kind == special || t.kind == text {
			return "", ErrMalformed
		}
		b.WriteString(t.raw)
	}
	name := b.String()
	if name == "" {
		return "", ErrMalformed
	}
	if safetext.IsASCII(name) {
		return name, nil
	}
	ascii, ok := config.DomainASCII(name)
	if !ok {
		return "", ErrMalformed
	}
	return ascii, nil
}

func (t token) is(text string) bool { return t.kind == special && t.text == text }

// apart reports two words with white space between them, neither of which ends or begins with a dot (RFC 5322 §4.4
// allows white space around dots): they cannot be one address.
func apart(last, t token) bool {
	return t.spaced && last.raw != "" && last.kind != special && t.kind != special &&
		!strings.HasSuffix(last.raw, ".") && !strings.HasPrefix(t.raw, ".")
}

// phrase rewrites a display name and comments. A run of words of which one is outside ASCII becomes encoded words as a
// whole: white space between encoded words does not count (RFC 2047 §6.2), so single words would run together.
func phrase(tokens []token) []word {
	var out []word
	for len(tokens) > 0 {
		if t := tokens[0]; t.kind == comment {
			raw := t.raw
			if !safetext.IsASCII(raw) {
				raw = "(" + encoded(t.text) + ")"
			}
			out = append(out, pieces(raw)...)
			tokens = tokens[1:]
			continue
		}
		end, ascii := 0, true
		var plain strings.Builder
		for end < len(tokens) && tokens[end].kind != comment {
			if end > 0 && tokens[end].spaced {
				plain.WriteByte(' ')
			}
			plain.WriteString(tokens[end].text)
			ascii = ascii && safetext.IsASCII(tokens[end].raw)
			end++
		}
		if ascii {
			for i, t := range tokens[:end] {
				out = append(out, word{text: t.raw, glued: i > 0 && !t.spaced})
			}
		} else {
			out = append(out, pieces(encoded(plain.String()))...)
		}
		tokens = tokens[end:]
	}
	return out
}

// pieces splits encoded words, each of which may stand on a line of its own.
func pieces(s string) []word {
	var out []word
	for part := range strings.SplitSeq(s, " ") {
		out = append(out, word{text: part})
	}
	return out
}
