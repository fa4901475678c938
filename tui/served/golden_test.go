package served

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/internal/screenshot"
)

var update = flag.Bool("update", false, "write the golden screens again; read the difference before committing it")

// drawing is a program that fills the screen, with a password half typed, and waits. "break" breaks it.
func drawing(ctx context.Context, s *Session) error {
	_, _ = io.WriteString(s.Terminal, fullScreen+" •••••••")
	typed := make(chan struct{})
	go func() {
		if n, _ := s.Terminal.Read(make([]byte, 16)); n > 1 {
			close(typed)
		}
	}()
	select {
	case <-typed:
		panic("out of luck")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TestGoldenFarewells compares what is left on the screen of a session that could not begin, or that ended without the
// person's doing, with the approved files: nothing of what was drawn, and one sentence that the window does not break.
func TestGoldenFarewells(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limits Limits
		before func(b *bench)            // the session
		during func(b *bench, c *client) // it
	}{
		"full":     {limits: Limits{Sessions: 1}, before: (*bench).someone},
		"twice":    {limits: Limits{PerUser: 1}, before: (*bench).someone},
		"idle":     {limits: Limits{Idle: 100 * time.Millisecond}},
		"too-long": {limits: Limits{Absolute: 100 * time.Millisecond}},
		"shutdown": {during: func(b *bench, _ *client) { b.stop() }},
		"failed":   {during: func(_ *bench, c *client) { _, _ = io.WriteString(c.in, "break\r") }},
	} {
		for _, lang := range locale.All() {
			for _, size := range [][2]int{{40, 12}, {80, 24}} {
				title := fmt.Sprintf("%s-%s-%dx%d", name, lang, size[0], size[1])
				t.Run(title, func(t *testing.T) {
					t.Parallel()
					b := start(t, row.limits, drawing)
					if row.before != nil {
						row.before(b)
					}
					c := b.open(b.dial("anna"), size[0], size[1], "LC_ALL", string(lang)+".UTF-8")
					if row.during != nil {
						c.waitFor(t, "•••")
						row.during(b, c)
					}
					_ = exitCode(t, c.Session)
					compare(t, title, shown(c.out.String(), size[0], size[1]))
				})
			}
		}
	}
}

// someone takes a place.
func (b *bench) someone() {
	b.open(b.dial("anna"), 80, 24).waitFor(b.t, "•••")
}

// shown is what a terminal shows after it got these octets.
func shown(octets string, width, height int) string {
	screen := screenshot.New(width, height)
	defer func() { _ = screen.Close() }()
	go screen.Answer(io.Discard)
	_, _ = io.WriteString(screen, octets)
	var lines []string
	for line := range strings.Lines(screen.Text()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if strings.Contains(got, "•") || strings.Contains(got, "password field") || strings.Contains(got, "<served.") {
		t.Errorf("not cleared, or without words:\n%s", got)
	}
	file := filepath.Join("testdata", "screens", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s was\n%s\nand is\n%s", name, want, got)
	}
}
