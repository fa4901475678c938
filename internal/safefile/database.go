package safefile

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// sideFiles are the endings of SQLite's names for the files next to a database. Their content is part of it.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// Database makes sure that a file which SQLite opens by name is as private as what Read accepts, and creates it first
// where it is missing: SQLite would do so by the umask. It follows no symbolic link, since SQLite would put its other
// files next to the target.
func Database(path string) error { return Files{}.Database(path) }

// Database is the function Database.
func (f Files) Database(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return wrap("open", path, err)
	}
	if err := f.makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	file, err := createPrivate(path)
	switch {
	case err == nil:
		_ = file.Close()
	case !errors.Is(err, fs.ErrExist):
		return wrap("create", path, err)
	}
	// The files are not opened here: closing them again would end the locks that SQLite has on them in this process.
	for _, ending := range append([]string{""}, sideFiles...) {
		info, err := os.Lstat(path + ending)
		if ending != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return wrap("open", path+ending, err)
		}
		if err := f.check(info, nil, path+ending, ReadOptions{Limit: math.MaxInt64}); err != nil {
			return err
		}
	}
	return nil
}
