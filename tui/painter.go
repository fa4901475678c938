package tui

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"postier/internal/parallel"
)

// painter writes what a model shows to the terminal, when there is something new to show, and never in between. The
// renderer of Bubble Tea looks at every tick whether there is. That wakes an idle processor for nothing and lets every
// key wait for the next tick; a server of many sessions pays for it in each of them.
//
// It also has what goes with drawing: the raw mode, the full screen, and giving both back however the program ends.
type painter struct {
	in, out *os.File
	env     []string
	profile colorprofile.Profile

	mu            sync.Mutex
	view          tea.View
	width, height int  // of the window; nothing is drawn before it is known
	stale         bool // the terminal does not show what it was sent
	extra         []byte
	news          chan struct{}

	cooked *term.State // how the terminal was; nil while it is not taken
	stop   chan struct{}
	paused sync.WaitGroup
	// resumed is called when the process goes on after it was stopped, failed when drawing panicked with broken.
	resumed, failed func()
	broken          *parallel.Panic

	// What follows belongs to whoever draws.
	queued bytes.Buffer
	screen *uv.TerminalRenderer
	cells  uv.ScreenBuffer
	shown  tea.View
	cursor bool // the terminal shows it
}

// framePause is the least time between two frames: many changes at once cost one, on a slow connection too.
const framePause = time.Second / framesPerSecond

func newPainter(in, out *os.File, env []string, profile colorprofile.Profile) *painter {
	return &painter{in: in, out: out, env: env, profile: profile, news: make(chan struct{}, 1)}
}

// takeOver switches the terminal to raw mode and to the full screen.
func (p *painter) takeOver() error {
	cooked, err := onTerminal(p.in, term.MakeRaw)
	if err != nil {
		return err
	}
	p.cooked, p.stop = cooked, make(chan struct{})
	p.screen = uv.NewTerminalRenderer(&p.queued, p.env)
	p.screen.SetColorProfile(p.profile)
	p.screen.SetTabStops(-1)
	p.screen.SetBackspace(true)
	p.screen.SetScrollOptim(true)
	p.screen.SetFullscreen(true)
	p.screen.SetRelativeCursor(false)
	p.cells = uv.NewScreenBuffer(0, 0)
	p.cursor = false
	p.mu.Lock()
	p.stale = true
	p.mu.Unlock()
	p.write([]byte(ansi.SetModeAltScreenSaveCursor + ansi.ResetModeTextCursorEnable + ansi.SetCursorStyle(steadyBlock) +
		ansi.SetModeBracketedPaste + ansi.SetModifyOtherKeys2 + ansi.PushKittyKeyboard(1)))
	p.paused.Go(func() {
		if p.broken = parallel.Catch(p.paint); p.broken != nil {
			go p.failed()
		}
	})
	p.wake()
	return nil
}

// steadyBlock is a cursor that does not blink, which would be drawn by the terminal again and again.
const steadyBlock = 2

// giveBack leaves the terminal as it was. It may be called twice.
func (p *painter) giveBack() {
	if p.cooked == nil {
		return
	}
	close(p.stop)
	p.paused.Wait()
	p.write([]byte(p.leftovers() + ansi.ResetStyle + ansi.ResetModifyOtherKeys + ansi.PopKittyKeyboard(1) +
		ansi.ResetModeAltScreenSaveCursor + ansi.SetCursorStyle(0) + ansi.SetModeTextCursorEnable +
		ansi.ResetModeBracketedPaste))
	_, _ = onTerminal(p.in, func(fd uintptr) (any, error) { return nil, term.Restore(fd, p.cooked) })
	p.cooked = nil
}

// pause is the filter of a program that may be stopped: the terminal is the shell's as long as it is.
func (p *painter) pause(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.SuspendMsg:
		p.giveBack()
	case tea.ResumeMsg:
		if p.takeOver() == nil {
			go p.resumed() // the window may have another size
		}
	}
	return msg
}

// leftovers are sequences that have not been sent yet.
func (p *painter) leftovers() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := string(p.extra)
	p.extra = nil
	return text
}

