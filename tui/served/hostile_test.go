package served

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/exitcode"
)

// gone waits until the server closes a connection.
func gone(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the server keeps the connection")
	}
}

func (b *bench) raw() net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const greeting_ = "SSH-2.0-OpenSSH_9.9\r\n"

// TestSilentClients: whatever is not said in time ends the connection, and octets that trickle in buy no more time.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{
		Identification: 150 * time.Millisecond, Handshake: 400 * time.Millisecond, Begin: 300 * time.Millisecond,
	}, greet)
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		gone(t, b.raw())
	})
	t.Run("a line and nothing more", func(t *testing.T) {
		t.Parallel()
		conn := b.raw()
		_, _ = io.WriteString(conn, greeting_)
		gone(t, conn)
	})
	for name, text := range map[string]string{
		"a name, octet by octet":   strings.Repeat("S", 100),
		"a packet, octet by octet": greeting_ + "\x00\x00\x80\x00" + strings.Repeat("x", 100),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := b.raw()
			go func() {
				for i := range text {
					if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
						return
					}
					time.Sleep(10 * time.Millisecond) // the pace of the attack
				}
			}()
			gone(t, conn)
		})
	}
	t.Run("signed in, and nothing more", func(t *testing.T) {
		t.Parallel()
		conn := b.dial("anna")
		ended := make(chan struct{})
		go func() { _ = conn.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("the server keeps the connection")
		}
	})
}

// TestFlood: a thousand half-open connections from one address take ten places, and no one else's.
func TestFlood(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	var open []net.Conn
	for range 1000 {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	closed := atomic.Int64{}
	for _, conn := range open {
		go func() {
			if _, err := io.Copy(io.Discard, conn); err != nil || true {
				closed.Add(1)
			}
		}()
	}
	until(t, "the others to be closed", func() bool { return closed.Load() == 1000-int64(Defaults.HalfOpenPerSource) })
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: patience}
	raw, err := dialer.Dial("tcp", b.address)
	if err != nil {
		t.Skip("this machine has no second loopback address: ", err)
	}
	conn, chans, requests, err := gossh.NewClientConn(raw, b.address, b.config("anna"))
	if err != nil {
		t.Fatalf("another address is kept out: %v", err)
	}
	other := gossh.NewClient(conn, chans, requests)
	b.open(other, 80, 24).waitFor(t, "hello")
	_ = other.Close()
	for _, conn := range open {
		_ = conn.Close()
	}
	until(t, "to get every place back", b.empty)
	b.open(b.dial("anna"), 80, 24).waitFor(t, "hello")
	if lines := strings.Count(b.audit.String(), "event=refused"); lines > 100 {
		t.Errorf("%d lines about one flood", lines)
	}
}

// TestArrivals: one address cannot come again and again without a pause.
func TestArrivals(t *testing.T) {
	t.Parallel()
	p := newPlaces(Limits{ArrivalsPerSource: 0.001, PerSource: 5}.complete())
	from := network(&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1})
	neighbour := network(&net.TCPAddr{IP: net.ParseIP("2001:db8::2"), Port: 2})
	other := network(&net.TCPAddr{IP: net.ParseIP("2001:db8:1::1"), Port: 1})
	came := 0
	for range 100 {
		if p.arrive(from) {
			came++
			p.leave(from, true)
		}
	}
	if came != 15 || p.arrive(neighbour) || !p.arrive(other) {
		t.Errorf("%d arrivals; the limit is for 64 bits of an address", came)
	}
}

// TestTries: six keys are looked at on one connection.
func TestTries(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	keys := func(wrong int) []gossh.Signer {
		var list []gossh.Signer
		for range wrong {
			list = append(list, newKey(t))
		}
		return append(list, b.key)
	}
	if _, err := gossh.Dial("tcp", b.address, b.config("anna", keys(6)...)); err == nil {
		t.Error("a seventh key was accepted")
	}
	_ = b.dial("anna", keys(5)...).Close()
	for what, auth := range map[string][]gossh.AuthMethod{
		"no key":     nil,
		"a password": {gossh.Password("secret"), gossh.KeyboardInteractive(nil)},
		"a stranger": {gossh.PublicKeys(newKey(t))},
	} {
		config := b.config("anna")
		config.Auth = auth
		if _, err := gossh.Dial("tcp", b.address, config); err == nil {
			t.Errorf("%s was let in", what)
		}
	}
}

