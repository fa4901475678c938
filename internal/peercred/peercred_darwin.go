package peercred

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// of reads LOCAL_PEERCRED; see unix(4).
func of(socket *net.UnixConn) (User, error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return User{}, err
	}
	var credentials *unix.Xucred
	failed := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return User{}, err
	}
	return User{UID: credentials.Uid, GID: credentials.Groups[0]}, nil
}
