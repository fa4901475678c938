// Package local carries a shared view from one program to another on the same machine, over a Unix socket that only its
// owner and root can use.
package local

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"postier/wizard"
)

// Errors of joining and of offering.
var (
	// ErrNone says that no one on this machine shares, as far as this user may know.
	ErrNone = errors.New("no one shares a session on this machine")
	// ErrNowhere says that there is no folder for the socket.
	ErrNowhere error = nowhere{}
)

type nowhere struct{}

func (nowhere) Error() string { return "there is no private folder for the socket of the session" }

// Words implements share.Worded.
func (nowhere) Words() wizard.Words { return wizard.Msg("share.nowhere") }

// Sockets are below a folder of this name, in a folder that only its owner can enter. Their names are random: a name
// that came from the code would give it away.
const (
	folderName = "postier"
	prefix     = "share-"
	suffix     = ".sock"
)

// Machine is where the sockets are. The zero Machine is that of the process; tests have others.
type Machine struct {
	Getenv func(string) string
	// Run is in place of /run/user, and Temp of /tmp.
	Run, Temp string
}

// folders are the places for sockets of a user, the best first. The second and the third serve programs that were
// started without a session of systemd.
func (m Machine) folders(uid int) []string {
	id := strconv.Itoa(uid)
	list := []string{
		filepath.Join(cmp.Or(m.Run, "/run/user"), id, folderName),
		filepath.Join(cmp.Or(m.Temp, "/tmp"), folderName+"-"+id),
	}
	if own := m.Getenv("XDG_RUNTIME_DIR"); uid == os.Geteuid() && filepath.IsAbs(own) {
		list = slices.Insert(list, 0, filepath.Join(own, folderName))
	}
	return list
}

// everyFolder are the places in which a helper looks: those of its own user, and for root those of all users.
func (m Machine) everyFolder() []string {
	list := m.folders(os.Geteuid())
	if os.Geteuid() == 0 {
		runs, _ := filepath.Glob(filepath.Join(cmp.Or(m.Run, "/run/user"), "*", folderName))
		temps, _ := filepath.Glob(filepath.Join(cmp.Or(m.Temp, "/tmp"), folderName+"-*"))
		list = append(list, slices.Concat(runs, temps)...)
	}
	var out []string
	for _, dir := range list {
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}

// listen makes the socket in the first folder that serves.
func (m Machine) listen() (*net.UnixListener, error) {
	for _, dir := range m.folders(os.Geteuid()) {
		const private fs.FileMode = 0o700
		if err := os.Mkdir(dir, private); err != nil && !errors.Is(err, fs.ErrExist) {
			continue
		}
		if uid, ok := owner(dir); !ok || uid != os.Geteuid() {
			continue
		}
		name := make([]byte, 8)
		_, _ = rand.Read(name) // never fails
		path := filepath.Join(dir, prefix+hex.EncodeToString(name)+suffix)
		if l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}); err == nil {
			return l, nil // the folder keeps others out, whatever the mode of the socket
		}
	}
	return nil, ErrNowhere
}

// sockets are those of a folder, the newest first.
func sockets(dir string) []string {
	list, _ := filepath.Glob(filepath.Join(dir, prefix+"*"+suffix))
	made := map[string]int64{}
	for _, path := range list {
		if info, err := os.Lstat(path); err == nil {
			made[path] = info.ModTime().UnixNano()
		}
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Compare(made[b], made[a]) })
	return list
}