// TestWeakCryptography: what is known to be weak is not agreed to, and a client without strict key exchange is refused.
func TestWeakCryptography(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	for name, config := range map[string]gossh.Config{
		"group 14 with SHA-1": {KeyExchanges: []string{gossh.InsecureKeyExchangeDH14SHA1}},
		"CBC":                 {Ciphers: []string{gossh.InsecureCipherAES128CBC}},
		"RC4":                 {Ciphers: []string{gossh.InsecureCipherRC4}},
		"CTR without EtM":     {Ciphers: []string{gossh.CipherAES128CTR}, MACs: []string{gossh.HMACSHA1}},
	} {
		client := b.config("anna")
		client.Config = config
		if _, err := gossh.Dial("tcp", b.address, client); err == nil {
			t.Errorf("%s was agreed to", name)
		}
	}
	conn := b.raw()
	offer := gossh.Marshal(struct {
		Type    byte
		Cookie  [16]byte
		Lists   []string `ssh:"rest"`
		Dropped bool
	}{Type: 20})
	offer = append(offer, []byte("\x00\x00\x00\x11curve25519-sha256")...)
	packet := append([]byte{0, 0, 0, byte(len(offer) + 5), 4}, append(offer, 0, 0, 0, 0)...)
	_, _ = conn.Write(append([]byte(greeting_), packet...))
	gone(t, conn)
	until(t, "the reason in the log", func() bool { return strings.Contains(b.audit.String(), "strict key exchange") })
}

// TestNothingElse: there are terminals here, and nothing else.
func TestNothingElse(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, func(context.Context, *Session) error { t.Error("a program ran"); return nil })
	for name, ask := range map[string]func(*gossh.Session) error{
		"exec":             func(s *gossh.Session) error { return s.Start("id") },
		"scp":              func(s *gossh.Session) error { return s.Start("scp -t /etc/passwd") },
		"without a window": func(s *gossh.Session) error { return s.Shell() },
		"exec with a window": func(s *gossh.Session) error {
			return errors.Join(s.RequestPty("xterm", 24, 80, nil), s.Start("/bin/sh"))
		},
	} {
		session, err := b.dial("anna").NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var said lines
		session.Stderr = &said
		if err := ask(session); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if code := exitCode(t, session); code != exitcode.Usage {
			t.Errorf("%s: exit code %d", name, code)
		}
		if !strings.Contains(said.String(), "onnect") {
			t.Errorf("%s was refused without words: %q", name, said.String())
		}
	}
	for _, name := range []string{"sftp", "netconf"} {
		channel, requests, err := b.dial("anna").OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go gossh.DiscardRequests(requests)
		if ok, err := channel.SendRequest("subsystem", true, gossh.Marshal(struct{ Name string }{name})); !ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
		said, _ := io.ReadAll(channel.Stderr())
		if !strings.Contains(string(said), "No files can be copied here") {
			t.Errorf("%s was refused without words: %q", name, said)
		}
	}
}

// TestRoles: a key with a role may say what it wants, with a terminal or without, and only that.
func TestRoles(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	b := start(t, Limits{PerUser: 10}, func(_ context.Context, s *Session) error {
		var out io.Writer = s.Stream
		if s.Terminal != nil {
			out = s.Terminal
		}
		_, _ = fmt.Fprintf(out, "%s wants %q\n", s.Account.Role, s.Command)
		return nil
	}, line(`postier-role="support"`, key))
	for _, window := range []bool{true, false} {
		session, err := b.dial("anyone", key).NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out lines
		session.Stdout = &out
		if window {
			err = session.RequestPty("xterm", 24, 80, nil) // and no keyboard: the client ends its input at once
		}
		if err := errors.Join(err, session.Start("join 4821 0937")); err != nil {
			t.Fatal(err)
		}
		if code := exitCode(t, session); code != 0 || !strings.Contains(out.String(), `support wants "join 4821 0937"`) {
			t.Errorf("window %v: %d, %q", window, code, out.String())
		}
	}
	session, err := b.dial("anyone", key).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		t.Fatal(err)
	}
	until(t, "the places back", b.empty)
}

