package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/safefile/safefiletest"
)

// TestMain is also the program: shells that tests start find the test binary under its name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "postier" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// pasted is a command of a page, and what the page says that it prints.
type pasted struct {
	line    int
	command string
	output  []string
}

// pages are those whose commands a reader pastes, with the language of their reader.
func pages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{filepath.Join("..", "..", "README.md"): "C"}
	manual, err := filepath.Glob(filepath.Join("..", "..", "docs", "manual", "*.md"))
	if err != nil || len(manual) < 15 {
		t.Fatalf("%d pages, %v", len(manual), err)
	}
	for _, page := range append(manual, filepath.Join("..", "..", "docs", "reference.md")) {
		pages[page] = "C"
		if m := regexp.MustCompile(`\.(fr|de)\.md$`).FindStringSubmatch(page); m != nil {
			pages[page] = m[1]
		}
	}
	return pages
}

// commandsOf reads the blocks of a page: all lines of one marked sh, and after a prompt the lines of others.
func commandsOf(t *testing.T, text string) []pasted {
	t.Helper()
	var list []pasted
	mark, open, inside := "", false, false // inside a command of several lines
	for i, line := range strings.Split(text, "\n") {
		if after, ok := strings.CutPrefix(line, "```"); ok {
			mark, open, inside = after, !open, false
			continue
		}
		prompt, isPrompt := strings.CutPrefix(line, "$ ")
		switch {
		case !open || mark != "sh" && mark != "":
		case inside:
			last := &list[len(list)-1]
			last.command += "\n" + line
			inside = goesOn(last.command)
		case mark == "" && isPrompt, mark == "sh" && strings.TrimSpace(line) != "":
			list = append(list, pasted{line: i + 1, command: strings.TrimSpace(comment.ReplaceAllString(prompt, ""))})
			inside = goesOn(prompt)
		case mark == "" && regexp.MustCompile(`^(postier|sudo|ssh) `).MatchString(line):
			t.Errorf("line %d: %q is in a block that is not marked sh", i+1, line)
		case mark == "" && len(list) > 0 && list[len(list)-1].output != nil, mark == "" && follows(list, i):
			list[len(list)-1].output = append(list[len(list)-1].output, line)
		}
	}
	return list
}

// comment is what a page says about a command on its line.
var comment = regexp.MustCompile(`\s{2,}#.*$`)

