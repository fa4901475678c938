package cli

import (
	"strings"
	"unicode/utf8"
)

// textWidth is the longest line of prose.
const textWidth = 76

// prose prints text wrapped between words.
func (a *app) prose(text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			a.println(line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	a.println(line)
}

// paragraph prints text wrapped, behind two blanks.
func (a *app) paragraph(text string) {
	line := " "
	for _, word := range strings.Fields(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			a.println(line)
			line = " "
		}
		line += " " + word
	}
	a.println(line)
}
