package tui

import (
	"cmp"
	"context"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/typeset"
	"postier/share"
	"postier/wizard"
)

// WatchOptions are what Watch needs. Viewer must be given.
type WatchOptions struct {
	Viewer  *share.Viewer
	Product string
	Lang    locale.Lang
	NoColor bool
	Getenv  func(string) string
	In      io.Reader
	Out     io.Writer
	Now     func() time.Time
	// Served is set where the terminal is that of an SSH session.
	Served Served
}

// Watch shows a helper what a person sees, with the details for technicians, until one of the two ends it. The error is
// why the view broke off; nil where one of them ended it.
func Watch(ctx context.Context, o WatchOptions) error {
	getenv := getenvOr(o.Getenv)
	m := newWatcher(o, newTheme(getenv, o.NoColor))
	t := terminal{in: o.In, out: o.Out, getenv: getenv, noColour: o.NoColor, served: o.Served}
	err := t.show(ctx, m)
	o.Viewer.Close()
	if err == nil && m.helper.seen.Over {
		err = m.helper.seen.Err
	}
	return err
}

// helper is the part of the model that only the helper's side has.
type helper struct {
	viewer *share.Viewer
	seen   share.Seen
	// writing is the line that is being written, nil while none is.
	writing *entry
	pointed share.Target // on the person's screen
	sent    string       // the last line that was sent
}

// seenMsg says that something new is to be seen.
type seenMsg struct{}

// watcher is the helper's program. It draws like the person's, and its keys are its own.
type watcher struct{ *model }

func newWatcher(o WatchOptions, l theme) watcher {
	h := &helper{viewer: o.Viewer, seen: o.Viewer.Seen()}
	m := &model{
		conversation: mirror{h}, now: o.Now, helper: h,
		speech: speech{lang: o.Lang, product: cmp.Or(o.Product, config.Program), theme: l},
		width:  usualWidth, height: usualHeight,
	}
	if m.speech.lang == "" {
		m.speech.lang = locale.English
	}
	if m.now == nil {
		m.now = time.Now
	}
	w := watcher{m}
	w.look()
	return w
}

// mirror is the person's conversation as the helper's program has it: it only shows.
type mirror struct{ *helper }

func (m mirror) Screen() wizard.Screen         { return m.seen.View.Screen }
func (mirror) Answer(wizard.Answer)            {}
func (mirror) Outcomes() <-chan wizard.Outcome { return nil }
func (mirror) Tell(wizard.Outcome)             {}
func (mirror) Ended() bool                     { return false }
func (mirror) HasSecret() bool                 { return false }
func (mirror) Resumable() bool                 { return false }
func (mirror) Unchanged() bool                 { return false }
func (mirror) SetLang(locale.Lang)             {}
func (mirror) Masker() func(string) string     { return nil }

// Init implements tea.Model.
func (w watcher) Init() tea.Cmd { return tea.Batch(w.waitForView(), w.tick()) }

func (w watcher) waitForView() tea.Cmd {
	changed := w.helper.seen.Changed
	return func() tea.Msg {
		<-changed
		return seenMsg{}
	}
}

// Update implements tea.Model.
func (w watcher) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case seenMsg:
		w.helper.seen = w.helper.viewer.Seen()
		if w.helper.seen.Over {
			return w, tea.Quit
		}
		w.look()
		return w, tea.Batch(w.waitForView(), w.tick())
	case hangupMsg:
		w.hungUp = true
		return w, tea.Quit
	case tea.PasteMsg:
		if w.helper.writing != nil {
			w.helper.writing.paste(msg.Content)
		}
		return w, nil
	case tea.KeyPressMsg:
		return w, w.press(msg)
	}
	_, cmd := w.model.Update(msg) // the size of the window, and the seconds
	return w, cmd
}

// look takes over the person's screen. The helper's own focus stays where it is on the same step, and follows the
// person until the helper has moved it.
func (w watcher) look() {
	m, before := w.model, w.screen.Step
	moved, focus := m.moved, m.focus
	m.arrive()
	m.since = w.helper.seen.Since
	for i, f := range m.screen.Fields {
		m.inputs[i] = newInput(f)
	}
	m.moved, m.focus = moved && before == m.screen.Step, min(focus, max(0, m.stops()-1))
	if !m.moved {
		m.focus = m.indexOf(w.helper.seen.View.Focus)
		m.follow = true
	}
	if !w.helper.pointed.On(m.screen) || before != m.screen.Step {
		w.helper.pointed = share.Target{}
	}
}

// indexOf is the number of a field or an action.
func (m *model) indexOf(t share.Target) int {
	for i, f := range m.screen.Fields {
		if t.Field == f.ID && t.Field != "" {
			return i
		}
	}
	for i, a := range m.screen.Actions {
		if t.Field == "" && t.Action == a.ID {
			return len(m.inputs) + i
		}
	}
	return 0
}

