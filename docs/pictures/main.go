// Command pictures draws the pictures of the README and the manual from the real screens: it runs the program in a
// pseudo-terminal of 80x24, walks the demo, and writes SVG files next to itself.
//
//	go run ./docs/pictures
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creack/pty"

	"postier/internal/screenshot"
)

const (
	width  = 80
	height = 24
)

// shot is one picture: keys to press, each after the text before it has appeared.
type shot struct {
	name  string
	args  []string
	moves []move
}

type move struct {
	wait  string // on the screen, before the keys
	keys  string
	until string // the picture is taken when this stands on the screen; empty goes on
}

const password = "kivo-tams-relu-pade" // the demo's own, which it shows itself

var shots = []shot{
	{"submission", []string{"demo"}, []move{
		{wait: "Press Enter", keys: "\r"},
		{wait: "1/12", keys: "\r"},
		{wait: "2/12", keys: "\r"},
		{wait: "4/12", keys: "\r"},
		{wait: "5/12", keys: password + "\r"},
		{wait: "accepts your mail", until: "accepts your mail"},
	}},
	{"failure", []string{"demo", "--fault", "app-password-required"}, []move{
		{wait: "Press Enter", keys: "\r"},
		{wait: "1/12", keys: "\r"},
		{wait: "2/12", keys: "\r"},
		{wait: "4/12", keys: "\r"},
		{wait: "5/12", keys: "Atelier-Demo-2026\r"},
		{wait: "exactly as typed", keys: "\x1bk"},
		{wait: "6/12", until: "FAIL"},
	}},
	{"provider-fr", []string{"demo", "--lang", "fr"}, []move{
		{wait: "Entrée", keys: "\r"},
		{wait: "1/12", keys: "\r"},
		{wait: "2/12", until: "2/12"},
	}},
	{"provider-de", []string{"demo", "--lang", "de"}, []move{
		{wait: "Eingabe", keys: "\r"},
		{wait: "1/12", keys: "\r"},
		{wait: "2/12", until: "2/12"},
	}},
}

func main() {
	if err := draw(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func draw() error {
	dir, err := os.MkdirTemp("", "postier-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "postier")
	if out, err := exec.Command("go", "build", "-o", program, "postier/cmd/postier").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, s := range shots {
		svg, err := s.take(program, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		path := filepath.Join("docs", "pictures", s.name+".svg")
		if err := os.WriteFile(path, svg, 0o644); err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}

func (s shot) take(program, home string) ([]byte, error) {
	cmd := exec.Command(program, s.args...)
	cmd.Env = []string{
		"TERM=xterm-256color", "LANG=en_GB.UTF-8", "HOME=" + home, "PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + home,
	}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: height, Cols: width})
	if err != nil {
		return nil, err
	}
	screen := screenshot.New(width, height)
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = f.Close()
		screen.Close()
	}()
	go screen.Answer(f)
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := f.Read(buf)
			_, _ = screen.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	for _, m := range s.moves {
		if err := await(screen, m.wait); err != nil {
			return nil, err
		}
		if m.until != "" {
			if err := await(screen, m.until); err != nil {
				return nil, err
			}
			time.Sleep(settle)
			return screen.SVG("postier: " + s.name), nil
		}
		time.Sleep(settle)
		if _, err := f.WriteString(m.keys); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no picture was taken")
}

// settle lets a frame be drawn to its end.
const settle = 400 * time.Millisecond

func await(screen *screenshot.Terminal, text string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(screen.Text(), text) {
			return nil
		}
	}
	return fmt.Errorf("%q did not appear on:\n%s", text, screen.Text())
}
