package tui

import (
	"math"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"postier/internal/locale"
	"postier/internal/typeset"
	"postier/wizard"
)

// overlayKind names a page that covers the screen until Esc.
type overlayKind int

const (
	overlayNone overlayKind = iota
	overlayHelp
	overlayDetails // the technician's view
	overlayCopy    // texts to copy, one at a time
	overlayQR
	overlayLeave // "leave?"
)

// overlay is the page that covers the screen, and the position in it.
type overlay struct {
	kind   overlayKind
	scroll int
	at     int // which of several texts
}

func (m *model) pressOverlay(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	if m.overlay.kind == overlayLeave {
		switch name {
		case "enter":
			return m.leave()
		case "esc":
			m.overlay = overlay{}
		}
		return nil
	}
	switch name {
	case "esc", "enter", "shift+tab", "backspace":
		m.overlay = overlay{}
	case "?", "f1":
		m.toggle(overlayHelp)
	case "t", "f5", "alt+t":
		m.toggle(overlayDetails)
	case "q", "f4", "alt+q":
		if m.overlay.kind == overlayQR {
			m.overlay = overlay{}
		} else {
			m.showQR()
		}
	case "c", "f3", "alt+c":
		return m.copy()
	case "left", "right", "tab":
		m.turnTo(name)
	case "pgdown", "space":
		m.overlay.scroll += max(1, m.shown-1)
	case "pgup":
		m.overlay.scroll = max(0, m.overlay.scroll-max(1, m.shown-1))
	case "down":
		m.overlay.scroll++
	case "up":
		m.overlay.scroll = max(0, m.overlay.scroll-1)
	case "home":
		m.overlay.scroll = 0
	case "end":
		m.overlay.scroll = maxScroll
	}
	return nil
}

func (m *model) toggle(kind overlayKind) {
	if m.overlay.kind == kind {
		m.overlay = overlay{}
	} else {
		m.overlay = overlay{kind: kind}
	}
}

// turnTo shows the next or the previous of several texts.
func (m *model) turnTo(name string) {
	texts := m.overlayTexts()
	if len(texts) == 0 {
		return
	}
	step := 1
	if name == "left" {
		step = len(texts) - 1
	}
	m.overlay.at = (m.overlay.at + step) % len(texts)
	m.overlay.scroll = 0
}

// overlayTexts returns the texts of the page: all of them, or those that a phone can read.
func (m *model) overlayTexts() []copyable {
	texts := m.copyables()
	if m.overlay.kind != overlayQR {
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

// copy puts a text on the person's own clipboard (OSC 52). Where there are several, it opens the page that shows them.
func (m *model) copy() tea.Cmd {
	texts := m.overlayTexts()
	switch {
	case len(texts) == 0:
		m.toast = m.speech.t("nothing-to-copy")
		return nil
	case len(texts) > 1 && m.overlay.kind != overlayCopy && m.overlay.kind != overlayQR:
		m.overlay = overlay{kind: overlayCopy}
		return nil
	}
	c := texts[min(m.overlay.at, len(texts)-1)]
	m.toast = m.speech.t("copied", "label", c.label)
	text := c.clipboard()
	return func() tea.Msg { return clipboardMsg(text) }
}

func (m *model) showQR() {
	m.overlay = overlay{kind: overlayQR}
	if len(m.overlayTexts()) == 0 {
		m.overlay = overlay{}
		m.toast = m.speech.t("no-qr")
	}
}

func (m *model) showDetails() {
	if len(m.screen.Checks) == 0 && m.screen.Finding == nil {
		m.toast = m.speech.t("no-details")
		return
	}
	m.overlay = overlay{kind: overlayDetails}
}

func (m *model) overlayBody(p *page, rows int) {
	switch m.overlay.kind {
	case overlayHelp:
		m.helpPage(p)
	case overlayDetails:
		m.detailsPage(p)
	case overlayCopy:
		m.copyPage(p)
	case overlayQR:
		m.qrPage(p, rows)
	case overlayLeave:
		if m.helper != nil {
			p.text(m.speech.theme.styles.bold, "", "", m.speech.t("watch-leave-title"))
			p.gap()
			p.plain(m.speech.t("watch-leave-text"))
			return
		}
		p.text(m.speech.theme.styles.bold, "", "", m.speech.t("leave-title"))
		p.gap()
		s := m.speech
		p.plain(m.whatStays(s.t("leave-text"), s.t("leave-text-all"), s.t("leave-text-nothing"), s.t("leave-text-early")))
	}
}

func (m *model) copyPage(p *page) {
	texts := m.overlayTexts()
	if len(texts) == 0 {
		return
	}
	at := min(m.overlay.at, len(texts)-1)
	s := m.speech
	p.text(s.theme.styles.bold, "", "", s.t("copy-position", "n", at+1, "of", len(texts)))
	p.gap()
	p.plain(texts[at].label)
	m.copyText(p, texts[at])
	p.gap()
	p.plain(s.t("copy-help"))
}

// helpPage shows the step's help, what went wrong in full, and every key.
func (m *model) helpPage(p *page) {
	s := m.speech
	if m.helper != nil {
		m.watchHelp(p)
		return
	}
	p.text(s.theme.styles.bold, "", "", s.t("help-title", "step", m.stepName()))
	if key := m.screen.Help; key != "" && locale.For(s.lang).Has(key) {
		p.gap()
		p.plain(s.say(wizard.Msg(key)))
	}
	if m.screen.Finding != nil {
		p.gap()
		m.explain(p, *m.screen.Finding)
	}
	p.gap()
	p.text(s.theme.styles.bold, "", "", s.t("help-keys"))
	for i, a := range m.screen.Actions {
		if key := m.actionKey(i, a); key != "" {
			m.keyLine(p, key, s.say(a.Label))
		}
	}
	if m.sharing.presenter != nil {
		m.keyLine(p, s.t("keyname-share"), s.t("keyhelp-share"))
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
		p.text(m.speech.theme.styles.key, "", "", key)
		p.text(noStyle, "  ", "  ", text)
		return
	}
	p.text(noStyle, m.speech.theme.styles.key.Render(lead), typeset.Pad("", keyColumn+2), text)
}

// detailsPage shows the technician's view: every check with its id, times and raw lines.
func (m *model) detailsPage(p *page) {
	s := m.speech
	p.text(s.theme.styles.bold, "", "", s.t("details-title"))
	reports := m.screen.Checks
	if len(reports) == 0 && m.screen.Finding != nil {
		reports = []wizard.Report{*m.screen.Finding}
	}
	for _, r := range reports {
		p.gap()
		head := string(r.ID) + "  " + s.status(r.Status) + "  " + strconv.FormatInt(r.Took.Milliseconds(), 10) + " ms"
		if r.Cause != "" {
			head += "  " + string(r.Cause)
			if r.Matched != "" {
				head += " (" + r.Matched + ")"
			}
		}
		p.text(s.theme.styles.bold, "", "  ", s.escape(head))
		if !r.Brief.Empty() {
			p.text(noStyle, "  ", "  ", s.escape(r.Brief.Escaped()))
		}
		if len(r.Details) == 0 {
			m.serverBlock(p, r.Reply, math.MaxInt)
		}
		for _, l := range r.Details {
			m.marked(p, s.theme.glyphs.bar+" ", l)
		}
	}
}
