//go:build !linux

package mailserver

import (
	"errors"
	"fmt"
	"net"
)

// Refused finds a port of a loopback address on which connecting is refused. Unlike on Linux it is not reserved.
func Refused(host string) (*DeadPort, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	addr := listener.Addr().String()
	return &DeadPort{addr: addr, close: func() {}}, listener.Close()
}

// Blackhole needs the way in which Linux treats a full backlog.
func Blackhole(string) (*DeadPort, error) {
	return nil, fmt.Errorf("a port that swallows connections: %w", errors.ErrUnsupported)
}
