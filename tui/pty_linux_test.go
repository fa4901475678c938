package tui

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"postier/internal/screenshot"
)

// pictures is the folder to which the screens of the whole setup are written as SVG, for the manual.
var pictures = flag.String("pictures", "", "folder to write pictures of the screens to")

// picture writes the screen as SVG.
func (s *session) picture(name string) {
	s.t.Helper()
	if *pictures == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".svg"), s.screen.SVG("postier: "+name), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// patience is how long a test waits for the screen before it fails; a screen takes about a tenth of a second.
const patience = 10 * time.Second

// session is the front end in a child process on a pseudo-terminal, with an emulated screen in front.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	screen *screenshot.Terminal
	ended  chan error
	drawn  chan struct{} // closed when the master has been read to its end
	mu     sync.Mutex
	raw    bytes.Buffer
}

func open(t *testing.T, what string, width, height int, env ...string) *session {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append([]string{
		"TERM=xterm-256color", "SSH_TTY=/dev/pts/9", "LANG=fr_FR.UTF-8", childVariable + "=" + what, "HOME=" + t.TempDir(),
		"TEA_TRACE=" + filepath.Join(t.TempDir(), "trace"),
	}, env...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{
		t: t, cmd: cmd, master: master, screen: screenshot.New(width, height), ended: make(chan error, 1),
		drawn: make(chan struct{}),
	}
	go s.screen.Answer(master)
	go func() { _, _ = io.Copy(s, master); close(s.drawn) }()
	go func() { s.ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = master.Close()
		_ = s.screen.Close()
	})
	return s
}

// Write receives the child's output.
func (s *session) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.raw.Write(p)
	s.mu.Unlock()
	return s.screen.Write(p)
}

// written returns everything that the child has written so far.
func (s *session) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

func (s *session) press(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) paste(text string) { s.t.Helper(); s.press("\x1b[200~" + text + "\x1b[201~") }

// waitFor waits until the screen shows a text.
func (s *session) waitFor(text string) {
	s.t.Helper()
	s.until("show "+text, func() bool { return strings.Contains(s.screen.Text(), text) })
}

func (s *session) until(what string, true_ func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !true_(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the screen did not %s:\n%s", what, s.screen.Text())
		}
	}
}

func (s *session) resize(width, height int) {
	s.t.Helper()
	s.screen.Resize(width, height)
	if err := pty.Setsize(s.master, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		s.t.Fatal(err)
	}
}

// exit waits for the end of the child and returns its exit code.
func (s *session) exit() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the program did not end; the screen is\n%s", s.screen.Text())
	}
	select {
	case <-s.drawn:
	case <-time.After(patience):
		s.t.Fatal("the terminal was not closed")
	}
	return s.cmd.ProcessState.ExitCode()
}

// restored checks that the terminal is in the state that a shell expects: main screen, cursor shown, no bracketed
// paste, no mouse.
func (s *session) restored() {
	s.t.Helper()
	out := s.written()
	if s.screen.Full() {
		s.t.Error("the alternate screen was not left")
	}
	for _, pair := range [][2]string{
		{"\x1b[?25l", "\x1b[?25h"},
		{"\x1b[?2004h", "\x1b[?2004l"},
		{"\x1b[?1049h", "\x1b[?1049l"},
	} {
		if strings.LastIndex(out, pair[0]) > strings.LastIndex(out, pair[1]) {
			s.t.Errorf("%q was never undone by %q", pair[0], pair[1])
		}
	}
	for _, mouse := range []string{"\x1b[?1000h", "\x1b[?1002h", "\x1b[?1003h"} {
		if strings.Contains(out, mouse) {
			s.t.Errorf("the mouse was switched on by %q", mouse)
		}
	}
}

// TestWholeSetup goes from the address to the end, with a refused password, a resize storm and both kinds of paste.
func TestWholeSetup(t *testing.T) {
	t.Parallel()
	s := open(t, "wizard", 80, 24)
	s.waitFor("Étape 1/12")
	s.paste("contact@gmail.com\r\n")
	s.waitFor("contact@gmail.com")
	s.press("\r")
	s.waitFor("Étape 2/12")
	s.picture("provider")
	s.press("\r")
	s.waitFor("Étape 4/12")
	s.picture("prepare")
	s.press("q") // the QR code
	s.waitFor("█")
	s.picture("qr")
	s.press("\x1b")
	s.until("close the QR code", func() bool { return !strings.Contains(s.screen.Text(), "█") })
	s.press("\r")
	s.waitFor("Étape 5/12")
	s.paste("wron gpas swor done")
	s.press("\r")
	s.waitFor("P-31")
	s.picture("refused")
	for i := range 30 {
		s.resize(1+i*7%100, 1+i*5%40)
	}
	s.resize(1, 1)
	s.resize(80, 24)
	s.waitFor("P-31")
	s.press("\r")
	s.waitFor("Étape 5/12")
	s.paste("abcd efgh ijkl mnop")
	s.press("\r")
	s.waitFor("Étape 6/12")
	s.waitFor("[Continuer")
	s.picture("submission")
	for _, step := range []string{"7/12", "8/12", "9/12", "10/12"} {
		s.press("\r")
		s.waitFor("Étape " + step)
		if step != "10/12" {
			s.until("finish the checks", func() bool { return !strings.Contains(s.screen.Text(), "au plus") })
		}
	}
	s.press("\r")
	s.waitFor("Étape 11/12")
	s.press("\r")
	s.waitFor("Étape 12/12")
	s.picture("done")
	s.press("\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.restored()
	s.waitFor("/tmp/config.json")
	s.clean()
}

// clean checks that no secret and no raw control character from the server has reached the terminal, and that keys were
// not logged.
func (s *session) clean() {
	s.t.Helper()
	out := s.written()
	for _, secret := range []string{"gpas", "efgh"} {
		if strings.Contains(out, secret) {
			s.t.Errorf("the terminal has seen the password: %q", secret)
		}
	}
	if strings.Contains(out, "\u202e") {
		s.t.Error("a bidirectional override of the server reached the terminal")
	}
	for _, v := range s.cmd.Env {
		if file, ok := strings.CutPrefix(v, "TEA_TRACE="); ok {
			if _, err := os.Stat(file); err == nil {
				s.t.Error("the keys were logged to", file)
			}
		}
	}
}

// TestSignals ends the program by a signal while a check hangs: the draft is kept and the terminal restored.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			draft := filepath.Join(t.TempDir(), "draft.json")
			s := open(t, "wizard", 80, 24, draftVariable+"="+draft)
			s.hang()
			if err := s.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := s.exit(); code != 130 {
				t.Errorf("exit code %d, expected 130", code)
			}
			s.restored()
			s.waitFor("postier setup --resume")
			s.draftHolds(draft)
		})
	}
}

