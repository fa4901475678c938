//go:build unix

package delivery

import (
	"errors"
	"syscall"
)

// gone reports whether there is no process with this id.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