// TestForwarding: no port, no socket, no agent and no display is passed on, in either direction.
func TestForwarding(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	conn := b.dial("anna")
	for _, kind := range []string{
		"direct-tcpip", "direct-streamlocal@openssh.com", "forwarded-tcpip", "x11", "auth-agent@openssh.com",
		"tun@openssh.com",
	} {
		data := gossh.Marshal(struct {
			Host       string
			Port       uint32
			Origin     string
			OriginPort uint32
		}{"127.0.0.1", 22, "127.0.0.1", 1})
		_, _, err := conn.OpenChannel(kind, data)
		var refused *gossh.OpenChannelError
		if !errors.As(err, &refused) || refused.Reason != gossh.Prohibited || refused.Message == "" {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "cancel-tcpip-forward"} {
		if ok, _, err := conn.SendRequest(kind, true, nil); ok || err != nil {
			t.Errorf("%s was granted (%v)", kind, err)
		}
	}
	session, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"auth-agent-req@openssh.com", "x11-req", "signal", "break", "whatever"} {
		if ok, _ := session.SendRequest(kind, true, nil); ok {
			t.Errorf("%s was granted", kind)
		}
	}
	if _, err := conn.NewSession(); err == nil {
		t.Error("a second session on one connection")
	}
}

// TestEnvironment: only what says how to draw and in which language comes through, and of TERM only a name.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{PerUser: 10}, func(_ context.Context, s *Session) error {
		for _, name := range []string{
			"LANG", "LC_ALL", "TERM", "PATH", "HOME", "POSTIER_CONFIG", "TEA_TRACE", "LD_PRELOAD", "SSLKEYLOGFILE",
			"XDG_STATE_HOME",
		} {
			_, _ = fmt.Fprintf(s.Terminal, "%s=%q\n", name, s.Getenv(name))
		}
		return nil
	})
	c := b.open(b.dial("anna"), 80, 24, "LANG", "fr_FR.UTF-8", "PATH", "/evil", "HOME", "/evil", "POSTIER_CONFIG", "/evil",
		"TEA_TRACE", "/evil", "LD_PRELOAD", "/evil", "XDG_STATE_HOME", "/evil", "LC_ALL", strings.Repeat("x", 5000))
	_ = exitCode(t, c.Session)
	if out := c.out.String(); strings.Contains(out, "evil") || strings.Contains(out, "xxx") ||
		!strings.Contains(out, `LANG="fr_FR.UTF-8"`) || !strings.Contains(out, `TERM="xterm"`) {
		t.Errorf("%s", out)
	}
	for _, term := range []string{"", "../../evil", "\x1b[2J", strings.Repeat("x", 100), "a\x00b", "x y"} {
		if got := terminalName(term); got != "dumb" {
			t.Errorf("TERM %q became %q", term, got)
		}
	}
}

// TestWindows: a window is drawn in the size that it has, within reason.
func TestWindows(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{PerUser: 10}, size)
	for _, c := range []struct {
		columns, rows int
		want          string
	}{
		{80, 24, "80x24\r\n"},
		{65535, 65535, "500x200\r\n"},
		{0, 0, "80x24\r\n"},
		{1, 1, "1x1\r\n"},
		{1<<32 - 1, 1<<32 - 1, "500x200\r\n"},
	} {
		b.open(b.dial("anna"), c.columns, c.rows).waitFor(t, c.want)
	}
	c := b.open(b.dial("anna"), 80, 24)
	c.waitFor(t, "80x24")
	for i := range 1000 {
		if err := c.WindowChange(24+i%7, 100+i%5); err != nil {
			t.Fatal(err)
		}
	}
	for _, last := range [][2]int{{1<<32 - 1, 1 << 31}, {0, 0}, {33, 77}} {
		if err := c.WindowChange(last[0], last[1]); err != nil {
			t.Fatal(err)
		}
	}
	c.waitFor(t, "77x33\r\n")
	if told := strings.Count(c.out.String(), "\r\n"); told > 100 {
		t.Errorf("a thousand changes were told %d times", told)
	}
}

