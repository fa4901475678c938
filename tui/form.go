package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postier/internal/check"
	"postier/internal/secret"
	"postier/internal/typeset"
	"postier/wizard"
)

// input is one field of the screen with what the person has typed or chosen so far.
type input struct {
	field  wizard.Field
	entry  *entry
	pick   *choiceField
	search *search
	agree  *confirmField
	// pressed is true once a key was pressed in the field.
	pressed bool
}

func newInput(f wizard.Field) *input {
	in := &input{field: f}
	switch f.Kind {
	case wizard.KindChoice:
		in.pick = &choiceField{value: f.Value}
		if !offered(f, f.Value) && len(f.Choices) > 0 {
			in.pick.value = f.Choices[0].Value
		}
	case wizard.KindSearch:
		in.search = newSearch(f.Value)
		if !offered(f, f.Value) && len(f.Choices) > 0 {
			in.search.value = f.Choices[0].Value
		}
	case wizard.KindConfirm:
		in.agree = &confirmField{yes: f.Value == wizard.Yes}
	default:
		in.entry = newEntry(f.Value, f.Kind == wizard.KindSecret)
	}
	return in
}

func offered(f wizard.Field, value string) bool {
	for _, c := range f.Choices {
		if c.Value == value {
			return true
		}
	}
	return false
}

// update takes a newer description of the same field and keeps what was typed, unless the wizard has changed the value.
func (in *input) update(f wizard.Field) *input {
	kept := in.field.Kind == f.Kind && in.field.Value == f.Value && in.field.Given == f.Given &&
		len(in.field.Choices) == len(f.Choices)
	if !kept && in.value() == f.Value && in.field.Kind == f.Kind {
		kept = f.Kind == wizard.KindText || f.Kind == wizard.KindConfirm
	}
	if !kept {
		return newInput(f)
	}
	in.field = f
	if in.search != nil {
		in.search.labels = nil
	}
	return in
}

// value returns the field's answer; empty for a secret.
func (in *input) value() string {
	switch {
	case in.pick != nil:
		return in.pick.value
	case in.search != nil:
		return in.search.value
	case in.agree != nil && in.agree.yes:
		return wizard.Yes
	case in.agree != nil:
		return wizard.No
	case in.entry.secret:
		return ""
	default:
		return in.entry.value()
	}
}

// takesText reports whether letters go into the field.
func (in *input) takesText() bool { return in.entry != nil || in.search != nil }

// open reports whether the field is still to be filled in.
func (in *input) open() bool {
	if in.entry == nil || in.field.Optional || in.field.Given {
		return false
	}
	return in.entry.value() == ""
}

// touched reports whether leaving now would lose something typed in this field.
func (in *input) touched() bool {
	if in.entry != nil && in.entry.secret {
		return in.entry.value() != ""
	}
	return in.search == nil && in.value() != in.field.Value
}

func (in *input) press(msg tea.KeyPressMsg, s speech) {
	switch {
	case in.pick != nil:
		in.pick.press(msg, in.field, s)
	case in.search != nil:
		in.search.press(msg, in.field, s)
	case in.agree != nil:
		in.agree.press(msg, s)
	default:
		if in.selected() && msg.Text != "" {
			in.entry = newEntry("", in.entry.secret)
		}
		in.pressed = true
		in.entry.press(msg)
	}
}

// selected reports whether typing replaces the value.
func (in *input) selected() bool {
	return in.field.Replaced && in.entry != nil && !in.pressed && in.entry.value() != ""
}

// paste inserts text and returns a remark about what became of it, or nothing.
func (in *input) paste(text string, s speech) (remark string) {
	switch {
	case in.search != nil && in.search.paste(text, in.field, s):
		return s.t("paste-joined")
	case in.entry == nil:
		return ""
	case in.replaces(text):
		in.entry = newEntry("", in.entry.secret)
	}
	several := in.entry.paste(text)
	switch {
	case several && in.entry.secret:
		return s.t("paste-first")
	case several:
		return s.t("paste-joined")
	}
	return ""
}

