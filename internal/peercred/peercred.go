// Package peercred says which user is at the other end of a Unix socket. The kernel noted it when the connection was
// made, and no later change of either process counts (unix(7), SO_PEERCRED).
package peercred

import (
	"errors"
	"net"
	"os/user"
	"strconv"
)

// User is who is at the other end.
type User struct{ UID, GID uint32 }

// Name is the user's as the user database has it, or the id where it has none.
func (u User) Name() string {
	id := strconv.FormatUint(uint64(u.UID), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return id
}

// errNotUnix says that the connection is not one of the machine.
var errNotUnix = errors.New("not a Unix socket")

// Of asks the kernel.
func Of(conn net.Conn) (User, error) {
	socket, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return User{}, errNotUnix
	}
	return of(socket)
}
