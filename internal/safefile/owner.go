package safefile

import (
	"io/fs"
	"math"
	"os/user"
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

// currentUser is the user name for a chown line, or the shell's variable if the system has no name.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return quote(u.Username)
	}
	return `"$(id -u)"`
}
