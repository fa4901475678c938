//go:build !linux

package socket

import (
	"errors"
	"net"
)

// peer knows no one: each system has its own way to ask, and the machine's service is for Linux.
func peer(net.Conn) (User, error) { return User{}, errors.ErrUnsupported }
