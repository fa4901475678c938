package local

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"postier/share"
	"postier/wizard"
)

// patience is how long a test waits before it fails.
const patience = 10 * time.Second

// machine has its folders below one of the test's own. Unix sockets have short paths, so it is not the usual one.
func machine(t *testing.T, env ...string) Machine {
	t.Helper()
	root, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	m := Machine{Getenv: func(string) string { return "" }, Run: filepath.Join(root, "r"), Temp: filepath.Join(root, "t")}
	for _, dir := range []string{filepath.Join(m.Run, strconv.Itoa(os.Geteuid())), m.Temp, filepath.Join(root, "x")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if len(env) > 0 {
		m.Getenv = func(name string) string {
			if name == "XDG_RUNTIME_DIR" {
				return filepath.Join(root, env[0])
			}
			return ""
		}
	}
	return m
}

// offering shares one screen and returns the status with the code.
func offering(t *testing.T, m Machine) (*share.Presenter, share.Code) {
	t.Helper()
	p := share.NewPresenter(m.Open)
	t.Cleanup(p.Close)
	p.Show(share.View{Screen: wizard.Screen{Step: wizard.StepServer, Number: 3}})
	p.Start()
	s := until(t, p, func(s share.Status) bool { return s.Phase != share.Asking })
	if s.Phase != share.Waiting {
		t.Fatalf("no code: %s", s.Ended.Say("en", ""))
	}
	return p, s.Code
}

func until(t *testing.T, p *share.Presenter, done func(share.Status) bool) share.Status {
	t.Helper()
	late := time.After(patience)
	for {
		s := p.Status()
		if done(s) {
			return s
		}
		select {
		case <-s.Changed:
		case <-late:
			t.Fatalf("still %+v", s)
		}
	}
}

// looks joins and waits for the screen.
func looks(t *testing.T, m Machine, code share.Code) {
	t.Helper()
	stream, err := m.Join(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	v := share.NewViewer(stream)
	defer v.Close()
	late := time.After(patience)
	for {
		seen := v.Seen()
		if seen.Any && seen.View.Screen.Step == wizard.StepServer {
			return
		}
		select {
		case <-seen.Changed:
		case <-late:
			t.Fatalf("sees nothing: %+v", seen)
		}
	}
}

func all(t *testing.T, m Machine) []string {
	t.Helper()
	var out []string
	for _, dir := range m.everyFolder() {
		out = append(out, sockets(dir)...)
	}
	return out
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{"session": {"x"}, "user": nil, "no such folder": {"missing"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine(t, env...)
			_, code := offering(t, m)
			list := all(t, m)
			if len(list) != 1 {
				t.Fatalf("sockets %v", list)
			}
			info, err := os.Stat(filepath.Dir(list[0]))
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder is %v, %v", info.Mode(), err)
			}
			looks(t, m, code)
		})
	}
}

// TestNameSaysNothing: the names are random, and long enough that none is met twice.
func TestNameSaysNothing(t *testing.T) {
	t.Parallel()
	m := machine(t)
	seen := map[string]bool{}
	for range 3 {
		offering(t, m)
	}
	for _, path := range all(t, m) {
		seen[path] = true
		if name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), prefix), suffix); len(name) != 16 {
			t.Errorf("%s", path)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d sockets", len(seen))
	}
}

func TestNoTempFolderWithoutSystemd(t *testing.T) {
	t.Parallel()
	m := machine(t)
	if err := os.RemoveAll(m.Run); err != nil {
		t.Fatal(err)
	}
	_, code := offering(t, m)
	if list := all(t, m); len(list) != 1 || !strings.HasPrefix(list[0], m.Temp) {
		t.Errorf("sockets %v", list)
	}
	looks(t, m, code)
}

