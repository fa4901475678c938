// Package safefile reads and writes the files that must stay private and intact: the configuration, secrets, drafts.
//
// A write leaves the old file or the new one, never a mixture and never nothing: it locks a separate file, fills a new
// file next to the target, syncs it, renames it over the target and syncs the folder. A read does not trust a path: it
// opens the file first and then checks whose the open file is and what others may do to it, by its owner and its mode
// or, on Windows, its access list.
package safefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// MaxSize is what a reader accepts: 1 MiB holds more than a thousand profiles.
	MaxSize  = 1 << 20
	maxLinks = 8 // symbolic links followed in a row; a user's own chains are short

	filePerm   fs.FileMode = 0o600
	folderPerm fs.FileMode = 0o700
)

// Files implements the functions of this package. The zero value works on the real file system; tests set a hook.
type Files struct {
	// before is called before each operation on the file system. If it returns an error, the operation fails; for "write",
	// half of the data is written first, as on a disk that fills up.
	before func(op, path string) error
	// uid replaces the user's own id in tests of ownership; nil means os.Geteuid.
	uid func() uint32
}

func (f Files) step(op, path string) error {
	if f.before == nil {
		return nil
	}
	return f.before(op, path)
}

// Read returns the content of a file that belongs to this user or to root, that no one else may read, in folders that
// no one else may change, and that is at most MaxSize octets long. A missing file is fs.ErrNotExist inside an *Error.
func Read(path string) ([]byte, error) { return Files{}.Read(path, ReadOptions{}) }

// ReadWith is Read with options.
func ReadWith(path string, options ReadOptions) ([]byte, error) { return Files{}.Read(path, options) }

// ReadOptions change what a reader accepts.
type ReadOptions struct {
	// Limit in octets; 0 means MaxSize.
	Limit int64
	// GroupRead accepts a file that its group may read: systemd shows the access list of a credential as such.
	GroupRead bool
	// Public accepts a file that everyone may read, because it holds no secret. Even then no one else may change it.
	Public bool
}

// Read is the function Read with options.
func (f Files) Read(path string, options ReadOptions) ([]byte, error) {
	if options.Limit == 0 {
		options.Limit = MaxSize
	}
	limit := options.Limit
	target, err := f.resolve(path)
	if err != nil {
		return nil, err
	}
	if err := f.checkFolders(filepath.Dir(target)); err != nil {
		return nil, err
	}
	if err := f.step("open", target); err != nil {
		return nil, wrap("open", target, err)
	}
	file, err := openToRead(target)
	if err != nil {
		return nil, wrap("open", target, err)
	}
	defer func() { _ = file.Close() }()
	if err := f.checkFile(file, target, options); err != nil {
		return nil, err
	}
	if err := f.step("read", target); err != nil {
		return nil, wrap("read", target, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, wrap("read", target, err)
	}
	if int64(len(data)) > limit { // the file grew after fstat
		return nil, &Error{Op: "read", Path: target, Problem: TooLarge, Limit: limit}
	}
	return data, nil
}

func (f Files) checkFile(file *os.File, path string, options ReadOptions) error {
	info, err := file.Stat()
	if err != nil {
		return wrap("stat", path, err)
	}
	return f.check(info, file, path, options)
}

// check judges a file that is open, or one that is not and only named by its path.
func (f Files) check(info fs.FileInfo, file *os.File, path string, options ReadOptions) error {
	if !info.Mode().IsRegular() {
		return &Error{Op: "open", Path: path, Problem: NotRegular}
	}
	a, err := f.accessTo(info, file, path)
	switch {
	case err != nil:
		return wrap("stat", path, err)
	case !a.own:
		return foreign(path, a)
	case a.tooOpen(options):
		return &Error{Op: "open", Path: path, Problem: TooOpen, Fix: a.fixFile(path, options)}
	case info.Size() > options.Limit:
		return &Error{Op: "open", Path: path, Problem: TooLarge, Limit: options.Limit}
	}
	return nil
}

// resolve makes the path absolute and follows symbolic links at its end that belong to this user or to root, so that a
// link into a dotfiles folder is followed and not replaced.
func (f Files) resolve(path string) (string, error) {
	target, err := filepath.Abs(path)
	if err != nil {
		return "", wrap("open", path, err)
	}
	for range maxLinks {
		if err := f.step("lstat", target); err != nil {
			return "", wrap("open", target, err)
		}
		info, err := os.Lstat(target)
		if errors.Is(err, fs.ErrNotExist) {
			return target, nil // the caller's open reports that, or creates it
		}
		if err != nil {
			return "", wrap("open", target, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return target, nil
		}
		if a, err := f.accessTo(info, nil, target); err != nil || !a.own {
			return "", &Error{Op: "open", Path: target, Problem: ForeignLink, Err: err}
		}
		if err := f.checkFolders(filepath.Dir(target)); err != nil {
			return "", err
		}
		next, err := os.Readlink(target)
		if err != nil {
			return "", wrap("open", target, err)
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(target), next)
		}
		target = next
	}
	return "", &Error{Op: "open", Path: path, Problem: NotRegular}
}

// checkFolders refuses a file that someone else could replace: every folder from its own up to the home folder, or up
// to the root, must belong to this user or to root and be writable by its owner only. A sticky folder such as /tmp is
// allowed, because the folder below it on the path is ours, and others cannot rename that.
func (f Files) checkFolders(dir string) error {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return wrap("open", dir, err)
	}
	dir = resolved
	home, _ := os.UserHomeDir()
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return wrap("stat", dir, err)
		}
		a, err := f.accessTo(info, nil, dir)
		switch {
		case err != nil:
			return wrap("stat", dir, err)
		case !a.own:
			return foreign(dir, a)
		case a.write:
			return &Error{Op: "open", Path: dir, Problem: FolderOpen, Fix: a.fixFolder(dir)}
		}
		if dir == home || dir == filepath.Dir(dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}
