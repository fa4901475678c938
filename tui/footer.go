package tui

import (
	"slices"
	"strings"

	"postier/internal/typeset"
	"postier/wizard"
)

// steps is how many steps the wizard has.
var steps = len(wizard.Steps())

// maxHints is how many keys the footer names; the help page lists them all.
const maxHints = 5

// hint is a key in the footer. Where there is no room, the hints with the highest rank are dropped first.
type hint struct {
	key, label string
	rank       int
}

func (m *model) stepName() string {
	if m.screen.Number == 0 {
		return m.speech.say(m.screen.Title)
	}
	return m.speech.t("step-" + string(m.screen.Step))
}

// stepLine returns the step's number and name, which a person can read out over the phone. A page of the home screen
// has none and says where it belongs.
func (m *model) stepLine() string {
	if m.screen.Number == 0 {
		return m.speech.product + " " + m.speech.theme.glyphs.dot + " " + m.speech.t("home-title")
	}
	line := m.speech.t("step", "n", m.screen.Number, "of", steps, "name", m.stepName())
	if passed := m.screen.PassedOverNumbers(); passed != "" { // a gap in the numbers is explained
		line += " " + m.speech.theme.glyphs.dot + " " + m.speech.t("passed-over", "steps", passed)
	}
	return line
}

func (m *model) footer(width int) string {
	hints := m.hints()
	for len(hints) > maxHints {
		hints = dropLast(hints)
	}
	hints = shortLabels(hints, width, m.speech.theme.glyphs.ellipsis)
	text := m.footerText(hints)
	for len(hints) > 1 && typeset.Width(text) > width {
		hints = dropLast(hints)
		text = m.footerText(hints)
	}
	return typeset.Shorten(text, width, m.speech.theme.glyphs.ellipsis)
}

// shortLabels cuts the labels in a narrow window, so that the keys for going back and for help stay next to a long
// label.
func shortLabels(hints []hint, width int, sign string) []hint {
	const narrow, share = 60, 3
	if width >= narrow || len(hints) < 2 {
		return hints
	}
	for i := range hints {
		hints[i].label = typeset.Shorten(hints[i].label, max(6, width/share), sign)
	}
	return hints
}

// dropLast removes the hint with the highest rank.
func dropLast(hints []hint) []hint {
	worst := 0
	for i, h := range hints {
		if h.rank >= hints[worst].rank {
			worst = i
		}
	}
	return append(hints[:worst:worst], hints[worst+1:]...)
}

func (m *model) footerText(hints []hint) string {
	parts := make([]string, len(hints))
	for i, h := range hints {
		parts[i] = m.speech.theme.styles.key.Render(h.key) + " " + h.label
	}
	return strings.Join(parts, " "+m.speech.theme.glyphs.dot+" ")
}

func (m *model) hints() []hint {
	s := m.speech
	switch m.overlay.kind {
	case overlayLeave:
		return []hint{{s.t("key-enter"), s.t("leave-yes"), 0}, {s.t("key-esc"), s.t("leave-no"), 1}}
	case overlayCopy, overlayQR:
		out := []hint{{"c", s.t("copy"), 1}}
		if len(m.overlayTexts()) > 1 {
			out = append(out, hint{s.theme.glyphs.left + s.theme.glyphs.right, s.t("another"), 2})
		}
		return append(out, hint{s.t("key-esc"), s.t("close"), 0})
	case overlayHelp, overlayDetails:
		return []hint{{s.t("key-page"), s.t("scroll"), 1}, {s.t("key-esc"), s.t("close"), 0}}
	}
	if m.helper != nil {
		return m.watchHints()
	}
	return m.screenHints()
}

func (m *model) screenHints() []hint {
	s := m.speech
	var out []hint
	if label := m.enterLabel(); label != "" {
		out = append(out, hint{s.t("key-enter"), label, 0})
	}
	if !m.screen.Text.Empty() {
		out = append(out, hint{s.t("key-page"), s.t("scroll"), 1})
	}
	if m.screen.Busy != nil {
		for i, a := range m.screen.Actions {
			if stops(a) && !m.screen.AwaitsTime() { // the way back stops a wait, and says so
				out = append(out, hint{m.actionKey(i, a), s.say(a.Label), 1})
			}
		}
	}
	edits := m.screen.First && m.screen.Step == wizard.StepReview
	if (!m.screen.First || edits) && m.screen.Step != wizard.StepDone { // there is no way back from a saved profile
		out = append(out, hint{s.t("key-esc"), m.backLabel(), 2})
	}
	helpKey := "?"
	if m.typing() {
		helpKey = "F1"
	}
	copyRank, detailsRank := 5, 4
	if m.screen.Step == wizard.StepDNS {
		copyRank = 1 // the records are what the person came for
	}
	if len(m.copyables()) > 0 {
		out = append(out, hint{m.commandKey("c"), s.t("copy"), copyRank})
	}
	if m.hasQR() {
		out = append(out, hint{m.commandKey("q"), s.t("qr"), 6})
	}
	if len(m.screen.Checks) > 0 || m.screen.Finding != nil {
		out = append(out, hint{m.commandKey("t"), s.t("details"), detailsRank})
	}
	switch {
	case len(m.rows()) > 0:
		out = append(out, hint{s.theme.glyphs.upDown, s.t("choose-row"), 3})
	case m.stops() > 1:
		out = append(out, hint{s.t("key-tab"), s.t("next-field"), 7})
	}
	if m.sharing.presenter != nil {
		out = append(out, hint{m.shareKeyName(), s.t("share"), 8})
	}
	return append(out, hint{helpKey, s.t("help"), 3})
}

// backLabel says where Esc leads: from a wait to what it is for, and else to the step before.
func (m *model) backLabel() string {
	if i := slices.IndexFunc(m.screen.Actions, stops); i >= 0 && m.screen.AwaitsTime() {
		return m.speech.say(m.screen.Actions[i].Label)
	}
	return m.speech.t("back")
}

func (m *model) hasQR() bool {
	for _, c := range m.screen.Copy {
		if c.QR {
			return true
		}
	}
	return false
}

func (m *model) commandKey(letter string) string {
	if m.typing() {
		return m.speech.t("key-alt") + "+" + strings.ToUpper(letter)
	}
	return letter
}

// enterLabel says what Enter would do now.
func (m *model) enterLabel() string {
	if _, ok := m.currentRow(); ok {
		return m.speech.t("change-row")
	}
	if i := m.focus - len(m.inputs); i >= 0 && i < len(m.screen.Actions) {
		if a := m.screen.Actions[i]; m.moved || !stops(a) {
			return m.speech.say(a.Label)
		}
		return ""
	}
	if a, ok := m.primary(); ok {
		return m.speech.say(a.Label)
	}
	return ""
}
