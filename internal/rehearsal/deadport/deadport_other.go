//go:build !linux

package deadport

import (
	"errors"
	"fmt"
	"net"
)

// Refused finds a port of a loopback address on which connecting is refused. Unlike on Linux it is not reserved.
func Refused(host string) (*Port, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	addr := listener.Addr().String()
	return &Port{addr: addr, close: func() {}}, listener.Close()
}

// Blackhole relies on the way in which Linux treats a full backlog.
func Blackhole(string) (*Port, error) {
	return nil, fmt.Errorf("a port that swallows connections: %w", errors.ErrUnsupported)
}
