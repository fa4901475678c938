package peercred

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

func of(socket *net.UnixConn) (User, error) {
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
	return User{UID: credentials.Uid, GID: credentials.Gid}, nil
}
