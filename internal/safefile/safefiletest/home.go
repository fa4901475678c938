// Package safefiletest prepares folders for the tests of files that others must not reach.
package safefiletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Home is a new folder that passes every check of safefile, whatever the umask of the test run.
func Home(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
