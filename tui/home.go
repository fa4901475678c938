package tui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/wizard"
	"postier/wizard/carrier"
)

// Home shows the saved profiles and returns the action that the person chose; the caller carries it out and calls Home
// again.
func Home(ctx context.Context, o HomeOptions) (HomeChoice, error) {
	getenv := getenvOr(o.Getenv)
	m := newHome(o, newTheme(getenv, o.NoColor))
	t := terminal{in: o.In, out: o.Out, getenv: getenv, noColour: o.NoColor}
	err := t.show(ctx, m)
	m.choice.Lang = m.speech.lang
	if m.hungUp {
		return m.choice, carrier.ErrInterrupted
	}
	return m.choice, err
}

// home is the home screen.
type home struct {
	items  []HomeItem
	notice wizard.Words
	queue  wizard.Words
	speech speech
	choice HomeChoice
	hungUp bool

	width, height int
	at            int // the profile under the cursor
	scroll        int
	overlay       homeOverlay
}

// homeOverlay names the page that covers the list.
type homeOverlay int

const (
	homeList homeOverlay = iota
	homeAsk              // delete?
	homeHelp
)

func newHome(o HomeOptions, l theme) *home {
	h := &home{
		items: o.Items, notice: o.Notice, queue: o.Queue, choice: HomeChoice{Action: HomeQuit},
		width: usualWidth, height: usualHeight,
		speech: speech{lang: o.Lang, product: config.Program, theme: l},
	}
	if h.speech.lang == "" {
		h.speech.lang = locale.English
	}
	for i, item := range h.items {
		if item.Name == o.Select || (o.Select == "" && item.Default) {
			h.at = i
		}
	}
	return h
}

// Init implements tea.Model.
func (*home) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (h *home) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		h.width, h.height = msg.Width, msg.Height
		if h.width <= 0 || h.height <= 0 {
			h.width, h.height = usualWidth, usualHeight
		}
	case hangupMsg:
		h.hungUp = true
		return h, tea.Quit
	case tea.KeyPressMsg:
		return h, h.press(msg)
	}
	return h, nil
}

// homeKeys are the actions by their letters, the same in every language.
var homeKeys = []struct {
	key    string
	action HomeAction
	label  string
}{
	{"a", HomeAdd, "home-add"},
	{"e", HomeEdit, "home-edit"},
	{"t", HomeTest, "home-test"},
	{"d", HomeDefault, "home-make-default"},
	{"f", HomeFallback, "home-make-fallback"},
	{"s", HomeEnable, "home-enable"},
	{"x", HomeDelete, "home-delete"},
	{"q", HomeQuit, "home-quit"},
}

func (h *home) press(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	switch name {
	case "ctrl+c":
		return h.choose(HomeQuit)
	case "ctrl+z":
		return tea.Suspend
	case "f2", "ctrl+l":
		h.speech.lang = h.speech.lang.Next()
		return nil
	}
	if h.overlay != homeList {
		return h.pressOverlay(name)
	}
	switch name {
	case "up":
		h.at = max(0, h.at-1)
	case "down":
		h.at = min(max(0, len(h.items)-1), h.at+1)
	case "home":
		h.at = 0
	case "end":
		h.at = max(0, len(h.items)-1)
	case "?", "f1":
		h.overlay = homeHelp
	case "esc":
		return h.choose(HomeQuit)
	case "enter":
		if len(h.items) == 0 {
			return h.choose(HomeAdd)
		}
		return h.choose(HomeEdit)
	}
	for _, k := range homeKeys {
		if name == k.key {
			return h.choose(k.action)
		}
	}
	return nil
}

func (h *home) pressOverlay(name string) tea.Cmd {
	if h.overlay == homeAsk && name == "enter" {
		h.choice = HomeChoice{Action: HomeDelete, Profile: h.items[h.at].Name}
		return tea.Quit
	}
	if name == "esc" || h.overlay == homeHelp {
		h.overlay = homeList
	}
	return nil
}

// choose ends the screen with an action, where there is a profile for it.
func (h *home) choose(action HomeAction) tea.Cmd {
	if action == HomeAdd || action == HomeQuit {
		h.choice = HomeChoice{Action: action}
		return tea.Quit
	}
	if len(h.items) == 0 {
		return nil
	}
	item := h.items[h.at]
	switch {
	case action == HomeDelete:
		h.overlay = homeAsk
		return nil
	case action == HomeDefault && item.Default:
		h.notice, h.scroll = wizard.Msg("tui.home-default-already", "name", safetext.FromRemote(item.Name)), 0
		return nil
	case action == HomeEnable && item.Enabled:
		action = HomeDisable
	case action == HomeFallback && item.Fallback:
		action = HomeNoFallback
	}
	h.choice = HomeChoice{Action: action, Profile: item.Name}
	return tea.Quit
}

