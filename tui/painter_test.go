package tui

import (
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/creack/pty"
)

// canvas is a painter on a pseudo-terminal, without the goroutine that draws.
func canvas(t *testing.T) (*painter, func() string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := newPainter(slave, slave, []string{"TERM=xterm-256color"}, colorprofile.Ascii)
	if err := p.takeOver(); err != nil {
		t.Fatal(err)
	}
	close(p.stop)
	p.paused.Wait()
	p.stop = make(chan struct{})
	var mu sync.Mutex
	var out bytes.Buffer
	more := sync.NewCond(&mu)
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			mu.Lock()
			out.Write(buffer[:n])
			more.Broadcast()
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = slave.Close(); <-read; _ = master.Close() })
	return p, func() string { // everything up to a mark that is written now
		const mark = "\x1b]mark\x07"
		_, _ = io.WriteString(slave, mark)
		mu.Lock()
		defer mu.Unlock()
		for {
			if before, _, found := strings.Cut(out.String(), mark); found {
				out.Reset()
				return before
			}
			more.Wait()
		}
	}
}

func withCursor(text string, x int) tea.View {
	v := tea.NewView(text)
	v.Cursor = tea.NewCursor(x, 0)
	return v
}

// TestNothingNewIsNotDrawn: the terminal gets what has changed, and nothing where nothing has.
func TestNothingNewIsNotDrawn(t *testing.T) {
	t.Parallel()
	p, written := canvas(t)
	p.show(withCursor("hello\nworld", 1))
	if p.draw() {
		t.Error("drawn before the size of the window is known")
	}
	p.resize(20, 4)
	if out := written(); !strings.HasPrefix(out, "\x1b[?1049h") {
		t.Errorf("the full screen: %q", out)
	}
	if !p.draw() {
		t.Error("the first view is not drawn")
	}
	if out := written(); !strings.Contains(out, "hello") || !strings.Contains(out, "world") ||
		!strings.HasSuffix(out, "\x1b[?25h") {
		t.Errorf("the first view: %q", out)
	}
	for name, step := range map[string]func(){
		"the same view":  func() { p.show(withCursor("hello\nworld", 1)) },
		"no view at all": func() { p.wake() },
	} {
		step()
		if p.draw() {
			t.Errorf("%s is drawn", name)
		}
	}
	p.show(withCursor("hello\nworms", 1))
	p.draw()
	if out := written(); strings.Contains(out, "hello") || !strings.Contains(out, "ms") {
		t.Errorf("one word changed: %q", out)
	}
	p.show(withCursor("hello\nworms", 3))
	if !p.draw() || strings.Contains(written(), "wo") {
		t.Error("only the cursor moved")
	}
	p.resize(30, 4)
	p.draw()
	if out := written(); !strings.Contains(out, "hello") || !strings.Contains(out, "worms") {
		t.Errorf("a new size: %q", out)
	}
	p.send("extra")
	if !p.draw() || written() != "extra" {
		t.Error("a sequence alone")
	}
}

// TestGivenBack: whatever was switched on is switched off, once.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	p, written := canvas(t)
	p.send("late")
	on := written()
	p.giveBack()
	off := written()
	p.giveBack()
	for _, mode := range []string{"?1049", "?2004"} {
		if !strings.Contains(on, "\x1b["+mode+"h") || !strings.Contains(off, "\x1b["+mode+"l") {
			t.Errorf("mode %s: %q, %q", mode, on, off)
		}
	}
	if !strings.HasPrefix(off, "late") || !strings.Contains(off, "\x1b[?25h") || !strings.Contains(off, "\x1b[<1u") {
		t.Errorf("%q", off)
	}
	if twice := written(); twice != "" {
		t.Errorf("given back twice: %q", twice)
	}
}

// bad breaks down where it is asked to.
type bad string

func (b bad) Init() tea.Cmd { return nil }

func (b bad) Update(tea.Msg) (tea.Model, tea.Cmd) {
	if b == "update" {
		panic("out of luck")
	}
	return b, nil
}

func (b bad) View() tea.View {
	if b == "view" {
		panic("out of luck")
	}
	return tea.NewView("")
}

// TestBrokenModel: the terminal is the shell's again before anyone reports a panic on it.
func TestBrokenModel(t *testing.T) {
	t.Parallel()
	for _, where := range []bad{"update", "view"} {
		p, written := canvas(t)
		written()
		func() {
			defer func() {
				if recover() == nil || !strings.Contains(written(), "\x1b[?1049l") {
					t.Errorf("%s: the full screen was not left, or the panic was lost", where)
				}
			}()
			m, _ := painted{where, p}.Update(nil)
			m.View()
		}()
	}
}

// TestClipboard: what is copied goes to the person's own terminal, encoded.
func TestClipboard(t *testing.T) {
	t.Parallel()
	p, written := canvas(t)
	painted{bad(""), p}.Update(clipboardMsg("v=spf1 -all"))
	p.draw()
	want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte("v=spf1 -all"))
	if out := written(); !strings.Contains(out, want) {
		t.Errorf("%q", out)
	}
}

// TestNoTerminalToTakeOver: a file in its place is an error, and nothing is written to it.
func TestNoTerminalToTakeOver(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	p := newPainter(file, file, nil, colorprofile.Ascii)
	if p.takeOver() == nil {
		t.Error("a file has no raw mode")
	}
	p.giveBack()
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Error("something was written")
	}
}

// TestDrawingPanics: a panic of the goroutine that draws ends the program that it belongs to, and no other; the
// terminal is given back first.
func TestDrawingPanics(t *testing.T) {
	t.Parallel()
	p, written := canvas(t)
	failed := make(chan struct{})
	p.failed = func() { close(failed) }
	if err := p.takeOver(); err != nil {
		t.Fatal(err)
	}
	p.show(tea.NewView("the last screen"))
	p.resize(1<<60, 1<<60) // no slice can be so long
	<-failed
	p.giveBack()
	if out := written(); !strings.Contains(out, "\x1b[?1049l") {
		t.Errorf("the terminal is not given back: %q", out)
	}
	if p.broken == nil || !strings.Contains(p.broken.Error(), "compose") {
		t.Errorf("broken: %v", p.broken)
	}
}
