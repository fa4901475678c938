package tui

import (
	"strings"

	"postier/wizard"
)

// summaryWidth is for the lines that stay in the scrollback: they are copied from there, so they are not laid out for
// the window that happened to be open.
const summaryWidth = 80

// summary is what stays in the terminal afterwards: the result, or how to go on.
func (m *model) summary(resume string) string {
	s := m.speech
	p := newPage(summaryWidth, false)
	results := m.past
	if m.last.Step == wizard.StepDone {
		results = append(results, m.last)
	}
	for _, screen := range results {
		m.result(p, screen)
		p.gap()
	}
	if !m.ended && m.screen.Step != wizard.StepDone && (len(results) == 0 || m.touched()) {
		p.plain(m.whatStays(s.t("left"), s.t("left-all"), s.t("left-nothing")))
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

// whatStays chooses what to say about what stays of an unfinished setup: all but the password, all, or in a rehearsal
// nothing.
func (m *model) whatStays(butPassword, all, nothing string) string {
	switch {
	case !m.resumable:
		return nothing
	case m.talk.HasSecret(), m.typedSecret():
		return butPassword
	}
	return all
}

// typedSecret reports whether something stands in a field for a secret on this screen.
func (m *model) typedSecret() bool {
	for _, in := range m.inputs {
		if in.field.Kind == wizard.KindSecret && in.touched() {
			return true
		}
	}
	return false
}

// result is the last screen as plain lines, without styles: it may be copied into a mail.
func (m *model) result(p *page, screen wizard.Screen) {
	plain := *m
	plain.speech.theme.styles = styles{}
	plain.screen = screen
	s := plain.speech
	p.plain(s.say(screen.Title))
	for _, w := range screen.Intro {
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