// press handles the helper's keys. None of them reaches the person's fields: a helper can point, write and look.
func (w watcher) press(msg tea.KeyPressMsg) tea.Cmd {
	m, name := w.model, msg.String()
	m.toast, m.sharing.revealing = "", false
	if w.helper.writing != nil {
		w.pressWriting(msg)
		return nil
	}
	switch name {
	case "ctrl+z":
		return tea.Suspend
	case "f2", "ctrl+l":
		m.switchLanguage()
		return nil
	case "ctrl+c":
		if m.overlay.kind == overlayLeave {
			return tea.Quit
		}
		m.overlay = overlay{kind: overlayLeave}
		return nil
	}
	if m.overlay.kind != overlayNone {
		return m.pressOverlay(msg)
	}
	switch name {
	case "esc":
		m.overlay = overlay{kind: overlayLeave}
	case "tab", "right":
		m.move(1)
	case "shift+tab", "left":
		m.move(-1)
	case "enter":
		w.point()
	case "w":
		w.helper.writing = newEntry("", false)
	default:
		cmd, done := m.pressPage(name) // and not pressCommand: the actions are the person's
		if !done {
			m.pressScroll(msg)
		}
		return cmd
	}
	return nil
}

// point shows the person the field or the action in focus; a second time it takes the mark away.
func (w watcher) point() {
	t := w.target()
	if w.helper.pointed == t {
		t = share.Target{}
	}
	w.helper.pointed = t
	w.sharing.revealing, w.follow = true, true
	w.helper.viewer.Point(t)
}

func (w watcher) pressWriting(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "esc", "ctrl+c":
		w.helper.writing = nil
	case "enter":
		if text := w.helper.writing.value(); text != "" {
			w.helper.sent = text
			w.helper.viewer.Remark(text)
			w.toast = w.speech.t("watch-sent", "text", text)
		}
		w.helper.writing = nil
	default:
		w.helper.writing.press(msg)
	}
}

// watchRows are the lines below the helper's header.
func (m *model) watchRows() []string {
	const least = 2
	if m.height < least {
		return nil
	}
	column, s := newPage(m.width, density{}).width, m.speech
	text, short := s.t("watch-header"), s.t("watch-header-short")
	if !m.helper.seen.Any {
		text, short = s.t("watch-waiting"), ""
	}
	rows := []string{bar(s.theme.styles.warn, text, short, column, s)}
	if m.helper.writing != nil {
		lead := s.colon(s.t("watch-line")) + " "
		text, _ := m.helper.writing.draw(max(1, column-typeset.Width(lead)), s.theme.glyphs)
		rows = append(rows, typeset.Shorten(lead+text, column, ""))
	}
	return rows
}

// writingCursor is the column of the cursor in the line that is being written.
func (m *model) writingCursor() int {
	column, s := newPage(m.width, density{}).width, m.speech
	lead := typeset.Width(s.colon(s.t("watch-line")) + " ")
	_, at := m.helper.writing.draw(max(1, column-lead), s.theme.glyphs)
	return lead + at
}

// helperCursor is where the helper writes; a helper has no other cursor.
func (m *model) helperCursor() *tea.Cursor {
	if m.helper.writing == nil {
		return nil
	}
	row := len(m.topRows()) - 1
	if m.height >= roomForHeader {
		row++
	}
	c := tea.NewCursor(min(m.width-1, margin(m.width)+m.writingCursor()), row)
	c.Blink = false
	return c
}

func (m *model) watchHints() []hint {
	s := m.speech
	if m.helper.writing != nil {
		return []hint{{s.t("key-enter"), s.t("watch-send"), 0}, {s.t("key-esc"), s.t("watch-cancel"), 1}}
	}
	out := []hint{
		{s.t("key-enter"), s.t("watch-point"), 0},
		{"w", s.t("watch-write"), 1},
		{s.t("key-tab"), s.t("next-field"), 3},
		{"?", s.t("help"), 4},
		{s.t("key-esc"), s.t("watch-leave"), 2},
	}
	return out
}

// watchKeys are the lines of the helper's help page.
var watchKeys = []string{"point", "write", "move", "scroll", "details", "language", "leave"}

func (m *model) watchHelp(p *page) {
	s := m.speech
	p.text(s.theme.styles.bold, "", "", s.t("watch-help-title"))
	p.gap()
	p.plain(s.t("watch-help"))
	p.gap()
	for _, k := range watchKeys {
		m.keyLine(p, s.t("watch-keyname-"+k), s.t("watch-keyhelp-"+k))
	}
}
