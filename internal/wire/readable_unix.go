//go:build unix

package wire

import (
	"net"
	"syscall"
)

// readable reports whether octets have arrived that were not taken from the system yet. It never waits.
func readable(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	found := false
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		found = err == nil && n > 0
		return true // whether or not there is something, do not wait
	})
	return err == nil && found
}
