//go:build unix

package safefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/internal/safefile/safefiletest"
)

func put(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func problem(t *testing.T, err error) *Error {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) {
		t.Fatalf("got %v, want an *Error", err)
	}
	for _, lang := range locale.All() {
		if said := locale.For(lang).Say(typed.Text()); strings.HasPrefix(said, "<") || strings.Contains(said, "{") {
			t.Errorf("%s: %q is no sentence", lang, said)
		}
	}
	return typed
}

func TestReadRefusals(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("group"), "x", 0o640)
	put(t, at("world"), "x", 0o604)
	put(t, at("it's"), "x", 0o644)
	put(t, at("large"), strings.Repeat("x", MaxSize+1), 0o600)
	if err := syscall.Mkfifo(at("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{"a", "b"}, {"b", "a"}, {"gone", "dangling"}} {
		if err := os.Symlink(at(link[0]), at(link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"open", "folder"} {
		if err := os.Mkdir(at(sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, at("open/file"), "x", 0o600)
	if err := os.Chmod(at("open"), 0o770); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		want Problem
		fix  string
	}{
		{"none", Missing, ""},
		{"none/at/all", Missing, ""},
		{"dangling", Missing, ""},
		{"group", TooOpen, "chmod 600 " + at("group")},
		{"world", TooOpen, "chmod 600 " + at("world")},
		{"it's", TooOpen, "chmod 600 '" + dir + `/it'\''s'`},
		{"large", TooLarge, ""},
		{"fifo", NotRegular, ""},
		{"folder", NotRegular, ""},
		{"a", NotRegular, ""},
		{"open/file", FolderOpen, "chmod go-w " + at("open")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(at(row.name))
			if got := problem(t, err); got.Problem != row.want || got.Fix != row.fix {
				t.Errorf("got %s, fix %q; want %s, fix %q", got.Problem, got.Fix, row.want, row.fix)
			}
			if missing := errors.Is(err, fs.ErrNotExist); missing != (row.want == Missing) {
				t.Errorf("errors.Is(err, fs.ErrNotExist) is %v", missing)
			}
		})
	}
}

func TestFixesWork(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "f")
	put(t, path, "x", 0o644)
	if _, err := Read(path); problem(t, err).Fix != "chmod 600 "+path {
		t.Fatalf("got %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(path); err != nil || string(data) != "x" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestForeignOwners(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	path := filepath.Join(dir, "f")
	put(t, path, "x", 0o600)
	if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		// Root may change owners, so the check is tested with a real one.
		const nobody = 65534
		for _, name := range []string{"f", "link"} {
			if err := os.Lchown(filepath.Join(dir, name), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	others := Files{uid: func() uint32 { return 4242 }}
	if os.Geteuid() == 0 {
		others = Files{}
	}
	if _, err := others.Read(path, ReadOptions{}); problem(t, err).Problem != ForeignOwner {
		t.Errorf("file: got %v", err)
	}
	if _, err := others.Read(filepath.Join(dir, "link"), ReadOptions{}); problem(t, err).Problem != ForeignLink {
		t.Errorf("link: got %v", err)
	}
	if err := others.Write(path, []byte("y"), Options{}); problem(t, err).Problem != ForeignOwner {
		t.Errorf("write: got %v", err)
	}
}

// A database is refused for the same reasons as a file that is read, and for its other files.
func TestDatabase(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	path := filepath.Join(dir, "new", "q.db")
	if err := Database(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Fatalf("created %v, %v", info, err)
	}
	others := Files{uid: func() uint32 { return 4242 }}
	for _, row := range []struct {
		name string
		as   Files
		do   func() error
		want Problem
	}{
		{"it is there", Files{}, func() error { return os.WriteFile(path, []byte("x"), 0) }, ""},
		{"others can read it", Files{}, func() error { return os.Chmod(path, 0o640) }, TooOpen},
		{"repaired", Files{}, func() error { return os.Chmod(path, 0o600) }, ""},
		{"the log is open", Files{}, func() error { return os.WriteFile(path+"-wal", nil, 0o644) }, TooOpen},
		{"the log is a link", Files{}, func() error {
			return errors.Join(os.Remove(path+"-wal"), os.Symlink(dir, path+"-wal"))
		}, NotRegular},
		{"a folder is open", Files{}, func() error {
			return errors.Join(os.Remove(path+"-wal"), os.Chmod(filepath.Dir(path), 0o777))
		}, FolderOpen},
		{"a FIFO", Files{}, func() error {
			return errors.Join(os.Chmod(filepath.Dir(path), 0o700), os.Remove(path), syscall.Mkfifo(path, 0o600))
		}, NotRegular},
		{"a link", Files{}, func() error { return errors.Join(os.Remove(path), os.Symlink("other.db", path)) }, NotRegular},
		{"another user's", others, func() error {
			err := errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600))
			if os.Geteuid() == 0 {
				err = errors.Join(err, os.Chown(path, 65534, 65534))
			}
			return err
		}, ForeignOwner},
	} {
		if err := row.do(); err != nil {
			t.Fatal(row.name, err)
		}
		switch err := row.as.Database(path); {
		case row.want == "" && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.want != "" && problem(t, err).Problem != row.want:
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestGroupRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "credential")
	put(t, path, "x", 0o440)
	if _, err := ReadWith(path, ReadOptions{GroupRead: true}); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadWith(path, ReadOptions{GroupRead: true}); problem(t, err).Problem != TooOpen {
		t.Errorf("got %v", err)
	}
}

func TestWriteModesBackupsAndFolders(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	path := filepath.Join(dir, "new", "postier", "config.json")
	for i := range 6 {
		if err := Write(path, fmt.Appendf(nil, "version %d", i), Options{Backups: 3}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"config.json": "version 5", "config.json.bak1": "version 4", "config.json.bak2": "version 3",
		"config.json.bak3": "version 2", "config.json.lock": "",
	}
	if got := contents(t, filepath.Dir(path)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	report := filepath.Join(dir, "own", "report.md")
	if err := Write(report, []byte("x"), Options{Alone: true}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, filepath.Dir(report)); fmt.Sprint(got) != fmt.Sprint(map[string]string{"report.md": "x"}) {
		t.Errorf("a file of the person's own leaves %v", got)
	}
	for _, folder := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if info, _ := os.Stat(folder); info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", folder, info.Mode())
		}
	}
	if err := Write(path, []byte("clean"), Options{Backups: 3, ForgetBackups: true}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, filepath.Dir(path)); len(got) != 2 || got["config.json"] != "clean" {
		t.Errorf("older versions stayed: %v", got)
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("removing twice: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

// contents maps file names to contents, and fails on any mode but 0600.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[entry.Name()] = string(data)
		if info, _ := entry.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
	}
	return out
}

func TestWriteRefusesWhatReadRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "f")
	put(t, path, "old", 0o644)
	if err := Write(path, []byte("new"), Options{}); problem(t, err).Problem != TooOpen {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("got %q", data)
	}
}

func TestWriteFollowsOwnLink(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	dotfiles := filepath.Join(dir, "dotfiles")
	if err := os.Mkdir(dotfiles, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dotfiles, "real"), "old", 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("dotfiles/real", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), Options{}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "dotfiles/real" {
		t.Errorf("the link was replaced: %q, %v", target, err)
	}
	if data, err := Read(link); err != nil || string(data) != "new" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestCheckStopsTheWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "f")
	var seen [][]byte
	check := func(present []byte) error { seen = append(seen, present); return nil }
	for _, content := range []string{"", "one"} {
		if err := Write(path, []byte(content), Options{Check: check}); err != nil {
			t.Fatal(err)
		}
	}
	if seen[0] != nil || seen[1] == nil {
		t.Errorf("no file is nil, an empty one is not: %#v", seen)
	}
	stop := errors.New("stop")
	if err := Write(path, []byte("two"), Options{Backups: 3, Check: func([]byte) error { return stop }}); !errors.Is(err,
		stop) {
		t.Errorf("got %v", err)
	}
	if got := contents(t, filepath.Dir(path)); got["f"] != "one" || got["f.bak1"] != "" {
		t.Errorf("got %v", got)
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "f")
	unlock, err := Files{}.lock(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- Write(path, []byte("x"), Options{}) }()
	select {
	case err := <-done:
		t.Fatalf("wrote under somebody else's lock: %v", err)
	case <-time.After(60 * time.Millisecond):
	}
	unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestEveryFailureLeavesOldOrNew makes each operation fail in turn, once alone (a full disk) and once with all that
// follow (a killed process), and looks at what is left.
func TestEveryFailureLeavesOldOrNew(t *testing.T) {
	t.Parallel()
	const before, after = "old content", "new content, longer"
	for _, killed := range []bool{false, true} {
		for at := 0; ; at++ {
			path := filepath.Join(safefiletest.Home(t), "config.json")
			if err := Write(path, []byte(before), Options{}); err != nil {
				t.Fatal(err)
			}
			steps, failed := 0, ""
			files := Files{before: func(op, _ string) error {
				steps++
				if steps-1 == at || killed && steps > at {
					if failed == "" {
						failed = op
					}
					return syscall.ENOSPC
				}
				return nil
			}}
			err := files.Write(path, []byte(after), Options{Backups: 3})
			name := fmt.Sprintf("operation %d (%s), killed %v", at, failed, killed)
			data, readErr := Read(path)
			if readErr != nil {
				t.Fatalf("%s: %v", name, readErr)
			}
			if got := string(data); got != before && got != after || err == nil && got != after {
				t.Errorf("%s: got %q, error %v", name, got, err)
			}
			if err != nil && failed != "syncdir" && !bytes.Equal(data, []byte(before)) {
				t.Errorf("%s: an error is reported, yet the file changed", name)
			}
			if err != nil && problem(t, err).Path != path && problem(t, err).Path != filepath.Dir(path) {
				t.Errorf("%s: the error names %s, which nobody has heard of", name, problem(t, err).Path)
			}
			if err != nil && problem(t, err).Problem != DiskFull {
				t.Errorf("%s: %v", name, err)
			}
			if !killed {
				for file := range contents(t, filepath.Dir(path)) {
					if strings.HasSuffix(file, ".tmp") {
						t.Errorf("%s: left %s behind", name, file)
					}
				}
			}
			// Whatever happened, the next save works.
			if err := Write(path, []byte("third"), Options{Backups: 3}); err != nil {
				t.Errorf("%s: next save: %v", name, err)
			}
			if failed == "" {
				if at < 8 {
					t.Fatalf("only %d operations were seen", at)
				}
				break
			}
		}
	}
}

func TestParallelWritersNeverMix(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "f")
	done := make(chan error)
	for i := range 8 {
		go func() { done <- Write(path, bytes.Repeat([]byte{byte('a' + i)}, 5000), Options{Backups: 3}) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
		data, err := Read(path)
		if err != nil || len(data) != 5000 || bytes.Count(data, data[:1]) != 5000 {
			t.Errorf("a mixture of %d octets, %v", len(data), err)
		}
	}
}
