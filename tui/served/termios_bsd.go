//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package served

import "golang.org/x/sys/unix"

const getTermios = unix.TIOCGETA
