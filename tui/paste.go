package tui

import (
	"bytes"
	"errors"
	"slices"
	"syscall"
	"time"
)

// The marks around pasted text (xterm, bracketed paste mode).
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

const (
	// pastePause is how long a paste may pause. On the way through Windows terminals, tmux and SSH its end mark may be
	// lost, and Bubble Tea would take every later key for pasted text.
	pastePause = time.Second
	// escapePause tells the key Esc from the beginning of a sequence.
	escapePause = 50 * time.Millisecond
	// maxPaste is how many octets of one paste are passed on; no field takes more.
	maxPaste = 64 << 10
)

// stopKeys are Ctrl-C and Esc, which always work. Terminals leave no control characters in pasted text, so that one of
// these is a key. The forms are those of the Kitty protocol and of xterm's modifyOtherKeys.
var stopKeys = []string{"\x03", "\x1b[99;5u", "\x1b[27u", "\x1b[27;1u", "\x1b[27;5;99~"}

// pasteGuard follows the marks in what a terminal sends, and ends a paste whose end mark does not come.
type pasteGuard struct {
	open bool
	// full is set once maxPaste was reached; the rest of the paste is dropped.
	full bool
	size int
	tail []byte // what may be the beginning of a mark or of a key, at most as long as the longest
}

// longest is the length of the longest sequence that is recognised.
const longest = 10

// pass returns what the reader gets for what the terminal sent. It is at most twice as long, and a mark.
func (g *pasteGuard) pass(sent []byte) []byte {
	out := make([]byte, 0, 2*len(sent)+len(pasteEnd))
	for _, c := range sent {
		if g.open && g.size >= maxPaste && !g.full {
			out = append(out, pasteEnd...)
			g.full = true
		}
		if !g.full {
			out = append(out, c)
		}
		if g.tail = append(g.tail, c); len(g.tail) > longest {
			g.tail = g.tail[1:]
		}
		if !g.open {
			if bytes.HasSuffix(g.tail, []byte(pasteBegin)) {
				g.open, g.size, g.tail = true, 0, nil
			}
			continue
		}
		g.size++
		switch key := g.stopKey(); {
		case bytes.HasSuffix(g.tail, []byte(pasteEnd)):
			*g = pasteGuard{}
		case key != "" && g.full:
			out = append(out, key...)
			*g = pasteGuard{}
		case len(key) > len(out): // it began in what was passed on before: it ends the paste and is lost
			out = append(out[:0], pasteEnd...)
			*g = pasteGuard{}
		case key != "":
			out = slices.Insert(out, len(out)-len(key), []byte(pasteEnd)...)
			*g = pasteGuard{}
		}
	}
	return out
}

// stopKey is the key with which the text ends, if any.
func (g *pasteGuard) stopKey() string {
	for _, key := range stopKeys {
		if bytes.HasSuffix(g.tail, []byte(key)) {
			return key
		}
	}
	return ""
}

// escaped reports whether the text ends in what may be the key Esc.
func (g *pasteGuard) escaped() bool { return g.open && bytes.HasSuffix(g.tail, []byte("\x1b")) }

// pressEscape is called when nothing followed an escape character: out, which ends in it, gets the paste's end before
// it.
func (g *pasteGuard) pressEscape(out []byte) []byte {
	if g.full {
		out = append(out, '\x1b')
	} else {
		out = slices.Insert(out, len(out)-1, []byte(pasteEnd)...)
	}
	*g = pasteGuard{}
	return out
}

// end is called when the paste has paused for too long.
func (g *pasteGuard) end(out []byte) []byte {
	if g.open && !g.full {
		out = append(out, pasteEnd...)
	}
	*g = pasteGuard{}
	return out
}

// watch passes what was read from a terminal through the guard. more waits for further input, and reports whether there
// is some.
func (g *pasteGuard) watch(sent []byte, more func(time.Duration) bool) []byte {
	out := g.pass(sent)
	switch {
	case g.escaped() && !more(escapePause):
		return g.pressEscape(out)
	case g.open && !more(pastePause):
		return g.end(out)
	}
	return out
}

// readable waits until a terminal has input. An error counts as input, so that reading reports it.
func readable(fd int, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); ; {
		left := time.Until(deadline)
		if left <= 0 {
			return false
		}
		n, err := awaitInput(fd, left)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return err != nil || n > 0
	}
}
