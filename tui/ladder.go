package tui

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/wizard"
)

var noStyle = lipgloss.NewStyle()

// wideLadder is the least width at which a check and its evidence share a line.
const wideLadder = 60

// ladder shows one line a check: the status in words, the check's name, its evidence, how long it took. Beneath the
// card of a failure it is folded to one line; the page for technicians has all of it.
func (m *model) ladder(p *page) {
	if len(m.screen.Checks) == 0 {
		return
	}
	p.gap()
	s := m.speech
	if m.screen.Finding != nil {
		p.plain(s.escape(strings.Join(m.screen.Tally().Say(s.lang), " "+s.theme.glyphs.dot+" ")))
		return
	}
	column := typeset.Width(s.t("running"))
	for _, status := range check.Statuses() {
		column = max(column, typeset.Width(s.status(status)))
	}
	first := p.height()
	for _, r := range m.screen.Checks {
		if r.Status == check.Skip && r.Cause != check.CauseNeedsFailed {
			continue // it does not apply here, which only a technician wants to know
		}
		if r.Running {
			first = p.height()
		}
		m.rung(p, r, column+2)
	}
	if m.screen.Busy != nil && len(m.inputs) == 0 {
		p.reveal(first)
	}
}

func (m *model) rung(p *page, r wizard.Report, column int) {
	s := m.speech
	badge := m.badge(r, column+1)
	name := s.say(r.Name)
	evidence := s.say(r.ForReader())
	took := ""
	if r.Took >= time.Second && r.Status != check.Skip {
		took = s.took(r.Took)
	}
	room := p.width - column - 2
	if p.screen >= wideLadder {
		if evidence != "" {
			name += " " + s.theme.glyphs.dot + " " + evidence
		}
		p.add(badge + " " + justify(name, took, room, s.theme.glyphs.ellipsis))
		return
	}
	p.add(badge + " " + justify(name, took, room, s.theme.glyphs.ellipsis))
	if evidence != "" && r.Status == check.Warn {
		p.add("  " + typeset.Shorten(evidence, p.width-2, s.theme.glyphs.ellipsis))
	}
}

// badge is a mark and the status in words, in a column of its own.
func (m *model) badge(r wizard.Report, column int) string {
	s := m.speech
	g, y := s.theme.glyphs, s.theme.styles
	mark, style := g.none, y.plain
	switch r.Status {
	case check.Pass:
		mark, style = g.good, y.good
	case check.Warn:
		mark, style = g.remark, y.remark
	case check.Fail:
		mark, style = g.bad, y.bad
	case "":
		if r.Running {
			return y.accent.Render(typeset.Pad(s.t("running"), column))
		}
		return typeset.Pad(g.waiting, column)
	}
	return style.Render(mark) + typeset.Pad(" "+s.status(r.Status), column-1)
}

// finding explains what failed: what it is called, what it means, what to do, and what the server said.
func (m *model) finding(p *page) {
	f := m.screen.Finding
	if f == nil {
		return
	}
	p.gap()
	first := p.height()
	m.explain(p, *f)
	// A remark does not hide the values to copy, nor a failure the time until it is checked again.
	if len(m.inputs) == 0 && !m.moved && f.Status != check.Warn && m.screen.Busy == nil {
		p.reveal(first)
	}
}

func (m *model) explain(p *page, r wizard.Report) {
	s := m.speech
	style, status, word := s.theme.styles.fail, r.Status, s.status(r.Status)
	switch {
	case status == check.Warn:
		style = s.theme.styles.warn
	case status == check.Pass, status == check.Skip:
		style = s.theme.styles.skip
	case m.screen.Passes():
		style, status, word = s.theme.styles.warn, check.Warn, s.t("wait")
	default:
		status, word = check.Fail, s.status(check.Fail)
	}
	title := s.say(r.Title)
	if r.Code != "" {
		title = s.escape(r.Code) + " " + s.theme.glyphs.dot + " " + title
	}
	p.text(s.theme.styles.bold, style.Render(" "+word+" ")+" ", "  ", title)
	if p.screen < wideLadder { // no room for an edge
		m.explained(p, r)
		return
	}
	p.edged(s.edge(status), func(p *page) { m.explained(p, r) })
}

// explained is the text of a card beneath its headline.
func (m *model) explained(p *page, r wizard.Report) {
	s := m.speech
	if meaning := s.say(r.Meaning); meaning != "" {
		p.plain(meaning)
	}
	most := 3 // the details have them all
	if p.dense.terse {
		most = 1
	}
	m.serverBlock(p, r.Reply, most)
	if len(r.Remedy) > 0 {
		p.gap()
		p.text(s.theme.styles.bold, "", "", s.t("what-to-do"))
		for i, step := range r.Remedy {
			p.item(i+1, s.say(step))
		}
	}
	if who := s.say(r.WhoWords); who != "" {
		p.plain(s.t("who", "who", who))
	}
	if retry := s.say(r.RetryWords); retry != "" && !m.screen.Waits() {
		p.plain(retry)
	}
	if support := s.say(m.screen.Support); support != "" {
		p.plain(support)
	}
}

// edge is drawn to the left of a card, in the colour of its verdict.
func (s speech) edge(status check.Status) string {
	style := s.theme.styles.plain
	switch status {
	case check.Warn:
		style = s.theme.styles.remark
	case check.Fail:
		style = s.theme.styles.bad
	}
	return style.Render(s.theme.glyphs.edge) + " "
}

// serverBlock shows a server's own words, marked on every line so that they cannot pass for ours (docs/security.md T7).
// Of more than most lines it shows the first ones.
func (m *model) serverBlock(p *page, reply safetext.Remote, most int) {
	if reply.Empty() {
		return
	}
	prefix := m.serverPrefix()
	lines := reply.Block("")
	for i, l := range lines {
		if i == most-1 && len(lines) > most { // the last one shown says that there are more
			m.marked(p, prefix, l+" "+m.speech.theme.glyphs.ellipsis)
			return
		}
		m.marked(p, prefix, l)
	}
}

func (m *model) serverPrefix() string { return m.speech.t("server") + m.speech.theme.glyphs.bar + " " }

func (m *model) marked(p *page, prefix, text string) {
	for _, l := range typeset.Wrap(m.speech.escape(text), p.width-typeset.Width(prefix)) {
		p.add(typeset.Shorten(prefix+l, p.width, ""))
	}
}
