package plain

import "golang.org/x/sys/windows"

// console is how the window of a console was set.
type console struct{ mode uint32 }

// silence switches the echo of a console off, and returns how it was set, or nil if it stays as it is.
func silence(fd int) *console {
	var old console
	if windows.GetConsoleMode(windows.Handle(fd), &old.mode) != nil {
		return nil
	}
	const needed = windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	quiet := old.mode&^windows.ENABLE_ECHO_INPUT | needed
	if windows.SetConsoleMode(windows.Handle(fd), quiet) != nil {
		return nil
	}
	return &old
}

// restore also drops what was typed and not read yet.
func (c *console) restore(fd int) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(fd))
	_ = windows.SetConsoleMode(windows.Handle(fd), c.mode)
}
