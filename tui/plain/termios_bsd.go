//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package plain

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	// dropInput also drops what was typed and not read yet.
	dropInput = unix.TIOCSETAF
)
