package tui

import (
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"

	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
)

// BenchmarkBytesPerKey types an address into the first screen of a child process in an SSH environment, waiting for
// each key to be drawn, and reports how many bytes the terminal is sent a key.
func BenchmarkBytesPerKey(b *testing.B) {
	child, sent := benchChild(b)
	before := sent.waitForEnd()
	keys := 0
	for b.Loop() {
		_, _ = child.WriteString(string(rune('a' + keys%26)))
		keys++
		sent.waitForMore()
		if keys%40 == 0 { // start the line again before it scrolls sideways
			_, _ = child.WriteString("\x15")
			sent.waitForEnd()
		}
	}
	b.ReportMetric(float64(sent.waitForEnd()-before)/float64(keys), "B/key")
}

// BenchmarkFirstFrame starts the program and waits for the first frame on its terminal.
func BenchmarkFirstFrame(b *testing.B) {
	for b.Loop() {
		_, sent := benchChild(b)
		sent.waitForMore()
	}
}

// BenchmarkDraw measures one drawing of a screen, without a terminal.
func BenchmarkDraw(b *testing.B) {
	s, _ := wizard.New(wizard.Options{Today: "2026-11-21"})
	conversation := carrier.Start(b.Context(), s, nil, autoWorker{})
	defer conversation.Close()
	m := newModel(conversation, Options{Lang: locale.French}, testTheme())
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	for b.Loop() {
		m.View()
	}
}

// counter counts the bytes that are written to it.
type counter struct {
	n    atomic.Int64
	seen int64
}

func (c *counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

// waitForMore waits until more has been written than at its last call.
func (c *counter) waitForMore() {
	for c.n.Load() == c.seen {
		time.Sleep(200 * time.Microsecond)
	}
	c.seen = c.n.Load()
}

// waitForEnd waits until nothing more is written, and returns how much there is.
func (c *counter) waitForEnd() int64 {
	const quiet = 150 * time.Millisecond
	for {
		n := c.n.Load()
		time.Sleep(quiet)
		if c.n.Load() == n {
			c.seen = n
			return n
		}
	}
}

func benchChild(b *testing.B) (*os.File, *counter) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"TERM=xterm-256color", "SSH_TTY=/dev/pts/9", "LANG=fr_FR.UTF-8", childVariable + "=wizard"}
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = master.Close()
	})
	sent := &counter{}
	go func() { _, _ = io.Copy(sent, master) }()
	return master, sent
}