// TestPaste: what no person types and no field takes is dropped, and costs the others nothing.
func TestPaste(t *testing.T) {
	t.Parallel()
	var taken atomic.Int64
	b := start(t, Limits{}, func(ctx context.Context, s *Session) error {
		context.AfterFunc(ctx, func() { _ = s.Terminal.Close() })
		rawMode(t, s.Terminal)
		_, _ = io.WriteString(s.Terminal, "ready")
		buffer := make([]byte, 4096)
		for {
			n, err := s.Terminal.Read(buffer)
			if err != nil || n == 0 {
				return nil
			}
			taken.Add(int64(n))
		}
	})
	c := b.open(b.dial("anna"), 80, 24)
	c.waitFor(t, "ready")
	began := time.Now()
	block := bytes.Repeat([]byte("x"), 1<<20)
	for range 100 {
		if _, err := c.in.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	for range 100_000 {
		if _, err := c.in.Write([]byte("k")); err != nil {
			t.Fatal(err)
		}
	}
	b.open(b.dial("anna"), 80, 24).waitFor(t, "ready")
	most, got := keysAtOnce+keysPerSecond*int(time.Since(began).Seconds()+1), int(taken.Load())
	if got > most || got == 0 {
		t.Errorf("%d octets were taken, at most %d may be", got, most)
	}
}

// TestNames: the name that a client signs in with decides nothing, leads nowhere, and is escaped in the log.
func TestNames(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{PerUser: 10}, func(_ context.Context, s *Session) error {
		_, _ = fmt.Fprintf(s.Terminal, "folder %s\n", s.Account.folder)
		return nil
	})
	for _, user := range []string{
		"root", "../../etc", "a/b", "/", "a\x00b", "\x1b]0;evil\x07", "\u202eevil", strings.Repeat("n", 300), "", "support",
	} {
		b.open(b.dial(user), 80, 24).waitFor(t, "folder anna\r\n")
	}
	log := b.audit.String()
	for _, raw := range []string{"\x1b", "\x00", "\x07", "\u202e", strings.Repeat("n", 100)} {
		if strings.Contains(log, raw) {
			t.Errorf("the log holds %q", raw)
		}
	}
	if !strings.Contains(log, "evil") {
		t.Error("the log does not name the user")
	}
}

// TestPlaces: there is room for so many, and for so many of one user.
func TestPlaces(t *testing.T) {
	t.Parallel()
	second := newKey(t)
	b := start(t, Limits{Sessions: 3, PerUser: 2, PerSource: 50}, greet, line(`postier-user="bert"`, second))
	first := b.open(b.dial("a"), 80, 24)
	first.waitFor(t, "hello")
	b.open(b.dial("a"), 80, 24).waitFor(t, "hello")
	third := b.open(b.dial("a"), 80, 24)
	third.waitFor(t, "signed in here already")
	if code := exitCode(t, third.Session); code != exitcode.TempFail {
		t.Errorf("exit code %d", code)
	}
	b.open(b.dial("b", second), 80, 24).waitFor(t, "hello bert")
	b.open(b.dial("b", second), 80, 24).waitFor(t, "All places are taken")
	_, _ = io.WriteString(first.in, "bye\r")
	_ = exitCode(t, first.Session)
	b.open(b.dial("b", second), 80, 24).waitFor(t, "hello bert")
}

// TestFifty: fifty people at once see what is theirs, and not one octet of another's.
func TestFifty(t *testing.T) {
	t.Parallel()
	const people = 50
	var keys []gossh.Signer
	var text []string
	for n := range people {
		keys = append(keys, newKey(t))
		text = append(text, line(fmt.Sprintf(`postier-user="person-%02d"`, n), keys[n]))
	}
	b := start(t, Limits{PerSource: 100, HalfOpenPerSource: 100}, greet, text...)
	var done sync.WaitGroup
	for n := range people {
		done.Go(func() {
			c := b.open(b.dial("x", keys[n]), 80, 24)
			mark := fmt.Sprintf("secret-of-%02d", n)
			for round := range 20 {
				_, _ = fmt.Fprintf(c.in, "%s.%d\r", mark, round)
				c.waitFor(t, fmt.Sprintf("<%s.%d>", mark, round))
			}
			out := c.out.String()
			if strings.Count(out, "secret-of-") != strings.Count(out, mark) ||
				strings.Count(out, "person-") != strings.Count(out, fmt.Sprintf("person-%02d", n)) {
				t.Errorf("person %d saw another's: %q", n, out)
			}
		})
	}
	done.Wait()
}

