package tui

import (
	"slices"
	"strings"

	"postier/internal/typeset"

	tea "charm.land/bubbletea/v2"
)

// The least heights of the window at which each row of the frame is shown: on a tiny one the body needs all rows.
const (
	roomForHeader = 4 // from this height on: step and language
	roomForFooter = 5 // keys
	roomForRule   = 8 // the line that shows progress
	roomForStatus = 7 // "more below", and what the last key did
	roomForGaps   = 16
)

// bodyHeight is how many rows are left for the body.
func (m *model) bodyHeight() int {
	rows := m.height
	for _, from := range []int{roomForHeader, roomForFooter, roomForRule, roomForStatus} {
		if m.height >= from {
			rows--
		}
	}
	return max(1, rows-len(m.topRows()))
}

// topRows are the lines between the header and the body: who looks on, and what was said.
func (m *model) topRows() []string {
	rows := m.sharing.rows(m.width, m.height, m.speech)
	if m.helper != nil {
		rows = m.watchRows()
	}
	if m.toast != "" && !m.toastFits() {
		rows = append(rows, typeset.Wrap(m.toast, newPage(m.width, density{}).width)...)
	}
	for len(rows) > 0 && len(rows) >= m.height {
		rows = rows[1:]
	}
	return rows
}

// toastFits reports whether what the last key did has room on the line of the status, or has to do with it because
// there is no other.
func (m *model) toastFits() bool {
	const room = 10
	return m.height < room || typeset.Width(m.toast)+2 <= newPage(m.width, density{}).width
}

// View implements tea.Model.
func (m *model) View() tea.View {
	rows := m.bodyHeight()
	p := m.layOut(rows, densityOf(m.height))
	if !p.squeeze(rows) {
		if terse := m.layOut(rows, density{tight: p.dense.tight, terse: true}); terse.squeeze(rows) {
			p = terse // all of it can be seen
		}
	}
	rows, keys := p.fit(rows)
	m.shown = rows
	scroll := &m.scroll
	if m.overlay.kind == overlayNone {
		if m.follow {
			m.scroll = p.scrollTo(m.scroll, rows)
			m.follow = false
		}
	} else {
		scroll = &m.overlay.scroll
	}
	*scroll = max(0, min(*scroll, p.height()-rows))
	f := frame{theme: m.speech.theme, width: m.width, height: m.height}
	f.header(justify(m.stepLine(), m.speech.languageKey(m.width < 60), p.width, m.speech.theme.glyphs.ellipsis))
	f.top(m.topRows())
	f.progress(m.screen.Number)
	f.body(p, *scroll, rows)
	f.rightPane(m.pane(p), p.width, rows)
	f.keys(keys)
	toast := m.toast
	if !m.toastFits() {
		toast = ""
	}
	f.status(p, *scroll, rows, m.speech, toast)
	f.footer(m.footer(p.width))
	view := tea.NewView(strings.Join(f.lines, "\n"))
	view.AltScreen = true
	view.Cursor = f.cursor
	if m.helper != nil {
		view.Cursor = m.helperCursor()
	}
	return view
}

// wide is the least width of a window that has room for the technician's view to the right of the step, and paneEdge
// the width of the line between the two.
const (
	wide     = 120
	paneEdge = 3
)

// pane is the technician's view, to the right of the step. There is none in a narrow window, without checks, and where
// texts must stay alone on their lines to be copied.
func (m *model) pane(step *page) *page {
	nothing := len(m.screen.Checks) == 0 && m.screen.Finding == nil
	alone := slices.ContainsFunc(step.lines, func(l line) bool { return l.bare })
	if m.width < wide || m.overlay.kind != overlayNone || nothing || alone || len(m.copyables()) > 0 {
		return nil
	}
	p := page{width: m.width - 2*margin(m.width) - step.width - paneEdge, screen: m.width, dense: density{tight: true}}
	m.detailsPage(&p)
	return &p
}

// layOut returns the page to show: the overlay's, else the screen's own.
func (m *model) layOut(rows int, dense density) *page {
	p := newPage(m.width, dense)
	if m.overlay.kind == overlayNone {
		m.body(p, rows)
		if m.helper != nil && (len(m.screen.Checks) > 0 || m.screen.Finding != nil) && m.pane(p) == nil {
			p.unpin(rows) // the details follow the keys
			p.gap()
			m.detailsPage(p)
		}
	} else {
		m.overlayBody(p, rows)
	}
	return p
}

