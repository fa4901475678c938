//go:build unix

package plain

import "golang.org/x/sys/unix"

// console is how a terminal was set.
type console unix.Termios

// silence switches the echo of a terminal off, and returns how it was set, or nil if it stays as it is.
func silence(fd int) *console {
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil
	}
	quiet := *old
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG
	if unix.IoctlSetTermios(fd, setTermios, &quiet) != nil {
		return nil
	}
	return (*console)(old)
}

// restore also drops what was typed and not read yet.
func (c *console) restore(fd int) { _ = unix.IoctlSetTermios(fd, dropInput, (*unix.Termios)(c)) }
