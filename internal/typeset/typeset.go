// Package typeset measures and wraps printed text. Widths are terminal cells: a wide character takes two, a combining
// mark none (UAX #11, UAX #29).
package typeset

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width returns how many cells s takes. Escape sequences take none.
func Width(s string) int { return ansi.StringWidth(s) }

// Pad fills s with spaces to width cells.
func Pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-Width(s))) }

// Shorten cuts s to width cells. A sign, such as an ellipsis, replaces the rest and counts towards the width.
func Shorten(s string, width int, sign string) string {
	if Width(s) <= width {
		return s
	}
	return ansi.Truncate(s, max(0, width), sign)
}

// Wrap breaks s into lines of at most width cells, at spaces and hyphens where it can and inside a word where it has
// to. A date or a range of numbers is a word: no line ends at its hyphens.
func Wrap(s string, width int) []string {
	held, holds := holdNumbers(s)
	lines := strings.Split(ansi.Wrap(held, max(1, width), ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
		if holds {
			lines[i] = strings.ReplaceAll(lines[i], noBreak, "-")
		}
	}
	return lines
}

// noBreak is a hyphen at which no line ends.
const noBreak = "\u2011"

// holdNumbers makes the hyphens between digits such at which no line ends, and reports whether there are any.
func holdNumbers(s string) (string, bool) {
	if !strings.Contains(s, "-") || strings.Contains(s, noBreak) {
		return s, false
	}
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	var out strings.Builder
	for i := range len(s) {
		if s[i] == '-' && digit(i-1) && digit(i+1) {
			out.WriteString(noBreak)
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String(), true
}

// Fill breaks s into lines of at most width cells at spaces, tabs and line ends. Words stay whole, so that an address
// or a command can be copied. first comes before the first line and rest before the others; both count. No line begins
// with the punctuation that French separates by a space. A no-break space keeps its words on one line and is printed as
// a plain space, so that a search finds the text.
func Fill(first, rest, s string, width int) []string {
	var lines []string
	line, used, empty := first, Width(first), true
	s = strings.ReplaceAll(s, "« ", "«\u00a0") // nor does one end with it
	for _, word := range strings.FieldsFunc(s, breaks) {
		n := Width(word)
		if !empty && used+1+n > width && !strings.Contains(";:?!»", word) {
			lines = append(lines, line)
			line, used, empty = rest, Width(rest), true
		}
		if !empty {
			line += " "
			used++
		}
		line += glue.Replace(word)
		used += n
		empty = false
	}
	return append(lines, line)
}

// Whole keeps what stands between backticks, a command, on one line when it is filled.
func Whole(s string) string {
	parts := strings.Split(s, "`")
	for i := 1; i < len(parts)-1; i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], " ", "\u00a0")
	}
	return strings.Join(parts, "`")
}

// glue turns the no-break spaces of a finished line into plain ones.
var glue = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

// breaks reports where Fill may end a line. A no-break space is part of its word.
func breaks(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }
