package served

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	gossh "golang.org/x/crypto/ssh"

	"postier/internal/safefile/safefiletest"
)

// patience is how long a test waits for something that must come.
const patience = 20 * time.Second

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// until waits for a condition.
func until(t *testing.T, what string, true_ func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !true_(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// bench is a server with one person's key.
type bench struct {
	t       *testing.T
	server  *Server
	address string
	folder  string
	keys    string // the path of the file
	key     gossh.Signer
	audit   lines
	stop    context.CancelFunc
	ended   chan error
}

func newKey(t testing.TB) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func line(options string, key gossh.Signer) string {
	return strings.TrimSpace(options + " " + string(gossh.MarshalAuthorizedKey(key.PublicKey())))
}

// start starts a server whose sessions run the program.
func start(t *testing.T, limits Limits, program func(context.Context, *Session) error, more ...string) *bench {
	t.Helper()
	folder := safefiletest.Home(t)
	b := &bench{t: t, folder: folder, key: newKey(t), ended: make(chan error, 1)}
	b.keys = filepath.Join(folder, "keys")
	text := strings.Join(append(more, line(`postier-user="anna"`, b.key)), "\n") + "\n"
	if err := os.WriteFile(b.keys, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := OpenKeys(b.keys)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := HostKey(filepath.Join(folder, "host"))
	if err != nil {
		t.Fatal(err)
	}
	if limits.ArrivalsPerSource == 0 {
		limits.ArrivalsPerSource = 1e6
	}
	b.server, err = New(Options{Keys: keys, HostKey: host, Limits: limits, Run: program, Audit: &b.audit})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	var ctx context.Context
	ctx, b.stop = context.WithCancel(context.Background())
	go func() { b.ended <- b.server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		b.stop()
		select {
		case <-b.ended:
		case <-time.After(patience):
			t.Error("the server does not end")
		}
	})
	return b
}

func (b *bench) config(user string, keys ...gossh.Signer) *gossh.ClientConfig {
	if len(keys) == 0 {
		keys = []gossh.Signer{b.key}
	}
	return &gossh.ClientConfig{
		User: user, Auth: []gossh.AuthMethod{gossh.PublicKeys(keys...)},
		HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: patience,
	}
}

// dial signs in.
func (b *bench) dial(user string, keys ...gossh.Signer) *gossh.Client {
	b.t.Helper()
	client, err := gossh.Dial("tcp", b.address, b.config(user, keys...))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Close() })
	return client
}

// client is a person's terminal.
type client struct {
	*gossh.Session
	in  io.WriteCloser
	out lines
}

// open begins a session with a window of this size.
func (b *bench) open(conn *gossh.Client, columns, rows int, env ...string) *client {
	b.t.Helper()
	session, err := conn.NewSession()
	if err != nil {
		b.t.Fatal(err)
	}
	c := &client{Session: session}
	session.Stdout, session.Stderr = &c.out, &c.out
	if c.in, err = session.StdinPipe(); err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(env); i += 2 {
		_ = session.Setenv(env[i], env[i+1])
	}
	if err := session.RequestPty("xterm", rows, columns, gossh.TerminalModes{}); err != nil {
		b.t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (c *client) waitFor(t *testing.T, text string) {
	t.Helper()
	until(t, fmt.Sprintf("to see %q in %q", text, c.out.String()), func() bool {
		return strings.Contains(c.out.String(), text)
	})
}

// exitCode is how a session ended.
func exitCode(t *testing.T, session *gossh.Session) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case err := <-ended:
		var status *gossh.ExitError
		switch {
		case err == nil:
			return 0
		case errors.As(err, &status):
			return status.ExitStatus()
		}
		t.Fatalf("no exit code: %v", err)
	case <-time.After(patience):
		t.Fatal("the session does not end")
	}
	return -1
}

// greet is a program that greets, repeats the lines it reads, and ends with "bye" or its input.
func greet(ctx context.Context, s *Session) error {
	_, _ = fmt.Fprintf(s.Terminal, "hello %s\n", s.Account.Name)
	read := make(chan string)
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := s.Terminal.Read(buffer)
			if err != nil || n == 0 {
				return
			}
			select {
			case read <- string(buffer[:n]):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case text, open := <-read:
			if !open || strings.TrimSpace(text) == "bye" {
				return nil
			}
			_, _ = fmt.Fprintf(s.Terminal, "<%s>\n", strings.TrimSpace(text))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// empty reports whether every place was given back.
func (b *bench) empty() bool {
	p := b.server.places
	p.mu.Lock()
	defer p.mu.Unlock()
	open := 0
	for _, s := range p.sources {
		open += s.open + s.halfOpen
	}
	return p.sessions == 0 && len(p.users) == 0 && p.halfOpen == 0 && open == 0
}

func TestSession(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	c := b.open(b.dial("whoever"), 80, 24)
	c.waitFor(t, "hello anna\r\n")
	_, _ = io.WriteString(c.in, "one\r")
	c.waitFor(t, "<one>")
	_, _ = io.WriteString(c.in, "bye\r")
	if code := exitCode(t, c.Session); code != 0 {
		t.Errorf("exit code %d", code)
	}
	until(t, "to get every place back", b.empty)
	for _, want := range []string{
		"event=sign-in account=anna role=user key=SHA256:", "user=whoever", "event=end", "reason=done",
	} {
		if !strings.Contains(b.audit.String(), want) {
			t.Errorf("no %q in\n%s", want, &b.audit)
		}
	}
}

// size is a program that says the size of its window, at first and after each change.
func size(ctx context.Context, s *Session) error {
	tell := make(chan struct{}, 1)
	defer s.Resized(func() {
		select {
		case tell <- struct{}{}:
		default:
		}
	})()
	for {
		rows, columns, err := pty.Getsize(s.Terminal)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(s.Terminal, "%dx%d\n", columns, rows)
		select {
		case <-tell:
		case <-ctx.Done():
			return nil
		}
	}
}
