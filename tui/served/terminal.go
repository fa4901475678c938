package served

import (
	"bytes"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
	"golang.org/x/time/rate"

	"postier/tui"
)

// terminal is the pseudo-terminal of a session. The front ends find on it what they find on any other: lines with echo
// and editing, a raw mode, a size. Between it and the client stand the limits.
type terminal struct {
	master, slave *os.File

	activity
	keys      *rate.Limiter
	interrupt func()

	full atomic.Bool // the full-screen mode of the client's terminal is on
	tail []byte      // the end of what was written, in which a sequence may have begun

	mu      sync.Mutex
	size    pty.Winsize
	resized map[int]func()
	numbers int
	resizer *time.Timer
}

// Sizes of a window. A greater one costs memory with every frame; a smaller one, which serial lines report, is drawn as
// the usual one.
const (
	maxColumns, maxRows     = 500, 200
	usualColumns, usualRows = 80, 24
)

// resizePause is how long further changes of the size are waited for: a window that is dragged sends hundreds.
const resizePause = 40 * time.Millisecond

// Keys come from a person or from a paste. What comes faster for longer is dropped.
const (
	keysPerSecond = 4 << 10
	keysAtOnce    = utf8.UTFMax*tui.MaxTyped + len(pasteBegin) + len(pasteEnd) // a whole field, pasted
)

// clamp brings what a client said of its window into a range in which it can be drawn.
func clamp(columns, rows uint32) pty.Winsize {
	if columns == 0 || rows == 0 {
		columns, rows = usualColumns, usualRows
	}
	return pty.Winsize{Cols: uint16(min(columns, maxColumns)), Rows: uint16(min(rows, maxRows))}
}

func openTerminal(size pty.Winsize, interrupt func()) (*terminal, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	polled, err := polled(master)
	if err == nil {
		err = pty.Setsize(slave, &size)
	}
	if err != nil {
		_ = slave.Close()
		return nil, err
	}
	t := &terminal{
		master: polled, slave: slave, size: size, resized: map[int]func(){}, interrupt: interrupt,
		keys: rate.NewLimiter(keysPerSecond, keysAtOnce),
	}
	t.press()
	return t, nil
}

// hangUp ends what the program reads, as a lost line does. The program's side stays open as long as it may be used.
func (t *terminal) hangUp() {
	t.mu.Lock()
	if t.resizer != nil {
		t.resizer.Stop()
	}
	t.resized = nil
	t.mu.Unlock()
	_ = t.master.Close()
}

// close gives both sides back, when the program has ended.
func (t *terminal) close() {
	t.hangUp()
	_ = t.slave.Close()
}

// activity is when the last key came.
type activity struct{ pressed atomic.Int64 }

func (a *activity) press() { a.pressed.Store(time.Now().UnixNano()) }

// idle is how long no key has come.
func (a *activity) idle() time.Duration { return time.Since(time.Unix(0, a.pressed.Load())) }

// resize takes over the size of the client's window, the last one of many in a row.
func (t *terminal) resize(size pty.Winsize) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size == size || t.resized == nil {
		return
	}
	t.size = size
	if t.resizer == nil {
		t.resizer = time.AfterFunc(resizePause, t.announce)
		return
	}
	t.resizer.Reset(resizePause)
}

func (t *terminal) announce() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resized == nil {
		return // closed
	}
	size := t.size
	_ = pty.Setsize(t.slave, &size)
	for _, notify := range t.resized {
		notify()
	}
}

// onResize calls notify after each change of the size, until stop.
func (t *terminal) onResize(notify func()) (stop func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resized == nil {
		return func() {}
	}
	number := t.numbers
	t.numbers++
	t.resized[number] = notify
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.resized, number)
	}
}

// lastKeys is how long the program may take to read what the client sent before its end.
const lastKeys = 2 * time.Second

// typeFrom copies what the client sends to the terminal, as far as the limits allow. It does not wait for the program:
// a flood that a slow program held up would come at a pace that the limits allow, and its owner's next key after all of
// it. Once the client has ended, the program has a moment to read what is left; one that hangs holds up no session.
func (t *terminal) typeFrom(client io.Reader) {
	typed := newBacklog(keysAtOnce)
	written := make(chan struct{})
	go func() { defer close(written); typed.writeTo(t.master) }()
	defer func() {
		typed.end()
		select {
		case <-written:
		case <-time.After(lastKeys): // hangUp ends the writing
		}
	}()
	buffer := make([]byte, 4<<10) //nolint:mnd // a terminal's own buffer has as much
	var limit sieve
	for {
		n, err := client.Read(buffer)
		if n > 0 {
			t.press()
			now := time.Now()
			passed := limit.pass(buffer[:n], now, typed.room(n) && t.keys.AllowN(now, n))
			if bytes.IndexByte(passed, ctrlC) >= 0 && t.cooked() {
				t.interrupt() // no process group is behind this terminal that the kernel could tell
				continue
			}
			if !typed.add(passed) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

const ctrlC = 0x03

// cooked reports whether the terminal gives out whole lines, and would turn ctrl+c into a signal.
func (t *terminal) cooked() bool {
	raw, err := t.slave.SyscallConn()
	if err != nil {
		return false
	}
	lines := false
	_ = raw.Control(func(fd uintptr) {
		lines = cooked(int(fd))
	})
	return lines
}

// The sequences that switch the full-screen mode on and off.
var enter, leave = []byte("\x1b[?1049h"), []byte("\x1b[?1049l")

// restore is what a front end that was cut off had no time to send: it leaves the full screen, shows the cursor, and
// switches off what may have been switched on (the cursor's form, pastes with marks, focus, extended keys, colours).
const restore = "\x1b[0 q\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[>4;0m\x1b[0m\x1b[2J\x1b[H\x1b[?1049l\x1b[?25h"

// drawTo copies what the front end draws to the client.
func (t *terminal) drawTo(client io.Writer) {
	buffer := make([]byte, 8<<10) //nolint:mnd // two frames
	for {
		n, err := t.master.Read(buffer)
		if n > 0 {
			t.watch(buffer[:n])
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // EIO once the last one has closed the terminal
		}
	}
}

// watch remembers whether the client's terminal is in its full-screen mode.
func (t *terminal) watch(drawn []byte) {
	t.tail = append(t.tail, drawn...)
	on, off := bytes.LastIndex(t.tail, enter), bytes.LastIndex(t.tail, leave)
	if on >= 0 || off >= 0 {
		t.full.Store(on > off)
	}
	keep := min(len(t.tail), len(enter)-1)
	t.tail = append(t.tail[:0], t.tail[len(t.tail)-keep:]...)
}

// quiet is how long the end of what was drawn is waited for after a front end has ended, where something else still has
// the terminal open. Otherwise its end follows what was drawn at once.
const quiet = 2 * time.Second

// drain waits until the client has what was drawn, or until nothing more comes.
func (t *terminal) drain(drawn <-chan struct{}) {
	t.mu.Lock()
	t.resized = nil
	_ = t.slave.Close()
	t.mu.Unlock()
	_ = t.master.SetReadDeadline(time.Now().Add(quiet))
	<-drawn
}
