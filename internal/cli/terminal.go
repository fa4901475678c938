package cli

import (
	"bufio"
	"context"

	"postier/tui/plain"
)

// interactive reports whether a person is there to answer.
func (a *app) interactive() bool { return plain.IsTerminal(a.in) && plain.IsTerminal(a.out) }

// waitForEnter lets a person read before the screen is taken over.
func (a *app) waitForEnter(ctx context.Context) error {
	read := make(chan error, 1)
	go func() {
		_, err := bufio.NewReaderSize(a.in, 16).ReadString('\n')
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			return plain.ErrInterrupted
		}
		return nil
	case <-ctx.Done():
		return plain.ErrInterrupted
	}
}
