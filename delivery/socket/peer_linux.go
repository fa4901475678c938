package socket

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peer is the user who connected: the kernel noted it then, and no later change of the process counts.
func peer(conn net.Conn) (User, error) {
	socket, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return User{}, errors.New("not a Unix socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return User{}, err
	}
	var credentials *unix.Ucred
	failed := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return User{}, err
	}
	return named(credentials.Uid, credentials.Gid), nil
}
