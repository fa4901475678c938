// Package socket is the submission socket of a machine: a Unix socket on which the service that has the configuration
// takes the messages of all local users, over SMTP. The kernel says who the caller is (SO_PEERCRED), so that nobody
// signs in and no user needs the account's secret.
package socket

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
)

// DefaultPath is where the machine's service listens.
const DefaultPath = "/run/postier/submit"

// name is the socket's file in the folder that systemd makes for the service.
const name = "submit"

// Path is where a caller finds the service.
func Path(getenv func(string) string) string { return cmp.Or(getenv("POSTIER_SOCKET"), DefaultPath) }

// ErrActivation says that systemd handed over something else than one listening Unix socket.
var ErrActivation = errors.New("systemd handed over something else than one Unix socket")

// ErrTaken says that another process listens on the socket.
var ErrTaken = errors.New("another process listens on this socket")

// Listen opens the socket of the service: the one that systemd hands over, or that at path, or that in the folder that
// systemd made (RuntimeDirectory=). Without any of them it returns nil: the queue of one user has no socket.
func Listen(path string, getenv func(string) string) (net.Listener, error) {
	activated, err := activation.Listeners()
	switch folder := getenv("RUNTIME_DIRECTORY"); {
	case err != nil:
		return nil, errors.Join(ErrActivation, err)
	case len(activated) > 0:
		if _, isUnix := activated[0].(*net.UnixListener); !isUnix || len(activated) > 1 {
			return nil, ErrActivation
		}
		return activated[0], nil
	case path != "":
		return listenAt(path)
	case folder != "":
		return listenAt(filepath.Join(folder, name))
	}
	return nil, nil
}

// listenAt makes the socket, which every local user may connect to: the kernel says who does.
func listenAt(path string) (net.Listener, error) {
	const everyone fs.FileMode = 0o666
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, ErrTaken
	case err != nil:
		return nil, err
	}
	if err := os.Chmod(path, everyone); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes the socket that a service left behind when it was killed. One that still answers is not stale:
// then listening fails.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0, Answers(path):
		return nil
	}
	return os.Remove(path)
}
