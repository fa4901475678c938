package config

import (
	"os"
	"path/filepath"
)

// Program is the name of this program, shown to people where the calling program gives no name of its own.
const Program = "postier"

// SystemPath is the configuration of the whole machine.
const SystemPath = "/etc/postier/config.json"

// Paths lists where a configuration is looked for, best first. If POSTIER_CONFIG is set, it is the only one; otherwise
// they are the user's own file ($XDG_CONFIG_HOME, which must be absolute, or ~/.config) and then the machine's.
func Paths(getenv func(string) string) []string {
	if path := getenv("POSTIER_CONFIG"); path != "" {
		return []string{path}
	}
	var paths []string
	base := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) { // XDG Base Directory: a relative path is to be ignored
		base = ""
		if home := getenv("HOME"); filepath.IsAbs(home) {
			base = filepath.Join(home, ".config")
		}
	}
	if base != "" {
		paths = append(paths, filepath.Join(base, "postier", "config.json"))
	}
	return append(paths, SystemPath)
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
