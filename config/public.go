package config

import (
	"postier/internal/check"
	"postier/internal/locale"
)

// The types of postier's internal packages that stand in what this package exports, under names that every program can
// use.
type (
	// Text is a sentence for people that is not in a language yet; Words puts it into one.
	Text = locale.Text
	// Language is en, fr or de.
	Language = locale.Lang
	// Cause is why something failed: a slug such as wrong-password, which `postier explain` describes.
	Cause = check.Cause
	// CheckID names a check, such as smtp.auth.
	CheckID = check.ID
	// CheckStatus is what a check found: pass, warn, fail or skip.
	CheckStatus = check.Status
)

// Words puts a text into a language; one that is not known is English.
func Words(text Text, language Language) string {
	lang, ok := locale.Parse(string(language))
	if !ok {
		lang = locale.English
	}
	return locale.For(lang).Say(text)
}
