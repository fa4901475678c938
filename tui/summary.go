package tui

import (
	"strings"

	"postier/wizard"
)

// summaryWidth is the longest of the lines that stay in the scrollback, where people read and copy them later.
const summaryWidth = 80

// summary returns what stays in the scrollback: the result, or how to go on.
func (m *model) summary(resume string) string {
	s := m.speech
	p := newPage(min(summaryWidth, m.width), density{})
	p.screen = 0 // what is to be copied is broken by the terminal alone, which puts it together again
	results := m.past
	if m.last.Step == wizard.StepDone {
		results = append(results, m.last)
	}
	for _, screen := range results {
		m.result(p, screen)
		p.gap()
	}
	if !m.ended && m.screen.Step != wizard.StepDone && (len(results) == 0 || m.touched()) {
		p.plain(m.whatStays(s.t("left"), s.t("left-all"), s.t("left-nothing"), s.t("left-early")))
		if resume != "" && m.conversation.Resumable() {
			p.plain(s.t("resume"))
			p.bare("  "+s.escape(resume), "")
		}
	}
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(strings.TrimRight(l.text, " ") + "\n")
	}
	return b.String()
}

// whatStays is the sentence about what is kept of an unfinished setup: everything but the password, everything, nothing
// because it is a rehearsal, or nothing because there was nothing yet.
func (m *model) whatStays(butPassword, all, rehearsal, early string) string {
	switch {
	case !m.resumable:
		return rehearsal
	case !m.conversation.Resumable():
		return early
	case m.conversation.HasSecret(), m.typedSecret():
		return butPassword
	}
	return all
}

// typedSecret reports whether a field for a secret on this screen is filled in.
func (m *model) typedSecret() bool {
	for _, in := range m.inputs {
		if in.field.Kind == wizard.KindSecret && in.touched() {
			return true
		}
	}
	return false
}

// result adds the last screen as plain lines without styles, since people may copy it into a mail.
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
		p.bare(s.escape(c.text), "")
	}
}
