package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/scripted"
)

// console is a run of the program on a pseudo-terminal inside this process.
type console struct {
	t      *testing.T
	master *os.File
	mu     sync.Mutex
	text   bytes.Buffer
	cancel context.CancelFunc
	code   chan int
}

func startConsole(t *testing.T, args ...string) *console {
	t.Helper()
	return startConsoleIn(t, func(string) string { return "" }, args...)
}

func startConsoleIn(t *testing.T, getenv func(string) string, args ...string) *console {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &console{t: t, master: master, cancel: cancel, code: make(chan int, 1)}
	go func() { _, _ = io.Copy(c, master) }()
	go func() {
		f := command.NewFactory(command.Streams{In: tty, Out: tty, Err: tty, Getenv: getenv}, version)
		root := newRoot(f, "")
		root.SetArgs(args)
		err := root.ExecuteContext(ctx)
		f.EndSharing(false)
		c.code <- exit(f, err)
	}()
	t.Cleanup(func() {
		cancel()
		_ = tty.Close()
		_ = master.Close()
	})
	return c
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *console) written() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// says reports whether the text was written, also where lines break inside it: the width of the terminal decides that.
func (c *console) says(text string) bool {
	written := c.written()
	return strings.Contains(written, text) || strings.Contains(strings.Join(strings.Fields(written), " "), text)
}

func (c *console) wait(text string) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); !c.says(text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%q did not come:\n%s", text, c.written())
		}
	}
}

func (c *console) exitCode() int {
	c.t.Helper()
	select {
	case code := <-c.code:
		return code
	case <-time.After(30 * time.Second):
		c.t.Fatalf("no end:\n%s", c.written())
		return -1
	}
}

