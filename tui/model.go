package tui

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/wizard"
)

// Size to draw for when the terminal does not tell its own (serial consoles report 0x0).
const (
	usualWidth  = 80
	usualHeight = 24
)

// model is the whole front end at one moment.
type model struct {
	conversation conversation
	screen       wizard.Screen
	inputs       []*input
	onLang       func(locale.Lang)
	now          func() time.Time
	speech       speech
	// resumable is true when a draft is stored.
	resumable bool

	width, height int
	// focus is the number of a field; the numbers after the last field are those of the actions.
	focus int
	// moved is true once the person has moved the focus on this screen.
	moved bool
	// number is what was typed of the number of a field.
	number string
	scroll int
	shown  int // rows that the page scrolls in
	// follow makes the next drawing scroll to the focus, the check that runs or the finding.
	follow bool

	overlay overlay
	toast   string // one line about the last key, until the next one
	// since is when the work that the screen waits for began.
	since   time.Time
	waiting int // the request that since belongs to
	ticking int // the request whose seconds are being counted

	last  wizard.Screen   // the last step's screen, for the scrollback
	past  []wizard.Screen // those of the addresses that were set up before it
	ended bool            // the conversation has ended
	left  bool            // the person or a signal ended it early

	hungUp bool // a signal did

	sharing sharing // with a helper who looks on
	helper  *helper // only in the program of that helper
}

// outcomeMsg carries the outcome of a request.
type outcomeMsg struct{ outcome wizard.Outcome }

// brokenMsg says that no further outcome will follow.
type brokenMsg struct{}

// tickMsg says that a second has passed for a request.
type tickMsg struct{ request int }

// hangupMsg says that the terminal is gone or that a signal asks the program to end.
type hangupMsg struct{}

func newModel(c conversation, o Options, l theme) *model {
	m := &model{
		conversation: c, onLang: o.OnLang, now: o.Now, resumable: o.Resume != "",
		speech: speech{lang: o.Lang, product: cmp.Or(o.Product, config.Program), theme: l},
		width:  usualWidth, height: usualHeight, sharing: newSharing(o.Share),
	}
	if m.speech.lang == "" {
		m.speech.lang = locale.English
	}
	if m.now == nil {
		m.now = time.Now
	}
	if o.Sharing {
		o.Share.Start()
	}
	m.conversation.SetLang(m.speech.lang)
	m.arrive()
	m.publish()
	return m
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return tea.Batch(m.tick(), m.receive(), m.sharing.wait()) }

// receive waits for the next outcome. It runs apart from Update, which asks for it again after each one.
func (m *model) receive() tea.Cmd {
	outcomes := m.conversation.Outcomes()
	return func() tea.Msg {
		if o, ok := <-outcomes; ok {
			return outcomeMsg{o}
		}
		return brokenMsg{}
	}
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	if _, tick := msg.(tickMsg); !tick { // the helper's program counts the seconds itself
		m.publish()
	}
	return m, cmd
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height, m.follow = msg.Width, msg.Height, true
		if m.width <= 0 || m.height <= 0 {
			m.width, m.height = usualWidth, usualHeight
		}
	case outcomeMsg:
		m.conversation.Tell(msg.outcome)
		return tea.Batch(m.turn(), m.receive())
	case tickMsg:
		if msg.request == m.waiting {
			return m.again(msg.request)
		}
	case shareMsg:
		m.follow = true
		m.sharing.refresh()
		return m.sharing.wait()
	case hangupMsg:
		m.hungUp = true
		m.sharing.presenter.HangUp()
		return m.leave()
	case brokenMsg:
		return m.leave()
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.KeyPressMsg:
		return m.press(msg)
	}
	return nil
}

// answer hands the person's answer to the wizard and shows its next screen.
func (m *model) answer(action wizard.ActionID) tea.Cmd {
	values, typed := answers(m.inputs)
	m.conversation.Answer(wizard.Answer{Action: action, Values: values, Secret: typed})
	return m.turn()
}

// turn shows the wizard's current screen, or ends the program with the conversation.
func (m *model) turn() tea.Cmd {
	m.arrive()
	if m.conversation.Ended() {
		m.ended = true
		return tea.Quit
	}
	return m.tick()
}

// arrive takes over the wizard's screen. Where only parts of the same screen have changed, typed text, focus and scroll
// position stay.
func (m *model) arrive() {
	before, next := m.screen, m.conversation.Screen()
	m.screen = next
	switch {
	case next.Step == wizard.StepDone:
		m.last = next
	case next.Step == wizard.StepAddress && m.last.Step == wizard.StepDone:
		m.past, m.last = append(m.past, m.last), wizard.Screen{}
	}
	if next.Busy == nil {
		m.waiting = 0
	} else if next.Busy.Request != m.waiting {
		m.waiting, m.since = next.Busy.Request, m.now()
	}
	if sameForm(before, next) {
		for i, f := range next.Fields {
			m.inputs[i] = m.inputs[i].update(f)
		}
		m.attend(before)
		return
	}
	m.inputs = m.inputs[:0]
	for _, f := range next.Fields {
		m.inputs = append(m.inputs, newInput(f))
	}
	m.overlay, m.scroll, m.moved, m.toast = overlay{}, 0, false, ""
	m.focus = m.firstFocus()
	m.follow = true
}

// sameForm reports whether next is the same screen as before, with other contents.
func sameForm(before, next wizard.Screen) bool {
	if before.Step != next.Step || len(before.Fields) != len(next.Fields) || (before.Busy == nil) != (next.Busy == nil) {
		return false
	}
	for i := range next.Fields {
		if before.Fields[i].ID != next.Fields[i].ID {
			return false
		}
	}
	return len(before.Actions) == len(next.Actions) && (before.Finding == nil) == (next.Finding == nil)
}

// attend moves the focus to a field whose value was refused, and keeps it within the fields and actions of the screen.
func (m *model) attend(before wizard.Screen) {
	for i, f := range m.screen.Fields {
		if !f.Error.Empty() && before.Fields[i].Error.Empty() {
			m.focus, m.follow = i, true
			break
		}
	}
	m.focus = min(m.focus, max(0, m.stops()-1))
	if m.screen.Busy != nil && !m.moved {
		m.follow = true
	}
}

// firstFocus returns the field to fix, else the first whose value was refused, else the first open one, else the first.
func (m *model) firstFocus() int {
	for _, wanted := range []func(wizard.Field, *input) bool{
		func(f wizard.Field, _ *input) bool { return f.Fix },
		func(f wizard.Field, _ *input) bool { return f.Focus },
		func(f wizard.Field, _ *input) bool { return !f.Error.Empty() },
		func(_ wizard.Field, in *input) bool { return in.open() },
	} {
		for i, in := range m.inputs {
			if wanted(in.field, in) {
				return i
			}
		}
	}
	if len(m.inputs) == 0 {
		if i := slices.IndexFunc(m.rows(), func(f wizard.Fact) bool { return f.Focus }); i >= 0 {
			return len(m.screen.Actions) + i
		}
	}
	return 0
}

// stops is the number of fields, actions and rows that can have the focus. The rows stand above the actions and come
// after them: the key upwards leads from the first action to the last row.
func (m *model) stops() int { return len(m.inputs) + len(m.screen.Actions) + len(m.rows()) }

// rows are the facts that can be changed.
func (m *model) rows() []wizard.Fact {
	return slices.DeleteFunc(slices.Clone(m.screen.Facts), func(f wizard.Fact) bool { return f.Change == "" })
}

