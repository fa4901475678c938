package tui

import (
	"time"

	"golang.org/x/sys/windows"
)

// awaitInput waits for input. Whatever happens in the console's window counts as such, also a key that is let go.
func awaitInput(fd int, patience time.Duration) (int, error) {
	event, err := windows.WaitForSingleObject(windows.Handle(fd), uint32(max(1, patience.Milliseconds())))
	if err != nil || event != windows.WAIT_OBJECT_0 {
		return 0, err
	}
	return 1, nil
}