func goesOn(command string) bool {
	return strings.HasSuffix(command, `\`) ||
		strings.HasPrefix(command, "while ") && !strings.Contains(command, "\ndone")
}

// follows reports whether line i comes right after the last command.
func follows(list []pasted, i int) bool {
	if len(list) == 0 {
		return false
	}
	last := list[len(list)-1]
	return last.line+strings.Count(last.command, "\n") == i
}

// exception is a line of testdata/manual.txt.
type exception struct {
	pattern, why string
	code         int // -1: not run
	used         bool
}

func exceptions(t *testing.T) []*exception {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "manual.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*exception
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSpace(line), " | ")
		if len(fields) < 2 || strings.HasPrefix(line, "#") {
			continue
		}
		e := &exception{pattern: fields[1], code: -1}
		if fields[0] == "-" {
			if len(fields) != 3 {
				t.Fatalf("no reason: %s", line)
			}
			e.why = fields[2]
		} else if e.code, err = strconv.Atoi(fields[0]); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func (e *exception) matches(command string) bool {
	parts := strings.Split(regexp.QuoteMeta(e.pattern), `\*`)
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(command)
}

// reader is a person who pastes the commands of one page, in a folder with the files that the pages speak of.
type reader struct {
	folder string
	env    []string
}

// newReader has an account saved under the name of the examples.
func newReader(t *testing.T, servers *demoServers, lang string) *reader {
	t.Helper()
	folder := safefiletest.Home(t)
	r := &reader{folder: folder, env: []string{
		"HOME=" + folder, "PATH=" + servers.bin + ":/usr/bin:/bin", "LC_ALL=" + lang,
		"POSTIER_CONFIG=" + filepath.Join(folder, "postier", "config.json"), "XDG_RUNTIME_DIR=" + folder,
		"POSTIER_RESOLVER=" + servers.Resolver, "POSTIER_CA_FILE=" + servers.CAFile,
	}}
	for _, name := range []string{"password", "mot-de-passe", "office.pw", "new.pw", "durand.pw"} {
		r.write(t, name, servers.Accounts[0].Password+"\n")
	}
	r.write(t, "platform.pw", "of-the-platform\n")
	r.write(t, "invoice.pdf", "%PDF-1.7\n")
	r.write(t, "invoice.txt", "Subject: Invoice {{number}}\nKind: invoice\n\nHello {{name}}\n")
	r.write(t, "vendor.json", jsonBlock(t, "manual/vendor.md"))
	r.write(t, "message.eml", "To: "+rehearsal.Address+"\nSubject: s\n\nt\n")
	r.write(t, "addresses.csv", rehearsal.Address+";office.pw\n")
	for _, name := range []string{"domains.txt", "domaines.txt"} {
		r.write(t, name, rehearsal.Domain+"\n")
	}
	for _, name := range []string{"received.eml", "recu.eml"} {
		r.write(t, name, "From: "+rehearsal.Address+"\nDate: Mon, 30 Nov 2026 02:00:00 +0000\nSubject: s\n\nt\n")
	}
	// The example's domain does not exist, and the rehearsal's ports are others each time.
	r.write(t, "durand.json", strings.NewReplacer(
		"marie@durand.example", rehearsal.Address, "smtp.durand.example", servers.SMTP[1].Host,
		"587 ", strconv.Itoa(servers.SMTP[1].Port)+" ", `"imap.durand.example"`,
		fmt.Sprintf(`"%s", "imap-port": "%d"`, servers.IMAP[0].Host, servers.IMAP[0].Port),
		"durand.example", rehearsal.Domain).Replace(jsonBlock(t, "manual/scripts.md")))
	return r
}

// jsonBlock is the first file in JSON that a page shows.
func jsonBlock(t *testing.T, name string) string {
	t.Helper()
	_, text, _ := strings.Cut(documentation(t, name), "```json\n")
	text, _, found := strings.Cut(text, "```\n")
	if !found {
		t.Fatalf("docs/%s shows no JSON", name)
	}
	return text
}

func (r *reader) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run pastes a command into a shell and returns what it printed and its exit code.
func (r *reader) run(t *testing.T, command string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", command)
	cmd.Dir, cmd.Env = r.folder, r.env
	cmd.Stdin = strings.NewReader("kivo-tams-relu-pade\n") // for `cat >password`
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// demoServers are those of `demo --serve`, as it prints them.
type demoServers struct {
	Resolver string
	CAFile   string `json:"ca_file"`
	Accounts []struct{ Password string }
	SMTP     []rehearsal.Endpoint
	IMAP     []rehearsal.Endpoint
	bin      string
}

// serveDemo runs `demo --serve` until the test ends.
func serveDemo(t *testing.T) *demoServers {
	t.Helper()
	s := &demoServers{bin: t.TempDir()}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(s.bin, "postier")); err != nil {
		t.Fatal(err)
	}
	other := "#!/bin/sh\nexec grep -q .\n" // reads a password, as another program would
	if err := os.WriteFile(filepath.Join(s.bin, "other-program"), []byte(other), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context()) // it is interrupted, as a person does
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "postier"), "demo", "--serve", "--json")
	cmd.Env = []string{"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("demo --serve: %v", err)
		}
	})
	if err := json.NewDecoder(out).Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestManualCommands pastes every command of the manual into a shell, against the servers of `demo --serve`. What
