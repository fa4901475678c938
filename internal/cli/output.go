package cli

import "postier/internal/typeset"

// textWidth is the longest line of prose.
const textWidth = 76

// prose prints text wrapped between words.
func (a *app) prose(said string) { a.filled("", said) }

// paragraph prints text wrapped, indented by two spaces.
func (a *app) paragraph(said string) { a.filled("  ", said) }

func (a *app) filled(indent, said string) {
	for _, line := range typeset.Fill(indent, indent, said, textWidth) {
		a.println(line)
	}
}
