package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/wizard"
)

func homeItems() []HomeItem {
	return []HomeItem{
		{
			Name: "durand", Label: "Cabinet Durand", Address: "contact@durand.example", Default: true, Enabled: true,
			Proven: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Verdict: check.Pass,
		},
		{
			Name: "newsletter", Address: "news@durand.example", Fallback: true, Enabled: true, Changed: true,
			Proven: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC), Verdict: check.Warn,
			Next: wizard.Literal("postier diagnose newsletter"),
		},
		{Name: "old\x1b[2J", Address: "alt@durand.example"},
		{
			Name: "rechnung", Address: "rechnung@durand.example", Enabled: true, Verdict: check.Pass,
			Proven:  time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC),
			Trouble: wizard.Words{Msg: locale.Msg("cli.profile.failing", "since", "2026-11-21 09:00"), Literal: "Title (A-14)"},
			Traffic: []wizard.Words{wizard.Msg("cli.profile.sent", "n", 3), wizard.Msg("cli.profile.waiting", "n", 2)},
			Next:    wizard.Msg("cli.home.test"),
		},
	}
}

func homeView(h *home, width, height int) string {
	h.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return ansi.Strip(h.View().Content)
}

func TestHomeScreens(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.All() {
		for _, size := range sizes {
			h := newHome(HomeOptions{Items: homeItems(), Lang: lang}, testTheme())
			golden(t, fmt.Sprintf("home-%s-%dx%d", lang, size.width, size.height), homeView(h, size.width, size.height),
				size.width, size.height)
			h = newHome(HomeOptions{Lang: lang}, testTheme())
			golden(t, fmt.Sprintf("home-empty-%s-%dx%d", lang, size.width, size.height), homeView(h, size.width, size.height),
				size.width, size.height)
			h = newHome(HomeOptions{Items: homeItems(), Lang: lang}, testTheme())
			h.Update(keyPress("?"))
			golden(t, fmt.Sprintf("home-help-%s-%dx%d", lang, size.width, size.height), homeView(h, size.width, size.height),
				size.width, size.height)
		}
	}
}

func TestHomeKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		keys []string
		want HomeChoice
		ends bool
	}{
		{[]string{"enter"}, HomeChoice{Action: HomeEdit, Profile: "durand"}, true},
		{[]string{"down", "t"}, HomeChoice{Action: HomeTest, Profile: "newsletter"}, true},
		{[]string{"s"}, HomeChoice{Action: HomeDisable, Profile: "durand"}, true},
		{[]string{"down", "down", "s"}, HomeChoice{Action: HomeEnable, Profile: "old\x1b[2J"}, true},
		{[]string{"down", "d"}, HomeChoice{Action: HomeDefault, Profile: "newsletter"}, true},
		{[]string{"f"}, HomeChoice{Action: HomeFallback, Profile: "durand"}, true},
		{[]string{"down", "f"}, HomeChoice{Action: HomeNoFallback, Profile: "newsletter"}, true},
		{[]string{"a"}, HomeChoice{Action: HomeAdd}, true},
		{[]string{"x"}, HomeChoice{Action: HomeQuit}, false},
		{[]string{"x", "esc"}, HomeChoice{Action: HomeQuit}, false},
		{[]string{"down", "x", "enter"}, HomeChoice{Action: HomeDelete, Profile: "newsletter"}, true},
		{[]string{"esc"}, HomeChoice{Action: HomeQuit}, true},
		{[]string{"ctrl+c"}, HomeChoice{Action: HomeQuit}, true},
		{[]string{"?", "e"}, HomeChoice{Action: HomeQuit}, false},
	} {
		h := newHome(HomeOptions{Items: homeItems()}, testTheme())
		var cmd tea.Cmd
		for _, name := range row.keys {
			_, cmd = h.Update(keyPress(name))
		}
		if h.choice != row.want || (cmd != nil) != row.ends {
			t.Errorf("%v: %+v, ends %v; expected %+v, %v", row.keys, h.choice, cmd != nil, row.want, row.ends)
		}
	}
}

func TestHomeWithoutProfiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"e", "t", "x", "d", "s", "up", "down", "end"} {
		h := newHome(HomeOptions{}, testTheme())
		if _, cmd := h.Update(keyPress(name)); cmd != nil {
			t.Errorf("%s did something without a profile: %+v", name, h.choice)
		}
	}
	h := newHome(HomeOptions{}, testTheme())
	if h.Update(keyPress("enter")); h.choice.Action != HomeAdd {
		t.Errorf("Enter means %q", h.choice.Action)
	}
}

// TestHomeAnswersForTheDefault: a key that would change nothing says so.
func TestHomeAnswersForTheDefault(t *testing.T) {
	t.Parallel()
	h := newHome(HomeOptions{Items: homeItems()}, testTheme())
	if _, cmd := h.Update(keyPress("d")); cmd != nil {
		t.Error("the default was made the default again")
	}
	if view := h.View().Content; !strings.Contains(view, "is already the default") {
		t.Errorf("no answer:\n%s", view)
	}
}