// show leaves a view to be drawn. It never waits for the terminal.
func (p *painter) show(v tea.View) {
	p.mu.Lock()
	p.view = v
	p.mu.Unlock()
	p.wake()
}

// resize has everything drawn again, in the new size of the window.
func (p *painter) resize(width, height int) {
	if width <= 0 || height <= 0 {
		width, height = usualWidth, usualHeight
	}
	p.mu.Lock()
	p.width, p.height, p.stale = width, height, true
	p.mu.Unlock()
	p.wake()
}

// send leaves a sequence to be written before the next frame.
func (p *painter) send(sequence string) {
	p.mu.Lock()
	p.extra = append(p.extra, sequence...)
	p.mu.Unlock()
	p.wake()
}

func (p *painter) wake() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// paint draws until the terminal is given back.
func (p *painter) paint() {
	for {
		select {
		case <-p.stop:
			return
		case <-p.news:
		}
		if !p.draw() {
			continue
		}
		select {
		case <-p.stop:
			return
		case <-time.After(framePause):
		}
	}
}

// draw brings the terminal from what it shows to the newest view, and reports whether anything had to be written.
func (p *painter) draw() bool {
	p.mu.Lock()
	view, width, height, stale := p.view, p.width, p.height, p.stale
	known := width > 0
	p.stale = stale && !known
	p.mu.Unlock()
	extra := p.leftovers()
	if known && (stale || view.Content != p.shown.Content || !sameCursor(view.Cursor, p.shown.Cursor)) {
		p.compose(view, width, height, stale)
		p.shown = view
	}
	frame := p.frame(extra, p.shown.Cursor != nil)
	if len(frame) == 0 {
		return false
	}
	p.write(frame)
	return true
}

func sameCursor(a, b *tea.Cursor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Position == b.Position
}

// compose queues what changes on the terminal.
func (p *painter) compose(view tea.View, width, height int, stale bool) {
	if stale {
		p.screen.Erase()
		p.screen.Resize(width, height)
		p.cells.Touched = nil
		p.cells.Resize(width, height)
	}
	p.cells.Clear()
	uv.NewStyledString(view.Content).Draw(p.cells, p.cells.Bounds())
	p.screen.Render(p.cells.RenderBuffer)
	if c := view.Cursor; c != nil {
		p.screen.MoveTo(c.X, c.Y)
	}
	_ = p.screen.Flush() // into a buffer
}

// frame is what was queued, with the cursor hidden while it wanders about.
func (p *painter) frame(extra string, cursor bool) []byte {
	var out bytes.Buffer
	out.WriteString(extra)
	moved := p.queued.Len() > 0
	if p.cursor && (moved || !cursor) {
		out.WriteString(ansi.ResetModeTextCursorEnable)
	}
	out.Write(p.queued.Bytes())
	p.queued.Reset()
	if cursor && (moved || !p.cursor) {
		out.WriteString(ansi.SetModeTextCursorEnable)
	}
	p.cursor = cursor
	return out.Bytes()
}

// write sends all of it at once. A terminal that is gone is noticed by whoever reads it.
func (p *painter) write(data []byte) { _, _ = io.Copy(p.out, bytes.NewReader(data)) }

// painted is a model whose views the painter draws.
type painted struct {
	tea.Model
	painter *painter
}

// clipboardMsg puts a text on the clipboard of the person's own terminal (OSC 52).
type clipboardMsg string

// Init implements tea.Model.
func (m painted) Init() tea.Cmd {
	defer m.broken()
	return m.Model.Init()
}

// Update implements tea.Model.
func (m painted) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer m.broken()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.painter.resize(msg.Width, msg.Height)
	case clipboardMsg:
		m.painter.send(ansi.SetSystemClipboard(string(msg)))
	}
	next, cmd := m.Model.Update(msg)
	m.Model = next
	return m, cmd
}

// View implements tea.Model. Bubble Tea asks for it after every message.
func (m painted) View() tea.View {
	defer m.broken()
	view := m.Model.View()
	m.painter.show(view)
	return view
}

// broken gives the terminal back before a panic is reported on it.
func (m painted) broken() {
	if what := recover(); what != nil {
		m.painter.giveBack()
		panic(what)
	}
}
