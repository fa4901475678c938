package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// text is longer than a piece, and no two pieces are alike.
func text() []byte {
	out := make([]byte, 2*PieceSize+7)
	for i := range out {
		out[i] = byte(i / 251)
	}
	return out
}

func written(t *testing.T, text []byte) *File {
	t.Helper()
	f := &File{}
	for part := range bytes.Lines(text) {
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// A text is read as it was written, any number of times, and leaves nothing in the folder.
func TestFile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	f := written(t, text())
	if f.file == nil {
		t.Error("the text is in memory")
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
	for range 2 {
		read, err := io.ReadAll(Reader([]byte("start"), f))
		if err != nil || !bytes.Equal(read, append([]byte("start"), text()...)) || f.Size() != int64(len(text())) {
			t.Errorf("%d of %d octets came back, %v", len(read), f.Size(), err)
		}
	}
	f.Close()
	if read, err := io.ReadAll(Reader(nil, f)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%d octets of a closed text, %v", len(read), err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed text is written: %v", err)
	}
}

// Where no file can be made, or it cannot be written any more, the text is in memory.
func TestFileInMemory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	for name, f := range map[string]*File{"no folder": written(t, text()), "no room": fullDisk(t)} {
		read, err := io.ReadAll(Reader(nil, f))
		if err != nil || !bytes.Equal(read, text()) || f.file != nil {
			t.Errorf("%s: %d octets came back, %v", name, len(read), err)
		}
	}
}

// fullDisk is a file that takes no more after its first half.
func fullDisk(t *testing.T) *File {
	t.Helper()
	half := len(text()) / 2
	path := filepath.Join(t.TempDir(), "half")
	if err := os.WriteFile(path, text()[:half], 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path) // it can be read only
	if err != nil {
		t.Fatal(err)
	}
	f := &File{file: file, size: int64(half), opened: true}
	if _, err := f.Write(text()[half:]); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReaderWithoutRest(t *testing.T) {
	t.Parallel()
	if read, err := io.ReadAll(Reader([]byte("all"), nil)); err != nil || string(read) != "all" {
		t.Errorf("%q, %v", read, err)
	}
}
