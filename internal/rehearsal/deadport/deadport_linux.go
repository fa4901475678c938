package deadport

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Refused reserves a port of a loopback address on which connecting is refused: it is bound, but nothing listens.
func Refused(host string) (*Port, error) {
	fd, addr, err := bound(host)
	if err != nil {
		return nil, err
	}
	return &Port{addr: addr, close: func() { _ = unix.Close(fd) }}, nil
}

// Blackhole reserves a port of a loopback address on which connecting never ends, as behind a firewall that drops: the
// backlog has room for one connection, and it is taken, so the kernel drops every further SYN.
func Blackhole(host string) (*Port, error) {
	fd, addr, err := bound(host)
	if err != nil {
		return nil, err
	}
	if err := unix.Listen(fd, 0); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	conns, err := fill(addr)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Port{addr: addr, close: func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
		_ = unix.Close(fd)
	}}, nil
}

// fill connects until the backlog is full.
func fill(addr string) ([]net.Conn, error) {
	const (
		most     = 8                      // a backlog of 0 takes one, on some kernels two
		patience = 100 * time.Millisecond // loopback connects in microseconds or not at all
	)
	var conns []net.Conn
	for range most {
		conn, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			return conns, nil
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	return nil, fmt.Errorf("the backlog of %s takes more than %d connections", addr, most)
}

func bound(host string) (fd int, addr string, err error) {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return 0, "", err
	}
	family := unix.AF_INET6
	var sockaddr unix.Sockaddr = &unix.SockaddrInet6{Addr: ip.As16()}
	if ip.Is4() {
		family, sockaddr = unix.AF_INET, &unix.SockaddrInet4{Addr: ip.As4()}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, "", fmt.Errorf("socket for %s: %w", host, err)
	}
	if err = unix.Bind(fd, sockaddr); err == nil {
		sockaddr, err = unix.Getsockname(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, "", fmt.Errorf("reserve a port of %s: %w", host, err)
	}
	port := 0
	switch a := sockaddr.(type) {
	case *unix.SockaddrInet4:
		port = a.Port
	case *unix.SockaddrInet6:
		port = a.Port
	}
	return fd, net.JoinHostPort(host, strconv.Itoa(port)), nil
}
