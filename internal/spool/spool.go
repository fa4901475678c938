// Package spool holds the text of large messages outside memory: what is read of it is one piece at a time.
package spool

import (
	"errors"
	"io"
	"iter"
	"os"
)

// PieceSize is how much of a text is in memory at once, in octets.
const PieceSize = 256 << 10

// Text is a text outside memory. It can be read any number of times.
type Text interface {
	// Size is its length in octets.
	Size() int64
	// Pieces iterates over the text; each piece is overwritten by the next one. An error is the last pair.
	Pieces() iter.Seq2[[]byte, error]
}

// Size is the length of a text, of which there may be none.
func Size(t Text) int64 {
	if t == nil {
		return 0
	}
	return t.Size()
}

// Reader reads what is in memory of a text, and then the rest of it.
func Reader(start []byte, rest Text) io.Reader {
	if rest == nil {
		rest = &File{}
	}
	return &reader{start: start, rest: rest}
}

// reader pulls one piece after the other.
type reader struct {
	start []byte
	rest  Text
	next  func() ([]byte, error, bool)
	stop  func()
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.start) == 0 {
		if r.next == nil {
			r.next, r.stop = iter.Pull2(r.rest.Pieces())
		}
		piece, err, more := r.next()
		switch {
		case !more:
			return 0, io.EOF
		case err != nil:
			r.stop()
			return 0, err
		}
		r.start = piece
	}
	n := copy(p, r.start)
	r.start = r.start[n:]
	return n, nil
}

// File is a Text in a temporary file that has no name: nothing of it stays when the process ends, and no one else can
// open it. Where no file can be made or written, it is in memory. The zero File is empty.
type File struct {
	file           *os.File
	memory         []byte
	size           int64
	opened, closed bool
}

// Write appends to the text. A full disk is no error: a message is not lost because a temporary folder is full.
func (f *File) Write(p []byte) (int, error) {
	if f.closed {
		return 0, os.ErrClosed
	}
	if !f.opened {
		f.opened = true
		f.file = create()
	}
	if f.file != nil {
		if _, err := f.file.WriteAt(p, f.size); err == nil {
			f.size += int64(len(p))
			return len(p), nil
		}
		if err := f.load(); err != nil {
			return 0, err
		}
	}
	f.memory = append(f.memory, p...)
	f.size += int64(len(p))
	return len(p), nil
}

// create makes a file that only this process can reach, nil where that is not possible.
func create() *os.File {
	file, err := os.CreateTemp("", "postier-") // mode 0600
	if err != nil {
		return nil
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil
	}
	return file
}

// load moves the text into memory.
func (f *File) load() error {
	text := make([]byte, f.size)
	if _, err := f.file.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	f.memory = text
	_ = f.file.Close()
	f.file = nil
	return nil
}

// Size implements Text.
func (f *File) Size() int64 { return f.size }

// Pieces implements Text.
func (f *File) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if f.closed {
			yield(nil, os.ErrClosed)
			return
		}
		if f.file == nil {
			for rest := f.memory; len(rest) > 0; {
				piece := rest[:min(len(rest), PieceSize)]
				if !yield(piece, nil) {
					return
				}
				rest = rest[len(piece):]
			}
			return
		}
		buffer := make([]byte, min(f.size, PieceSize))
		for at := int64(0); at < f.size; {
			piece := buffer[:min(f.size-at, PieceSize)]
			if _, err := f.file.ReadAt(piece, at); err != nil {
				yield(nil, err)
				return
			}
			if !yield(piece, nil) {
				return
			}
			at += int64(len(piece))
		}
	}
}

// Close frees what the text takes. It cannot be read any more.
func (f *File) Close() {
	if f.file != nil {
		_ = f.file.Close()
	}
	f.file, f.memory, f.closed = nil, nil, true
}