// replaces reports whether a paste replaces the whole value. A port field that was not edited holds a proposal: a
// pasted line that begins with a port replaces it, one that begins with a word is appended to it.
func (in *input) replaces(text string) bool {
	if in.selected() {
		return true
	}
	if in.field.ID != wizard.FieldSMTPPort && in.field.ID != wizard.FieldIMAPPort || in.touched() {
		return false
	}
	text = strings.TrimSpace(text)
	return text != "" && text[0] >= '0' && text[0] <= '9'
}

// answers collects the values of all fields.
func answers(inputs []*input) (map[wizard.FieldID]string, secret.Value) {
	values := map[wizard.FieldID]string{}
	var typed secret.Value
	for _, in := range inputs {
		if in.field.Kind == wizard.KindSecret {
			typed = secret.New(in.entry.value())
			continue
		}
		values[in.field.ID] = in.value()
	}
	return values, typed
}

// draw adds the field: label, help, the thing to fill in, and why the last value was not taken. The one in focus has an
// edge.
func (in *input) draw(p *page, s speech, rows int, focused bool) {
	first, edge := p.height(), "  "
	if focused {
		style := s.theme.styles.accent
		if !in.field.Error.Empty() {
			style = s.theme.styles.bad
		}
		edge = style.Render(s.theme.glyphs.edge) + " "
	}
	p.edged(edge, func(p *page) { in.contents(p, s, rows, focused) })
	if focused {
		p.reveal(first)
	}
}

func (in *input) contents(p *page, s speech, rows int, focused bool) {
	in.drawLabel(p, s, focused)
	switch {
	case in.pick != nil && !focused:
		p.add(typeset.Shorten(in.chosenLabel(s), p.width, s.theme.glyphs.ellipsis))
	case in.pick != nil:
		for _, l := range strings.Split(in.pick.field(in.field, s, p.width, focused).View(), "\n") {
			p.add(strings.TrimRight(l, " "))
		}
	case in.search != nil:
		in.search.draw(p, in.field, s, rows, focused)
	case in.agree != nil:
		for _, l := range strings.Split(in.agree.field(s, p.width, focused).View(), "\n") {
			p.add(typeset.Shorten(strings.TrimRight(l, " "), p.width, ""))
		}
	default:
		in.drawEntry(p, s, focused)
	}
	if why := s.say(in.field.Error); why != "" {
		mark := s.theme.styles.fail.Render(" " + s.status(check.Fail) + " ")
		p.text(s.theme.styles.bold, mark+" ", "", why)
	}
}

// chosenLabel is what a choice shows while another field has the focus.
func (in *input) chosenLabel(s speech) string {
	for _, c := range in.field.Choices {
		if c.Value == in.pick.value {
			return s.say(c.Label)
		}
	}
	return ""
}

func (in *input) drawLabel(p *page, s speech, focused bool) {
	label := s.say(in.field.Label)
	if in.field.Number > 0 {
		label = strconv.Itoa(in.field.Number) + ". " + label
	}
	if in.field.Optional && in.field.Placeholder.Empty() { // a placeholder says what empty means
		label += " (" + s.t("optional") + ")"
	}
	if in.field.Fix {
		p.text(s.theme.styles.warn, "", "", " "+s.t("fix-mark")+" ")
	}
	p.text(s.theme.styles.bold, "", "", label)
	if help := s.say(in.field.Help); help != "" && focused {
		p.plain(help)
	}
	if in.field.Given {
		p.plain(s.t("given"))
	}
}

func (in *input) drawEntry(p *page, s speech, focused bool) {
	room := p.width - 1
	text, at := in.entry.draw(room, s.theme.glyphs)
	if text == "" && !in.entry.secret {
		if hint := s.say(in.field.Placeholder); hint != "" {
			text = typeset.Shorten("("+hint+")", room, s.theme.glyphs.ellipsis)
		}
	}
	if focused {
		p.cursor = &point{at, p.height()}
	}
	if focused && in.selected() {
		text = s.theme.styles.chosen.Render(text)
	}
	if text == "" && !focused {
		text = strings.Repeat("_", min(20, max(1, room)))
	}
	p.add(typeset.Shorten(text, p.width, ""))
}
