//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package tui

import (
	"time"

	"golang.org/x/sys/unix"
)

// awaitInput waits for input by select, since poll takes no terminals on macOS.
func awaitInput(fd int, patience time.Duration) (int, error) {
	if fd >= unix.FD_SETSIZE {
		return 1, nil // reading waits instead
	}
	var set unix.FdSet
	set.Set(fd)
	timeout := unix.NsecToTimeval(patience.Nanoseconds())
	return unix.Select(fd+1, &set, nil, nil, &timeout)
}