// currentRow is the row that has the focus.
func (m *model) currentRow() (wizard.Fact, bool) {
	rows, i := m.rows(), m.focus-len(m.inputs)-len(m.screen.Actions)
	if i < 0 || i >= len(rows) || m.overlay.kind != overlayNone {
		return wizard.Fact{}, false
	}
	return rows[i], true
}

// current is the field that has the focus, nil when an action has it.
func (m *model) current() *input {
	if m.focus < len(m.inputs) {
		return m.inputs[m.focus]
	}
	return nil
}

// typing reports whether letters go into a field, so that actions need Alt.
func (m *model) typing() bool {
	in := m.current()
	return in != nil && in.takesText()
}

func (m *model) paste(text string) {
	in := m.current()
	if in == nil || m.overlay.kind != overlayNone {
		return
	}
	m.follow, m.toast = true, ""
	text = strings.TrimSuffix(text, strings.TrimPrefix(pasteEnd, "\x1b")) // a torn end mark
	m.toast = in.paste(text, m.speech)
}

// tick asks for the next second when a newly begun wait needs one.
func (m *model) tick() tea.Cmd {
	if m.waiting == 0 || m.ticking == m.waiting {
		return nil
	}
	return m.again(m.waiting)
}

func (m *model) again(request int) tea.Cmd {
	m.ticking = request
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{request} })
}

// leave ends the program before the conversation has ended.
func (m *model) leave() tea.Cmd {
	m.left = true
	return tea.Quit
}

// touched reports whether leaving now would lose something typed.
func (m *model) touched() bool {
	if m.screen.Step == wizard.StepDone || m.screen.Number == 0 || m.conversation.Unchanged() {
		return false
	}
	if m.screen.Number > 1 || m.screen.Busy != nil {
		return true
	}
	for _, in := range m.inputs {
		if in.touched() {
			return true
		}
	}
	return false
}

func (m *model) switchLanguage() {
	m.speech.lang = m.speech.lang.Next()
	m.toast, m.follow = "", true
	m.conversation.SetLang(m.speech.lang)
	if m.onLang != nil {
		m.onLang(m.speech.lang)
	}
}

// copyables are the texts to copy, each with its label.
func (m *model) copyables() []copyable {
	var out []copyable
	listed := map[string]bool{}
	for _, c := range m.screen.Copy {
		listed[c.Text] = true
		out = append(out, copyable{label: m.speech.say(c.Label), text: c.Text, qr: c.QR, picture: c.Picture})
	}
	if f := m.screen.Finding; f != nil {
		for _, fix := range f.Fixes {
			if !listed[fix.Value] && !fix.Removes() {
				out = append(out, copyable{label: m.fixLabel(fix), text: fix.Value})
			}
		}
	}
	return out
}

// fixLabel says what to do with a text to copy: a record has a kind and a name, everything else a word of ours.
func (m *model) fixLabel(fix check.Fix) string {
	switch fix.Kind {
	case "folder":
		return m.speech.t("fix-folder")
	case "host":
		return m.speech.t("fix-host")
	case "command":
		return m.speech.t("fix-command")
	}
	return m.speech.escape(strings.ToUpper(fix.Kind) + " " + fix.Name)
}

type copyable struct {
	label, text string
	qr          bool
	picture     string // the text of the QR code where it differs
}

// code returns the text of the QR code.
func (c copyable) code() string {
	if c.picture != "" {
		return copyable{text: c.picture}.clipboard()
	}
	return c.clipboard()
}

// clipboard returns the text for the clipboard: exact, or escaped where it holds characters that act on a terminal.
func (c copyable) clipboard() string {
	for _, r := range c.text {
		if safetext.Harmful(r) {
			return safetext.Escape(c.text)
		}
	}
	return c.text
}

// link returns the text as a target for OSC 8; empty when it is no web address.
func (c copyable) link() string {
	if text := c.clipboard(); len(text) > 8 && (text[:8] == "https://" || text[:7] == "http://") &&
		ansi.Strip(text) == text {
		return text
	}
	return ""
}
