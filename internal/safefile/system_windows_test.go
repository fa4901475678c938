package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestPrivate: what is written has an access list on which only this user, the system and the administrators are, and
// a file that everyone may read is refused with the line that repairs it.
func TestPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "config.json")
	if err := Write(path, []byte("x"), Options{Backups: 1}); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("y"), Options{Backups: 1}); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(path); err != nil || string(data) != "y" {
		t.Fatalf("got %q, %v", data, err)
	}
	for _, name := range []string{path, filepath.Dir(path), path + ".bak1"} {
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := (Files{}).accessTo(info, nil, name); err != nil || !a.own || a.read || a.write {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	expose(t, path, "D:P(A;;FA;;;BA)(A;;FR;;;WD)")
	_, err := Read(path)
	var typed *Error
	if !errors.As(err, &typed) || typed.Problem != TooOpen || !strings.Contains(typed.Fix, "/remove:g *S-1-1-0") {
		t.Errorf("open to everyone: %v", err)
	}
	if _, err := ReadWith(path, ReadOptions{Public: true}); err != nil {
		t.Errorf("no secret: %v", err)
	}
}

func TestLinksAndMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("a folder was read")
	}
}

// expose sets an access list.
func expose(t *testing.T, path, list string) {
	t.Helper()
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		t.Fatal(err)
	}
	dacl, _, err := descriptor.DACL()
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil); err != nil {
		t.Fatal(err)
	}
}
