package service

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postier/internal/cli/command"
	"postier/internal/cli/command/schematest"
	"postier/internal/exitcode"
)

var update = flag.Bool("update", false, "write docs/systemd")

// pages are the files in docs/systemd, which packages install.
func pages() map[string]string {
	texts := map[string]string{}
	for _, u := range systemUnits("/usr/bin/postier") {
		name := u.name()
		if !u.isUnit() {
			name = filepath.Base(filepath.Dir(u.path)) + "-" + name
		}
		texts[filepath.Join("system", name)] = u.text
	}
	for _, u := range userUnits("/usr/bin/postier", "") {
		texts[filepath.Join("user", u.name())] = u.text
	}
	return texts
}

// TestDocumentedUnits: docs/systemd is what the program prints, and holds nothing else.
func TestDocumentedUnits(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "docs", "systemd")
	texts := pages()
	for name, text := range texts {
		path := filepath.Join(root, name)
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("docs/systemd/%s is not what the program prints (%v); go test ./internal/cli/service -update", name, err)
		}
	}
	found, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil || len(found) != len(texts) {
		t.Errorf("%d files in docs/systemd, want %d: %v", len(found), len(texts), found)
	}
}

// skipOutsideCI skips a test that needs what only CI is sure to have.
func skipOutsideCI(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// TestHardening: systemd itself judges the units.
func TestHardening(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		skipOutsideCI(t, "systemd-analyze is not installed")
	}
	folder := t.TempDir()
	program, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, u := range systemUnits(program) {
		path := filepath.Join(folder, u.name())
		if !u.isUnit() {
			continue
		}
		text := strings.ReplaceAll(u.text, "Documentation=man:postier(1)\n", "") // the page need not be installed here
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	if said, err := exec.Command(analyze, append([]string{"verify"}, files...)...).CombinedOutput(); err != nil ||
		len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	judge(t, analyze, filepath.Join(folder, "postier.service"))
}

// TestChosenConfiguration: the service is one of the configuration that the user chose, and may write beside it.
func TestChosenConfiguration(t *testing.T) {
	t.Parallel()
	text := serving(userUnits("/usr/bin/postier", "")[0].text, "/srv/my mail/100%.json",
		[]string{"/srv/my mail", "/var/q"})
	for _, want := range []string{
		`ExecStart=/usr/bin/postier --config "/srv/my mail/100%%.json" queue run --daemon` + "\n",
		`ReadWritePaths="-/srv/my mail" "-/var/q" -%h/.config/postier -%h/.local/state/postier` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestHardeningOfAUser: the judge takes every unit for one that root's manager starts. This one is started by a user's,
// so it is judged with what holds of it by nature: it is not root's and has no capability.
func TestHardeningOfAUser(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		skipOutsideCI(t, "systemd-analyze is not installed")
	}
	path := filepath.Join(t.TempDir(), "postier.service")
	text := strings.Replace(userUnits("/usr/bin/true", "")[0].text, "[Service]\n",
		"[Service]\nUser=anna\nCapabilityBoundingSet=\n", 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	judge(t, analyze, path)
}

// judge asks systemd how exposed a unit is.
func judge(t *testing.T, analyze, path string) {
	t.Helper()
	said, err := exec.Command(analyze, "security", "--offline=true", path).Output()
	if err != nil {
		skipOutsideCI(t, "systemd-analyze security: "+err.Error()) // older versions judge installed units only
	}
	level := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`).FindSubmatch(said)
	const most = 3.0
	if level == nil {
		t.Fatalf("%s", said)
	}
	if got, err := strconv.ParseFloat(string(level[1]), 64); err != nil || got > most {
		t.Errorf("the exposure level is %s, at most %v is wanted", level[1], most)
	}
}

// host is a machine whose systemd only notes what it is asked to do.
type host struct {
	t     *testing.T
	o     *Options
	out   bytes.Buffer
	err   bytes.Buffer
	calls []string
}

func newHost(t *testing.T, isSystem bool) *host {
	t.Helper()
	h := &host{t: t}
	home := t.TempDir()
	f := command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: &h.out, Err: &h.err,
		Getenv: func(name string) string { return map[string]string{"HOME": home, "LC_ALL": "C"}[name] },
	}, "test")
	h.o = &Options{Factory: f, System: isSystem, system: system{
		root: t.TempDir(), program: "/usr/bin/postier", booted: true,
		run: func(_ context.Context, argv ...string) (string, error) {
			h.calls = append(h.calls, strings.Join(argv, " "))
			return "", nil
		},
	}}
	if !isSystem {
		h.o.system.root, h.o.system.uid = "", 1000
	}
	return h
}

func (h *host) files() []string {
	var there []string
	for _, u := range h.o.units() {
		if _, err := os.Stat(filepath.Join(h.o.system.root, u.path)); err == nil {
			there = append(there, u.name())
		}
	}
	return there
}

func TestInstallAndRemove(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		system    bool
		files     []string
		installed []string
		removed   []string
	}{
		{
			true,
			[]string{"postier.service", "postier.socket", "postier.conf", "postier.conf"},
			[]string{
				"systemd-sysusers /etc/sysusers.d/postier.conf", "systemd-tmpfiles --create /etc/tmpfiles.d/postier.conf",
				"chown -R --no-dereference postier:postier /etc/postier /var/lib/postier", "systemctl daemon-reload",
				"systemctl enable --now postier.service postier.socket",
			},
			[]string{"systemctl disable --now postier.service postier.socket", "systemctl daemon-reload"},
		},
		{
			false,
			[]string{"postier.service"},
			[]string{"systemctl --user daemon-reload", "systemctl --user enable --now postier.service"},
			[]string{"systemctl --user disable --now postier.service", "systemctl --user daemon-reload"},
		},
	} {
		h := newHost(t, row.system)
		if err := install(t.Context(), h.o); err != nil {
			t.Fatalf("%v\n%s", err, &h.err)
		}
		if !slices.Equal(h.calls, row.installed) || !slices.Equal(h.files(), row.files) {
			t.Errorf("install: %q, %q", h.calls, h.files())
		}
		h.calls = nil
		if err := remove(t.Context(), h.o); err != nil {
			t.Fatalf("%v\n%s", err, &h.err)
		}
		if !slices.Equal(h.calls, row.removed) || len(h.files()) > 0 {
			t.Errorf("remove: %q, %q", h.calls, h.files())
		}
		if err := remove(t.Context(), h.o); err != nil {
			t.Errorf("a second time: %v", err)
		}
		if strings.Contains(h.out.String()+h.err.String(), "<cli.") {
			t.Errorf("a sentence is missing: %s%s", &h.out, &h.err)
		}
	}
}

// TestHiddenProgram: the unit of the machine hides home folders and temporary ones, so the program cannot be there.
func TestHiddenProgram(t *testing.T) {
	t.Parallel()
	for program, works := range map[string]bool{
		"/usr/local/bin/postier": true, "/opt/postier": true, "/rooted/postier": true,
		"/root/postier": false, "/home/anna/bin/postier": false, "/tmp/../tmp/postier": false, "/var/tmp/postier": false,
	} {
		h := newHost(t, true)
		h.o.system.program = program
		err := install(t.Context(), h.o)
		if works != (err == nil) || works != (len(h.calls) > 0) {
			t.Errorf("%s: %v, %q", program, err, h.calls)
		}
		h = newHost(t, true)
		h.o.system.program, h.o.Print = program, true
		if err := install(t.Context(), h.o); err != nil || works != (h.err.Len() == 0) || h.out.Len() == 0 {
			t.Errorf("%s printed: %v, %s", program, err, &h.err)
		}
		h = newHost(t, false)
		h.o.system.program = program
		if err := install(t.Context(), h.o); err != nil {
			t.Errorf("%s for one user: %v", program, err)
		}
	}
}

// TestSchemas: what the commands print with --json obeys the schemas of docs/schemas.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		schema string
		run    command.Run[*Options]
		print  bool
		code   int
	}{
		{"service-install", install, false, exitcode.OK},
		{"service-print", install, true, exitcode.OK},
		{"service-status", status, false, exitcode.Failed},
		{"service-remove", remove, false, exitcode.OK},
	} {
		h := newHost(t, true)
		var printed reflect.Type
		h.o.JSON, h.o.Print = true, row.print
		h.o.Printed = func(value any, _ bool) { printed = reflect.TypeOf(value) }
		if err := row.run(t.Context(), h.o); command.Code(err) != row.code {
			t.Fatalf("%s: %v", row.schema, err)
		}
		schematest.Check(t, row.schema, printed)
		schematest.Obeys(t, row.schema, h.out.Bytes())
	}
}

// TestWithoutSystemdInJSON: what to run is in the message, and nothing is on standard output that is no JSON.
func TestWithoutSystemdInJSON(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]command.Run[*Options]{"install": install, "status": status} {
		h := newHost(t, false)
		h.o.JSON, h.o.system.booted = true, false
		err := run(t.Context(), h.o)
		if command.Code(err) != exitcode.Unavailable || !strings.Contains(err.Error(), "queue run --daemon") ||
			h.out.Len() > 0 {
			t.Errorf("%s: %v, %s", name, err, &h.out)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	h := newHost(t, true)
	h.o.system.run = func(_ context.Context, argv ...string) (string, error) {
		if argv[1] == "is-active" && argv[2] == "postier.socket" {
			return "inactive", errors.New("exit status 3")
		}
		return map[string]string{"is-active": "active", "is-enabled": "enabled"}[argv[1]], nil
	}
	if err := status(t.Context(), h.o); command.Code(err) != exitcode.Failed {
		t.Errorf("a socket that is not there: %v", err)
	}
	if got := h.out.String(); got != "postier.service: active, enabled\npostier.socket: inactive, enabled\n" {
		t.Errorf("%s", got)
	}
}

// TestWithoutSystemd: what to run instead is printed, nothing is written, and no script takes it for installed.
func TestWithoutSystemd(t *testing.T) {
	t.Parallel()
	for isSystem, want := range map[bool]string{
		true:  "queue run --daemon --socket /run/postier/submit\n",
		false: "/usr/bin/postier queue run --daemon\n",
	} {
		h := newHost(t, isSystem)
		h.o.system.booted = false
		if err := install(t.Context(), h.o); command.Code(err) != exitcode.Unavailable {
			t.Errorf("%v", err)
		}
		if !strings.HasSuffix(h.out.String(), want) || len(h.files()) > 0 || len(h.calls) > 0 {
			t.Errorf("%s%q%q", &h.out, h.files(), h.calls)
		}
	}
}

func TestPrintAndRights(t *testing.T) {
	t.Parallel()
	h := newHost(t, true)
	h.o.system.uid = 1000
	if err := install(t.Context(), h.o); command.Code(err) != exitcode.NoPerm || len(h.files()) > 0 {
		t.Errorf("without root: %v, %q", err, h.files())
	}
	h.o.Print = true
	if err := install(t.Context(), h.o); err != nil || len(h.files())+len(h.calls) > 0 {
		t.Errorf("%v, %q, %q", err, h.files(), h.calls)
	}
	for _, u := range h.o.units() {
		if !strings.Contains(h.out.String(), "# "+u.path+"\n"+u.text) {
			t.Errorf("%s is not printed", u.path)
		}
	}
	h.o.system.run = func(context.Context, ...string) (string, error) {
		return "Access denied", errors.New("exit status 1")
	}
	h.o.Print, h.o.system.uid = false, 0
	if err := install(t.Context(), h.o); command.Code(err) != exitcode.IO ||
		!strings.Contains(err.Error(), "Access denied") {
		t.Errorf("%v", err)
	}
}
