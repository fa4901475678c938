package served

import (
	"os"
	"testing"

	"github.com/charmbracelet/x/term"
)

func rawMode(t *testing.T, file *os.File) {
	t.Helper()
	if _, err := term.MakeRaw(file.Fd()); err != nil {
		t.Error(err)
	}
}
