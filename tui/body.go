package tui

import (
	"fmt"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"postier/internal/check"
	"postier/internal/typeset"
	"postier/share"
	"postier/wizard"
)

// body lays out the wizard's screen: introduction, notices and facts, checks, fields, actions.
func (m *model) body(p *page, rows int) {
	s := m.speech
	p.text(s.theme.styles.bold, "", "", s.say(m.screen.Title))
	if len(m.screen.Intro) > 0 && m.screen.Finding == nil { // the card comes first
		p.gap()
		for _, w := range m.screen.Intro {
			p.plain(s.say(w))
		}
	}
	waits := m.screen.Busy != nil && m.screen.Finding != nil
	if waits { // the time that is left comes before what is waited for
		m.busy(p)
	}
	m.notices(p)
	records := m.screen.Step == wizard.StepDNS // they are what the person came for, and stand before what they mean
	if records {
		m.copies(p)
	}
	m.finding(p)
	m.facts(p)
	m.numbered(p)
	m.reading(p)
	if !records {
		m.copies(p)
	}
	m.ladder(p)
	if !waits {
		m.busy(p)
	}
	for i, in := range m.inputs {
		p.gap()
		m.markLine(p, share.Target{Field: in.field.ID}, "")
		in.draw(p, s, max(3, rows-6), i == m.focus && m.overlay.kind == overlayNone)
	}
	if len(m.screen.Actions) > 0 {
		p.ending(m.actions)
	}
}

func (m *model) notices(p *page) {
	if len(m.screen.Notices) > 0 {
		p.gap()
	}
	for _, n := range m.screen.Notices {
		m.notice(p, n)
	}
}

func (m *model) notice(p *page, n wizard.Notice) {
	s := m.speech
	var lead string
	switch n.Level {
	case wizard.LevelWarn:
		lead = s.theme.styles.warn.Render(" "+s.status(check.Warn)+" ") + " "
	case wizard.LevelFail:
		lead = s.theme.styles.fail.Render(" "+s.status(check.Fail)+" ") + " "
	case wizard.LevelGood:
		lead = s.theme.styles.pass.Render(" "+s.status(check.Pass)+" ") + " "
	default:
		lead = s.theme.glyphs.bullet + " "
	}
	p.text(s.theme.styles.plain, lead, "  ", s.say(n.Text))
}

// longLabel is the width from which a label does not move the column of the values.
const longLabel = 30

func (m *model) facts(p *page) {
	s := m.speech
	if len(m.screen.Facts) == 0 {
		return
	}
	p.gap()
	labels := make([]string, len(m.screen.Facts))
	widest := 0
	for i, f := range m.screen.Facts {
		labels[i] = s.say(f.Label)
		if n := typeset.Width(labels[i]); n <= longLabel || len(m.screen.Facts) < 3 {
			widest = max(widest, n)
		}
	}
	aligned := widest <= p.width/2 && p.width > longLabel*2
	focused, _ := m.currentRow()
	for i, f := range m.screen.Facts {
		value := s.say(f.Value)
		if detail := s.say(f.Detail); detail != "" {
			value += " (" + detail + ")"
		}
		draw := func(p *page) {
			if aligned && typeset.Width(labels[i]) <= p.width/2 {
				p.text(s.theme.styles.bold, typeset.Pad(labels[i], widest)+"  ", strings.Repeat(" ", widest+2), value)
				return
			}
			p.plain(labels[i])
			p.text(s.theme.styles.bold, "  ", "  ", value)
		}
		if len(m.rows()) == 0 {
			draw(p)
			continue
		}
		if f.Change == "" {
			p.edged("  ", draw)
			continue
		}
		m.markLine(p, share.Target{Action: f.Change}, labels[i])
		first, edge := p.height(), "  "
		chosen := f.Change == focused.Change
		if chosen {
			edge = s.theme.styles.accent.Render(s.theme.glyphs.edge) + " "
		}
		p.edged(edge, draw)
		if chosen || f.Recent && focused.Change == "" {
			p.reveal(first)
		}
	}
}

func (m *model) numbered(p *page) {
	if len(m.screen.Numbered) > 0 {
		p.gap()
	}
	for i, w := range m.screen.Numbered {
		p.item(i+1, m.speech.say(w))
	}
}

// reading shows a text as it is, without a margin, so that it can be marked and copied.
func (m *model) reading(p *page) {
	if m.screen.Text.Empty() {
		return
	}
	p.gap()
	for line := range strings.SplitSeq(strings.Trim(m.screen.Text.Raw(), "\n"), "\n") {
		p.bare(m.verdictWord(m.speech.escape(line)), "")
	}
}

