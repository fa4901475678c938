package safefile

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockWait is how long a writer waits for another one: a save takes milliseconds, so that five seconds mean trouble.
	lockWait  = 5 * time.Second
	lockRetry = 20 * time.Millisecond
)

// Options say how a file is written.
type Options struct {
	// Backups is how many older versions are kept next to the file as NAME.bak1 (newest) to NAME.bakN, each 0600.
	Backups int
	// ForgetBackups removes all older versions and writes none, because the old content held a secret.
	ForgetBackups bool
	// Alone is for a file that is written whole and by nothing but this one call, such as a report: it takes no lock, so
	// that no lock file stays in a folder of the person's.
	Alone bool
	// Check is called under the lock with the current content, nil if there is none. An error stops the write.
	Check func(present []byte) error
}

// maxBackups is how many numbers ForgetBackups looks for.
const maxBackups = 9

// Write replaces the content of path, or creates it, with mode 0600 whatever the umask. Missing folders are made with
// mode 0700. An existing file must be one that Read would accept; its owner is kept. On an error the old file is
// untouched.
func Write(path string, data []byte, options Options) error {
	return Files{}.Write(path, data, options)
}

// Write is the function Write.
func (f Files) Write(path string, data []byte, options Options) error {
	target, err := f.resolve(path)
	if err != nil {
		return err
	}
	if err := f.makeFolder(filepath.Dir(target)); err != nil {
		return err
	}
	return about(target, f.write(target, data, options))
}

// about names the target in an error about a helper file next to it (lock, backup, temporary), because people do not
// know those files. The command that fixes the problem keeps the helper file's path.
func about(target string, err error) error {
	var own *Error
	if !errors.As(err, &own) || own.Fix != "" || own.Path == target || filepath.Dir(own.Path) != filepath.Dir(target) ||
		own.Problem == NotRegular {
		return err
	}
	named := *own
	named.Path = target
	return &named
}

func (f Files) write(target string, data []byte, options Options) error {
	if !options.Alone {
		unlock, err := f.lock(target)
		if err != nil {
			return err
		}
		defer unlock()
	}
	present, err := f.Read(target, ReadOptions{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		present = nil
	case err != nil:
		return err
	case present == nil:
		present = []byte{}
	}
	if options.Check != nil {
		if err := options.Check(present); err != nil {
			return err
		}
	}
	if options.Backups > 0 && present != nil && !options.ForgetBackups {
		if err := f.backup(target, present, options.Backups); err != nil {
			return err
		}
	}
	if err := f.replace(target, data); err != nil {
		return err
	}
	if options.ForgetBackups {
		f.forgetBackups(target)
	}
	return nil
}

// Remove deletes a file and its backups under the lock. A missing file is no error.
func Remove(path string) error { return Files{}.Remove(path) }

// Remove is the function Remove.
func (f Files) Remove(path string) error {
	target, err := f.resolve(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := f.checkFolders(filepath.Dir(target)); err != nil {
		return err
	}
	unlock, err := f.lock(target)
	if err != nil {
		return err
	}
	defer unlock()
	if err := f.step("remove", target); err != nil {
		return wrap("remove", target, err)
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap("remove", target, err)
	}
	f.forgetBackups(target)
	return f.syncFolder(filepath.Dir(target))
}

// makeFolder creates what is missing, each level 0700, and checks what is there.
func (f Files) makeFolder(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := f.makeFolder(filepath.Dir(dir)); err != nil {
			return err
		}
		if err := f.step("mkdir", dir); err != nil {
			return wrap("mkdir", dir, err)
		}
		if err := mkdirPrivate(dir); err != nil {
			return wrap("mkdir", dir, err)
		}
		return nil
	}
	return f.checkFolders(dir)
}

// lock takes an advisory lock on a separate file, because the file itself is replaced. The lock file stays: if it were
// removed, two writers could hold locks on two files with the same name.
func (f Files) lock(target string) (unlock func(), err error) {
	name := target + ".lock"
	if err := f.step("lock", name); err != nil {
		return nil, wrap("lock", name, err)
	}
	if err := makeLockFile(name); err != nil {
		return nil, err
	}
	lock := flock.New(name, flock.SetPermissions(filePerm), flock.SetFlag(os.O_RDWR|NoFollow))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	locked, err := lock.TryLockContext(ctx, lockRetry)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &Error{Op: "lock", Path: name, Problem: Locked, Err: err}
	case err != nil:
		return nil, wrap("lock", name, err)
	case !locked:
		return nil, &Error{Op: "lock", Path: name, Problem: Locked}
	}
	return func() { _ = lock.Unlock() }, nil
}

