package explain

import (
	"strings"
	"testing"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
)

// TestPasswordLetters: a refused password with letters outside ASCII gets its own hint, whatever the server said. Other
// causes and other passwords do not.
func TestPasswordLetters(t *testing.T) {
	t.Parallel()
	plain := For(check.CauseWrongPassword)
	for _, said := range []string{
		"535 5.7.8 Error: authentication failed", "535 frobnicated",
		"535 5.7.139 Authentication unsuccessful",
	} {
		a := Match(Query{Protocol: SMTP, Code: "535", Text: said})
		for letters, word := range map[secret.Letters]string{
			secret.LettersBeyond: "ü and ß", secret.LettersDecomposed: "two characters",
		} {
			got := WithLetters(a, letters)
			text := got.Meaning(locale.English) + strings.Join(got.Remedy(locale.English), " ")
			if a.Cause == check.CauseWrongPassword && (!strings.Contains(text, word) && a.Reply == "" ||
				!strings.Contains(text, "letters such as ü")) {
				t.Errorf("%s, %s: %s", said, letters, text)
			}
			if len(got.Remedy(locale.German)) > maxRemedy || got.Cause != a.Cause {
				t.Errorf("%s, %s: cause %s, remedy %q", said, letters, got.Cause, got.Remedy(locale.German))
			}
		}
		if got := WithLetters(a, secret.LettersPlain); got.Meaning(locale.English) != a.Meaning(locale.English) {
			t.Errorf("%s: a plain password gets a hint", said)
		}
	}
	if got := WithLetters(For(check.CauseAccountSuspended), secret.LettersBeyond); got.Letters != "" {
		t.Error("another cause gets a hint")
	}
	for _, lang := range locale.Written() {
		if got := WithLetters(plain, secret.LettersBeyond); got.Meaning(lang) == plain.Meaning(lang) {
			t.Errorf("%s: no hint", lang)
		}
	}
}
