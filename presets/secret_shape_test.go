package presets

import (
	"slices"
	"strings"
	"testing"

	"postier/internal/locale"
)

func TestCleanSecret(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, provider, raw, want string
		changes                   []Change
	}{
		{"as shown", "gmail", "abcd efgh ijkl mnop", "abcdefghijklmnop", []Change{ChangeSpaces}},
		{"already clean", "gmail", "abcdefghijklmnop", "abcdefghijklmnop", nil},
		{"no-break spaces", "gmail", "abcd\u00a0efgh\u00a0ijkl\u202fmnop", "abcdefghijklmnop", []Change{ChangeSpaces}},
		{
			"zero-width and line end", "gmail", "\ufeffabcd\u200befgh\u200dijklmnop\r\n", "abcdefghijklmnop",
			[]Change{ChangeSpaces, ChangeInvisible},
		},
		{"dashes that are not there", "gmail", "abcd-efgh-ijkl-mnop", "abcdefghijklmnop", []Change{ChangeDashes}},
		{"capitalised by a phone", "gmail", "Abcd efgh ijkl mnop", "abcdefghijklmnop", []Change{ChangeSpaces, ChangeCase}},
		{"15 letters stay as they are", "gmail", "abcd efgh ijkl mno", "abcd efgh ijkl mno", nil},
		{"an account password stays", "gmail", " correct horse 7 ", " correct horse 7 ", nil},
		{"one digit is another secret", "gmail", "abcd efgh ijkl mno1", "abcd efgh ijkl mno1", nil},
		{"Apple keeps the dashes", "icloud", "abcd-efgh-ijkl-mnop", "abcd-efgh-ijkl-mnop", nil},
		{"Apple, blank behind", "icloud", "abcd-efgh-ijkl-mnop ", "abcd-efgh-ijkl-mnop", []Change{ChangeSpaces}},
		{"Apple, long dashes", "icloud", "abcd–efgh–ijkl–mnop", "abcd-efgh-ijkl-mnop", []Change{ChangeDashes}},
		{"Apple, dashes lost", "icloud", "abcdefghijklmnop", "abcd-efgh-ijkl-mnop", []Change{ChangeDashes}},
		{"Fastmail has digits", "fastmail", "ab1d 2fgh ijk3 mn0p", "ab1d2fghijk3mn0p", []Change{ChangeSpaces}},
		{"no rule, nothing trimmed", "orange", " secret\u00a0with blanks ", " secret\u00a0with blanks ", nil},
		{"no length, nothing trimmed", "infomaniak", "abc def ", "abc def ", nil},
		{"nothing", "gmail", "", "", nil},
	} {
		p, ok := Default().Get(tt.provider)
		if !ok {
			t.Fatalf("no %s", tt.provider)
		}
		got, changes := p.CleanSecret(tt.raw)
		if got != tt.want || !slices.Equal(changes, tt.changes) {
			t.Errorf("%s: %q %v, want %q %v", tt.name, got, changes, tt.want, tt.changes)
		}
		if again, more := p.CleanSecret(got); again != got || more != nil {
			t.Errorf("%s: cleaning twice gives %q %v", tt.name, again, more)
		}
	}
}

func TestCheckShape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, provider, secret string
		want                   ShapeVerdict
	}{
		{"nothing", "gmail", "", ShapeEmpty},
		{"as shown", "gmail", "abcd efgh ijkl mnop", ShapeFits},
		{"clean", "gmail", "abcdefghijklmnop", ShapeFits},
		{"last letter missing", "gmail", "abcd efgh ijkl mno", ShapeShort},
		{"one group missing", "gmail", "abcd efgh ijkl", ShapeShort},
		{"pasted twice", "gmail", "abcdefghijklmnopabcdefghijklmnop", ShapeLong},
		{"digits and signs", "gmail", "Sommer2026!", ShapeAccount},
		{"a word", "gmail", "soleil", ShapeAccount},
		{"umlaut", "gmail", "schönespasswort", ShapeAccount},
		{"Apple", "icloud", "abcd-efgh-ijkl-mnop", ShapeFits},
		{"Yahoo, account password", "yahoo", "Passw0rd", ShapeAccount},
		{"only with two-step: cannot know", "zoho-com", "Passw0rd", ShapeUnknown},
		{"no rule", "orange", "Passw0rd", ShapeUnknown},
		{"SMTP key", "brevo", "xsmtpsib-abcdef", ShapeFits},
		{"API key in place of it", "brevo", "xkeysib-abcdef", ShapeWrongKey},
		{"account password in place of a key", "brevo", "Passw0rd", ShapeNoPrefix},
		{"SendGrid", "sendgrid", "SG.abc.def", ShapeFits},
		{"SendGrid, half copied", "sendgrid", "abc.def", ShapeNoPrefix},
	} {
		p, ok := Default().Get(tt.provider)
		if !ok {
			t.Fatalf("no %s", tt.provider)
		}
		if got := p.CheckShape(tt.secret); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestWordsForSecrets: each verdict and change has words in every language, and none repeats the secret.
func TestWordsForSecrets(t *testing.T) {
	t.Parallel()
	var texts []locale.Text
	for _, v := range []ShapeVerdict{
		ShapeEmpty, ShapeFits, ShapeShort, ShapeLong, ShapeAccount, ShapeWrongKey,
		ShapeNoPrefix,
	} {
		texts = append(texts, v.Text())
	}
	for _, c := range []Change{ChangeSpaces, ChangeInvisible, ChangeDashes, ChangeCase} {
		texts = append(texts, c.Text())
	}
	for _, c := range []Confidence{Certain, Likely, Guess} {
		texts = append(texts, c.Text("2026-11-21"))
	}
	for _, lang := range locale.All() {
		seen := map[string]bool{}
		for _, text := range texts {
			words := locale.For(lang).T(text.Key, text.Args...)
			if words == "" || strings.ContainsAny(words, "<{") || seen[words] {
				t.Errorf("%s %s: %q", lang, text.Key, words)
			}
			seen[words] = true
		}
	}
	if !ShapeUnknown.Text().Empty() {
		t.Error("a secret without a rule needs no words")
	}
}

func FuzzCleanSecret(f *testing.F) {
	for _, s := range []string{"abcd efgh ijkl mnop", "abcd–efgh–ijkl–mnop\n", "\ufeff", " x ", "\xff"} {
		f.Add(s)
	}
	ids := []string{"gmail", "icloud", "fastmail", "brevo", "orange"}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, id := range ids {
			p, _ := Default().Get(id)
			got, changes := p.CleanSecret(raw)
			if (got != raw) != (len(changes) > 0) {
				t.Errorf("%s: %q became %q with changes %v", id, raw, got, changes)
			}
			if got != raw && p.CheckShape(got) != ShapeFits {
				t.Errorf("%s: %q was cleaned to %q, which does not fit", id, raw, got)
			}
			if again, _ := p.CleanSecret(got); again != got {
				t.Errorf("%s: cleaning twice changes %q", id, got)
			}
		}
	})
}