// demoArgs are the flags that lead to the demonstration's servers.
func demoArgs(t *testing.T, fault string, command ...string) []string {
	t.Helper()
	p, err := rehearsal.Start(t.Context(), rehearsal.Options{Lang: locale.English, Fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	dir := t.TempDir()
	ca, err := p.CAFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(p.Typed.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	port := func(host string, port int) string {
		address, _ := p.Route("tcp4", host, port)
		_, number, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		return number
	}
	for _, host := range []string{rehearsal.SMTPHost, rehearsal.IMAPHost} { // IPv6 has a port of its own here
		if err := p.Names().Remove(host, "AAAA"); err != nil {
			t.Fatal(err)
		}
	}
	return append(
		command, "--resolver="+p.DNSAddr(), "--ca-file="+ca, "--password-file="+password, "--user="+p.Address,
		"--from="+p.Address,
		"--smtp-host="+rehearsal.SMTPHost, "--smtp-port="+port(rehearsal.SMTPHost, p.Submission.Port),
		"--smtp-security="+string(p.Submission.Security),
		"--imap-host="+rehearsal.IMAPHost, "--imap-port="+port(rehearsal.IMAPHost, p.IMAP.Port), "--imap-security=tls",
	)
}

var (
	cursorOnly = regexp.MustCompile(`\x1b\[([0-9]+A|J|K|0m|2m|3[123]m)`)
	heading    = regexp.MustCompile(`(?m)^(Submission|Mailbox \(IMAP\)|Domain \(DNS\))\r?$`)
)

func TestLiveViewGroupsByArea(t *testing.T) {
	t.Parallel()
	c := startConsole(t, demoArgs(t, "", "diagnose")...)
	if code := c.exitCode(); code != exitcode.OK {
		t.Errorf("exit code %d\n%s", code, c.written())
	}
	c.wait("Everything works")
	text := cursorOnly.ReplaceAllString(c.written(), "")
	if strings.Contains(text, "\x1b") {
		t.Errorf("an escape sequence beyond moving up, erasing and colours: %q", text)
	}
	var seen []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		seen = append(seen, m[1])
	}
	if got := strings.Join(seen, ", "); got != "Submission, Mailbox (IMAP), Domain (DNS)" {
		t.Errorf("headings: %s\n%s", got, text)
	}
}

// hangingServer says nothing after the connection.
func hangingServer(t *testing.T) (args []string, server *scripted.Server) {
	t.Helper()
	server = scripted.StartSMTP(t, scripted.Options{Script: scripted.Script{"greeting": {Hang: true}}})
	resolver := scripted.StartDNS(t, hostileHost+". 300 IN A 127.0.0.1\n").Addr()
	return []string{
		"diagnose", "smtp", hostileHost + ":" + strconv.Itoa(server.Port()), "--smtp-security=starttls",
		"--resolver=" + resolver,
	}, server
}

func TestLiveViewCountsSecondsAndStops(t *testing.T) {
	t.Parallel()
	args, _ := hangingServer(t)
	c := startConsole(t, args...)
	c.wait("The server's greeting … 1 s · ")
	c.cancel()
	if code := c.exitCode(); code != exitcode.Interrupted {
		t.Errorf("exit code %d", code)
	}
	c.wait("PASS\x1b[0m Reaching the server") // what is known stays
	if strings.Contains(c.written(), "Everything works") {
		t.Error("a stopped run is no success")
	}
}

func TestPlainLiveViewNeverMoves(t *testing.T) {
	t.Parallel()
	c := startConsole(t, demoArgs(t, "", "diagnose", "--plain")...)
	if code := c.exitCode(); code != exitcode.OK {
		t.Errorf("exit code %d", code)
	}
	c.wait("Everything works")
	if strings.Contains(c.written(), "\x1b") {
		t.Errorf("%q", c.written())
	}
}

func TestStoppedJSONSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	args, server := hangingServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for server.Connections() == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	var out, errors bytes.Buffer
	f := command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: &out, Err: &errors,
		Getenv: func(string) string { return "" },
	}, version)
	root := newRoot(f, "")
	root.SetArgs(append(args, "--json"))
	if code := exit(f, root.ExecuteContext(ctx)); code != exitcode.Interrupted {
		t.Errorf("exit code %d", code)
	}
	var r struct {
		Verdict string `json:"verdict"`
		Checks  []struct{ ID, Status, Cause string }
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Verdict != "fail" {
		t.Fatalf("%v, verdict %s", err, r.Verdict)
	}
	states := map[string]string{}
	for _, check := range r.Checks {
		states[check.ID] = check.Status + " " + check.Cause
	}
	if states["net.connect"] != "pass " || states["smtp.greeting"] != "skip cancelled" {
		t.Errorf("%v", states)
	}
}

func TestAPersonMayRiskASecondSignIn(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"y\n": "\x1b[31mFAIL\x1b[0m Signing in to the mailbox",
		"\n":  "\x1b[2mSKIP\x1b[0m Signing in to the mailbox",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := startConsole(t, demoArgs(t, "wrong-password", "diagnose")...)
			c.wait("could lock the account")
			if _, err := c.master.WriteString(answer); err != nil {
				t.Fatal(err)
			}
			if code := c.exitCode(); code != 77 {
				t.Errorf("exit code %d", code)
			}
			c.wait(want)
		})
	}
}

func TestReportAsksBeforeItWrites(t *testing.T) {
	t.Parallel()
	for answer, written := range map[string]bool{"y\n": true, "n\n": false} {
		t.Run(strings.TrimSpace(answer), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bundle.md")
			c := startConsole(t, demoArgs(t, "", "report", "--only=smtp", "--out="+path)...)
			c.wait("This is the whole report. Write it to")
			if !strings.Contains(c.written(), "# Report for support") {
				t.Error("it was not shown before")
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("it was written before")
			}
			if _, err := c.master.WriteString(answer); err != nil {
				t.Fatal(err)
			}
			code := c.exitCode()
			info, err := os.Stat(path)
			switch {
			case written && (err != nil || code != exitcode.OK || info.Mode().Perm() != 0o600):
				t.Errorf("exit code %d, %v", code, err)
			case !written && (err == nil || code != exitcode.Interrupted):
				t.Errorf("exit code %d, %v", code, err)
			}
		})
	}
}
