package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"postier/internal/safetext"
	"postier/internal/typeset"
)

// MaxTyped is how many characters one field accepts; tokens and API keys stay well below.
const MaxTyped = 4096

// entry is a line to type in. bubbles edits it and we draw it: the drawing of bubbles has a blinking cursor that costs
// bytes on a slow connection, and shows pasted control and bidirectional characters raw.
type entry struct {
	model  textinput.Model
	secret bool
	offset int // first rune shown
}

func newEntry(value string, secret bool) *entry {
	m := textinput.New()
	m.Prompt = ""
	m.CharLimit = MaxTyped
	m.SetVirtualCursor(false)
	m.KeyMap = entryKeys()
	m.SetValue(value)
	m.CursorEnd()
	m.Focus()
	return &entry{model: m, secret: secret}
}

// entryKeys are the editing keys. ctrl+v is not among them: it would read the clipboard of the server. Alt with a
// letter is not either: it stands for an action.
func entryKeys() textinput.KeyMap {
	keys := textinput.DefaultKeyMap()
	off := key.NewBinding(key.WithDisabled())
	keys.Paste, keys.AcceptSuggestion, keys.NextSuggestion, keys.PrevSuggestion = off, off, off, off
	keys.WordForward = key.NewBinding(key.WithKeys("alt+right", "ctrl+right"))
	keys.WordBackward = key.NewBinding(key.WithKeys("alt+left", "ctrl+left"))
	keys.DeleteWordForward = key.NewBinding(key.WithKeys("alt+delete", "ctrl+delete"))
	return keys
}

func (e *entry) value() string { return e.model.Value() }

func (e *entry) press(msg tea.KeyPressMsg) { e.model, _ = e.model.Update(msg) }

// paste inserts text. Line ends at its ends are dropped, since they belong to the selection and not to the value.
// Others become spaces; in a secret, which has none, only the first line is taken. several reports them, so that the
// person can be told.
func (e *entry) paste(text string) (several bool) {
	text = strings.Trim(text, "\r\n")
	first, _, several := strings.Cut(strings.ReplaceAll(text, "\r", "\n"), "\n")
	if several && e.secret {
		text = first
	}
	e.model, _ = e.model.Update(tea.PasteMsg{Content: text})
	return several
}

// draw shows the entry in width cells and returns the cell of the cursor. It looks at no more of a long text than fits:
// every key draws it.
func (e *entry) draw(width int, g glyphs) (text string, cursor int) {
	width = max(1, width)
	typed, position := []rune(e.value()), e.model.Position()
	cells := func(from, to int) (list []string) {
		for _, r := range typed[from:to] {
			list = append(list, e.cell(r, g))
		}
		return list
	}
	first := position // with the cursor still in sight
	for room := width - 1; first > 0; first-- {
		if room -= typeset.Width(e.cell(typed[first-1], g)); room < 0 {
			break
		}
	}
	e.offset = max(first, min(e.offset, position))
	if len(typed) < width && cellsWidth(cells(0, len(typed))) < width { // a rune has a cell at least
		e.offset = 0
	}
	shown := cells(e.offset, min(len(typed), e.offset+width+1)) // one more, which shows that there are others
	before := cellsWidth(shown[:position-e.offset])
	if e.offset > 0 && width > 1 {
		shown = append([]string{g.left}, shown[min(1, len(shown)):]...)
	}
	return typeset.Shorten(strings.Join(shown, ""), width, g.right), min(width-1, before)
}

func (e *entry) cell(r rune, g glyphs) string {
	switch {
	case e.secret:
		return string(g.echo)
	case safetext.Harmful(r), typeset.Width(string(r)) == 0:
		return g.unprintable
	default:
		return string(r)
	}
}

func cellsWidth(cells []string) int {
	n := 0
	for _, c := range cells {
		n += typeset.Width(c)
	}
	return n
}