// TestReset: a client that is suddenly gone, in whatever it did, leaves nothing behind.
func TestReset(t *testing.T) {
	t.Parallel()
	var running atomic.Int64
	b := start(t, Limits{PerUser: 50, PerSource: 100}, func(ctx context.Context, s *Session) error {
		running.Add(1)
		defer running.Add(-1)
		return greet(ctx, s)
	})
	for stage := range 5 {
		raw, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.(*net.TCPConn).SetLinger(0) // a reset instead of an end
		var conn *gossh.Client
		if stage == 1 {
			_, _ = io.WriteString(raw, greeting_)
		}
		if stage > 1 {
			c, chans, requests, err := gossh.NewClientConn(raw, b.address, b.config("anna"))
			if err != nil {
				t.Fatal(err)
			}
			conn = gossh.NewClient(c, chans, requests)
		}
		if stage > 2 {
			c := b.open(conn, 80, 24)
			c.waitFor(t, "hello")
			if stage > 3 {
				_, _ = io.WriteString(c.in, "half a pass")
			}
		}
		_ = raw.Close()
	}
	until(t, "every program to end", func() bool { return running.Load() == 0 })
	until(t, "to get every place back", b.empty)
}

// TestDeafClient: a client that does not read holds nothing but its own session, and that one ends.
func TestDeafClient(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	b := start(t, Limits{Idle: 500 * time.Millisecond, Farewell: 500 * time.Millisecond},
		func(_ context.Context, s *Session) error {
			defer close(ended)
			for {
				if _, err := s.Terminal.Write(bytes.Repeat([]byte("x"), 4096)); err != nil {
					return err
				}
			}
		})
	conn := b.dial("anna")
	channel, requests, err := conn.OpenChannel("session", nil) // no one reads it, so its window fills
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(requests)
	window := gossh.Marshal(struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{"xterm", 80, 24, 0, 0, ""})
	for _, ask := range []struct {
		name string
		data []byte
	}{{"pty-req", window}, {"shell", nil}} {
		if ok, err := channel.SendRequest(ask.name, true, ask.data); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the program does not end")
	}
	until(t, "to get every place back", b.empty)
}

const fullScreen = "\x1b[?1049h\x1b[?25lthe password field"

// TestIdle: a terminal that was left alone is cleared, in words.
func TestIdle(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]func(context.Context, *Session) error{
		"a program that ends": func(ctx context.Context, s *Session) error {
			_, _ = io.WriteString(s.Terminal, fullScreen)
			<-ctx.Done()
			_, _ = io.WriteString(s.Terminal, "\x1b[?1049l\x1b[?25hkept\n")
			return context.Cause(ctx)
		},
		"a program that hangs": func(_ context.Context, s *Session) error {
			_, _ = io.WriteString(s.Terminal, fullScreen)
			select {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, Limits{Idle: 100 * time.Millisecond, Farewell: 300 * time.Millisecond}, program)
			c := b.open(b.dial("anna"), 80, 24)
			if code := exitCode(t, c.Session); code != 1 {
				t.Errorf("exit code %d", code)
			}
			out := c.out.String()
			if strings.LastIndex(out, "\x1b[?1049l") < strings.LastIndex(out, "\x1b[?1049h") ||
				strings.LastIndex(out, "\x1b[?25h") < strings.LastIndex(out, "\x1b[?25l") {
				t.Errorf("the terminal is not as it was: %q", out)
			}
			if !strings.Contains(out, "Closed because no key was pressed") {
				t.Errorf("not said why: %q", out)
			}
			until(t, "the log", func() bool { return strings.Contains(b.audit.String(), "reason=idle") })
		})
	}
}

