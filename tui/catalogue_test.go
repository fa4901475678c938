package tui

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postier/internal/locale"
	"postier/wizard"
)

// TestCatalogue compares the keys that the code uses with those in the translations.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	used := usedKeys(t)
	for _, lang := range locale.All() {
		data, err := os.ReadFile(filepath.Join("..", "internal", "locale", "catalogue", string(lang), "tui.po"))
		if err != nil {
			t.Fatal(err)
		}
		held := map[string]bool{}
		for _, match := range regexp.MustCompile(`(?m)^msgid "tui\.(.+)"$`).FindAllSubmatch(data, -1) {
			held[string(match[1])] = true
			if !used[string(match[1])] {
				t.Errorf("%s has tui.%s, which nothing says", lang, match[1])
			}
		}
		for key := range used {
			if !held[key] {
				t.Errorf("%s has no tui.%s", lang, key)
			}
		}
	}
}

func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\.t\("([^"]+)"[,)]|"tui\.([a-z-]+)"`).FindAllSubmatch(source, -1) {
			used[string(match[1])+string(match[2])] = true
		}
	}
	for _, step := range wizard.Steps() {
		used["step-"+string(step)] = true
	}
	for _, key := range helpKeys {
		used["keyname-"+key], used["keyhelp-"+key] = true, true
	}
	for _, key := range watchKeys {
		used["watch-keyname-"+key], used["watch-keyhelp-"+key] = true, true
	}
	return used
}

// TestFarewell: each result stays in the scrollback, also that of an address that was set up before the last one.
func TestFarewell(t *testing.T) {
	t.Parallel()
	stops := walk(t)
	s := stops[slices.IndexFunc(stops, func(s stop) bool { return s.name == "done" })].state
	d := converse(t, s, locale.English, 80, 24).keys("n")
	if d.model.screen.Step != wizard.StepAddress {
		t.Fatalf("at %s", d.model.screen.Step)
	}
	got := d.write("x").model.summary("postier setup --resume")
	if !strings.Contains(got, "/home/marie/.config/postier/config.json") || strings.Contains(got, "--resume") ||
		!strings.Contains(got, "Nothing new is kept") || strings.Contains(got, "\x1b") {
		t.Errorf("the summary is\n%s", got)
	}
	d = converse(t, s, locale.English, 80, 24).keys("enter")
	if got := d.model.summary("x --resume"); !d.quit || strings.Contains(got, "--resume") ||
		!strings.Contains(got, "config.json") {
		t.Errorf("the summary is\n%s", got)
	}
}
