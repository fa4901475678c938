package tui

import (
	"math/rand/v2"
	"strings"
	"testing"

	"postier/internal/typeset"
	"postier/wizard"
)

// TestPasteIntoPort: a pasted port replaces a proposed one. Pasted words do not, and neither does anything once the
// person has edited the field.
func TestPasteIntoPort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id                  wizard.FieldID
		before, paste, want string
	}{
		{wizard.FieldSMTPPort, "", "587 AUTH:LOGIN CONN:STARTTLS\n", "587 AUTH:LOGIN CONN:STARTTLS"},
		{wizard.FieldSMTPPort, "", " AUTH:LOGIN", "465 AUTH:LOGIN"},
		{wizard.FieldSMTPPort, "1", "7", "46517"},
		{wizard.FieldSMTPHost, "", "1", "4651"},
	} {
		in := newInput(wizard.Field{ID: c.id, Kind: wizard.KindText, Value: "465"})
		in.entry.paste(c.before)
		in.paste(c.paste, speech{})
		if got := in.value(); got != c.want {
			t.Errorf("%s: %q after %q gives %q, want %q", c.id, c.paste, c.before, got, c.want)
		}
	}
}

// TestLongEntry: a long text is drawn as if every cell of it had been looked at, wherever the cursor is and whatever
// was drawn before.
func TestLongEntry(t *testing.T) {
	t.Parallel()
	g := newTheme(func(string) string { return "" }, false).glyphs
	chance := rand.New(rand.NewPCG(3, 4))
	letters := []rune("aé日\u0301\x1b ")
	for range 2000 {
		text := make([]rune, chance.IntN(60))
		for i := range text {
			text[i] = letters[chance.IntN(len(letters))]
		}
		e := newEntry("", chance.IntN(4) == 0)
		e.model.SetValue(string(text))
		for range 3 {
			e.model.SetCursor(chance.IntN(len([]rune(e.value())) + 1))
			width, offset := 1+chance.IntN(20), e.offset
			wanted, at := drawWhole(e, width, g)
			e.offset = offset
			if drawn, cursor := e.draw(width, g); drawn != wanted || cursor != at || typeset.Width(drawn) > width {
				t.Fatalf("%q at %d in %d cells: %q, %d; want %q, %d", string(text), e.model.Position(), width, drawn, cursor,
					wanted, at)
			}
		}
	}
}

// drawWhole is draw, cell by cell.
func drawWhole(e *entry, width int, g glyphs) (text string, cursor int) {
	var cells []string
	for _, r := range e.value() {
		cells = append(cells, e.cell(r, g))
	}
	position := e.model.Position()
	e.offset = min(e.offset, position)
	for e.offset < position && cellsWidth(cells[e.offset:position]) > width-1 {
		e.offset++
	}
	if cellsWidth(cells) < width {
		e.offset = 0
	}
	shown := strings.Join(cells[e.offset:], "")
	if e.offset > 0 && width > 1 {
		shown = g.left + strings.Join(cells[min(e.offset+1, len(cells)):], "")
	}
	return typeset.Shorten(shown, width, g.right), min(width-1, cellsWidth(cells[e.offset:position]))
}
