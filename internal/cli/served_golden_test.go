package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postier/internal/locale"
)

var update = flag.Bool("update", false, "write the golden screens again; read the difference before committing it")

var (
	spokenCode = regexp.MustCompile(`\d{4} \d{4}`)
	minutes    = regexp.MustCompile(`\d+( |\x{202f}|\x{a0})[Mm]in`)
)

// text is the screen as its approved file has it: without what differs from run to run.
func (v *client) text() string {
	var lines []string
	for line := range strings.Lines(v.screen.Text()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	text := strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	return minutes.ReplaceAllString(spokenCode.ReplaceAllString(text, "4821 0937"), "0 min")
}

// approved waits until the screen is that of the approved file.
func (v *client) approved(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", "served", name+".txt")
	if *update {
		const settled = 500 * time.Millisecond
		for before := ""; before != v.text(); time.Sleep(settled) {
			before = v.text()
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(v.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(time.Minute); v.text() != string(want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%s was\n%s\nand is\n%s", name, want, v.text())
		}
	}
}

// TestGoldenServed compares what is on the screen of those who come over SSH with the approved files, in each language
// and in a narrow window and a usual one: the first page of a person, the same one with the code and with support
// looking on, what support sees of it, and support's list of who shares.
func TestGoldenServed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, lang := range locale.All() {
		for _, width := range []int{40, 80} {
			names = append(names, fmt.Sprintf("anna-%s-%d", lang, width))
		}
	}
	h := startHost(t, append(names, "support"), "--max-per-user", "5", "--max-per-address", "60")
	for _, lang := range locale.All() {
		h.locale = string(lang) + ".UTF-8"
		for _, size := range [][2]int{{40, 16}, {80, 24}} {
			title := fmt.Sprintf("-%s-%dx%d", lang, size[0], size[1])
			list := func(name string) {
				t.Helper()
				v := h.enterSized("support", size[0], size[1], "list")
				if err := <-v.ended; err != nil {
					t.Error(err)
				}
				v.approved(t, name+title)
			}
			list("list-none")
			name := fmt.Sprintf("anna-%s-%d", lang, size[0])
			v := h.enterSized(name, size[0], size[1])
			if err := v.sees(locale.For(lang).T("wizard.field.address")); err != nil {
				t.Fatal(err)
			}
			v.approved(t, "first"+title)
			v.press("\x1b[17~") // F6
			h.until("give a code", func() bool { return spokenCode.MatchString(v.screen.Text()) })
			code := spokenCode.FindString(v.screen.Text())
			v.approved(t, "code"+title)
			list("list-waits")
			helper := h.enterSized("support", size[0], size[1], "join", code)
			h.until("let support in", func() bool { return !strings.Contains(v.screen.Text(), code) })
			v.approved(t, "watched"+title)
			helper.approved(t, "helper"+title)
			list("list-watched")
			_ = helper.conn.Close()
			_ = v.conn.Close()
			h.until("end the sharing", func() bool {
				return strings.Contains(h.err.String(), "event=end account="+name)
			})
		}
	}
}
