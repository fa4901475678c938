package secret

import "testing"

func TestLetters(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		plain    string
		letters  Letters
		composed string
	}{
		{"", LettersPlain, ""},
		{"geheim-1234 #", LettersPlain, "geheim-1234 #"},
		{"Grüße-1", LettersBeyond, "Grüße-1"},
		{"cafe\u0301-99", LettersDecomposed, "café-99"},
		{"a\u00a0b", LettersDecomposed, "a b"},       // a space of another kind (RFC 8265 §4.2.2)
		{"ﬁ", LettersBeyond, "ﬁ"},                    // OpaqueString takes apart no compatibility characters
		{"Gr\xfc\xdfe", LettersPlain, "Gr\xfc\xdfe"}, // no text: sent as it is
	} {
		v := New(row.plain)
		if got := v.Letters(); got != row.letters {
			t.Errorf("%q: letters %q, want %q", row.plain, got, row.letters)
		}
		if got := v.Composed().Reveal(); got != row.composed {
			t.Errorf("%q is composed to %q, want %q", row.plain, got, row.composed)
		}
	}
}
