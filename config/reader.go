package config

import (
	"io/fs"
	"os"
	"sync"
	"time"
)

// Reader reads a configuration again when its file has changed. It is safe for several goroutines.
type Reader struct {
	path string
	mu   sync.Mutex
	doc  *Document
	info fs.FileInfo
	// settled is true when the file was older than the clock of the file system is exact: what was written to it at the
	// moment of reading would not show.
	settled bool
}

// NewReader returns a Reader of a file.
func NewReader(path string) *Reader { return &Reader{path: path} }

// exact is how exact the times of a file are, on file systems that keep whole seconds or two.
const exact = 3 * time.Second

// LoadValid is LoadValid of the file. Callers share the document and must not change it.
func (r *Reader) LoadValid() (*Document, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(r.path)
	if err == nil && r.doc != nil && r.settled && os.SameFile(info, r.info) &&
		info.Size() == r.info.Size() && info.ModTime().Equal(r.info.ModTime()) {
		return r.doc, nil
	}
	doc, loadErr := LoadValid(r.path)
	if loadErr != nil {
		return nil, loadErr
	}
	r.doc, r.info, r.settled = doc, info, err == nil && time.Since(info.ModTime()).Abs() > exact
	return doc, nil
}
