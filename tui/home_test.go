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
	"postier/wizard/home"
)

func homeItems() []home.Item {
	return []home.Item{
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
			Fixable: true, TestMode: true,
			Next: wizard.Msg("cli.home.repair"),
		},
	}
}

// TestPlatformKeys: the keys that would change the vendor's profile are not offered for it, and none changes it.
func TestPlatformKeys(t *testing.T) {
	t.Parallel()
	platform := home.Item{
		Name: "platform", Address: "noreply@platform.example", Platform: true, Fallback: true, Enabled: true,
	}
	for _, k := range home.Offered(platform) {
		if k.Action.For(platform).Changes() {
			t.Errorf("%s is offered", k.Letter)
		}
	}
	options := HomeOptions{Items: []home.Item{homeItems()[0], platform}, Select: "platform"}
	for _, lang := range locale.All() {
		options.Lang = lang
		golden(t, "home-platform-"+string(lang)+"-80x24", homeView(newHome(options, testTheme()), 80, 24), 80, 24)
	}
	for key, want := range map[string]home.Action{"enter": home.Test, "x": home.Delete} { // the caller says why not
		h := newHome(options, testTheme())
		if _, cmd := h.Update(keyPress(key)); cmd == nil || h.choice.Action != want {
			t.Errorf("%s: %+v", key, h.choice)
		}
	}
}

func homeView(h *homeScreen, width, height int) string {
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
		want home.Choice
		ends bool
	}{
		{[]string{"enter"}, home.Choice{Action: home.Edit, Profile: "durand"}, true},
		{[]string{"down", "t"}, home.Choice{Action: home.Test, Profile: "newsletter"}, true},
		{[]string{"s"}, home.Choice{Action: home.Disable, Profile: "durand"}, true},
		{[]string{"down", "down", "s"}, home.Choice{Action: home.Enable, Profile: "old\x1b[2J"}, true},
		{[]string{"down", "d"}, home.Choice{Action: home.Default, Profile: "newsletter"}, true},
		{[]string{"f"}, home.Choice{Action: home.MakeFallback, Profile: "durand"}, true},
		{[]string{"down", "f"}, home.Choice{Action: home.NoFallback, Profile: "newsletter"}, true},
		{[]string{"a"}, home.Choice{Action: home.Add}, true},
		{[]string{"x"}, home.Choice{Action: home.Quit}, false},
		{[]string{"x", "esc"}, home.Choice{Action: home.Quit}, false},
		{[]string{"x", "enter"}, home.Choice{Action: home.Quit}, false},
		{[]string{"down", "x", "y"}, home.Choice{Action: home.Delete, Profile: "newsletter"}, true},
		{[]string{"end", "enter"}, home.Choice{Action: home.Fix, Profile: "rechnung"}, true},
		{[]string{"end", "c"}, home.Choice{Action: home.Fix, Profile: "rechnung"}, true},
		{[]string{"c"}, home.Choice{Action: home.Quit}, false},
		{[]string{"m"}, home.Choice{Action: home.TestMode, Profile: "durand"}, true},
		{[]string{"g"}, home.Choice{Action: home.Log, Profile: "durand"}, true},
		{[]string{"esc", "esc"}, home.Choice{Action: home.Quit}, false},
		{[]string{"esc", "q"}, home.Choice{Action: home.Quit}, true},
		{[]string{"ctrl+c"}, home.Choice{Action: home.Quit}, true},
		{[]string{"?", "e"}, home.Choice{Action: home.Quit}, false},
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

// TestHomeEsc: Esc ends a page and never the program; it says which key does.
func TestHomeEsc(t *testing.T) {
	t.Parallel()
	h := newHome(HomeOptions{Items: homeItems()}, testTheme())
	h.Update(keyPress("esc"))
	const said = "q ends the program"
	if view := h.View().Content; !strings.Contains(view, said) {
		t.Errorf("no answer:\n%s", view)
	}
	h.Update(keyPress("down"))
	if view := h.View().Content; strings.Contains(view, said) {
		t.Errorf("still said:\n%s", view)
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
	if h.Update(keyPress("enter")); h.choice.Action != home.Add {
		t.Errorf("Enter means %q", h.choice.Action)
	}
}

// TestHomeHelpScrolls: where the keys do not fit into the window, the help goes on.
func TestHomeHelpScrolls(t *testing.T) {
	t.Parallel()
	h := newHome(HomeOptions{Items: homeItems()}, testTheme())
	h.Update(keyPress("?"))
	first := homeView(h, 40, 12)
	h.Update(keyPress("down"))
	if second := homeView(h, 40, 12); second == first || h.overlay != homeHelp {
		t.Errorf("still\n%s", second)
	}
	h.Update(keyPress("x"))
	if h.overlay != homeList || h.choice.Action != home.Quit {
		t.Error("a key does more than to close the help")
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
