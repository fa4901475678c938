package cli

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
)

// adoptHome gives the process its user's home folder where the environment has none of use. Debian's cron runs sendmail
// as the owner of the job and without HOME, other daemons leave root's: the configuration and the queue are then found
// by the user database, as those of any mailer are. A home that can be entered is believed.
func adoptHome() {
	home := os.Getenv("HOME")
	if filepath.IsAbs(home) {
		_, err := os.Stat(home + string(filepath.Separator) + ".") // needs the right to enter it
		if !errors.Is(err, fs.ErrPermission) {
			return
		}
	}
	if own, err := user.Current(); err == nil && filepath.IsAbs(own.HomeDir) {
		_ = os.Setenv("HOME", own.HomeDir) // fails only for a name or a value that no variable can have
	}
}
