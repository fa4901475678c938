package tui

import (
	"slices"
	"strings"

	"postier/internal/typeset"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// maxColumn is the greatest width of the text column: longer lines are tiring to read.
const maxColumn = 76

// page is text laid out for a width, line by line, before it is cut to the height of the window.
type page struct {
	width  int // of the column
	screen int // of the window
	dense  density
	lines  []line
	cursor *point // where the terminal's cursor belongs, nil when nowhere
	// want is the range of lines that should be visible: the field or action in focus, the check that runs, or the
	// finding.
	want span
	// pointed is where support has just pointed; it comes before want.
	pointed *span
	// keys is the end of the page, what can be done here; nil where there is nothing.
	keys *page
}

// line is one line of a page. A bare line begins in the first column, so that a URL can be marked and copied whole.
type line struct {
	text string
	bare bool
	gap  bool // nothing but space, which can be left out
}

type point struct{ x, y int }

// span is the lines from first up to, but not including, after; the zero span is empty.
type span struct{ first, after int }

// density is how much a page leaves out.
type density struct {
	tight bool // empty lines
	terse bool // all but the beginning of a server's reply
}

// densityOf is that of a page in a window of this height, whatever is on the page.
func densityOf(height int) density { return density{tight: height < roomForGaps} }

func newPage(screenWidth int, dense density) *page {
	return &page{
		width: max(1, min(maxColumn, screenWidth-2*margin(screenWidth))), screen: max(1, screenWidth),
		dense: dense,
	}
}

// margin returns how many columns stay free on each side, where there is room.
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

// whole is the height with the keys.
func (p *page) whole() int {
	if p.keys == nil {
		return p.height()
	}
	return p.height() + p.keys.height()
}

// fit returns how many of the rows of a window are for the page, which scrolls in them, and the lines that stay in
// sight beneath them: the keys, where all of it does not fit. In a low window every row is for the text, and the last
// one names the first key.
func (p *page) fit(rows int) (int, []line) {
	switch {
	case p.keys == nil:
		return rows, nil
	case p.whole() <= rows:
		p.join(p.keys)
		return rows, nil
	}
	if p.unpin(rows); p.keys == nil {
		return rows, nil
	}
	return rows - p.keys.height(), p.keys.lines
}

// unpin makes the keys the end of the page that scrolls, where they take too many of the rows of a window to stay in
// sight.
func (p *page) unpin(rows int) {
	if p.keys == nil {
		return
	}
	if !p.dense.tight {
		p.keys.narrow(rows)
	}
	if p.dense.tight || !p.keys.pins(rows) {
		p.join(p.keys)
		p.keys = nil
	}
}

// keysShare is the part of a window that its keys may take: one in so many rows.
const keysShare = 3

// narrow leaves out the empty line before the keys where they take too many of the rows of a window with it.
func (p *page) narrow(rows int) {
	if !p.pins(rows) && p.gaps() > 0 {
		p.tighten()
	}
}

// pins reports whether the keys leave enough of the rows of a window for the text above them.
func (p *page) pins(rows int) bool { return p.height() <= rows/keysShare }

// squeeze leaves out empty lines until the page fits into the rows: the last ones first, and then the one before the
// keys and the one beneath the title. A page that would not fit without any keeps them.
func (p *page) squeeze(rows int) bool {
	keys := p.keys
	if keys == nil {
		keys = &page{}
	}
	if p.whole()-p.gaps()-keys.gaps() > rows {
		return false
	}
	for p.whole() > rows {
		if p.gaps() > 1 || keys.gaps() == 0 {
			p.tighten()
		} else {
			keys.tighten()
		}
	}
	return true
}

func (p *page) gaps() int {
	n := 0
	for _, l := range p.lines {
		if l.gap {
			n++
		}
	}
	return n
}

// tighten leaves out the last empty line; what points at a line moves along.
func (p *page) tighten() {
	at := p.height() - 1
	for !p.lines[at].gap {
		at--
	}
	p.lines = slices.Delete(p.lines, at, at+1)
	up := func(y *int) {
		if *y > at {
			*y--
		}
	}
	up(&p.want.first)
	up(&p.want.after)
	if p.pointed != nil {
		up(&p.pointed.first)
		up(&p.pointed.after)
	}
	if p.cursor != nil {
		up(&p.cursor.y)
	}
}

// join adds the lines of other, and what should be visible of them.
func (p *page) join(other *page) {
	top := p.height()
	if other.want.after > other.want.first {
		p.want = span{top + other.want.first, top + other.want.after}
	}
	if other.pointed != nil {
		p.pointed = &span{top + other.pointed.first, top + other.pointed.after}
	}
	p.lines = append(p.lines, other.lines...)
}

// ending draws the keys of the page.
func (p *page) ending(draw func(*page)) {
	p.keys = &page{width: p.width, screen: p.screen, dense: p.dense}
	if !p.dense.tight && p.height() > 0 {
		p.keys.lines = append(p.keys.lines, line{gap: true})
	}
	draw(p.keys)
}

// add appends one line that is known to fit.
func (p *page) add(text string) { p.lines = append(p.lines, line{text: text}) }

// gap adds an empty line between sections, unless the page is tight or nothing comes before it.
func (p *page) gap() {
	if !p.dense.tight && len(p.lines) > 0 && p.lines[len(p.lines)-1].text != "" {
		p.lines = append(p.lines, line{gap: true})
	}
}

// text wraps text at the width of the column. first is printed before the first line, rest before the others.
func (p *page) text(style lipgloss.Style, first, rest, text string) {
	lead := first
	add := func(l string) { p.add(typeset.Shorten(lead+style.Render(l), p.width, "")); lead = rest }
	for paragraph := range strings.SplitSeq(text, "\n") {
		room, after := p.width-typeset.Width(lead), p.width-typeset.Width(rest)
		lines := typeset.Wrap(paragraph, room)
		add(lines[0])
		if len(lines) == 1 {
			continue
		}
		others := lines[1:]
		if room != after {
			others = typeset.Wrap(strings.TrimLeft(strings.TrimPrefix(paragraph, lines[0]), " "), after)
		}
		for _, l := range others {
			add(l)
		}
	}
}

// edged adds what draw adds to a narrower page, with an edge to the left of each line.
func (p *page) edged(edge string, draw func(*page)) {
	inner := page{width: max(1, p.width-typeset.Width(edge)), screen: p.screen, dense: p.dense}
	draw(&inner)
	if inner.cursor != nil {
		p.cursor = &point{typeset.Width(edge) + inner.cursor.x, p.height() + inner.cursor.y}
	}
	for _, l := range inner.lines {
		l.text = strings.TrimRight(edge+l.text, " ")
		p.lines = append(p.lines, l)
	}
}

// plain wraps text without style and indent.
func (p *page) plain(text string) { p.text(lipgloss.NewStyle(), "", "", text) }

// bare adds a text that must stay whole to be copied: it is not padded, and broken only at the width of the window.
// link is an OSC 8 target or empty.
func (p *page) bare(text, link string) {
	for _, l := range strings.Split(ansi.Hardwrap(text, p.screen, true), "\n") {
		if link != "" {
			l = ansi.SetHyperlink(link) + l + ansi.ResetHyperlink()
		}
		p.lines = append(p.lines, line{text: l, bare: true})
	}
}

// reveal makes the lines from first to the end those that should be visible.
func (p *page) reveal(first int) { p.want = span{first, len(p.lines)} }

// justify puts left and right at the ends of a line of width cells; left is shortened where there is no room.
func justify(left, right string, width int, sign string) string {
	room := width - typeset.Width(right) - 1
	if right == "" || room < 1 {
		return typeset.Shorten(left, width, sign)
	}
	return typeset.Pad(typeset.Shorten(left, room, sign), room+1) + right
}
