package tui

import (
	"os"
	"time"

	"github.com/charmbracelet/x/term"
)

// onResize calls notify whenever the console has another size. The console tells nobody, so it is looked at.
func onResize(notify func()) (stop func()) {
	ticker := time.NewTicker(time.Second)
	done := make(chan struct{})
	go func() {
		var seen [2]int
		for {
			select {
			case <-ticker.C:
				width, height, err := term.GetSize(os.Stdout.Fd())
				if now := [2]int{width, height}; err == nil && now != seen {
					seen = now
					notify()
				}
			case <-done:
				return
			}
		}
	}()
	return func() { ticker.Stop(); close(done) }
}