// TestOpenFoldersAreNotUsed: one that others can enter, a link and a file in its place are passed over, and joined by
// no one.
func TestOpenFoldersAreNotUsed(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"open": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o750)) },
		"link": func(dir string) error {
			target := dir + ".elsewhere"
			return errors.Join(os.Mkdir(target, 0o700), os.Symlink(target, dir))
		},
		"file": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine(t)
			for _, dir := range m.folders(os.Geteuid()) {
				if err := spoil(dir); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := m.Open(t.Context()); !errors.Is(err, ErrNowhere) {
				t.Errorf("opened: %v", err)
			}
			if _, err := m.Join(t.Context(), "00000000"); !errors.Is(err, ErrNone) {
				t.Errorf("joined: %v", err)
			}
		})
	}
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	m := machine(t)
	p, code := offering(t, m)
	wrong := share.Code("00000000")
	if code == wrong {
		wrong = "11111111"
	}
	for range 5 {
		if _, err := m.Join(t.Context(), wrong); !errors.Is(err, share.ErrCode) {
			t.Fatal(err)
		}
	}
	s := until(t, p, func(s share.Status) bool { return s.Phase == share.Off })
	if s.Ended.Msg.Key != "share.guessed" {
		t.Errorf("the person is told %s", s.Ended.Msg.Key)
	}
	if _, err := m.Join(t.Context(), code); err == nil {
		t.Error("the right code still opens")
	}
	if list := all(t, m); len(list) > 0 {
		t.Errorf("left behind: %v", list)
	}
}

// TestOneHelper: the socket is gone as soon as the helper is there.
func TestOneHelper(t *testing.T) {
	t.Parallel()
	m := machine(t)
	p, code := offering(t, m)
	first, err := m.Join(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	until(t, p, func(s share.Status) bool { return s.Phase == share.Watched })
	if _, err := m.Join(t.Context(), code); !errors.Is(err, ErrNone) && !errors.Is(err, share.ErrCode) {
		t.Errorf("a second helper: %v", err)
	}
}

// TestSeveralSessions: the code finds its own.
func TestSeveralSessions(t *testing.T) {
	t.Parallel()
	m := machine(t)
	var codes []share.Code
	for range 3 {
		_, code := offering(t, m)
		codes = append(codes, code)
	}
	for _, code := range codes {
		looks(t, m, code)
	}
}

// TestRudeVisitors: whatever is said at the door, the offer stands, and the right code opens it.
func TestRudeVisitors(t *testing.T) {
	t.Parallel()
	m := machine(t)
	p, code := offering(t, m)
	path := all(t, m)[0]
	for _, says := range []string{
		"\n", "GET / HTTP/1.1\r\n\r\n", "{\"version\":9}\n", strings.Repeat("x", 1<<20), "half", "\x00\xff\n", "[]\n",
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, says)
		_ = conn.(*net.UnixConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%.20q is kept waiting", says)
		}
		_ = conn.Close()
	}
	if s := p.Status(); s.Phase != share.Waiting {
		t.Fatalf("%+v", s)
	}
	looks(t, m, code)
}

// TestSilentVisitors: those who say nothing take the places at the door, and give them back when they go.
func TestSilentVisitors(t *testing.T) {
	t.Parallel()
	m := machine(t)
	_, code := offering(t, m)
	path := all(t, m)[0]
	var silent []net.Conn
	for range 50 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
	}
	closed := 0
	for _, conn := range silent[maxAtTheDoor:] {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			closed++
		}
	}
	if want := len(silent) - maxAtTheDoor; closed != want {
		t.Errorf("%d of %d were sent away", closed, want)
	}
	for _, conn := range silent {
		_ = conn.Close()
	}
	late := time.After(patience)
	for {
		stream, err := m.Join(t.Context(), code)
		if err == nil {
			_ = stream.Close()
			return
		}
		select {
		case <-late:
			t.Fatalf("the right code: %v", err)
		default:
		}
	}
}

// TestStaleSocket: one that a killed program left behind is removed.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	m := machine(t)
	l, err := m.listen()
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := m.Join(t.Context(), "00000000"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if list := all(t, m); len(list) > 0 {
		t.Errorf("still there: %v", list)
	}
}

// TestTrusted: only the same user and root deal with each other's programs.
func TestTrusted(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		uid, own int
		want     bool
	}{{1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {0, 0, true}} {
		if got := trusted(row.uid, row.own); got != row.want {
			t.Errorf("%d to %d: %v", row.uid, row.own, got)
		}
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
	if _, ok := owner(file); ok {
		t.Error("a file is a folder")
	}
}
