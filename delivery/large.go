package delivery

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"postier/internal/safetext"
	"postier/internal/smtp"
	"postier/internal/spool"
)

// Of a large message only the beginning is in memory: its header and some of the body. The rest is in a temporary file
// until the message is stored, and then in the parts of the store (text.go).

// inMemory is how much of a message is in memory at most, in octets. It is more than a header may have.
const inMemory = 1 << 20

// Read reads a message. With dot, a line holding a dot alone ends it, as sendmail without -i does; what follows is not
// read.
func Read(r io.Reader, dot bool) (*Message, error) { return readUpTo(r, dot, MaxMessage) }

func readUpTo(r io.Reader, dot bool, most int) (*Message, error) {
	if dot {
		r = &dotEnded{in: bufio.NewReader(r), start: true}
	}
	start, err := readAll(r, min(most, inMemory)+1)
	switch {
	case err != nil:
		return nil, err
	case len(start) > most:
		return nil, ErrTooLarge
	case len(start) <= inMemory:
		return Parse(start)
	}
	// The parts are converted apart, so the first one ends with a line.
	cut := bytes.LastIndexByte(start, '\n') + 1
	m, err := Parse(start[:cut])
	if err == nil && len(m.body) > 0 {
		return m, m.readRest(io.MultiReader(bytes.NewReader(start[cut:]), r), most-cut)
	}
	if err != nil && !errors.Is(err, ErrEmpty) {
		return nil, err
	}
	// The header does not end there, or there is no end of a line at all. Such a message has to be encoded as a whole.
	rest, err := readAll(r, most-len(start)+1)
	switch {
	case err != nil:
		return nil, err
	case len(start)+len(rest) > most:
		return nil, ErrTooLarge
	}
	return Parse(append(start, rest...))
}

func readAll(r io.Reader, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(most)))
	if err != nil {
		return nil, readError(err)
	}
	return data, nil
}

func readError(err error) error { return fmt.Errorf("read the message: %w", err) }

// readRest reads what follows the body's beginning.
func (m *Message) readRest(r io.Reader, most int) error {
	m.rest = &overflow{}
	var ends smtp.LineEnds
	in, out := make([]byte, spool.PieceSize/4), make([]byte, 0, spool.PieceSize/2)
	for {
		n, err := io.ReadFull(r, in)
		if most -= n; most < 0 {
			m.rest.Close()
			return ErrTooLarge
		}
		out = ends.Append(out[:0], in[:n])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if last && m.rest.Size()+int64(len(out)) > 0 {
			out = ends.End(out)
		}
		if failed := m.rest.add(out); failed != nil || err != nil && !last {
			m.rest.Close()
			return readError(errors.Join(failed, err))
		}
		if last {
			if m.rest.Size() == 0 {
				m.rest = nil
			}
			return nil
		}
	}
}

// overflow is the rest of a large message, with what its encoding depends on.
type overflow struct {
	spool.File
	line, longest int
	nul, eight    bool
}

// add appends to the rest; its line ends are CRLF.
func (o *overflow) add(text []byte) error {
	for part := range bytes.Lines(text) {
		o.line += len(part)
		o.longest = max(o.longest, o.line-len("\r\n"))
		if part[len(part)-1] == '\n' {
			o.line = 0
		}
	}
	o.nul = o.nul || bytes.IndexByte(text, 0) >= 0
	o.eight = o.eight || !safetext.IsASCII(text)
	_, err := o.Write(text)
	return err
}

func (o *overflow) needsEncoding(seven bool) bool {
	return o != nil && (o.longest > maxLineOctets || o.nul || seven && o.eight)
}

// text is the rest as others read it, nil where there is none.
func (o *overflow) text() spool.Text {
	if o == nil {
		return nil
	}
	return o
}

// gather moves the whole message into memory, where it is encoded.
func (m *Message) gather() error {
	if m.rest == nil {
		return nil
	}
	m.body = slices.Grow(m.body, int(m.rest.Size()))
	for piece, err := range m.rest.Pieces() {
		if err != nil {
			return err
		}
		m.body = append(m.body, piece...)
	}
	m.rest.Close()
	m.rest = nil
	return nil
}

// Size is the length of the message on the wire, without dot-stuffing.
func (m *Message) Size() int64 { return int64(m.size()) + spool.Size(m.rest.text()) }

// WriteTo writes the message as it goes over the wire, without dot-stuffing.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, spool.Reader(m.Bytes(), m.rest.text()))
}

// Close frees what a large message takes outside memory. A message that was submitted belongs to the queue.
func (m *Message) Close() {
	if m.rest != nil {
		m.rest.Close()
	}
}

// dotEnded reads up to a line holding a dot alone.
type dotEnded struct {
	in    *bufio.Reader
	piece []byte
	start bool // of a line
	over  bool
}

func (d *dotEnded) Read(p []byte) (int, error) {
	for len(d.piece) == 0 {
		if d.over {
			return 0, io.EOF
		}
		piece, err := d.in.ReadSlice('\n')
		whole := err == nil || errors.Is(err, io.EOF)
		switch {
		case whole && d.start && string(bytes.TrimRight(piece, "\r\n")) == ".":
			d.over = true
			continue
		case errors.Is(err, io.EOF):
			d.over = true
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
		d.piece, d.start = piece, err == nil
	}
	n := copy(p, d.piece)
	d.piece = d.piece[n:]
	return n, nil
}
