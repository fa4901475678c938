package tui

import (
	"time"

	"golang.org/x/sys/unix"
)

// awaitInput waits for input. It polls: select knows no descriptor above 1023, which a server of many sessions has.
func awaitInput(fd int, patience time.Duration) (int, error) {
	return unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(max(1, patience.Milliseconds())))
}
