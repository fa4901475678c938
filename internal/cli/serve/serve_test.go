package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/parallel"
	"postier/internal/safefile/safefiletest"
	"postier/internal/wire"
	"postier/tui/served"
	"postier/wizard/carrier"
)

// english is a factory with nothing in its environment.
func english(out, err *bytes.Buffer) *command.Factory {
	return command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: out, Err: err, Getenv: func(string) string { return "" },
	}, "test")
}

// options are those of the flags, without the work.
func options(t *testing.T, f *command.Factory, program Program, args ...string) *Options {
	t.Helper()
	var got *Options
	cmd := New(f, program, func(_ context.Context, o *Options) error { got = o; return nil })
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return got
}

const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFx1pyxnzvsyJV0ivPAOJdSTWmIb5Zd1LsvfvPUXZSfe anna\n"

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRefusesToStart: without keys, or with files that others could change or read, no one is let in.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	good := write(t, in("keys"), aKey, 0o644)
	if err := errors.Join(os.Mkdir(in("wide"), 0o700), os.Chmod(in("wide"), 0o755)); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	none := write(t, in("empty"), "#\n", 0o600)
	restricted := write(t, in("o"), "restrict "+aKey, 0o600)
	for name, row := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no file named":     {nil, exitcode.Usage, "--authorized-keys FILE"},
		"no such file":      {[]string{"--authorized-keys", in("none")}, exitcode.Config, "none"},
		"others write it":   {[]string{"--authorized-keys", write(t, in("open"), aKey, 0o666)}, exitcode.Config, "chmod"},
		"no key in it":      {[]string{"--authorized-keys", none}, exitcode.Config, "has no key"},
		"an unknown option": {[]string{"--authorized-keys", restricted}, exitcode.Config, "has no key"},
		"others read the host key": {
			[]string{"--authorized-keys", good, "--root", in("r1"), "--host-key", write(t, in("host"), "x", 0o644)},
			exitcode.Config, "chmod 600",
		},
		"others read the root": {[]string{"--authorized-keys", good, "--root", in("wide")}, exitcode.Config, "chmod 700"},
		"no network": {
			[]string{"--authorized-keys", good, "--root", in("r2"), "--allow-networks", "10.0.0.1"}, exitcode.Usage, "10.0.0.1",
		},
		"the port is taken": {
			[]string{"--authorized-keys", good, "--root", in("r3"), "--listen", busy.Addr().String()},
			exitcode.Unavailable, "Cannot listen",
		},
	} {
		var out, errs bytes.Buffer
		f := english(&out, &errs)
		err := serve(t.Context(), options(t, f, Program{}, row.args...))
		said := fmt.Sprint(err)
		if command.Code(err) != row.code || !strings.Contains(said+errs.String(), row.says) {
			t.Errorf("%s: %d %v\n%s", name, command.Code(err), err, &errs)
		}
	}
}

// session runs a program as for one account, on a pseudo-terminal.
func session(t *testing.T, o *Options, name string, allowed []netip.Prefix, audit func(string)) (string, error) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() })
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return o.Root, o.session(t.Context(), root, allowed, &served.Session{
		Account: served.NewAccount(name, served.RoleUser), Terminal: slave,
		Resized: func(func()) func() { return func() {} },
		Audit:   func(event string, _ ...slog.Attr) { audit(event) },
		Getenv:  func(name string) string { return map[string]string{"LANG": "fr_FR.UTF-8", "TERM": "xterm"}[name] },
	})
}

// TestSession: each account has a folder and a network of its own; neither comes from what a client says.
func TestSession(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	var seen []*command.Factory
	program := Program{
		Home: func(_ context.Context, f *command.Factory) error { seen = append(seen, f); return nil },
		End:  func(*command.Factory, error) int { return 0 },
	}
	o := options(t, english(&out, &errs), program, "--root", safefiletest.Home(t))
	allowed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	var networks []*wire.Network
	for _, name := range []string{"anna", "bert", "anna", "../../etc"} {
		if _, err := session(t, o, name, allowed, nobody); err != nil {
			t.Fatal(err)
		}
		network, err := seen[len(seen)-1].Network()
		if err != nil {
			t.Fatal(err)
		}
		networks = append(networks, network)
	}
	paths := map[string]bool{}
	for i, f := range seen {
		path, found := f.ConfigPath()
		paths[path] = true
		if folder := filepath.Dir(path); found || filepath.Dir(folder) != o.Root || filepath.Base(path) != "config.json" {
			t.Errorf("the settings of %d are at %s", i, path)
		}
		if f.Lang() != "fr" || f.Getenv("HOME") != "" || f.Served == nil || !f.Drawable() {
			t.Errorf("session %d is not that of the client's terminal", i)
		}
		n := networks[i]
		for address, want := range map[string]bool{
			"127.0.0.1:465": false, "10.0.0.1:465": false, "10.1.0.1:465": true, "169.254.169.254:80": false, "[::1]:25": false,
			"93.184.216.34:465": true, "93.184.216.34:22": false,
		} {
			if got := n.Permit(netip.MustParseAddrPort(address)) == nil; got != want {
				t.Errorf("%s: %v", address, got)
			}
		}
	}
	if len(paths) != 3 {
		t.Errorf("three accounts have %d folders: %v", len(paths), paths)
	}
	if networks[0].Quota == nil || networks[0].Quota != networks[2].Quota || networks[0].Quota == networks[1].Quota {
		t.Error("a quota belongs to an account, over all of its sessions")
	}
}

// log is standard error that may be read while it is written.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestServeEnds: the server says where it listens and by which key it is known, and ends with its context.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	var out, errs log
	f := command.NewFactory(command.Streams{Out: &out, Err: &errs, Getenv: func(string) string { return "" }}, "test")
	o := options(t, f, Program{}, "--listen", "127.0.0.1:0", "--root", filepath.Join(dir, "served"), "--authorized-keys",
		write(t, filepath.Join(dir, "keys"), aKey, 0o600))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(errs.String(), "event=listening"); {
		if time.Now().After(deadline) {
			t.Fatalf("it does not listen: %s%s", &out, &errs)
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "Fingerprint of the host key: SHA256:") ||
		!strings.Contains(errs.String(), "A new host key was written to") {
		t.Errorf("%s%s", &out, &errs)
	}
	if info, err := os.Stat(filepath.Join(dir, "served", hostKeyName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the host key: %v, %v", info, err)
	}
}

// TestPanicOfTheWork: a panic of the work reaches the place where the session began, which knows what to say to whom,
// with the stack of the work.
func TestPanicOfTheWork(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	o := options(t, english(&out, &errs), Program{
		End: ending,
		Home: func(context.Context, *command.Factory) error {
			return &carrier.PanicError{Value: "out of luck", Stack: []byte("where it was")}
		},
	}, "--root", safefiletest.Home(t))
	broken := parallel.Catch(func() { _, _ = session(t, o, "anna", nil, func(string) {}) })
	if broken == nil || broken.Value != "out of luck" || string(broken.Stack) != "where it was" {
		t.Errorf("%v", broken)
	}
}
