package tui

import (
	"cmp"
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/share"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
)

// Home shows the saved profiles and returns the action that the person chose; the caller carries it out and calls Home
// again.
func Home(ctx context.Context, o HomeOptions) (home.Choice, error) {
	getenv := getenvOr(o.Getenv)
	m := newHome(o, newTheme(getenv, o.NoColor))
	t := terminal{in: o.In, out: o.Out, getenv: getenv, noColour: o.NoColor, served: o.Served}
	err := t.show(ctx, m)
	m.choice.Lang = m.speech.lang
	if m.hungUp {
		return m.choice, carrier.ErrInterrupted
	}
	return m.choice, err
}

// homeScreen is the home screen.
type homeScreen struct {
	items  []home.Item
	notice wizard.Words
	queue  wizard.Words
	speech speech
	choice home.Choice
	hungUp bool

	width, height int
	at            int // the profile under the cursor
	scroll        int
	overlay       homeOverlay
	toast         string // one line about the last key, until the next one
	sharing       sharing
}

// homeOverlay names the page that covers the list.
type homeOverlay int

const (
	homeList homeOverlay = iota
	homeAsk              // delete?
	homeHelp
)

func newHome(o HomeOptions, l theme) *homeScreen {
	h := &homeScreen{
		items: o.Items, notice: o.Notice, queue: o.Queue, choice: home.Choice{Action: home.Quit},
		width: usualWidth, height: usualHeight, sharing: newSharing(o.Share),
		speech: speech{lang: o.Lang, product: cmp.Or(o.Product, config.Program), theme: l},
	}
	if h.speech.lang == "" {
		h.speech.lang = locale.English
	}
	for i, item := range h.items {
		if item.Name == o.Select || (o.Select == "" && item.Default) {
			h.at = i
		}
	}
	h.publish()
	return h
}

// Init implements tea.Model.
func (h *homeScreen) Init() tea.Cmd { return h.sharing.wait() }

// publish hands the list to the helper.
func (h *homeScreen) publish() {
	if h.sharing.presenter == nil {
		return
	}
	v := share.View{Screen: home.Shown(h.items, h.at, h.notice, h.queue)}
	if len(v.Screen.Actions) > 0 {
		v.Focus = share.Target{Action: v.Screen.Actions[0].ID}
	}
	h.sharing.presenter.Show(v)
}

// Update implements tea.Model.
func (h *homeScreen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer h.publish()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		h.width, h.height = msg.Width, msg.Height
		if h.width <= 0 || h.height <= 0 {
			h.width, h.height = usualWidth, usualHeight
		}
	case shareMsg:
		if ended := h.sharing.refresh(); !ended.Empty() {
			h.notice, h.sharing.ended, h.scroll = ended, wizard.Words{}, 0
		}
		return h, h.sharing.wait()
	case hangupMsg:
		h.hungUp = true
		h.sharing.presenter.HangUp()
		return h, tea.Quit
	case tea.KeyPressMsg:
		return h, h.press(msg)
	}
	return h, nil
}

func (h *homeScreen) press(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	h.toast = ""
	if h.sharing.takes(name, false) {
		h.sharing.presenter.Toggle()
		return nil
	}
	switch name {
	case "ctrl+c":
		return h.choose(home.Quit)
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
		h.overlay, h.scroll = homeHelp, 0
	case "esc": // one too many on the way back from a page must not end the program
		h.toast = h.speech.t("home-first")
	case "enter":
		if len(h.items) == 0 {
			return h.choose(home.Add)
		}
		return h.choose(home.First(h.items[h.at]))
	}
	for _, k := range home.Keys() {
		if name == k.Letter {
			return h.choose(k.Action)
		}
	}
	return nil
}

func (h *homeScreen) pressOverlay(name string) tea.Cmd {
	switch {
	case h.overlay == homeHelp && (name == "down" || name == "pgdown" || name == "space"):
		h.scroll += max(1, h.height/2)
		return nil
	case h.overlay == homeHelp && (name == "up" || name == "pgup"):
		h.scroll -= max(1, h.height/2)
		return nil
	}
	if h.overlay == homeAsk && name == h.speech.t("home-delete-key") {
		h.choice = home.Choice{Action: home.Delete, Profile: h.items[h.at].Name}
		return tea.Quit
	}
	if name == "esc" || name == "enter" || h.overlay == homeHelp {
		h.overlay = homeList
	}
	return nil
}

// choose ends the screen with an action, where there is a profile for it.
func (h *homeScreen) choose(action home.Action) tea.Cmd {
	if action.Alone() {
		h.choice = home.Choice{Action: action}
		return tea.Quit
	}
	if len(h.items) == 0 {
		return nil
	}
	item := h.items[h.at]
	switch {
	case action == home.Delete && !item.Platform:
		h.overlay = homeAsk
		return nil
	case action == home.Fix && !item.Fixable:
		return nil
	case action == home.Default && item.Default:
		h.notice, h.scroll = wizard.Msg("tui.home-default-already", "name", safetext.FromRemote(item.Name)), 0
		return nil
	}
	h.choice = home.Choice{Action: action.For(item), Profile: item.Name}
	return tea.Quit
}

