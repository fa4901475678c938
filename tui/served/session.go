package served

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/ssh"
	"github.com/creack/pty"
	gossh "golang.org/x/crypto/ssh"

	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/parallel"
	"postier/internal/typeset"
)

// Session is one client.
type Session struct {
	Account Account
	// Command is what a key with a role asked for; empty for everyone else.
	Command string
	// Terminal is input and output. A key with a role may come without one, and is spoken to over Stream.
	Terminal *os.File
	Stream   io.ReadWriteCloser
	// Resized calls notify whenever the terminal has another size, until stop.
	Resized func(notify func()) (stop func())
	// Getenv is the environment of the client's terminal: the few variables that say how to draw and in which language.
	Getenv func(string) string
	// Audit writes a line about this session.
	Audit func(event string, attrs ...slog.Attr)
}

// request is what a client asked for before its session begins.
type request struct {
	server  *Server
	account Account
	channel gossh.Channel
	conn    *gossh.ServerConn

	env     map[string]string
	hasPTY  bool
	command string
	late    *time.Timer // closes the connection after the program has ended

	mu       sync.Mutex
	size     pty.Winsize
	terminal *terminal // once the session has begun
}

// environment are the variables that a client may set: how its terminal is drawn on, and in which language.
var environment = []string{
	"TERM", "LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "NO_COLOR", "COLORTERM", "ACCESSIBLE",
}

// longestValue is more than any of them has.
const longestValue = 64

// take is the handler of channels of the type session (RFC 4254 §6).
func (s *Server) take(_ *ssh.Server, conn *gossh.ServerConn, offered gossh.NewChannel, ctx ssh.Context) {
	c, _ := ctx.Value(connectionKey).(*connection)
	key, _ := ctx.Value(ssh.ContextKeyPublicKey).(ssh.PublicKey)
	if c == nil || key == nil {
		_ = offered.Reject(gossh.Prohibited, "no key")
		return
	}
	account, known := s.keys.account(key) // again: the file may have changed since
	if !known {
		_ = offered.Reject(gossh.Prohibited, "the key is not known any more")
		return
	}
	if !c.begun.CompareAndSwap(false, true) {
		_ = offered.Reject(gossh.ResourceShortage, "one session a connection")
		return
	}
	c.proven()
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	defer func() {
		_ = channel.Close()
		s.dismiss(conn)
	}()
	r := &request{server: s, account: account, channel: channel, conn: conn, env: map[string]string{}}
	live, end := context.WithCancelCause(ctx)
	defer end(nil)
	ended, begun := make(chan struct{}), false
	for {
		select {
		case asked, open := <-requests:
			if !open && !begun {
				return
			}
			if !open {
				requests = nil
				end(errGone)
				continue
			}
			work, ok := r.answer(asked, begun)
			if asked.WantReply {
				_ = asked.Reply(ok, nil)
			}
			if work == nil {
				continue
			}
			begun = true
			c.late.Stop()
			go func() {
				defer close(ended)
				r.exit(work(live))
			}()
		case <-ended:
			return
		}
	}
}

// dismiss lets the client take the exit code and leave; a connection that is closed before looks like an error to it.
func (s *Server) dismiss(conn *gossh.ServerConn) {
	late := time.AfterFunc(s.limits.Farewell/2, func() { _ = conn.Close() }) //nolint:mnd // the terminal had the other
	defer late.Stop()
	_ = conn.Wait()
	_ = conn.Close()
}

// answer judges one request of a channel. work is what the session consists of, once it begins; its result is the exit
// code.
func (r *request) answer(asked *gossh.Request, begun bool) (work func(context.Context) int, ok bool) {
	switch asked.Type {
	case "env":
		var v struct{ Name, Value string }
		if !begun && gossh.Unmarshal(asked.Payload, &v) == nil && slices.Contains(environment, v.Name) &&
			len(v.Value) <= longestValue && v.Name != "TERM" {
			r.env[v.Name] = v.Value
			return nil, true
		}
	case "pty-req":
		var v struct {
			Term                         string
			Columns, Rows, Width, Height uint32
			Modes                        string
		}
		if !begun && !r.hasPTY && gossh.Unmarshal(asked.Payload, &v) == nil {
			r.resize(clamp(v.Columns, v.Rows))
			r.hasPTY, r.env["TERM"] = true, terminalName(v.Term)
			return nil, true
		}
	case "window-change":
		var v struct{ Columns, Rows, Width, Height uint32 }
		if r.hasPTY && gossh.Unmarshal(asked.Payload, &v) == nil {
			r.resize(clamp(v.Columns, v.Rows))
			return nil, true
		}
	case "shell":
		if !begun {
			return r.begin, true
		}
	case "exec":
		var v struct{ Command string }
		if begun || gossh.Unmarshal(asked.Payload, &v) != nil {
			return nil, false
		}
		if r.account.Role == RoleUser {
			return r.refuse("exec", "served.no-exec"), true
		}
		r.command = v.Command
		return r.begin, true
	case "subsystem":
		if !begun {
			return r.refuse("subsystem", "served.no-files"), true
		}
	}
	return nil, false // agent, X11, break, signals and whatever else there will be
}

