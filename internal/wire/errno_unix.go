//go:build !windows

package wire

import "syscall"

// systemErrors maps the kernel's error numbers. EACCES and EPERM come from a local firewall that blocks outgoing
// connections.
var systemErrors = []struct {
	err  syscall.Errno
	kind Kind
}{
	{syscall.ECONNREFUSED, KindRefused},
	{syscall.ENETUNREACH, KindUnreachable},
	{syscall.EHOSTUNREACH, KindUnreachable},
	{syscall.EADDRNOTAVAIL, KindUnreachable},
	{syscall.EAFNOSUPPORT, KindUnreachable},
	{syscall.EACCES, KindUnreachable},
	{syscall.EPERM, KindUnreachable},
	{syscall.ETIMEDOUT, KindTimeout},
	{syscall.ECONNRESET, KindReset},
	{syscall.ECONNABORTED, KindReset},
	{syscall.EPIPE, KindReset},
}
