package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// self names this process: machine, process id and the time at which it started, since ids are given anew.
var self = sync.OnceValue(func() string {
	return fmt.Sprintf("%s/%d/%s", hostname(), os.Getpid(), startTime(os.Getpid()))
})

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return strings.ReplaceAll(name, "/", "_")
}

// startTime is field 22 of /proc/PID/stat, empty where there is none.
func startTime(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:]) // the name in brackets may hold blanks
	const start = 19
	if len(fields) <= start {
		return ""
	}
	return string(fields[start])
}

// local reports whether an owner is a process of this machine.
func local(owner string) bool {
	host, _, _ := strings.Cut(owner, "/")
	return host == hostname()
}

// alive reports whether the local process that an owner names still works.
func alive(owner string) bool {
	var pid int
	_, rest, _ := strings.Cut(owner, "/")
	id, start, _ := strings.Cut(rest, "/")
	if _, err := fmt.Sscanf(id, "%d", &pid); err != nil || pid <= 0 {
		return false
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	return start == startTime(pid)
}