// terminalName is the name of a kind of terminal, or one that every program takes for a simple one.
func terminalName(said string) string {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-.+_", r)
	}
	if said == "" || len(said) > longestValue || strings.ContainsFunc(said, func(r rune) bool { return !ok(r) }) {
		return "dumb"
	}
	return said
}

func (r *request) resize(size pty.Winsize) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = size
	if r.terminal != nil {
		r.terminal.resize(size)
	}
}

// open opens the terminal of the session.
func (r *request) open(interrupt func()) (*terminal, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, err := openTerminal(r.size, interrupt)
	r.terminal = t
	return t, err
}

// getenv is the environment of the session.
func (r *request) getenv(name string) string { return r.env[name] }

// t is a sentence in the client's language, for a client that may have no terminal.
func (r *request) t(key string, args ...any) string {
	return locale.For(locale.FromEnvironment(r.getenv)).T(key, args...)
}

// sentenceWidth fits a window of the usual size.
const sentenceWidth = 76

// say writes a sentence to the client, in lines that its window does not break. Once a terminal was drawn on, it comes
// on the same stream: on the other one it could overtake what clears the screen.
func (r *request) say(text string) {
	var to io.Writer = r.channel.Stderr()
	width := sentenceWidth
	r.mu.Lock()
	if r.hasPTY {
		width = max(1, min(width, int(r.size.Cols)-1))
	}
	if r.terminal != nil {
		to = r.channel
	}
	r.mu.Unlock()
	lines := typeset.Fill("", "", text, width)
	_, _ = to.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

// refuse answers with a sentence and ends the session.
func (r *request) refuse(what, key string) func(context.Context) int {
	return func(context.Context) int {
		r.audit("refused", slog.String("reason", what))
		r.say(r.t(key))
		return exitcode.Usage
	}
}

func (r *request) exit(code int) {
	_, _ = r.channel.SendRequest("exit-status", false, gossh.Marshal(struct{ Status uint32 }{uint32(code)}))
}

// Why a session ended.
var (
	errIdle     = errors.New("idle")
	errTooLong  = errors.New("time over")
	errShutdown = errors.New("server ends")
	errGone     = errors.New("connection lost")
)

// ErrLeft is the cause of a session's context that the person ended with ctrl+c.
var ErrLeft = errors.New("interrupted")

// farewells are the sentences for the ends that the person did not choose.
var farewells = map[error]string{
	errIdle: "served.idle", errTooLong: "served.too-long", errShutdown: "served.shutdown",
}

// begin runs the program for the client.
func (r *request) begin(ctx context.Context) int {
	s := r.server
	if !r.hasPTY && r.account.Role == RoleUser {
		r.audit("refused", slog.String("reason", "no terminal"))
		r.say(r.t("served.no-terminal"))
		return exitcode.Usage
	}
	if refused := s.places.sit(r.account.Name); refused != "" {
		r.audit("refused", slog.String("reason", strings.TrimPrefix(refused, "served.")))
		r.say(r.t(refused))
		return exitcode.TempFail
	}
	defer s.places.rise(r.account.Name)
	began := time.Now()
	r.audit("sign-in")
	run := r.atTerminal
	if !r.hasPTY {
		run = r.overStream
	}
	code, why := run(ctx)
	r.audit("end", slog.String("reason", why), slog.Int("code", code),
		slog.Int64("seconds", int64(time.Since(began).Seconds())))
	return code
}

// overStream gives the program the client's stream as it is, until it ends or the session has to.
func (r *request) overStream(parent context.Context) (code int, why string) {
	s := r.server
	ctx, end := context.WithCancelCause(parent)
	defer end(nil)
	stream := &stream{Channel: r.channel}
	stream.press()
	defer r.watch(&stream.activity, end)()
	ended := make(chan error, 1)
	go func() { ended <- r.protected(ctx, &Session{Stream: stream}) }()
	why, failed := r.await(ctx, ended, func() { _ = r.channel.CloseWrite() })
	r.farewell(nil, context.Cause(ctx), failed)
	return s.code(failed), why
}

// await waits for the end of the program. gone is called when the client is, so that the program notices.
func (r *request) await(ctx context.Context, ended <-chan error, gone func()) (why string, failed error) {
	why = "done"
	select {
	case failed = <-ended:
	case <-ctx.Done():
		cause := context.Cause(ctx)
		if errors.Is(cause, context.Canceled) { // the connection ended before its channel
			cause = errGone
		}
		why = cause.Error()
		if errors.Is(cause, errGone) {
			gone() // it reads the end of its input, as after a lost line
		}
		select {
		case failed = <-ended:
		case <-time.After(r.server.limits.Farewell):
			failed = context.DeadlineExceeded
		}
	}
	if errors.As(failed, new(*panicError)) {
		why = "panic"
	}
	// A client that does not read keeps what is written to it waiting; it has as long for the end as the program had.
	r.late = time.AfterFunc(r.server.limits.Farewell, func() { _ = r.conn.Close() })
	return why, failed
}

// stream is a channel of which it is known when something came.
type stream struct {
	gossh.Channel
	activity
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Channel.Read(p)
	if n > 0 {
		s.press()
	}
	return n, err
}

// atTerminal gives the program a terminal until it ends, or until the session has to.
func (r *request) atTerminal(parent context.Context) (code int, why string) {
	s := r.server
	ctx, end := context.WithCancelCause(parent)
	defer end(nil)
	t, err := r.open(func() { end(ErrLeft) })
	if err != nil {
		r.say(r.t("served.failed"))
		return exitcode.IO, err.Error()
	}
	defer t.close()
	defer r.watch(&t.activity, end)()
	go func() {
		t.typeFrom(r.channel)
		if r.account.Role == RoleUser { // support can look without a keyboard, as with `ssh -n`
			end(errGone)
		}
	}()
	drawn := make(chan struct{})
	go func() { t.drawTo(r.channel); close(drawn) }()

	ended := make(chan error, 1)
	go func() { ended <- r.protected(ctx, &Session{Terminal: t.slave, Resized: t.onResize}) }()
	why, failed := r.await(ctx, ended, t.hangUp)
	t.drain(drawn)
	r.late.Reset(s.limits.Farewell) // it read what was drawn, and has as long for the last sentence
	r.farewell(t, context.Cause(ctx), failed)
	return s.code(failed), why
}

// farewell leaves the client's terminal as it was, and says what the person did not choose.
func (r *request) farewell(t *terminal, cause, failed error) {
	if t != nil && t.full.Load() {
		_, _ = r.channel.Write([]byte(restore))
	}
	key := farewells[cause]
	if errors.As(failed, new(*panicError)) {
		key = "served.failed"
	}
	if key != "" {
		r.say(r.t(key))
	}
}

// panicError is what became of a program that panicked.
type panicError struct{ value any }

func (*panicError) Error() string { return "panic" }

// protected runs the program and keeps a panic to its own session.
func (r *request) protected(ctx context.Context, s *Session) (err error) {
	defer func() {
		if what := recover(); what != nil {
			r.server.broken(what, debug.Stack())
			err = &panicError{what}
		}
	}()
	s.Account, s.Command, s.Getenv, s.Audit = r.account, r.command, r.getenv, r.audit
	return r.server.run(ctx, s)
}

// broken reports where the program panicked. The value itself may hold what somebody typed.
func (s *Server) broken(what any, stack []byte) {
	if part, ok := what.(*parallel.Panic); ok {
		what, stack = part.Value, part.Stack
	}
	s.audit.write("panic", slog.String("type", fmt.Sprintf("%T", what)), slog.String("stack", string(stack)))
}

// watch ends a session that no one uses, that takes too long, or with which the server ends. Whoever looks on, or waits
// for a helper, has no reason to press a key.
func (r *request) watch(a *activity, end context.CancelCauseFunc) (stop func()) {
	s := r.server
	var mu sync.Mutex
	var idle *time.Timer
	mu.Lock()
	defer mu.Unlock()
	idle = time.AfterFunc(s.limits.Idle, func() {
		mu.Lock()
		defer mu.Unlock()
		switch left := s.limits.Idle - a.idle(); {
		case r.account.Role != RoleUser:
		case left > 0:
			idle.Reset(left)
		default:
			end(errIdle)
		}
	})
	long := time.AfterFunc(s.limits.Absolute, func() { end(errTooLong) })
	shutdown := context.AfterFunc(s.ending, func() { end(errShutdown) })
	return func() { idle.Stop(); long.Stop(); shutdown() }
}

// audit writes a line about this session.
func (r *request) audit(event string, attrs ...slog.Attr) {
	r.server.audit.write(event, append([]slog.Attr{
		slog.String("account", r.account.Name), slog.String("role", string(r.account.Role)),
		slog.String("key", r.account.Fingerprint), address(r.conn.RemoteAddr()), remote("user", r.conn.User()),
		remote("client", string(r.conn.ClientVersion())),
	}, attrs...)...)
}
