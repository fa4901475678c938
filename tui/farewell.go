package tui

import (
	"strings"

	"postier/wizard"
)

// farewellWidth is for the lines that stay in the scrollback: they are copied from there, so they are not laid out for the
// window that happened to be open.
const farewellWidth = 80

// farewell is what stays in the terminal afterwards: the result, or how to go on.
func (m *model) farewell(resume string) string {
	s := m.speech
	p := newPage(farewellWidth, false)
	switch {
	case m.last.Step == wizard.StepDone && (m.ended || m.screen.Step == wizard.StepDone):
		m.result(p)
	case m.ended:
		return ""
	default:
		p.plain(s.t("left"))
		if resume != "" {
			p.plain(s.t("resume"))
			p.bare("  "+s.clean(resume), "")
		}
	}
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(strings.TrimRight(l.text, " ") + "\n")
	}
	return b.String()
}

// result is the last screen as plain lines, without styles: it may be copied into a mail.
func (m *model) result(p *page) {
	plain := *m
	plain.speech.look.styles = styles{}
	plain.screen = m.last
	s := plain.speech
	p.plain(s.say(m.last.Title))
	for _, w := range m.last.Intro {
		p.plain(s.say(w))
	}
	plain.notices(p)
	plain.facts(p)
	plain.numbered(p)
	for _, c := range plain.copyables() {
		p.gap()
		p.plain(c.label)
		p.bare(s.clean(c.text), "")
	}
}