// scrollTo returns the scroll position closest to the present one at which the wanted lines are visible.
func (p *page) scrollTo(scroll, rows int) int {
	first, after := p.want.first, p.want.after
	if p.pointed != nil {
		first, after = p.pointed.first, p.pointed.after
	}
	if after <= first {
		return scroll
	}
	if p.cursor != nil && p.pointed == nil {
		// Where a field with a long help text does not fit, the line with the cursor must be visible.
		first, after = min(first, p.cursor.y), max(after, p.cursor.y+1)
		if after-first > rows {
			first, after = p.cursor.y, p.cursor.y+1
		}
	}
	if after > scroll+rows {
		scroll = after - rows
	}
	if first < scroll {
		scroll = first
	}
	return scroll
}

// frame builds the window line by line.
type frame struct {
	theme         theme
	width, height int
	lines         []string
	cursor        *tea.Cursor
}

func (f *frame) row(text string) {
	f.lines = append(f.lines, typeset.Shorten(strings.Repeat(" ", margin(f.width))+text, f.width, ""))
}

func (f *frame) header(text string) {
	if f.height >= roomForHeader {
		f.row(f.theme.styles.bold.Render(text))
	}
}

// top adds the lines below the header, which are shown in every window that has room for them.
func (f *frame) top(rows []string) {
	for _, row := range rows {
		f.row(row)
	}
}

// progress adds a line whose heavy part shows the share of steps already done.
func (f *frame) progress(number int) {
	if f.height < roomForRule {
		return
	}
	width := max(0, min(maxColumn, f.width-2*margin(f.width)))
	done := width * max(0, min(number, steps)) / steps
	f.row(f.theme.styles.accent.Render(strings.Repeat(f.theme.glyphs.done, done)) +
		strings.Repeat(f.theme.glyphs.rule, width-done))
}

func (f *frame) body(p *page, scroll, rows int) {
	top := len(f.lines)
	for i := scroll; i < scroll+rows; i++ {
		switch {
		case i >= p.height():
			f.lines = append(f.lines, "")
		case p.lines[i].bare:
			f.lines = append(f.lines, typeset.Shorten(p.lines[i].text, f.width, ""))
		default:
			f.row(p.lines[i].text)
		}
	}
	if p.cursor != nil && p.cursor.y >= scroll && p.cursor.y < scroll+rows {
		f.cursor = tea.NewCursor(min(f.width-1, margin(f.width)+p.cursor.x), top+p.cursor.y-scroll)
		f.cursor.Blink = false
	}
}

// keys adds the lines that stay in sight beneath the body.
func (f *frame) keys(lines []line) {
	for _, l := range lines {
		f.row(l.text)
	}
}

// rightPane adds a page to the right of the rows of the body, as far as it fits.
func (f *frame) rightPane(p *page, width, rows int) {
	if p == nil {
		return
	}
	top := len(f.lines) - rows
	for i := range rows {
		text := ""
		if i < p.height() {
			text = p.lines[i].text
		}
		if i == rows-1 && p.height() > rows {
			text = f.theme.glyphs.ellipsis
		}
		f.lines[top+i] = typeset.Pad(f.lines[top+i], margin(f.width)+width) + " " + f.theme.glyphs.bar + " " + text
	}
}

// status adds the line that says what the last key did, and whether there is more above or below.
func (f *frame) status(p *page, scroll, rows int, s speech, toast string) {
	if f.height < roomForStatus {
		return
	}
	var marks []string
	if scroll > 0 {
		marks = append(marks, f.theme.glyphs.above+" "+s.t("more-above"))
	}
	if p.height() > scroll+rows {
		marks = append(marks, f.theme.glyphs.below+" "+s.t("more-below"))
	}
	more := strings.Join(marks, "  ")
	if toast != "" && typeset.Width(toast)+typeset.Width(more)+1 > p.width {
		more = ""
		if p.height() > scroll+rows {
			more = f.theme.glyphs.below
		}
	}
	f.row(justify(toast, f.theme.styles.bold.Render(more), p.width, f.theme.glyphs.ellipsis))
}

func (f *frame) footer(text string) {
	if f.height >= roomForFooter {
		f.row(text)
	}
}
