package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"postier/internal/locale"
)

var update = flag.Bool("update", false, "write the golden screens again; read the difference before committing it")

var sizes = []struct{ width, height int }{{40, 12}, {80, 24}, {120, 40}}

// TestGoldenScreens compares every step, in three sizes and every language, with its approved file.
func TestGoldenScreens(t *testing.T) {
	t.Parallel()
	for _, s := range walk(t) {
		for _, lang := range locale.All() {
			for _, size := range sizes {
				name := fmt.Sprintf("%s-%s-%dx%d", s.name, lang, size.width, size.height)
				d := converse(t, s.state, lang, size.width, size.height)
				golden(t, name, d.view(), size.width, size.height)
			}
		}
	}
}

// golden compares a screen with its file, and checks what must be true of every screen.
func golden(t *testing.T, name, view string, width, height int) {
	t.Helper()
	fits(t, name, view, width, height)
	lines := strings.Split(view, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	goldenFile(t, "screens", name, got)
}

// goldenFile compares a text with its file in a folder of testdata, and names the first line that differs.
func goldenFile(t *testing.T, folder, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", folder, name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			t.Errorf("%s has changed; run with -update and read the difference. Line %d was\n%s\nand is\n%s",
				name, i+1, was[i], is[i])
			return
		}
	}
	t.Errorf("%s has changed; run with -update and read the difference: it had %d lines, now %d", name, len(was), len(is))
}

// fits checks that a screen fills its window exactly, with no line too wide and no word missing from a catalogue.
func fits(t *testing.T, name, view string, width, height int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != height {
		t.Errorf("%s has %d lines in a window of %d", name, len(lines), height)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			t.Errorf("%s: a line of %d cells in a window of %d: %q", name, w, width, l)
		}
	}
	for _, missing := range []string{"<tui.", "<wizard.", "<common."} {
		if strings.Contains(view, missing) {
			t.Errorf("%s shows a key instead of words:\n%s", name, view)
		}
	}
}
