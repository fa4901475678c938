package config

import "path/filepath"

// SystemPath is the configuration of the whole machine.
const SystemPath = `C:\ProgramData\postier\config.json`

// systemState is the folder of the machine's state.
const systemState = `C:\ProgramData\postier`

// settingsFolder is that of one user. The variables of other systems come first, so that who sets them has one place.
func settingsFolder(getenv func(string) string) string {
	return firstAbsolute(getenv, "XDG_CONFIG_HOME", "APPDATA")
}

// stateFolder stays on this machine when a profile roams.
func stateFolder(getenv func(string) string) string {
	return firstAbsolute(getenv, "XDG_STATE_HOME", "LOCALAPPDATA")
}

func firstAbsolute(getenv func(string) string, variables ...string) string {
	for _, name := range variables {
		if folder := getenv(name); filepath.IsAbs(folder) {
			return folder
		}
	}
	return ""
}
