package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"

	"postier/wizard"
)

// huhTheme gives huh's fields our styles. huh's own themes assume a light terminal, so that unselected options are
// almost invisible on a dark one.
func huhTheme(l theme) huh.Theme {
	return huh.ThemeFunc(func(bool) *huh.Styles {
		s := huh.ThemeBase(false)
		plain := lipgloss.NewStyle()
		f := &s.Focused
		f.Base, f.Title, f.Description = plain, l.styles.bold, plain
		f.SelectSelector = l.styles.bold.SetString(l.glyphs.focus + " ")
		f.SelectedOption, f.UnselectedOption, f.Option = l.styles.bold, plain, plain
		f.FocusedButton = l.styles.chosen.Transform(func(s string) string { return "[" + s + "]" })
		f.BlurredButton = plain.Transform(func(s string) string { return " " + s + " " })
		s.Blurred = s.Focused
		s.Blurred.FocusedButton = l.styles.bold.Transform(func(s string) string { return "[" + s + "]" })
		return s
	})
}

// huhKeys are the keys that huh's fields react to. Enter, Tab and Esc are handled by us, and letters are actions, so
// huh gets neither j, k nor /.
func huhKeys() *huh.KeyMap {
	off := key.NewBinding(key.WithDisabled())
	keys := huh.NewDefaultKeyMap()
	keys.Select = huh.SelectKeyMap{
		Up: key.NewBinding(key.WithKeys("up", "ctrl+p")), Down: key.NewBinding(key.WithKeys("down", "ctrl+n")),
		Left: off, Right: off, Filter: off, SetFilter: off, ClearFilter: off, Next: off, Prev: off, Submit: off,
		GotoTop: key.NewBinding(key.WithKeys("home")), GotoBottom: key.NewBinding(key.WithKeys("end")),
		HalfPageUp: off, HalfPageDown: off,
	}
	keys.Confirm = huh.ConfirmKeyMap{
		Toggle: key.NewBinding(key.WithKeys("left", "right", "up", "down", "space")),
		Accept: off, Reject: off, Next: off, Prev: off, Submit: off,
	}
	return keys
}

// choiceField is a field with a few choices: huh's Select, laid out again for each width and language.
type choiceField struct {
	value string
}

func (c *choiceField) field(f wizard.Field, s speech, width int, focused bool) *huh.Select[string] {
	options := make([]huh.Option[string], 0, len(f.Choices))
	for _, choice := range f.Choices {
		label := s.say(choice.Label)
		if detail := s.say(choice.Detail); detail != "" {
			label += "\n" + detail
		}
		options = append(options, huh.NewOption(label, choice.Value))
	}
	field := huh.NewSelect[string]().Options(options...).Value(&c.value)
	field.WithTheme(huhTheme(s.theme)).WithKeyMap(huhKeys()).WithWidth(width)
	if focused {
		field.Focus()
	}
	return field
}

func (c *choiceField) press(msg tea.KeyPressMsg, f wizard.Field, s speech) {
	c.field(f, s, maxColumn, true).Update(msg)
}

// confirmField is a yes-or-no field: huh's Confirm.
type confirmField struct {
	yes bool
}

func (c *confirmField) field(s speech, width int, focused bool) *huh.Confirm {
	field := huh.NewConfirm().Affirmative(s.t("yes")).Negative(s.t("no")).Value(&c.yes).WithButtonAlignment(lipgloss.Left)
	field.WithTheme(huhTheme(s.theme)).WithKeyMap(huhKeys()).WithWidth(width)
	if focused {
		field.Focus()
	}
	return field
}

// press takes y and n, and the first letters of the words in the language: o, j.
func (c *confirmField) press(msg tea.KeyPressMsg, s speech) {
	switch letter := strings.ToLower(msg.Text); {
	case letter == "":
		c.field(s, maxColumn, true).Update(msg)
	case letter == "y", letter == strings.ToLower(firstRune(s.t("yes"))):
		c.yes = true
	case letter == "n":
		c.yes = false
	case letter == " ":
		c.yes = !c.yes
	}
}

func (c *confirmField) takes(msg tea.KeyPressMsg, s speech) bool {
	letter := strings.ToLower(msg.Text)
	return letter == "y" || letter == "n" || letter == " " || letter == strings.ToLower(firstRune(s.t("yes")))
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
