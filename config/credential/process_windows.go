package credential

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// childPath is where a command finds its helpers; the caller's PATH could point anywhere.
func (s *Store) childPath() string {
	root := s.getenv("SystemRoot")
	return filepath.Join(root, "System32") + ";" + root
}

// childVariables are passed to a command: without those of the system hardly a program starts, the others are for the
// data of password stores.
var childVariables = []string{
	"SystemRoot", "SystemDrive", "TEMP", "TMP", "USERNAME", "USERPROFILE", "HOME", "APPDATA", "LOCALAPPDATA",
	"ProgramData", "GNUPGHOME", "PASSWORD_STORE_DIR",
}

// ownGroup keeps the console's ctrl+c away from a command, whose caller ends it.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// endGroup ends the command. What it left in the background goes on: a group of processes has no common end here.
func endGroup(process *os.Process) error { return process.Kill() }
