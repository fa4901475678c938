package wire

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// systemErrors maps Winsock's error numbers. WSAEACCES comes from a local firewall that blocks outgoing connections.
var systemErrors = []struct {
	err  syscall.Errno
	kind Kind
}{
	{windows.WSAECONNREFUSED, KindRefused},
	{windows.WSAENETUNREACH, KindUnreachable},
	{windows.WSAEHOSTUNREACH, KindUnreachable},
	{windows.WSAENETDOWN, KindUnreachable},
	{windows.WSAEADDRNOTAVAIL, KindUnreachable},
	{windows.WSAEAFNOSUPPORT, KindUnreachable},
	{windows.WSAEACCES, KindUnreachable},
	{windows.WSAETIMEDOUT, KindTimeout},
	{windows.WSAECONNRESET, KindReset},
	{windows.WSAECONNABORTED, KindReset},
	{windows.WSAESHUTDOWN, KindReset},
}
