package peercred

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestBothEnds: each end learns who is at the other.
func TestBothEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	near, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = near.Close() }()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	want := User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	for name, conn := range map[string]net.Conn{"server": near, "client": far} {
		if got, err := Of(conn); err != nil || got != want {
			t.Errorf("the %s is %v, %v; want %v", name, got, err, want)
		}
	}
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if _, err := Of(a); err == nil {
		t.Error("a pipe has a user")
	}
}
