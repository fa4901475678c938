//go:build unix

package safefile

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"postier/internal/safefile/safefiletest"
)

// TestUmask runs the writer in a process of its own, because the umask belongs to the whole process.
func TestUmask(t *testing.T) {
	if path := os.Getenv("SAFEFILE_TEST_PATH"); path != "" {
		for range 2 {
			if err := Write(path, []byte("x"), Options{Backups: 1}); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, umask := range []string{"000", "022", "077", "777"} {
		path := filepath.Join(safefiletest.Home(t), "sub", "f")
		command := exec.Command("/bin/sh", "-c", "umask "+umask+` && exec "$0" -test.run='^TestUmask$'`, os.Args[0])
		command.Env = append(os.Environ(), "SAFEFILE_TEST_PATH="+path)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("umask %s: %v\n%s", umask, err, out)
		}
		for _, name := range []string{path, path + ".bak1"} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("umask %s: %s has mode %v, %v", umask, name, info.Mode(), err)
			}
		}
	}
}
