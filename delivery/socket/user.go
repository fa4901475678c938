package socket

import (
	"net"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"postier/internal/peercred"
)

// User is the local user at the other end of a connection, as the kernel knows it.
type User struct {
	UID, GID uint32
	// Name is as the user database has it, or the id where it has none.
	Name string
}

// peer is the user who connected.
func peer(conn net.Conn) (User, error) {
	u, err := peercred.Of(conn)
	if err != nil {
		return User{}, err
	}
	return User{UID: u.UID, GID: u.GID, Name: u.Name()}, nil
}

// Allowed reports whether the list of users and @groups names a user. An empty list names everyone.
func Allowed(list []string, u User) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(entry string) bool {
		if group, isGroup := strings.CutPrefix(entry, "@"); isGroup {
			return u.in(group)
		}
		return entry == u.Name
	})
}

// in reports whether a user belongs to a group: it is the one that the process has, or the database lists the user.
func (u User) in(group string) bool {
	g, err := user.LookupGroup(group)
	if err != nil {
		return false
	}
	if g.Gid == strconv.FormatUint(uint64(u.GID), 10) {
		return true
	}
	account, err := user.LookupId(strconv.FormatUint(uint64(u.UID), 10))
	if err != nil {
		return false
	}
	ids, err := account.GroupIds()
	return err == nil && slices.Contains(ids, g.Gid)
}
