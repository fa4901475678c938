package tui

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// framesPerSecond is how often the terminal is written to at most. Nothing is written when nothing has changed, so this
// only limits how many bytes many changes at once cost on a slow connection.
const framesPerSecond = 40

// terminal is the terminal on which a Bubble Tea program runs, with its environment.
type terminal struct {
	in       io.Reader
	out      io.Writer
	getenv   func(string) string
	noColour bool
	served   Served
}

// show runs a model until it quits.
func (t terminal) show(ctx context.Context, model tea.Model) error {
	// Both variables make Bubble Tea write to files; with the first one it writes every key, passwords included
	// (docs/security.md T12).
	_ = os.Unsetenv("TEA_TRACE")
	_ = os.Unsetenv("TEA_DEBUG")
	if t.in == nil {
		t.in = os.Stdin
	}
	if t.out == nil {
		t.out = os.Stdout
	}
	in, okIn := t.in.(*os.File)
	out, okOut := t.out.(*os.File)
	if !okIn || !okOut || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return ErrNoTerminal
	}
	env := environment(t.getenv)
	profile := colorprofile.Ascii
	if !t.noColour && t.getenv("NO_COLOR") == "" {
		profile = colorprofile.Detect(out, env)
	}
	p := newPainter(in, out, env, profile)
	var program *tea.Program
	gone := func() { program.Send(hangupMsg{}) }
	program = tea.NewProgram(painted{model, p}, t.options(ctx, &keyboard{File: in, fd: in.Fd(), gone: gone}, p)...)
	resized := func() { program.Send(sizeOf(out)) }
	p.resumed, p.failed = resized, func() { program.Kill() }
	defer onSignals(gone)()
	if t.served.Resized != nil {
		defer t.served.Resized(resized)()
	} else {
		defer onResize(resized)()
	}
	if err := p.takeOver(); err != nil {
		return err
	}
	defer p.giveBack()
	_, err := program.Run()
	p.giveBack()
	p.broken.Rethrow()
	return err
}

// sizeOf is the size of a terminal, as Bubble Tea reports it.
func sizeOf(out *os.File) tea.Msg {
	size, err := onTerminal(out, func(fd uintptr) (size tea.WindowSizeMsg, err error) {
		size.Width, size.Height, err = term.GetSize(fd)
		return size, err
	})
	if err != nil {
		return nil
	}
	return size
}

// onTerminal calls do with the descriptor of a terminal, which stays open until then: a session that is over may be
// closing it, and its number may soon be that of another one.
func onTerminal[T any](file *os.File, do func(fd uintptr) (T, error)) (result T, err error) {
	connection, err := file.SyscallConn()
	if err != nil {
		return result, err
	}
	var failed error
	err = connection.Control(func(fd uintptr) { result, failed = do(fd) })
	return result, cmp.Or(err, failed)
}

// keepRunning drops the wish to stop the process, which serves others as well.
func keepRunning(_ tea.Model, msg tea.Msg) tea.Msg {
	if _, stop := msg.(tea.SuspendMsg); stop {
		return nil
	}
	return msg
}

// options switch off what the painter does: drawing, and the modes of the terminal. What remains of Bubble Tea's own
// drawing is a tick with nothing to do, as seldom as it can be.
func (t terminal) options(ctx context.Context, in io.Reader, p *painter) []tea.ProgramOption {
	filter := p.pause
	if t.served.Resized != nil {
		filter = keepRunning
	}
	width, height, _ := term.GetSize(p.out.Fd())
	return []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(p.out), tea.WithoutRenderer(), tea.WithFPS(1),
		tea.WithEnvironment(p.env), tea.WithoutSignalHandler(), tea.WithColorProfile(p.profile), tea.WithFilter(filter),
		tea.WithWindowSize(width, height),
	}
}

// onSignals calls gone when a signal asks the process to end: kill, a lost connection, ctrl+c from another process.
func onSignals(gone func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case <-signals:
			gone()
		case <-done:
		}
	}()
	return func() { signal.Stop(signals); close(done) }
}

// keyboard reads a terminal for Bubble Tea. It reports the end of the input, which Bubble Tea ignores: it would wait
// for ever on a terminal that is gone. And it ends a paste whose end mark was lost.
type keyboard struct {
	*os.File
	fd    uintptr // as it was at the start: the file may be closed while Bubble Tea still compares it
	gone  func()
	paste pasteGuard
}

// Fd is the descriptor of the terminal.
func (k *keyboard) Fd() uintptr { return k.fd }

// Read implements io.Reader. Bubble Tea calls it when there is input, so whatever it gets must fit into one call.
func (k *keyboard) Read(p []byte) (int, error) {
	room := (len(p) - len(pasteEnd)) / 2
	if room <= 0 {
		return k.File.Read(p)
	}
	n, err := k.File.Read(p[:room])
	if n == 0 && errors.Is(err, io.EOF) {
		go k.gone()
	}
	if n == 0 {
		return 0, err
	}
	more := func(patience time.Duration) bool { return readable(int(k.Fd()), patience) }
	return copy(p, k.paste.watch(p[:n], more)), err
}

// terminalVariables are the environment variables by which Bubble Tea recognises the terminal.
var terminalVariables = []string{
	"TERM", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "SSH_TTY", "SSH_CONNECTION",
	"WT_SESSION", "TMUX", "STY", "LANG", "LC_ALL", "LC_CTYPE",
}

func environment(getenv func(string) string) []string {
	var env []string
	for _, name := range terminalVariables {
		if value := getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func getenvOr(getenv func(string) string) func(string) string {
	if getenv == nil {
		return os.Getenv
	}
	return getenv
}
