package command

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"postier/internal/pattern"
	"postier/tui/plain"
)

// Keep keeps what is printed on a terminal from now on, besides showing it, until the text is taken. It is the text as
// the terminal shows it: without colours, and without the lines of a status block that were erased.
func (s *Streams) Keep() (text func() string) {
	out, errs := s.Out, s.Err
	k := &keeper{}
	s.keeper, s.Out = k, keeping{out, k}
	if plain.IsTerminal(errs) {
		s.Err = keeping{errs, k}
	}
	return func() string {
		s.keeper, s.Out, s.Err = nil, out, errs
		return k.text()
	}
}

// keeper holds what was printed; a command may print from several goroutines.
type keeper struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

// erasing moves up over lines and clears to the end of the screen (ECMA-48 CUU, ED). It is printed on its own.
const erasing = "\x1b[%dA\x1b[J"

// colours are the only other sequences that are printed (ECMA-48 SGR): text from elsewhere is escaped.
var colours = pattern.Of(`\x1b\[[0-9;]*m`)

func (k *keeper) write(p []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	lines := 0
	if _, err := fmt.Sscanf(string(p), erasing, &lines); err != nil { // it is text
		k.kept.Write(p)
		return
	}
	for range lines {
		rest := bytes.TrimSuffix(k.kept.Bytes(), []byte("\n"))
		k.kept.Truncate(bytes.LastIndexByte(rest, '\n') + 1)
	}
}

func (k *keeper) text() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return colours().ReplaceAllString(k.kept.String(), "")
}

// typed is the end of the line that the person typed: the terminal shows it, and nothing prints it.
func (k *keeper) typed() {
	if k != nil {
		k.write([]byte("\n"))
	}
}

// keeping is a terminal whose output is kept.
type keeping struct {
	io.Writer
	keeper *keeper
}

func (w keeping) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.keeper.write(p[:n])
	return n, err
}

// IsTerminal reports whether it stands before a terminal.
func (w keeping) IsTerminal() bool { return plain.IsTerminal(w.Writer) }

// Erase moves up over printed lines and clears what is below.
func Erase(w io.Writer, lines int) { _, _ = fmt.Fprintf(w, erasing, lines) }