// makeLockFile creates the file and sets its mode explicitly, because under a strict umask the next writer could not
// open it.
func makeLockFile(name string) error {
	file, err := createPrivate(name)
	if err == nil {
		defer func() { _ = file.Close() }()
		if err := file.Chmod(filePerm); err != nil {
			return wrap("lock", name, err)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return wrap("lock", name, err)
	}
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return &Error{Op: "lock", Path: name, Problem: NotRegular}
	}
	return nil
}

// backup shifts the older versions by one and copies the present content to .bak1. The target stays in place
// throughout.
func (f Files) backup(target string, present []byte, keep int) error {
	for n := min(keep, maxBackups) - 1; n >= 1; n-- {
		from, to := backupName(target, n), backupName(target, n+1)
		if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := f.step("rename", from); err != nil {
			return wrap("rename", from, err)
		}
		if err := rename(from, to); err != nil {
			return wrap("rename", from, err)
		}
	}
	return f.replace(backupName(target, 1), present)
}

func backupName(target string, n int) string { return target + ".bak" + strconv.Itoa(n) }

// forgetBackups removes older versions; one that cannot be removed stays, with mode 0600.
func (f Files) forgetBackups(target string) {
	for n := 1; n <= maxBackups; n++ {
		if f.step("remove", backupName(target, n)) == nil {
			_ = os.Remove(backupName(target, n))
		}
	}
}

// replace writes a new file next to target and renames it over target.
func (f Files) replace(target string, data []byte) error {
	dir := filepath.Dir(target)
	temp := filepath.Join(dir, "."+filepath.Base(target)+"."+rand.Text()+".tmp")
	if err := f.fill(temp, target, data); err != nil {
		if f.step("remove", temp) == nil {
			_ = os.Remove(temp)
		}
		return err
	}
	err := f.step("rename", target)
	if err == nil {
		err = rename(temp, target)
	}
	if err != nil {
		if f.step("remove", temp) == nil {
			_ = os.Remove(temp)
		}
		return wrap("rename", target, err)
	}
	return f.syncFolder(dir)
}

// fill creates temp with the data on disk, owned as target is.
func (f Files) fill(temp, target string, data []byte) (err error) {
	if err := f.step("create", temp); err != nil {
		return wrap("create", temp, err)
	}
	file, err := createPrivate(temp)
	if err != nil {
		return wrap("create", temp, err)
	}
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = wrap("close", temp, closing)
		}
	}()
	if err := file.Chmod(filePerm); err != nil { // the umask may have removed the owner's permissions
		return wrap("chmod", temp, err)
	}
	if err := keepOwner(file, target); err != nil {
		return wrap("chown", temp, err)
	}
	if err := f.step("write", temp); err != nil {
		_, _ = file.Write(data[:len(data)/2])
		return wrap("write", temp, err)
	}
	if _, err := file.Write(data); err != nil {
		return wrap("write", temp, err)
	}
	if err := f.step("sync", temp); err != nil {
		return wrap("sync", temp, err)
	}
	if err := file.Sync(); err != nil {
		return wrap("sync", temp, err)
	}
	return nil
}

// syncFolder makes the rename survive a power cut.
func (f Files) syncFolder(dir string) error {
	if err := f.step("syncdir", dir); err != nil {
		return wrap("sync", dir, err)
	}
	if err := syncFolder(dir); err != nil {
		return wrap("sync", dir, err)
	}
	return nil
}
