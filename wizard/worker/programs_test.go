package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"postier/config/export"
)

// TestInstalledPrograms: the last screen names what is on this machine, and only formats that exist.
func TestInstalledPrograms(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if got := installedPrograms(); len(got) > 0 {
		t.Errorf("nothing is installed: %v", got)
	}
	for _, p := range handedOver {
		if _, ok := export.Find(p.format); !ok {
			t.Errorf("there is no export for %s", p.format)
		}
	}
	for _, name := range []string{"php", "mutt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got := installedPrograms(); !slices.Equal(got, []string{"php", "mutt"}) {
		t.Errorf("installed: %v", got)
	}
}
