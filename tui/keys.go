package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postier/wizard"
)

// press handles a key: first those that mean the same everywhere, then those of the overlay, then those of the screen.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	m.toast, m.sharing.revealing, m.sharing.ended = "", false, wizard.Words{}
	typed := m.number
	m.number = ""
	if m.sharing.takes(msg.String(), m.typing() && m.overlay.kind == overlayNone) {
		m.sharing.presenter.Toggle()
		m.sharing.refresh()
		return nil
	}
	switch msg.String() {
	case "ctrl+c":
		return m.interrupt()
	case "ctrl+z":
		return tea.Suspend
	case "f2", "ctrl+l":
		m.switchLanguage()
		return nil
	}
	if m.overlay.kind != overlayNone {
		return m.pressOverlay(msg)
	}
	switch msg.String() {
	case "esc":
		return m.back()
	case "enter":
		return m.enter()
	case "tab":
		m.move(1)
		return nil
	case "shift+tab":
		if m.focus == 0 {
			return m.back()
		}
		m.move(-1)
		return nil
	}
	if m.goToNumber(typed, msg.String()) {
		return nil
	}
	if cmd, done := m.pressField(msg); done {
		return cmd
	}
	if cmd, done := m.pressCommand(msg); done {
		return cmd
	}
	m.pressScroll(msg)
	return nil
}

// pressField gives the key to the field in focus, unless it is one for the screen.
func (m *model) pressField(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	in := m.current()
	if in == nil {
		return nil, false
	}
	name := msg.String()
	altLetter := strings.HasPrefix(name, "alt+") && len([]rune(name)) == len("alt+")+1
	switch {
	case altLetter, len(name) == 2 && name[0] == 'f', in.search == nil && (name == "pgup" || name == "pgdown"),
		in.search != nil && name == "pgup" && in.search.atTop(in.field, m.speech): // what stands above the list
		return nil, false
	case in.entry != nil && (name == "up" || name == "down"):
		m.step(name)
	case in.pick != nil && msg.Text != "":
		return nil, false
	case in.agree != nil && msg.Text != "" && !in.agree.takes(msg, m.speech):
		return nil, false
	default:
		in.press(msg, m.speech)
	}
	m.follow = true
	return nil, true
}

// goToNumber puts the focus on the field whose number the digit completes, or begins. Where text is entered the digit
// is one of it, unless Alt is held.
func (m *model) goToNumber(typed, name string) bool {
	digit, alt := strings.CutPrefix(name, "alt+")
	if len(digit) != 1 || digit[0] < '0' || digit[0] > '9' {
		return false
	}
	if in := m.current(); in != nil && in.takesText() && !alt {
		return false
	}
	for _, number := range []string{typed + digit, digit} {
		for i, in := range m.inputs {
			if in.field.Number > 0 && strconv.Itoa(in.field.Number) == number {
				m.number = number
				m.move(i - m.focus)
				return true
			}
		}
	}
	return false
}

// step moves the focus between fields with the arrow keys; it stops at the first and the last.
func (m *model) step(name string) {
	if name == "up" && m.focus > 0 {
		m.move(-1)
	}
	if name == "down" && m.focus < m.stops()-1 {
		m.move(1)
	}
}

// pressCommand handles letters and function keys: the screen's actions first, then our own pages.
func (m *model) pressCommand(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	name := msg.String()
	letter := strings.TrimPrefix(name, "alt+")
	if name == "alt+"+letter || !m.typing() {
		for _, a := range m.screen.Actions {
			if a.Key != 0 && letter == string(a.Key) {
				return m.act(a), true
			}
		}
	} else if len(name) == 1 {
		return nil, false
	}
	return m.pressPage(letter)
}

