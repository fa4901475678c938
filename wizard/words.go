package wizard

import (
	"slices"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

// entryName returns a provider's name, in the person's language where the provider has a name in it.
func entryName(e presets.Entry) Words {
	if len(e.Names) == 0 {
		return Literal(e.Name)
	}
	return Translated(e.Translations())
}

// Join puts words into one language. product replaces {product} in a text. own, where given, is applied to our own
// messages and texts, but not to literals and remote text. Control characters are not removed.
func (w Words) Join(lang locale.Lang, product string, own func(string) string) string {
	if own == nil {
		own = func(text string) string { return text }
	}
	parts := []string{
		own(locale.For(lang).Say(w.Msg)), own(strings.ReplaceAll(w.Text.In(lang), "{product}", product)), w.Literal,
		w.Remote.Escaped(),
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// Say puts words into one language. The result holds no character that a terminal would act on; a message of our own
// may have several lines.
func (w Words) Say(lang locale.Lang, product string) string {
	lines := strings.Split(w.Join(lang, product, nil), "\n")
	for i, line := range lines {
		lines[i] = safetext.Escape(line)
	}
	return strings.Join(lines, "\n")
}
