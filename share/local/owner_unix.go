//go:build unix

package local

import (
	"os"
	"syscall"
)

// owner is the user to whom a folder belongs; ok is false where others can enter it, or it is no folder.
func owner(dir string) (uid int, ok bool) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
