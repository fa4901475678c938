package credential

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile/safefiletest"
	"postier/internal/secret"
)

const canary = "CANARY pä'ss\"$(id)`#%n;\\"

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// fakeKeyring is a map that can hang or fail.
type fakeKeyring struct {
	entries map[string]string
	err     error
	hang    chan struct{}
}

func (f *fakeKeyring) Get(service, user string) (string, error) {
	if f.hang != nil {
		<-f.hang
	}
	if f.err != nil {
		return "", f.err
	}
	value, ok := f.entries[service+"/"+user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return value, nil
}

func (f *fakeKeyring) Set(service, user, value string) error {
	if f.err == nil {
		f.entries[service+"/"+user] = value
	}
	return f.err
}

func (f *fakeKeyring) Delete(service, user string) error {
	if _, ok := f.entries[service+"/"+user]; !ok {
		return keyring.ErrNotFound
	}
	delete(f.entries, service+"/"+user)
	return nil
}

// states are what can be wrong with a secret. A file is read through safefile whoever names it, so that "hangs" is a
// FIFO and "fails" a folder in its place.
var states = []string{"present", "missing", "unreadable", "empty", "5 KiB", "trailing newline", "hangs", "fails"}

// content is what a state puts where the secret belongs.
func content(state string) string {
	switch state {
	case "empty":
		return ""
	case "5 KiB":
		return strings.Repeat("x", 5<<10)
	case "trailing newline":
		return canary + "\n"
	}
	return canary
}

func putFile(t *testing.T, path, state string) {
	t.Helper()
	var err error
	switch state {
	case "missing":
	case "unreadable":
		write(t, path, canary, 0o644) // root could read any mode: what others may read is refused for everybody
	case "hangs":
		err = makeFifo(t, path)
	case "fails":
		err = os.Mkdir(path, 0o700)
	default:
		write(t, path, content(state), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// prepare builds one state of one kind.
func prepare(t *testing.T, kind config.CredentialKind, state string) (*Store, config.Credential) {
	t.Helper()
	dir := safefiletest.Home(t)
	env := map[string]string{}
	s := &Store{Folder: dir, Getenv: func(name string) string { return env[name] }}
	if state == "hangs" {
		s.commandWait, s.keyringWait = 300*time.Millisecond, 30*time.Millisecond
	}
	reference := config.Credential{Kind: kind}
	switch kind {
	case config.CredentialFile:
		reference.Path = "secret"
		putFile(t, filepath.Join(dir, "secret"), state)
	case config.CredentialSystemd:
		env["CREDENTIALS_DIRECTORY"] = dir
		reference.Name = "smtp-x"
		putFile(t, filepath.Join(dir, "smtp-x"), state)
	case config.CredentialEnv:
		reference.Name = "SMTP_PASSWORD"
		switch state {
		case "unreadable", "hangs", "fails":
			env["SMTP_PASSWORD_FILE"] = filepath.Join(dir, "secret")
			putFile(t, filepath.Join(dir, "secret"), state)
		case "missing":
		default:
			env["SMTP_PASSWORD"] = content(state)
		}
	case config.CredentialKeyring:
		reference.Name = "x"
		ring := &fakeKeyring{entries: map[string]string{service + "/x": content(state)}}
		switch state {
		case "missing":
			delete(ring.entries, service+"/x")
		case "unreadable", "fails":
			ring.err = errors.New("dbus: no such interface")
		case "hangs":
			ring.hang = make(chan struct{})
			t.Cleanup(func() { close(ring.hang) })
		}
		s.Keyring = ring
	case config.CredentialCommand:
		reference.Command = command(t, dir, state)
	case config.CredentialInline:
		reference.Value = content(state)
		switch state {
		case "missing":
			reference.Value = ""
		case "unreadable", "hangs", "fails": // a value in memory can only be malformed
			reference.Value = "a\x00b"
		}
	}
	return s, reference
}

func command(t *testing.T, dir, state string) []string {
	t.Helper()
	script := filepath.Join(dir, "ask")
	switch state {
	case "missing":
		return []string{script}
	case "unreadable":
		write(t, script, "#!/bin/sh\n", 0o600)
		return []string{script}
	case "hangs":
		return []string{"/bin/sh", "-c", "sleep 30 & sleep 30"}
	case "fails":
		return []string{"/bin/sh", "-c", "echo " + "CANARY-half; echo why >&2; exit 1"}
	}
	write(t, filepath.Join(dir, "value"), content(state), 0o600)
	return []string{"/bin/cat", filepath.Join(dir, "value")}
}

// wanted is the verdict of each kind and state; "" is the canary.
var wanted = map[config.CredentialKind]map[string]Problem{
	config.CredentialFile: {
		"missing": Missing, "unreadable": Unreadable, "empty": Empty, "5 KiB": TooLong,
		"hangs": Unreadable, "fails": Unreadable,
	},
	config.CredentialCommand: {
		"missing": NotStarted, "unreadable": NotStarted, "empty": Empty, "5 KiB": TooLong,
		"hangs": TimedOut, "fails": Exited,
	},
	config.CredentialSystemd: {
		"missing": Missing, "unreadable": Unreadable, "empty": Empty, "5 KiB": TooLong,
		"hangs": Unreadable, "fails": Unreadable,
	},
	config.CredentialKeyring: {
		"missing": Missing, "unreadable": NoKeyring, "empty": Empty, "5 KiB": TooLong,
		"hangs": TimedOut, "fails": NoKeyring,
	},
	config.CredentialEnv: {
		"missing": Missing, "unreadable": Unreadable, "empty": Missing, "5 KiB": TooLong,
		"hangs": Unreadable, "fails": Unreadable,
	},
	config.CredentialInline: {
		"missing": Empty, "unreadable": Malformed, "empty": Empty, "5 KiB": TooLong,
		"hangs": Malformed, "fails": Malformed,
	},
}

func TestEveryKindInEveryState(t *testing.T) {
	t.Parallel()
	for kind, row := range wanted {
		for _, state := range states {
			t.Run(string(kind)+"/"+state, func(t *testing.T) {
				t.Parallel()
				s, reference := prepare(t, kind, state)
				value, err := s.Resolve(t.Context(), "durand", &config.Profile{Credential: reference})
				if row[state] == "" {
					if err != nil || value.Reveal() != canary {
						t.Errorf("got %q, %v", value.Reveal(), err)
					}
					return
				}
				checkError(t, err, row[state])
				if !value.Empty() {
					t.Error("a secret came with the error")
				}
			})
		}
	}
}

func checkError(t *testing.T, err error, problem Problem) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) {
		t.Fatalf("got %v, want %s", err, problem)
	}
	if typed.Problem != problem {
		t.Errorf("got %s (%v), want %s", typed.Problem, err, problem)
	}
	for _, lang := range locale.All() {
		said := locale.For(lang).Say(typed.Text())
		if said == "" || strings.HasPrefix(said, "<") || strings.Contains(said, "{") || strings.Contains(said, "\n") {
			t.Errorf("%s: %q is no sentence", lang, said)
		}
		if strings.Contains(said+err.Error(), "CANARY") {
			t.Errorf("the secret is in %q or %q", said, err)
		}
	}
}

func TestCommandsAreKeptApart(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME": "/h", "SECRET_OF_OTHERS": "x", "LD_PRELOAD": "/x.so", "PATH": "/evil"}
	s := &Store{Getenv: func(name string) string { return env[name] }}
	run := func(argv ...string) string {
		t.Helper()
		out, err := s.runCommand(t.Context(), argv)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	if got, want := run("/usr/bin/env"), "PATH="+(*Store)(nil).childPath()+"\nLANG=C.UTF-8\nHOME=/h"; got != want {
		t.Errorf("environment: got %q, want %q", got, want)
	}
	if got := run("/bin/pwd"); got != "/" {
		t.Errorf("folder: got %q", got)
	}
	if got := run("/bin/cat"); got != "" {
		t.Errorf("input: got %q", got)
	}
	if got := run("/bin/echo", "$(id)", "a;b"); got != "$(id) a;b" {
		t.Errorf("a shell was at work: %q", got)
	}
	if _, err := s.runCommand(t.Context(), []string{"cat"}); !errors.Is(err, errStart) {
		t.Errorf("a relative name was started: %v", err)
	}
}

func TestCommandLeavesNoChildren(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	pidFile := filepath.Join(dir, "pid")
	for name, script := range map[string]string{
		"times out":      `sleep 30 & echo $! > "$0"; sleep 30`,
		"ends":           `sleep 30 >/dev/null 2>&1 & echo $! > "$0"; echo ok`,
		"floods":         `sleep 30 & echo $! > "$0"; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`,
		"holds the pipe": `sleep 30 & echo $! > "$0"; echo ok`,
	} {
		s := &Store{}
		if name == "times out" {
			s.commandWait = 500 * time.Millisecond
		}
		start := time.Now()
		_, err := s.runCommand(t.Context(), []string{"/bin/sh", "-c", script, pidFile})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if (name == "floods") != errors.Is(err, errOutput) {
			t.Errorf("%s: got %v", name, err)
		}
		data, err := os.ReadFile(pidFile)
		if err != nil {
			t.Fatal(err)
		}
		var pid int
		if _, err := fmt.Sscan(string(data), &pid); err != nil {
			t.Fatal(err)
		}
		if !gone(pid) {
			t.Errorf("%s: process %d lives on", name, pid)
		}
	}
}

// gone waits a moment for a killed process to end; one that only waits for its parent counts as ended.
func gone(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestStderrIsKeptForTechnicians(t *testing.T) {
	t.Parallel()
	s, reference := prepare(t, config.CredentialCommand, "fails")
	_, err := s.Resolve(t.Context(), "x", &config.Profile{Credential: reference})
	var typed *Error
	if !errors.As(err, &typed) || typed.Stderr.Raw() != "why\n" || strings.Contains(err.Error(), "why") {
		t.Errorf("got %v", err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, kind := range []config.CredentialKind{config.CredentialCommand, config.CredentialKeyring} {
		s, reference := prepare(t, kind, "hangs")
		s.commandWait, s.keyringWait = time.Minute, time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		start := time.Now()
		if _, err := s.Resolve(ctx, "x", &config.Profile{Credential: reference}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", kind, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: cancelling took %v", kind, took)
		}
	}
}

func TestAskAndOAuth(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := &config.Profile{
		Submission: config.Server{Host: "h", Username: "u"},
		Credential: config.Credential{Kind: config.CredentialAsk, Type: config.SecretAppPassword},
	}
	s := &Store{}
	_, err := s.Resolve(ctx, "x", p)
	checkError(t, err, NobodyToAsk)
	s.Ask = func(_ context.Context, r Request) (secret.Value, error) {
		if (r != Request{"x", "u", "h", config.SecretAppPassword}) {
			t.Errorf("asked for %+v", r)
		}
		return secret.New(canary), nil
	}
	if value, err := s.Resolve(ctx, "x", p); err != nil || value.Reveal() != canary {
		t.Errorf("got %v", err)
	}
	s.Ask = func(context.Context, Request) (secret.Value, error) { return secret.Value{}, nil }
	_, err = s.Resolve(ctx, "x", p)
	checkError(t, err, Empty)
	p.Credential = config.Credential{Kind: config.CredentialOAuth, Provider: "p"}
	_, err = s.Resolve(ctx, "x", p)
	checkError(t, err, NotSignedIn)
	s.OAuth = tokens{}
	if value, err := s.Resolve(ctx, "x", p); err != nil || value.Reveal() != "token of p" {
		t.Errorf("got %v", err)
	}
	p.Credential = config.Credential{Kind: config.CredentialSystemd, Name: "n"}
	s.Getenv = func(string) string { return "" }
	_, err = s.Resolve(ctx, "x", p)
	checkError(t, err, NoSystemd)
	p.Credential = config.Credential{}
	_, err = s.Resolve(ctx, "x", p)
	checkError(t, err, Unknown)
}

type tokens struct{}

func (tokens) Token(_ context.Context, _ string, reference config.Credential) (secret.Value, error) {
	return secret.New("token of " + reference.Provider), nil
}

func TestPutAndRemove(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ring := &fakeKeyring{entries: map[string]string{}}
	dir := safefiletest.Home(t)
	s := For(filepath.Join(dir, "config.json"))
	s.Keyring = ring
	for _, kind := range []config.CredentialKind{config.CredentialFile, config.CredentialKeyring} {
		for _, value := range []string{canary, " edge blanks ", strings.Repeat("x", MaxSecret)} {
			reference, err := s.Put(ctx, "durand", kind, config.SecretAppPassword, secret.New(value))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Resolve(ctx, "durand", &config.Profile{Credential: reference})
			if err != nil || got.Reveal() != value {
				t.Errorf("%s: %q came back as %q, %v", kind, value, got.Reveal(), err)
			}
			if reference.Type != config.SecretAppPassword {
				t.Errorf("got %+v", reference)
			}
		}
	}
	for path, mode := range map[string]fs.FileMode{"secrets": 0o700, "secrets/durand": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	file := config.Credential{Kind: config.CredentialFile, Path: "secrets/durand"}
	for range 2 { // what is gone already is no error
		if err := s.Remove(ctx, "durand", file); err != nil {
			t.Error(err)
		}
		if err := s.Remove(ctx, "durand", config.Credential{Kind: config.CredentialKeyring, Name: "durand"}); err != nil {
			t.Error(err)
		}
	}
	_, err := s.Resolve(ctx, "durand", &config.Profile{Credential: file})
	checkError(t, err, Missing)
	if len(ring.entries) != 0 {
		t.Errorf("the key ring still has %v", ring.entries)
	}
}

func TestPutRefusals(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := &Store{Folder: safefiletest.Home(t)}
	for _, row := range []struct {
		name  string
		kind  config.CredentialKind
		value string
		want  Problem
	}{
		{"durand", config.CredentialFile, "", Empty},
		{"durand", config.CredentialFile, "a\nb", Malformed},
		{"durand", config.CredentialFile, "a\n", Malformed},
		{"durand", config.CredentialFile, "a\x00", Malformed},
		{"durand", config.CredentialFile, strings.Repeat("x", MaxSecret+1), TooLong},
		{"../durand", config.CredentialFile, "x", BadName},
		{"durand", config.CredentialEnv, "x", NotOurs},
		{"durand", config.CredentialInline, "x", NotOurs},
	} {
		_, err := s.Put(ctx, row.name, row.kind, config.SecretPassword, secret.New(row.value))
		checkError(t, err, row.want)
	}
	if entries, _ := os.ReadDir(s.Folder); len(entries) != 0 {
		t.Errorf("something was written: %v", entries)
	}
}

func TestRemoveLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := &Store{Folder: safefiletest.Home(t)}
	path := filepath.Join(s.Folder, "mine")
	write(t, path, "x", 0o600)
	for _, reference := range []config.Credential{
		{Kind: config.CredentialFile, Path: path},
		{Kind: config.CredentialFile, Path: "secrets/../mine"},
		{Kind: config.CredentialEnv, Name: "mine"},
	} {
		if err := s.Remove(t.Context(), "x", reference); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a file outside secrets was removed: %v", err)
	}
}
