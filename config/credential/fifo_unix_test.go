//go:build unix

package credential

import (
	"syscall"
	"testing"
)

// makeFifo makes a file whose reader waits.
func makeFifo(_ *testing.T, path string) error { return syscall.Mkfifo(path, 0o600) }