// View implements tea.Model.
func (h *homeScreen) View() tea.View {
	s := h.speech
	p := newPage(h.width, densityOf(h.height))
	hints := []hint{{s.t("key-esc"), s.t("close"), 0}}
	switch h.overlay {
	case homeHelp:
		h.helpPage(p)
	case homeAsk:
		p.text(s.theme.styles.bold, "", "", s.t("home-delete-title", "name", h.items[h.at].Name))
		p.gap()
		p.plain(s.t("home-delete-text"))
		hints = []hint{{s.t("key-enter"), s.t("home-delete-no"), 0}, {s.t("home-delete-key"), s.t("home-delete-yes"), 1}}
	default:
		h.list(p)
		hints = h.hints()
	}
	m := model{width: h.width, height: h.height, speech: s, sharing: h.sharing}
	rows := m.bodyHeight()
	p.squeeze(rows)
	rows, keys := p.fit(rows)
	h.scroll = max(0, min(p.scrollTo(h.scroll, rows), p.height()-rows))
	f := frame{theme: s.theme, width: h.width, height: h.height}
	f.header(justify(s.product+" "+s.theme.glyphs.dot+" "+s.t("home-title"), s.languageKey(h.width < 60), p.width,
		s.theme.glyphs.ellipsis))
	f.top(m.topRows())
	f.progress(0)
	f.body(p, h.scroll, rows)
	f.keys(keys)
	f.status(p, h.scroll, rows, s, h.toast)
	for len(hints) > 1 && typeset.Width(m.footerText(hints)) > p.width {
		hints = dropLast(hints)
	}
	f.footer(typeset.Shorten(m.footerText(hints), p.width, s.theme.glyphs.ellipsis))
	view := tea.NewView(strings.Join(f.lines, "\n"))
	view.AltScreen = true
	return view
}

func (h *homeScreen) hints() []hint {
	s := h.speech
	if len(h.items) == 0 {
		return []hint{{s.t("key-enter"), h.label(home.Add), 0}, {"q", h.label(home.Quit), 1}, {"?", s.t("help"), 2}}
	}
	return []hint{
		{s.t("key-enter"), h.label(home.First(h.items[h.at])), 0},
		{"a", h.label(home.Add), 3},
		{"t", h.label(home.Test), 4},
		{"?", s.t("help"), 2},
		{"q", h.label(home.Quit), 1},
	}
}

func (h *homeScreen) list(p *page) {
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
	p.ending(h.offers)
}

// offers shows the key of everything that can be done with the chosen profile.
func (h *homeScreen) offers(p *page) {
	s := h.speech
	var row string
	for _, k := range h.keys() {
		label := s.keyed(h.label(k.Action), k.Letter, p.width)
		if h.sharing.status.Point == (share.Target{Action: wizard.ActionID(k.Action.For(h.current()))}) {
			p.text(s.theme.styles.warn, "", "", " "+s.t("share-here")+" "+label+" ")
		}
		if row != "" && typeset.Width(row)+1+typeset.Width(label) > p.width {
			p.add(row)
			row = ""
		}
		if row != "" {
			row += " "
		}
		row += label
	}
	p.add(row)
}

// current is the profile under the cursor, the zero Item where there is none.
func (h *homeScreen) current() home.Item {
	if h.at < len(h.items) {
		return h.items[h.at]
	}
	return home.Item{}
}

func (h *homeScreen) keys() []home.Key { return home.Offered(h.current()) }

// label says what an action does to the chosen profile.
func (h *homeScreen) label(action home.Action) string { return h.speech.say(action.Label(h.current())) }

func (h *homeScreen) item(p *page, item home.Item, chosen bool) {
	s := h.speech
	lead := "  "
	if chosen {
		lead = s.theme.glyphs.focus + " "
	}
	name := s.escape(item.Name)
	if item.Label != "" {
		name = s.escape(item.Label) + " (" + name + ")"
	}
	if item.Default {
		name = s.theme.glyphs.star + " " + name
	}
	on := s.list(item.Marks(), ", ")
	title := justify(lead+name, on, p.width, s.theme.glyphs.ellipsis)
	style := s.theme.styles.bold
	if chosen {
		style = s.theme.styles.chosen
	}
	p.add(style.Render(title))
	p.text(noStyle, "    ", "    ", s.escape(item.Address)+" "+s.theme.glyphs.dot+" "+s.list(item.Standing(), ", "))
	if traffic := s.list(item.Traffic, " "+s.theme.glyphs.dot+" "); traffic != "" {
		p.text(noStyle, "    ", "    ", traffic)
	}
	if next := s.say(item.Next); next != "" {
		p.text(noStyle, "    "+s.t("home-next")+" ", "    ", next)
	}
}

func (h *homeScreen) helpPage(p *page) {
	s := h.speech
	m := model{width: h.width, height: h.height, speech: s}
	p.plain(s.t("home-help"))
	p.gap()
	for _, k := range h.keys() {
		m.keyLine(p, k.Letter, h.label(k.Action))
	}
	if h.sharing.presenter != nil {
		m.keyLine(p, s.t("keyname-share"), s.t("keyhelp-share"))
	}
	for _, k := range []string{"language", "suspend"} {
		m.keyLine(p, s.t("keyname-"+k), s.t("keyhelp-"+k))
	}
}
