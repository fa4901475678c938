package config

import (
	"os"
	"path/filepath"
	"slices"
)

// Program is the name of this program, shown to people where the calling program gives no name of its own.
const Program = "postier"

// Paths lists where a configuration is looked for, best first. If POSTIER_CONFIG is set, it is the only one; otherwise
// they are the user's own file ($XDG_CONFIG_HOME or ~/.config, on Windows %APPDATA%) and then the machine's.
func Paths(getenv func(string) string) []string {
	if path := getenv("POSTIER_CONFIG"); path != "" {
		return []string{path}
	}
	var paths []string
	if base := settingsFolder(getenv); base != "" {
		paths = append(paths, filepath.Join(base, Program, "config.json"))
	}
	return append(paths, SystemPath)
}

// StateFolder is where the state of a configuration is kept that names no other place: a user's own in $XDG_STATE_HOME
// or ~/.local/state, on Windows in %LOCALAPPDATA%, the machine's in /var/lib or C:\ProgramData, and that of any other
// file next to it, so that two configurations never share limits or a queue by accident.
func StateFolder(path string, getenv func(string) string) string {
	base := stateFolder(getenv)
	switch {
	case path == SystemPath:
		return systemState
	case getenv("POSTIER_CONFIG") == "" && base != "" && slices.Contains(Paths(getenv), path):
		return filepath.Join(base, Program)
	}
	return filepath.Dir(path)
}

// Find returns the file to use as an absolute path: the one that --config names, else the first of Paths that exists,
// else the first of Paths, where a new one is written. found says whether it exists.
func Find(flag string, getenv func(string) string) (path string, found bool) {
	candidates := Paths(getenv)
	if flag != "" {
		candidates = []string{flag}
	}
	for i, candidate := range candidates {
		if abs, err := filepath.Abs(candidate); err == nil {
			candidates[i] = abs
		}
		if _, err := os.Lstat(candidates[i]); err == nil {
			return candidates[i], true
		}
	}
	return candidates[0], false
}