// cannot run there is in testdata/manual.txt, with the reason.
func TestManualCommands(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts a process for each command of the manual")
	}
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("a command of docs/manual/scripts.md needs jq")
	}
	servers, known := serveDemo(t), exceptions(t)
	var mu sync.Mutex
	find := func(command string) *exception {
		mu.Lock()
		defer mu.Unlock()
		i := slices.IndexFunc(known, func(e *exception) bool { return e.matches(command) })
		if i < 0 {
			return nil
		}
		known[i].used = true
		return known[i]
	}
	count := 0
	t.Run("pages", func(t *testing.T) {
		for page, lang := range pages(t) {
			data, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			commands := commandsOf(t, string(data))
			count += len(commands)
			if len(commands) > 0 {
				t.Run(filepath.Base(page), func(t *testing.T) {
					t.Parallel()
					pastePage(t, newReader(t, servers, lang), commands, find)
				})
			}
		}
	})
	if count < 40 {
		t.Errorf("only %d commands found", count)
	}
	for _, e := range known {
		if !e.used {
			t.Errorf("testdata/manual.txt: no page has %q", e.pattern)
		}
	}
}

// ownAddress is what pages write where the reader's own address belongs.
var ownAddress = strings.NewReplacer("anna@example.org", rehearsal.Address)

func pastePage(t *testing.T, r *reader, commands []pasted, find func(string) *exception) {
	t.Helper()
	before := "postier setup " + rehearsal.Address + " --yes --profile office --password-file office.pw"
	if !slices.ContainsFunc(commands, func(c pasted) bool { return strings.HasSuffix(c.command, before) }) {
		if said, code := r.run(t, before); code != 0 {
			t.Fatalf("%s ends with %d:\n%s", before, code, said)
		}
	}
	last := 0
	for _, c := range commands {
		want := 0
		if e := find(c.command); e != nil {
			if e.code < 0 {
				continue
			}
			want = e.code
		}
		if c.command == "echo $?" {
			if text := strings.Join(c.output, "\n"); text != strconv.Itoa(last) {
				t.Errorf("line %d: the page says %s, the command before ended with %d", c.line, text, last)
			}
			continue
		}
		said, code := r.run(t, ownAddress.Replace(c.command))
		if last = code; code != want {
			t.Errorf("line %d: %s\nends with %d instead of %d:\n%s", c.line, c.command, code, want, said)
		}
		compare(t, c, said)
	}
}

// compare finds the lines that a page shows in what was printed, in their order; numbers and dates may be others, and
// an ellipsis stands for any text. How long a check took is shown only where that is long.
func compare(t *testing.T, c pasted, said string) {
	t.Helper()
	plain := func(line string) string {
		return strings.TrimRight(took.ReplaceAllString(figures.ReplaceAllString(line, "0"), ""), " ")
	}
	rest := strings.Split(said, "\n")
	for _, line := range c.output {
		text := plain(line)
		if strings.TrimSpace(text) == "…" || text == "" {
			continue
		}
		parts := strings.Split(regexp.QuoteMeta(text), "…")
		shown := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		i := slices.IndexFunc(rest, func(got string) bool { return shown.MatchString(plain(got)) })
		if i < 0 {
			t.Errorf("line %d: %s\ndoes not print (any more, or in this place):\n%s\nbut:\n%s", c.line, c.command, line, said)
			return
		}
		rest = rest[i+1:]
	}
}

var (
	figures = regexp.MustCompile(`\d{4}-\d\d-\d\d|\d+`)
	took    = regexp.MustCompile(` +0([.,]0)? s$`)
)

// TestManualNamesWhatExists: a command in the middle of a sentence is one, with options that it has.
func TestManualNamesWhatExists(t *testing.T) {
	t.Parallel()
	f := english()
	f.LangFlag = string(locale.English)
	root, count := newRoot(f, ""), 0
	for page := range pages(t) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`postier ([^`]+)`").FindAllStringSubmatch(string(data), -1) {
			count++
			var within *cobra.Command
			if why := unknownCommand(root, &within, strings.ReplaceAll(m[1], `\|`, " ")); why != "" {
				t.Errorf("%s: `postier %s`: %s", filepath.Base(page), m[1], why)
			}
		}
	}
	if count < 80 {
		t.Errorf("only %d commands found", count)
	}
}
