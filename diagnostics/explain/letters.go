package explain

import (
	"slices"

	"postier/internal/locale"
	"postier/internal/secret"
)

// WithLetters adds to the answer about a refused password what its letters have to do with it: servers store and
// compare those outside ASCII differently, although RFC 4616 §2 and RFC 8265 §4 say how. The words of a reply that the
// catalogue knows stay, with one remedy more.
func WithLetters(a Answer, letters secret.Letters) Answer {
	entry, known := generals().Letters[string(letters)]
	if !known || a.Cause != entry.Cause {
		return a
	}
	own := map[locale.Lang]Words{}
	for lang, words := range entry.Text {
		if a.Reply != "" && len(a.own) > 0 {
			remedy, last := a.Remedy(lang), words.Remedy[len(words.Remedy)-1:]
			words = inLanguage(a.own, lang)
			words.Remedy = slices.Concat(remedy[:min(len(remedy), maxRemedy-1)], last)
		}
		own[lang] = words
	}
	a.own, a.Letters = own, letters
	return a
}

// maxRemedy is how many steps a remedy has at most.
const maxRemedy = 4