// verdictWord colours the word of a verdict at the beginning of a line.
func (m *model) verdictWord(line string) string {
	text, y := strings.TrimLeft(line, " "), m.speech.theme.styles
	styles := map[check.Status]lipgloss.Style{check.Pass: y.good, check.Warn: y.remark, check.Fail: y.bad}
	for status, style := range styles {
		word := m.speech.status(status)
		if rest, found := strings.CutPrefix(text, word+" "); found {
			return line[:len(line)-len(text)] + style.Render(word) + " " + rest
		}
	}
	return line
}

// item is one line of a numbered list.
func (p *page) item(number int, text string) {
	lead := strconv.Itoa(number) + ". "
	if number < 10 {
		lead = " " + lead
	}
	p.text(noStyle, lead, strings.Repeat(" ", len(lead)), text)
}

// copies shows the texts to copy: whole on a line, unpadded where that leaves room for them.
func (m *model) copies(p *page) {
	for _, c := range m.copyables() {
		p.gap()
		p.plain(c.label)
		m.copyText(p, c)
	}
}

func (m *model) copyText(p *page, c copyable) {
	text := m.speech.escape(c.text)
	const indent = "  "
	if link := c.link(); link != "" || c.qr || len(indent)+typeset.Width(text) > p.width {
		p.bare(text, link) // what is broken at the edge of the window alone can be put together again
		return
	}
	p.text(m.speech.theme.styles.bold, indent, indent, text)
}

func (m *model) busy(p *page) {
	b := m.screen.Busy
	if b == nil {
		return
	}
	s := m.speech
	p.gap()
	elapsed := int(m.now().Sub(m.since).Seconds())
	text := s.say(b.Text) + " " + s.t("elapsed", "n", max(0, elapsed))
	switch {
	case b.Countdown:
		text = s.say(b.Text) + " " + s.t("remaining", "time", clock(int(b.GivesUp.Seconds())-elapsed))
	case b.GivesUp > 0:
		text += " (" + s.t("at-most", "n", int(b.GivesUp.Seconds())) + ")"
	}
	first := p.height()
	p.text(s.theme.styles.bold, "", "", text)
	if len(m.inputs) == 0 {
		if p.want.after > p.want.first {
			first = p.want.first // the check that runs: both are seen where there is room
		}
		p.reveal(first)
	}
}

// clock formats remaining seconds as minutes and seconds, and hours where there are any.
func clock(seconds int) string {
	seconds = max(0, seconds)
	if seconds > 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// actions shows what can be done, the key of each in brackets; the one in focus is marked and reversed.
func (m *model) actions(p *page) {
	for _, a := range m.screen.Actions {
		m.markLine(p, share.Target{Action: a.ID}, m.speech.say(a.Label))
	}
	first, row := p.height(), ""
	for i, a := range m.screen.Actions {
		label, focused := m.actionLabel(i, a, p.width)
		if row != "" && typeset.Width(row)+2+typeset.Width(label) > p.width {
			p.add(row)
			row = ""
		}
		if row != "" {
			row += "  "
		}
		if focused {
			label = m.speech.theme.styles.first.Render(label)
		}
		row += label
	}
	p.add(row)
	if i := m.focus - len(m.inputs); i >= 0 && i < len(m.screen.Actions) &&
		(m.moved || len(m.inputs) > 0 || m.screen.First) {
		p.reveal(first)
	}
}

// actionLabel is an action with its key, after the mark of the focus.
func (m *model) actionLabel(i int, a wizard.Action, width int) (label string, focused bool) {
	s := m.speech
	enters := m.moved || !stops(a) // Enter does it
	focused = m.focus == len(m.inputs)+i && m.overlay.kind == overlayNone && enters
	mark := " "
	if focused {
		mark = s.theme.glyphs.focus
	}
	return mark + s.keyed(s.say(a.Label), m.actionKey(i, a), width-typeset.Width(mark)), focused
}

// keyed is a label with its key in brackets. Where there is no room, the label is shortened and never the key.
func (s speech) keyed(label, key string, width int) string {
	whole := "[" + label + "]"
	if key != "" {
		whole = "[" + s.colon(label) + " " + key + "]"
	}
	over, least := typeset.Width(whole)-width, 1
	if room := typeset.Width(label) - over; over > 0 && room >= least {
		return s.keyed(typeset.Shorten(label, room, s.theme.glyphs.ellipsis), key, width)
	}
	return typeset.Shorten(whole, width, s.theme.glyphs.ellipsis)
}

func (m *model) actionKey(i int, a wizard.Action) string {
	switch {
	case i == 0 && !stops(a) && m.focus <= len(m.inputs):
		return m.speech.t("key-enter")
	case a.Key == 0:
		return ""
	case m.typing():
		return m.speech.t("key-alt") + "+" + strings.ToUpper(string(a.Key))
	default:
		return string(a.Key)
	}
}
