//go:build unix

package safefile

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// NoFollow, among the flags of opening a file, refuses a symbolic link.
const NoFollow = syscall.O_NOFOLLOW

// The modes.
const (
	othersRead fs.FileMode = 0o015 // any right of others but that of changing, and the group's to execute
	groupRead  fs.FileMode = 0o040
	writeMask  fs.FileMode = 0o022
)

// openToRead opens without waiting: a FIFO has perhaps no writer.
func openToRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|NoFollow|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
}

// createPrivate makes a file that was not there. Its mode can still be narrower, by the umask.
func createPrivate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|NoFollow|syscall.O_CLOEXEC, filePerm)
}

// mkdirPrivate makes a folder. The umask may have removed permissions, and the owner needs all three.
func mkdirPrivate(dir string) error {
	if err := os.Mkdir(dir, folderPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(dir, folderPerm)
}

func rename(from, to string) error { return os.Rename(from, to) }

// keepOwner gives a new file to the owner of the one that it will replace.
func keepOwner(file *os.File, target string) error {
	info, err := os.Lstat(target)
	if err != nil || owner(info) == uint32(os.Geteuid()) {
		return nil
	}
	return file.Chown(int(owner(info)), int(group(info)))
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	// Some file systems cannot sync a folder and say EINVAL; the rename is still atomic there.
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// accessTo reads the mode. A sticky folder such as /tmp lets no one rename what belongs to another user.
func (f Files) accessTo(info fs.FileInfo, _ *os.File, _ string) (access, error) {
	mode := info.Mode()
	a := access{
		own: f.own(owner(info)), groupRead: mode&groupRead != 0, read: mode&othersRead != 0, write: mode&writeMask != 0,
	}
	if info.IsDir() && mode&fs.ModeSticky != 0 {
		a.write = false
	}
	if !a.own {
		a.owner = userName(owner(info))
	}
	return a, nil
}

func (f Files) own(uid uint32) bool {
	self := uint32(os.Geteuid()) //nolint:gosec // user ids are 32 bits wide on every Unix
	if f.uid != nil {
		self = f.uid()
	}
	return uid == self || uid == 0
}

// Own reports whether a file belongs to this user or to root.
func Own(info fs.FileInfo) bool { return Files{}.own(owner(info)) }

// owner returns the user id of a file, or an id that no user has if the system does not tell.
func owner(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Uid
	}
	return math.MaxUint32
}

func group(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Gid
	}
	return math.MaxUint32
}

// userName is the name of a user, or the id if the system has no name.
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return u.Username
	}
	return id
}

// remedy is how an access that is too wide is narrowed.
type remedy struct{}

func (remedy) fixFile(path string, options ReadOptions) string {
	if options.Public {
		return "chmod go-w " + quote(path)
	}
	return "chmod 600 " + quote(path)
}

func (remedy) fixFolder(dir string) string { return "chmod go-w " + quote(dir) }

func fixOwner(path string) string { return "chown " + currentUser() + " " + quote(path) }

// currentUser is the user name for a chown line, or the shell's variable if the system has no name.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return quote(u.Username)
	}
	return `"$(id -u)"`
}

// quote writes a word for a POSIX shell.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%,") == "" &&
		word[0] != '-' {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// classify knows the errors that are the system's own.
func classify(err error) Problem {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return DiskFull
	case errors.Is(err, syscall.EROFS):
		return ReadOnly
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENXIO):
		return NotRegular
	}
	return Failed
}
