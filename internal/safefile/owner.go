package safefile

import (
	"io/fs"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

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

// foreign is the error about a file that belongs to another user. In the home folder of this one it must have got there
// by mistake; anywhere else it may serve its owner, whom a new owner would lock out.
func foreign(path string, info fs.FileInfo) *Error {
	e := &Error{Op: "open", Path: path, Problem: ForeignOwner, Owner: userName(owner(info))}
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(path, filepath.Clean(home)+"/") {
		e.Fix = "chown " + currentUser() + " " + quote(path)
	}
	return e
}

// userName is the name of a user, or the id if the system has no name.
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return u.Username
	}
	return id
}

// currentUser is the user name for a chown line, or the shell's variable if the system has no name.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return quote(u.Username)
	}
	return `"$(id -u)"`
}

// Own reports whether a file belongs to this user or to root.
func Own(info fs.FileInfo) bool { return Files{}.own(owner(info)) }
