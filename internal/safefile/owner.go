package safefile

import (
	"io/fs"
	"math"
	"os/user"
	"syscall"
)

// owner returns the user id of a file, or an id that is nobody's when the system does not say.
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

// currentUser is the name for a chown line; the shell's own variable serves when the system has no name.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return quote(u.Username)
	}
	return `"$(id -u)"`
}
