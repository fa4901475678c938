package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A reader notices every change of its file: a new file in its place, and one that was written in place.
func TestReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	const text = `{"version": 1, "profiles": {}, "fallback": ""}`
	write := func(text string, old time.Duration) {
		t.Helper()
		at := time.Now().Add(-old)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	reader := NewReader(path)
	read := func() *Document {
		t.Helper()
		doc, err := reader.LoadValid()
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	write(text, time.Hour)
	first := read()
	if read() != first {
		t.Error("an unchanged file is read again")
	}
	write(text+"\n", time.Hour)
	if read() == first {
		t.Error("another size is not noticed")
	}
	write(text+"\n", time.Minute)
	second := read()
	if second == first {
		t.Error("another time is not noticed")
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write(text+"\n", time.Minute)
	if read() == second {
		t.Error("another file is not noticed")
	}
	write(text, 0)
	third := read()
	if read() == third {
		t.Error("a file that was just written may change within the same time")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.LoadValid(); err == nil {
		t.Error("a file that is gone is not noticed")
	}
}
