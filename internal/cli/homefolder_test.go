package cli

import (
	"os"
	"os/user"
	"testing"
)

// TestAdoptHome: without a home in the environment, the one of the user database counts; one that is there is kept,
// also where the folder does not exist yet. That of another user is entered in e2e/parts/14-machine.sh.
func TestAdoptHome(t *testing.T) {
	own, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for home, want := range map[string]string{
		"": own.HomeDir, "relative/path": own.HomeDir, folder: folder, folder + "/later": folder + "/later",
	} {
		t.Setenv("HOME", home)
		if adoptHome(); os.Getenv("HOME") != want {
			t.Errorf("HOME=%q becomes %q, want %q", home, os.Getenv("HOME"), want)
		}
	}
}
