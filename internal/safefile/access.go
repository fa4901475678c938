package safefile

import (
	"os"
	"path/filepath"
	"strings"
)

// access is what the system says of a file or folder: whose it is, and what others may do with it.
type access struct {
	own   bool   // it belongs to this user or to the administrator
	owner string // who else it belongs to, for people

	groupRead bool // its group may read it
	read      bool // others may read it, or more than that
	// write: others may change it; of a folder, they may replace what is in it.
	write bool

	remedy
}

func (a access) tooOpen(options ReadOptions) bool {
	if options.Public {
		return a.write
	}
	return a.write || a.read || a.groupRead && !options.GroupRead
}

// foreign is the error about a file that belongs to another user. In the home folder of this one it must have got there
// by mistake; anywhere else it may serve its owner, whom a new owner would lock out.
func foreign(path string, a access) *Error {
	e := &Error{Op: "open", Path: path, Problem: ForeignOwner, Owner: a.owner}
	home, err := os.UserHomeDir()
	if err == nil && strings.HasPrefix(path, filepath.Clean(home)+string(filepath.Separator)) {
		e.Fix = fixOwner(path)
	}
	return e
}
