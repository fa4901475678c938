package served

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"
)

// backlog holds what was typed until the program reads it.
type backlog struct {
	most int

	mu    sync.Mutex
	news  sync.Cond
	data  bytes.Buffer
	ended bool
}

func newBacklog(most int) *backlog {
	b := &backlog{most: most}
	b.news.L = &b.mu
	return b
}

// room reports whether n octets more may wait.
func (b *backlog) room(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Len()+n <= b.most
}

// add returns false once nothing is written any more.
func (b *backlog) add(typed []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	_, _ = b.data.Write(typed) // never fails
	b.news.Signal()
	return true
}

// end lets writeTo return once it has written what waits.
func (b *backlog) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.news.Signal()
}

// writeTo writes what is added, in order, until the end.
func (b *backlog) writeTo(w io.Writer) {
	piece := make([]byte, 1<<10) //nolint:mnd // enough for keys; what is in it does not count as waiting
	for {
		n := b.next(piece)
		if n == 0 {
			return
		}
		if _, err := w.Write(piece[:n]); err != nil {
			b.end()
			return
		}
	}
}

// next waits for something to write; 0 means the end.
func (b *backlog) next(piece []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.data.Len() == 0 && !b.ended {
		b.news.Wait()
	}
	n, _ := b.data.Read(piece) // an empty buffer is no error of interest
	return n
}

// The marks around a paste (xterm, bracketed paste mode). They are of one length.
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// pastePause is how long a paste may pause before its end mark counts as lost. A line may stall for seconds in the
// middle of one; ctrl+c is the way out until then.
const pastePause = 8 * time.Second

// sieve drops what is more than the limits allow. A paste of which something was dropped ends there, with its mark, and
// the rest of it is dropped too: without the mark the program would take every later key for a part of it, and what
// comes after the mark would be keys.
type sieve struct {
	pasting bool // the client is between the marks
	open    bool // so is the program
	cut     bool // the rest of the paste is dropped
	passed  int  // octets that were passed on since something was dropped
	tail    [len(pasteEnd)]byte
	last    time.Time
}

// pass returns what the program gets of what the client sent. allowed says whether the limits have room for it.
func (s *sieve) pass(sent []byte, now time.Time, allowed bool) []byte {
	if s.cut && now.Sub(s.last) > pastePause {
		*s = sieve{}
	}
	s.last = now
	out := make([]byte, 0, len(sent)+len(pasteEnd))
	if !allowed && (s.open || s.torn()) {
		out = append(out, pasteEnd...)
	}
	s.open = s.open && allowed
	for len(sent) > 0 {
		piece := firstPiece(sent)
		sent = sent[len(piece):]
		s.cut = s.cut || s.pasting && !allowed
		if s.cut && piece[0] == ctrlC {
			*s = sieve{last: now} // terminals leave ctrl+c out of what is pasted, so this is the key
		}
		if allowed && !s.cut {
			out = append(out, piece...)
			s.passed += len(piece)
		} else {
			s.passed = 0
		}
		s.follow(piece)
	}
	return out
}

// firstPiece goes up to what may be the end of a mark, or up to a ctrl+c, which is a piece by itself.
func firstPiece(sent []byte) []byte {
	switch n := bytes.IndexAny(sent, "~\x03"); {
	case n < 0:
		return sent
	case n > 0 && sent[n] == ctrlC:
		return sent[:n]
	default:
		return sent[:n+1]
	}
}

// follow follows the marks of the client.
func (s *sieve) follow(piece []byte) {
	last := piece[max(0, len(piece)-len(s.tail)):]
	copy(s.tail[:], s.tail[len(last):])
	copy(s.tail[len(s.tail)-len(last):], last)
	switch string(s.tail[:]) {
	case pasteBegin:
		if !s.pasting {
			s.pasting, s.open = true, s.passed >= len(pasteBegin)
			s.cut = !s.open
		}
	case pasteEnd:
		s.pasting, s.open, s.cut = false, false, false
	}
}

// torn reports whether what was passed on ends in the beginning of a mark, which octets of a later one must not
// complete.
func (s *sieve) torn() bool {
	for n := 1; n <= min(s.passed, len(s.tail)-1); n++ {
		if end := string(s.tail[len(s.tail)-n:]); strings.HasPrefix(pasteBegin, end) || strings.HasPrefix(pasteEnd, end) {
			return true
		}
	}
	return false
}
