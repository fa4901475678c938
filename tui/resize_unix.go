//go:build unix

package tui

import (
	"os"
	"os/signal"
	"syscall"
)

// onResize calls notify whenever the terminal of this process has another size.
func onResize(notify func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-signals:
				notify()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(signals); close(done) }
}
