package wizard

import (
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

// entryName is a provider's name, in the person's language where it has one there.
func entryName(e presets.Entry) Words {
	if len(e.Names) == 0 {
		return L(e.Name)
	}
	return P(e.Translations())
}

// Say puts words into one language. product stands for {product} in a preset's text. What comes out holds no character
// that acts on a terminal; a message of our own may have several lines.
func (w Words) Say(lang locale.Lang, product string) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(locale.For(lang).Say(w.Msg))
	if !w.Preset.Empty() {
		add(strings.ReplaceAll(w.Preset.In(lang), "{product}", product))
	}
	add(w.Literal)
	add(w.Remote.Escaped())
	lines := strings.Split(strings.Join(parts, " "), "\n")
	for i, line := range lines {
		lines[i] = safetext.Escape(line)
	}
	return strings.Join(lines, "\n")
}