// TestAbsolute: keys do not keep a session open for ever.
func TestAbsolute(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{Absolute: 300 * time.Millisecond}, greet)
	c := b.open(b.dial("anna"), 80, 24)
	go func() {
		for {
			if _, err := io.WriteString(c.in, "x\r"); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond) // somebody who types
		}
	}()
	_ = exitCode(t, c.Session)
	if !strings.Contains(c.out.String(), "longest time") {
		t.Errorf("%q", c.out.String())
	}
}

// TestShutdown: the server ends after its sessions have.
func TestShutdown(t *testing.T) {
	t.Parallel()
	var stored atomic.Bool
	b := start(t, Limits{}, func(ctx context.Context, s *Session) error {
		_, _ = io.WriteString(s.Terminal, "working")
		<-ctx.Done()
		stored.Store(true)
		return context.Cause(ctx)
	})
	c := b.open(b.dial("anna"), 80, 24)
	c.waitFor(t, "working")
	b.stop()
	_ = exitCode(t, c.Session)
	if err := <-b.ended; err != nil || !stored.Load() {
		t.Errorf("%v, stored %v", err, stored.Load())
	}
	b.ended <- nil
	if !strings.Contains(c.out.String(), "the server is being stopped") {
		t.Errorf("%q", c.out.String())
	}
	if _, err := net.Dial("tcp", b.address); err == nil {
		t.Error("the server still listens")
	}
}

// TestPanic: a program that breaks down ends its own session, and what it broke on is no one's business.
func TestPanic(t *testing.T) {
	t.Parallel()
	second := newKey(t)
	b := start(t, Limits{}, func(ctx context.Context, s *Session) error {
		if s.Account.Name == "bert" {
			_, _ = io.WriteString(s.Terminal, fullScreen)
			panic("the password is hunter2")
		}
		return greet(ctx, s)
	}, line(`postier-user="bert"`, second))
	other := b.open(b.dial("anna"), 80, 24)
	other.waitFor(t, "hello")
	c := b.open(b.dial("bert", second), 80, 24)
	if code := exitCode(t, c.Session); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if out := c.out.String(); !strings.Contains(out, "\x1b[?1049l") || !strings.Contains(out, "went wrong on the server") {
		t.Errorf("%q", out)
	}
	_, _ = io.WriteString(other.in, "still here\r")
	other.waitFor(t, "<still here>")
	if log := b.audit.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "event=panic") ||
		!strings.Contains(log, "hostile_test.go") {
		t.Errorf("%s", log)
	}
}

// TestInterrupt: ctrl+c ends a program that reads lines, as it does on any terminal, and is a key for one that draws.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	b := start(t, Limits{}, greet)
	c := b.open(b.dial("anna"), 80, 24)
	c.waitFor(t, "hello")
	_, _ = io.WriteString(c.in, "\x03")
	if code := exitCode(t, c.Session); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// TestNoKeyboard: support whose input has ended, as with `ssh -n`, looks on and gets the last words. A person whose
// input has ended is gone.
func TestNoKeyboard(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	speak := make(chan struct{})
	b := start(t, Limits{}, func(ctx context.Context, s *Session) error {
		_, _ = io.WriteString(s.Terminal, "hello\n")
		select {
		case <-speak:
			_, _ = io.WriteString(s.Terminal, "last words\n")
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, line(`postier-role="support"`, key))
	person := b.open(b.dial("anna"), 80, 24)
	person.waitFor(t, "hello")
	_ = person.in.Close()
	if code := exitCode(t, person.Session); code != 1 {
		t.Errorf("the person's program ended with %d", code)
	}
	support := b.open(b.dial("support", key), 80, 24)
	support.waitFor(t, "hello")
	_ = support.in.Close()
	size := gossh.Marshal(struct{ Columns, Rows, Width, Height uint32 }{100, 30, 0, 0})
	if ok, err := support.SendRequest("window-change", true, size); !ok || err != nil {
		t.Errorf("after the end of the input: %v %v", ok, err) // whose answer also says that the end has come
	}
	close(speak)
	if code := exitCode(t, support.Session); code != 0 || !strings.Contains(support.out.String(), "last words") {
		t.Errorf("exit code %d: %q", code, support.out.String())
	}
}
