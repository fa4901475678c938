//go:build !windows

package config

import "path/filepath"

// SystemPath is the configuration of the whole machine.
const SystemPath = "/etc/postier/config.json"

// systemState is the folder of the machine's state.
const systemState = "/var/lib/postier"

// home is the folder of a kind of files of one user: the one that a variable names, which must be absolute (XDG Base
// Directory: a relative path is to be ignored), or the usual one in the home folder. It is empty without both.
func home(getenv func(string) string, variable string, usual ...string) string {
	if base := getenv(variable); filepath.IsAbs(base) {
		return base
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(append([]string{home}, usual...)...)
	}
	return ""
}

func settingsFolder(getenv func(string) string) string {
	return home(getenv, "XDG_CONFIG_HOME", ".config")
}

func stateFolder(getenv func(string) string) string {
	return home(getenv, "XDG_STATE_HOME", ".local", "state")
}
