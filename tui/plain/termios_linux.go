package plain

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
	// dropInput also drops what was typed and not read yet.
	dropInput = unix.TCSETSF
)
