package tui

import (
	"strconv"

	tea "charm.land/bubbletea/v2"

	"postier/internal/locale"
	"postier/internal/typeset"
	"postier/wizard"
)

// overKind names a page that lies over the screen until Esc.
type overKind int

const (
	overNothing overKind = iota
	overHelp
	overDetails // the technician's view
	overCopy    // texts to copy, one at a time
	overQR
	overLeave // "leave?"
)

// overlay is the page over the screen and where in it the person is.
type overlay struct {
	kind   overKind
	scroll int
	at     int // which of several texts
}

func (m *model) pressOver(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	if m.over.kind == overLeave {
		switch name {
		case "enter":
			return m.leave()
		case "esc":
			m.over = overlay{}
		}
		return nil
	}
	switch name {
	case "esc", "enter", "shift+tab", "backspace":
		m.over = overlay{}
	case "?", "f1":
		m.toggle(overHelp)
	case "t", "f5", "alt+t":
		m.toggle(overDetails)
	case "q", "f4", "alt+q":
		if m.over.kind == overQR {
			m.over = overlay{}
		} else {
			m.showQR()
		}
	case "c", "f3", "alt+c":
		return m.copy()
	case "left", "right", "tab":
		m.turnTo(name)
	case "pgdown", "space":
		m.over.scroll += max(1, m.bodyHeight()-1)
	case "pgup":
		m.over.scroll = max(0, m.over.scroll-max(1, m.bodyHeight()-1))
	case "down":
		m.over.scroll++
	case "up":
		m.over.scroll = max(0, m.over.scroll-1)
	case "home":
		m.over.scroll = 0
	case "end":
		m.over.scroll = maxScroll
	}
	return nil
}

func (m *model) toggle(kind overKind) {
	if m.over.kind == kind {
		m.over = overlay{}
	} else {
		m.over = overlay{kind: kind}
	}
}

// turnTo shows the next or the previous of several texts.
func (m *model) turnTo(name string) {
	texts := m.shown()
	if len(texts) == 0 {
		return
	}
	step := 1
	if name == "left" {
		step = len(texts) - 1
	}
	m.over.at = (m.over.at + step) % len(texts)
	m.over.scroll = 0
}

// shown are the texts that the page goes through: all, or those that a phone can read.
func (m *model) shown() []copyable {
	texts := m.copyables()
	if m.over.kind != overQR {
		return texts
	}
	var out []copyable
	for _, c := range texts {
		if c.qr {
			out = append(out, c)
		}
	}
	return out
}

// copy puts a text on the person's own clipboard (OSC 52). Of several, the page with them comes first.
func (m *model) copy() tea.Cmd {
	texts := m.shown()
	switch {
	case len(texts) == 0:
		m.toast = m.speech.t("nothing-to-copy")
		return nil
	case len(texts) > 1 && m.over.kind != overCopy && m.over.kind != overQR:
		m.over = overlay{kind: overCopy}
		return nil
	}
	c := texts[min(m.over.at, len(texts)-1)]
	m.toast = m.speech.t("copied", "label", c.label)
	return tea.SetClipboard(c.clipboard())
}

func (m *model) showQR() {
	m.over = overlay{kind: overQR}
	if len(m.shown()) == 0 {
		m.over = overlay{}
		m.toast = m.speech.t("no-qr")
	}
}

func (m *model) showDetails() {
	if len(m.screen.Checks) == 0 && m.screen.Finding == nil {
		m.toast = m.speech.t("no-details")
		return
	}
	m.over = overlay{kind: overDetails}
}

func (m *model) overBody(p *page, rows int) {
	switch m.over.kind {
	case overHelp:
		m.helpPage(p)
	case overDetails:
		m.detailsPage(p)
	case overCopy:
		m.copyPage(p)
	case overQR:
		m.qrPage(p, rows)
	case overLeave:
		p.text(m.speech.look.styles.bold, "", "", m.speech.t("leave-title"))
		p.gap()
		s := m.speech
		p.plain(m.kept(s.t("leave-text"), s.t("leave-text-all"), s.t("leave-text-nothing")))
	}
}

func (m *model) copyPage(p *page) {
	texts := m.shown()
	if len(texts) == 0 {
		return
	}
	at := min(m.over.at, len(texts)-1)
	s := m.speech
	p.text(s.look.styles.bold, "", "", s.t("copy-position", "n", at+1, "of", len(texts)))
	p.gap()
	p.plain(texts[at].label)
	m.copyText(p, texts[at])
	p.gap()
	p.plain(s.t("copy-help"))
}

// helpPage is what the step is about, what went wrong in full, and every key.
func (m *model) helpPage(p *page) {
	s := m.speech
	p.text(s.look.styles.bold, "", "", s.t("help-title", "step", m.stepName()))
	if key := m.screen.Help; key != "" && locale.For(s.lang).Has(key) {
		p.gap()
		p.plain(s.say(wizard.M(key)))
	}
	if m.screen.Finding != nil {
		p.gap()
		m.explain(p, *m.screen.Finding)
	}
	p.gap()
	p.text(s.look.styles.bold, "", "", s.t("help-keys"))
	for i, a := range m.screen.Actions {
		if key := m.actionKey(i, a); key != "" {
			m.keyLine(p, key, s.say(a.Label))
		}
	}
	for _, k := range helpKeys {
		m.keyLine(p, s.t("keyname-"+k), s.t("keyhelp-"+k))
	}
}

// helpKeys are the keys that are the same on every screen, in the order of the help page.
var helpKeys = []string{
	"back", "tab", "arrows", "scroll", "help", "language", "copy", "qr", "details", "leave",
	"suspend", "paste",
}

// keyColumn is the width of the key names on the help page.
const keyColumn = 20

func (m *model) keyLine(p *page, key, text string) {
	lead := "  " + typeset.Pad(key, keyColumn)
	if p.width < 2*keyColumn+8 {
		p.text(m.speech.look.styles.key, "", "", key)
		p.text(noStyle, "  ", "  ", text)
		return
	}
	p.text(noStyle, m.speech.look.styles.key.Render(lead), typeset.Pad("", keyColumn+2), text)
}

// detailsPage is the technician's view: every check with its id, times and raw lines.
func (m *model) detailsPage(p *page) {
	s := m.speech
	p.text(s.look.styles.bold, "", "", s.t("details-title"))
	reports := m.screen.Checks
	if len(reports) == 0 && m.screen.Finding != nil {
		reports = []wizard.Report{*m.screen.Finding}
	}
	for _, r := range reports {
		p.gap()
		head := r.ID + "  " + s.status(r.Status) + "  " + strconv.FormatInt(r.Took.Milliseconds(), 10) + " ms"
		if r.Cause != "" {
			head += "  " + r.Cause
			if r.Matched != "" {
				head += " (" + r.Matched + ")"
			}
		}
		p.text(s.look.styles.bold, "", "  ", s.clean(head))
		if !r.Seen.Empty() {
			p.text(noStyle, "  ", "  ", s.clean(r.Seen.Escaped()))
		}
		if len(r.Details) == 0 {
			m.serverBlock(p, r.Reply)
		}
		for _, l := range r.Details {
			m.marked(p, s.look.glyphs.bar+" ", l)
		}
	}
}
