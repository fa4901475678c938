package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// maxColumn is the width of the one column: longer lines are tiring to read.
const maxColumn = 76

// page is text laid out for a width, line by line, before it is cut to the height of the window.
type page struct {
	width  int // of the column
	screen int // of the window
	tight  bool
	lines  []line
	cursor *point // where the terminal's cursor belongs, nil when nowhere
	// want is the range of lines that should be seen: what has the focus, the check that runs, the finding.
	want span
}

// line is one line of a page. A bare line begins in the first column, so that a URL can be marked and copied whole.
type line struct {
	text string
	bare bool
}

type point struct{ x, y int }

// span is lines from first up to, not including, after; the zero span is nothing.
type span struct{ first, after int }

func newPage(screenWidth int, tight bool) *page {
	return &page{
		width: max(1, min(maxColumn, screenWidth-2*margin(screenWidth))), screen: max(1, screenWidth),
		tight: tight,
	}
}

// margin is what is left free at both sides, where there is room.
func margin(screenWidth int) int {
	switch {
	case screenWidth >= 60:
		return 2
	case screenWidth >= 30:
		return 1
	default:
		return 0
	}
}

func (p *page) height() int { return len(p.lines) }

// add appends one line that fits already.
func (p *page) add(text string) { p.lines = append(p.lines, line{text: text}) }

// gap separates sections, unless there is no room for it or nothing before it.
func (p *page) gap() {
	if !p.tight && len(p.lines) > 0 && p.lines[len(p.lines)-1].text != "" {
		p.add("")
	}
}

// text wraps text at the width of the column. first stands before the first line, rest before the others.
func (p *page) text(style lipgloss.Style, first, rest, text string) {
	lead := first
	add := func(l string) { p.add(fit(lead+style.Render(l), p.width)); lead = rest }
	for paragraph := range strings.SplitSeq(text, "\n") {
		room, after := p.width-ansi.StringWidth(lead), p.width-ansi.StringWidth(rest)
		lines := wrap(paragraph, room)
		add(lines[0])
		if len(lines) == 1 {
			continue
		}
		others := lines[1:]
		if room != after {
			others = wrap(strings.TrimLeft(strings.TrimPrefix(paragraph, lines[0]), " "), after)
		}
		for _, l := range others {
			add(l)
		}
	}
}

// plain wraps text without style and indent.
func (p *page) plain(text string) { p.text(lipgloss.NewStyle(), "", "", text) }

// bare adds a text that must stay whole: unpadded, and cut into lines only where the window ends. link is an OSC 8
// target or empty.
func (p *page) bare(text, link string) {
	for _, l := range strings.Split(ansi.Hardwrap(text, p.screen, true), "\n") {
		if link != "" {
			l = ansi.SetHyperlink(link) + l + ansi.ResetHyperlink()
		}
		p.lines = append(p.lines, line{text: l, bare: true})
	}
}

// seen makes the lines from first to the end those that should be seen.
func (p *page) seen(first int) { p.want = span{first, len(p.lines)} }

// wrap breaks text into lines of at most width cells, at spaces where it can.
func wrap(text string, width int) []string {
	width = max(1, width)
	lines := strings.Split(ansi.Wrap(text, width, ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// fit cuts a line to width cells.
func fit(text string, width int) string {
	if ansi.StringWidth(text) <= width {
		return text
	}
	return ansi.Truncate(text, max(0, width), "")
}

// shorten cuts a line to width cells and says so with a sign.
func shorten(text string, width int, sign string) string {
	if ansi.StringWidth(text) <= width {
		return text
	}
	return ansi.Truncate(text, max(0, width), sign)
}

// pad fills text with spaces to width cells.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// apart puts left and right at the ends of a line of width cells; left gives way.
func apart(left, right string, width int, sign string) string {
	room := width - ansi.StringWidth(right) - 1
	if right == "" || room < 1 {
		return shorten(left, width, sign)
	}
	return pad(shorten(left, room, sign), room+1) + right
}
