package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Letters says what kind of letters a secret holds, which matters when it was refused.
type Letters string

// The kinds. A secret in ASCII, or one that is no text, has none of them.
const (
	LettersPlain Letters = ""
	// LettersBeyond: servers store and compare letters outside ASCII in different encodings.
	LettersBeyond Letters = "beyond-ascii"
	// LettersDecomposed: a letter and its accent are two characters, where servers expect one (RFC 8265 §4.2).
	LettersDecomposed Letters = "decomposed"
)

// Letters returns the kind of the secret's letters.
func (v Value) Letters() Letters {
	plain := v.Reveal()
	switch {
	case !utf8.ValidString(plain) || !strings.ContainsFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }):
		return LettersPlain
	case v.Composed().Reveal() != plain:
		return LettersDecomposed
	}
	return LettersBeyond
}

// Composed returns the secret in the form that the profile OpaqueString gives to passwords (RFC 8265 §4.2.2): each
// letter with its accent one character (NFC), and a space of any other kind the plain one. A secret that is no text, or
// has this form already, is returned as it is.
func (v Value) Composed() Value {
	plain := v.Reveal()
	if !utf8.ValidString(plain) {
		return v
	}
	spaced := strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, plain)
	if composed := norm.NFC.String(spaced); composed != plain {
		return New(composed)
	}
	return v
}
