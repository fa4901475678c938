package tui

import (
	"slices"
	"strings"
	"testing"

	"postier/internal/locale"
	"postier/internal/typeset"
	"postier/wizard"
)

// TestRows: on the page with all settings the arrows choose a line, Enter changes it and says so, and Esc comes back to
// the line. After a change Enter saves.
func TestRows(t *testing.T) {
	t.Parallel()
	stops := walk(t)
	s := stops[slices.IndexFunc(stops, func(s stop) bool { return s.name == "edit" })].state
	d := converse(t, s, locale.English, 80, 24)
	if footer := d.model.footer(80); !strings.Contains(footer, "Change this") {
		t.Errorf("footer %q", footer)
	}
	if d.keys("esc"); !d.model.left || d.model.overlay.kind != overlayNone {
		t.Error("Esc does not leave a page on which nothing was changed")
	}
	d.model.left = false
	d.keys("up") // the rows stand above the actions
	if m := d.model; m.target().Action == "" || m.focus != len(m.screen.Actions)-1 {
		t.Errorf("upwards from the first row leads to %d", m.focus)
	}
	d.keys("down")
	rows := d.model.rows()
	for range len(rows) - 1 {
		d.keys("down")
	}
	last := rows[len(rows)-1]
	if row, ok := d.model.currentRow(); !ok || row.Change != last.Change {
		t.Errorf("the last row is %q, not %q", row.Change, last.Change)
	}
	if view := d.view(); !strings.Contains(view, "┃ Kinds of message: off") {
		t.Errorf("the row in focus is not seen\n%s", view)
	}
	d.keys("enter", "esc")
	if row, ok := d.model.currentRow(); !ok || row.Change != last.Change {
		t.Errorf("Esc comes back to %q", row.Change)
	}
	d.keys("enter").write("newsletter").keys("enter")
	if label := d.model.enterLabel(); d.model.screen.Step != wizard.StepReview || label != "Save" {
		t.Errorf("after the change Enter means %q at %s", label, d.model.screen.Step)
	}
	if view := d.view(); !strings.Contains(view, "newsletter") || !strings.Contains(view, "[Save") {
		t.Errorf("the change and the way to save it are not both seen\n%s", view)
	}
	if d.keys("esc"); d.model.left || d.model.overlay.kind != overlayLeave {
		t.Error("Esc loses the change without a question")
	}
}

// TestKeyedLabels: a label that is too long is cut, and its key is not.
func TestKeyedLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang       locale.Lang
		label, key string
		width      int
	}{
		{locale.English, "Watch until it is visible", "w", 40},
		{locale.English, "Watch until it is visible", "w", 20},
		{locale.French, "Surveiller jusqu'à ce que ce soit visible", "Entrée", 30},
		{locale.German, "Watch", "w", 8},
	} {
		s := speech{lang: c.lang, theme: testTheme()}
		got := strings.ReplaceAll(s.keyed(c.label, c.key, c.width), "\u00a0", " ")
		if typeset.Width(got) > c.width || !strings.HasPrefix(got, "["+c.label[:2]) || !strings.HasSuffix(got, c.key+"]") {
			t.Errorf("%q in %d columns", got, c.width)
		}
	}
}
