//go:build unix

package credential

import (
	"os"
	"os/exec"
	"syscall"
)

// childPath is where a command finds its helpers; the caller's PATH could point anywhere.
func (*Store) childPath() string {
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// childVariables are passed to a command: only those that password stores need to find their data and their agent.
var childVariables = []string{
	"HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "GNUPGHOME", "PASSWORD_STORE_DIR",
	"CREDENTIALS_DIRECTORY",
}

// ownGroup starts a command as a process group of its own.
func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a command and the processes that it left in the background.
func endGroup(process *os.Process) error { return syscall.Kill(-process.Pid, syscall.SIGKILL) }