// pressPage handles the keys of our own pages.
func (m *model) pressPage(letter string) (tea.Cmd, bool) {
	switch letter {
	case "?", "f1":
		m.overlay = overlay{kind: overlayHelp}
	case "c", "f3":
		return m.copy(), true
	case "q", "f4":
		m.showQR()
	case "t", "f5":
		m.showDetails()
	default:
		return nil, false
	}
	return nil, true
}

func (m *model) pressScroll(msg tea.KeyPressMsg) {
	rows := len(m.rows()) > 0
	switch name := msg.String(); {
	case rows && name == "up":
		m.move(-1)
		return
	case rows && name == "down":
		m.move(1)
		return
	}
	switch name := msg.String(); name {
	case "pgdown", "space":
		m.scroll += max(1, m.shown-1)
	case "pgup":
		m.scroll -= max(1, m.shown-1)
	case "down":
		m.scroll++
	case "up":
		m.scroll--
	case "home":
		m.scroll = 0
	case "end":
		m.scroll = maxScroll
	case "left", "right":
		if name == "left" && m.focus > 0 {
			m.move(-1)
		}
		if name == "right" && m.focus < m.stops()-1 {
			m.move(1)
		}
	}
}

// maxScroll is beyond the end of any page; scrollTo reduces it to the last page.
const maxScroll = 1 << 20

// move puts the focus on the next or the previous field or action, and wraps around at the ends.
func (m *model) move(step int) {
	if n := m.stops(); n > 0 {
		m.focus = (m.focus + step + n) % n
		m.moved, m.follow = true, true
	}
}

// enter does what the footer says of Enter: the row or the action in focus, else the next field that is still open,
// else the first action.
func (m *model) enter() tea.Cmd {
	if row, ok := m.currentRow(); ok {
		return m.answer(row.Change)
	}
	if m.focus >= len(m.inputs) {
		if i := m.focus - len(m.inputs); i < len(m.screen.Actions) {
			if a := m.screen.Actions[i]; m.moved || !stops(a) {
				return m.act(a)
			}
		}
		return nil
	}
	for i := range m.inputs {
		next := (m.focus + 1 + i) % len(m.inputs)
		if m.inputs[next].open() && next != m.focus {
			m.focus, m.follow, m.moved = next, true, true
			return nil
		}
	}
	if a, ok := m.primary(); ok {
		return m.act(a)
	}
	return nil
}

// stops reports whether an action ends work under way. Enter does it only after the focus was moved there: a second
// Enter from the screen before must not stop a check that has just begun.
func stops(a wizard.Action) bool { return a.ID == wizard.ActCancel }

// primary is what Enter does once every field is filled.
func (m *model) primary() (wizard.Action, bool) {
	if len(m.screen.Actions) == 0 || (stops(m.screen.Actions[0]) && !m.moved) {
		return wizard.Action{}, false
	}
	return m.screen.Actions[0], true
}

func (m *model) act(a wizard.Action) tea.Cmd {
	if !a.Disabled.Empty() {
		m.toast = m.speech.t("disabled", "why", m.speech.say(a.Disabled))
		return nil
	}
	if a.ID == wizard.ActLeave {
		return m.interrupt()
	}
	return m.answer(a.ID)
}

// back goes to the step before. Nothing typed is lost, because the answer holds it. Before the page with all settings
// there is the list from which it was opened.
func (m *model) back() tea.Cmd {
	first := m.screen.First
	if first && m.screen.Step == wizard.StepReview {
		return m.interrupt()
	}
	cmd := m.answer(wizard.ActBack)
	if first && m.screen.First && !m.ended {
		m.toast = m.speech.t("first-step")
	}
	return cmd
}

// interrupt leaves, but asks once when something would be lost.
func (m *model) interrupt() tea.Cmd {
	if m.overlay.kind == overlayLeave || !m.touched() {
		if m.screen.Step == wizard.StepDone {
			return m.answer(wizard.ActQuit)
		}
		return m.leave()
	}
	m.overlay = overlay{kind: overlayLeave}
	return nil
}