// hang goes to a check that never ends.
func (s *session) hang() {
	s.t.Helper()
	s.submit("hang hang hang hang")
	s.waitFor("6/12")
	s.waitFor("au plus")
}

// submit goes to the first check with a password.
func (s *session) submit(password string) {
	s.t.Helper()
	s.waitFor("1/12")
	s.press("contact@gmail.com\r")
	s.waitFor("2/12")
	s.press("\r")
	s.waitFor("4/12")
	s.press("\r")
	s.waitFor("5/12")
	s.press(password + "\r")
}

// TestWorkerPanics: the terminal is restored, the message says what happened, and the draft is kept.
func TestWorkerPanics(t *testing.T) {
	t.Parallel()
	draft := filepath.Join(t.TempDir(), "draft.json")
	s := open(t, "wizard", 80, 24, draftVariable+"="+draft)
	s.submit("boom boom boom boom")
	if code := s.exit(); code != 1 {
		t.Errorf("exit code %d, expected 1", code)
	}
	s.restored()
	s.waitFor("a check broke down: out of luck")
	s.waitFor("postier setup --resume")
	s.draftHolds(draft)
}

func (s *session) draftHolds(file string) {
	s.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("contact@gmail.com")) || bytes.Contains(data, []byte("hang")) {
		s.t.Errorf("the draft is %s", data)
	}
}

// TestClosedTerminal closes the window: the program ends by itself and the draft is kept.
func TestClosedTerminal(t *testing.T) {
	t.Parallel()
	draft := filepath.Join(t.TempDir(), "draft.json")
	s := open(t, "wizard", 80, 24, draftVariable+"="+draft)
	s.hang()
	_ = s.master.Close()
	if code := s.exit(); code != 130 {
		t.Errorf("exit code %d, expected 130", code)
	}
	s.draftHolds(draft)
}

// TestLeaveAndSuspend: ctrl+c asks before it leaves, and the screen comes back after ctrl+z.
func TestLeaveAndSuspend(t *testing.T) {
	t.Parallel()
	s := open(t, "wizard", 80, 24)
	s.hang()
	s.press("\x1a")
	s.until("leave the full screen", func() bool { return !s.screen.Full() })
	s.until("restore the terminal", func() bool { return echoes(s.master) })
	// The program stops itself just after it has restored the terminal: a signal that comes before that has no effect.
	s.until("take the full screen again", func() bool {
		if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		return s.screen.Full()
	})
	s.waitFor("6/12")
	s.press("\x03")
	s.waitFor("Quitter maintenant")
	s.press("\x1b")
	s.waitFor("au plus")
	s.press("\x03")
	s.waitFor("Quitter maintenant")
	s.press("\x03")
	if code := s.exit(); code != 130 {
		t.Errorf("exit code %d, expected 130", code)
	}
	s.restored()
}

// echoes reports whether the terminal echoes what is typed, as it does for a shell.
func echoes(f *os.File) bool {
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}

// TestTinyTerminal starts in windows in which nothing fits.
func TestTinyTerminal(t *testing.T) {
	t.Parallel()
	s := open(t, "wizard", 1, 1)
	s.until("draw anything", func() bool { return s.screen.Full() })
	rows := 24
	s.until("draw the step", func() bool {
		rows = 49 - rows // a change that comes before the program listens is not told again
		s.resize(80, rows)
		return strings.Contains(s.screen.Text(), "1/12")
	})
	s.press("\x03")
	if code := s.exit(); code != 130 {
		t.Errorf("exit code %d, expected 130", code)
	}
}

// TestHomeOnATerminal chooses a profile to test.
func TestHomeOnATerminal(t *testing.T) {
	t.Parallel()
	s := open(t, "home", 80, 24)
	s.waitFor("Cabinet Durand")
	s.press("\x1b[Bt")
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.waitFor("chose test newsletter fr")
}

// TestPasteWithoutEnd: on a real terminal the text is shown after a pause, and the keys work again.
func TestPasteWithoutEnd(t *testing.T) {
	t.Parallel()
	s := open(t, "wizard", 80, 24)
	s.waitFor("1/12")
	s.press(pasteBegin + "marie@durand.example")
	s.waitFor("marie@durand.example")
	s.press("x")
	s.waitFor("marie@durand.examplex")
	s.press(pasteBegin + "yz")
	s.press("\x03")
	s.until("ask", func() bool {
		return !strings.Contains(s.screen.Text(), "1/12") || strings.Contains(s.screen.Text(), "?")
	})
}