// View implements tea.Model.
func (h *home) View() tea.View {
	s := h.speech
	p := newPage(h.width, h.height < roomForGaps)
	hints := []hint{{s.t("key-esc"), s.t("close"), 0}}
	switch h.overlay {
	case homeHelp:
		h.helpPage(p)
	case homeAsk:
		p.text(s.theme.styles.bold, "", "", s.t("home-delete-title", "name", h.items[h.at].Name))
		p.gap()
		p.plain(s.t("home-delete-text"))
		hints = []hint{{s.t("key-enter"), s.t("home-delete-yes"), 0}, {s.t("key-esc"), s.t("home-delete-no"), 1}}
	default:
		h.list(p)
		hints = h.hints()
	}
	m := model{width: h.width, height: h.height, speech: s}
	rows := m.bodyHeight()
	h.scroll = max(0, min(p.scrollTo(h.scroll, rows), p.height()-rows))
	f := frame{theme: s.theme, width: h.width, height: h.height}
	f.header(justify(s.product+" "+s.theme.glyphs.dot+" "+s.t("home-title"), s.languageKey(h.width < 60), p.width,
		s.theme.glyphs.ellipsis))
	f.progress(0)
	f.body(p, h.scroll, rows)
	f.status(p, h.scroll, rows, s, "")
	for len(hints) > 1 && typeset.Width(m.footerText(hints)) > p.width {
		hints = dropLast(hints)
	}
	f.footer(typeset.Shorten(m.footerText(hints), p.width, s.theme.glyphs.ellipsis))
	view := tea.NewView(strings.Join(f.lines, "\n"))
	view.AltScreen = true
	return view
}

func (h *home) hints() []hint {
	s := h.speech
	if len(h.items) == 0 {
		return []hint{{s.t("key-enter"), s.t("home-add"), 0}, {"q", s.t("home-quit"), 1}, {"?", s.t("help"), 2}}
	}
	return []hint{
		{s.t("key-enter"), s.t("home-edit"), 0},
		{"a", s.t("home-add"), 2},
		{"t", s.t("home-test"), 3},
		{"?", s.t("help"), 4},
		{"q", s.t("home-quit"), 1},
	}
}

func (h *home) list(p *page) {
	s := h.speech
	if text := s.say(h.notice); text != "" {
		p.plain(text)
		p.gap()
	}
	if len(h.items) == 0 {
		p.plain(s.t("home-empty"))
		return
	}
	for i, item := range h.items {
		p.gap()
		first := p.height()
		h.item(p, item, i == h.at)
		if i == h.at {
			p.reveal(first)
		}
	}
	if text := s.say(h.queue); text != "" {
		p.gap()
		p.plain(text)
	}
	p.gap()
	var row string
	for _, k := range homeKeys {
		label := "[" + s.colon(h.label(k.action, k.label)) + " " + k.key + "]"
		if row != "" && typeset.Width(row)+1+typeset.Width(label) > p.width {
			p.add(row)
			row = ""
		}
		if row != "" {
			row += " "
		}
		row += typeset.Shorten(label, p.width, s.theme.glyphs.ellipsis)
	}
	p.add(row)
}

// label says what a key does to the chosen profile.
func (h *home) label(action HomeAction, key string) string {
	if h.at < len(h.items) {
		switch item := h.items[h.at]; {
		case action == HomeEnable && item.Enabled:
			return h.speech.t("home-disable")
		case action == HomeFallback && item.Fallback:
			return h.speech.t("home-no-fallback")
		}
	}
	return h.speech.t(key)
}

func (h *home) item(p *page, item HomeItem, chosen bool) {
	s := h.speech
	lead := "  "
	if chosen {
		lead = s.theme.glyphs.focus + " "
	}
	name := s.escape(item.Name)
	if item.Label != "" {
		name = s.escape(item.Label) + " (" + name + ")"
	}
	on := s.t("home-on")
	if !item.Enabled {
		on = s.t("home-off")
	}
	if item.Fallback {
		on = s.t("home-fallback") + ", " + on
	}
	if item.Default {
		name = s.theme.glyphs.star + " " + name
		on = s.t("home-default") + ", " + on
	}
	title := justify(lead+name, on, p.width, s.theme.glyphs.ellipsis)
	style := s.theme.styles.bold
	if chosen {
		style = s.theme.styles.chosen
	}
	p.add(style.Render(title))
	p.text(noStyle, "    ", "    ", s.escape(item.Address)+" "+s.theme.glyphs.dot+" "+h.standing(item))
	var traffic []string
	for _, words := range item.Traffic {
		traffic = append(traffic, s.say(words))
	}
	if len(traffic) > 0 {
		p.text(noStyle, "    ", "    ", strings.Join(traffic, " "+s.theme.glyphs.dot+" "))
	}
	if next := s.say(item.Next); next != "" {
		p.text(noStyle, "    "+s.t("home-next")+" ", "    ", next)
	}
}

// standing says how the profile is doing: a failure now counts more than an old proof.
func (h *home) standing(item HomeItem) string {
	s := h.speech
	if trouble := s.say(item.Trouble); trouble != "" {
		return s.status(check.Fail) + ", " + trouble
	}
	if item.Proven.IsZero() {
		return s.t("home-never")
	}
	text := s.status(item.Verdict) + ", " + s.t("home-proven", "date", item.Proven.Local().Format(time.DateOnly))
	if item.Changed {
		text += ", " + s.t("home-changed")
	}
	return text
}

func (h *home) helpPage(p *page) {
	s := h.speech
	m := model{width: h.width, height: h.height, speech: s}
	p.plain(s.t("home-help"))
	p.gap()
	for _, k := range homeKeys {
		m.keyLine(p, k.key, h.label(k.action, k.label))
	}
	for _, k := range []string{"language", "suspend"} {
		m.keyLine(p, s.t("keyname-"+k), s.t("keyhelp-"+k))
	}
}
