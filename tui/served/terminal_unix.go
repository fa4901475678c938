//go:build unix

package served

import (
	"os"

	"golang.org/x/sys/unix"
)

// Possible reports whether this system has pseudo-terminals that a server can give to sessions.
const Possible = true

// polled is the same file, read and written without a thread for each waiting call. It takes file over.
func polled(file *os.File) (*os.File, error) {
	defer func() { _ = file.Close() }()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

// cooked reports whether a terminal turns ctrl+c into a signal.
func cooked(fd int) bool {
	settings, err := unix.IoctlGetTermios(fd, getTermios)
	return err == nil && settings.Lflag&unix.ISIG != 0
}
