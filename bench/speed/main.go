// Command speed measures how postier sends and keeps messages, next to msmtp and next to other builds of postier, in
// turn in one run. bench/README.md says what is inside each figure.
//
//	go run ./bench/speed [-folder DIR] [-messages N] POSTIER…
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	address  = "bench@sender.example"
	password = "Straight-7"
	text     = "From: " + address + "\nTo: " + address + "\nSubject: bench\n\nHello\n"
	// drainLimit is how long a queue is worked through at most: the rate is what the sink took until then.
	drainLimit = 20 * time.Second
	mega       = 1 << 20
)

// bench holds the sink and the files of one run.
type bench struct {
	sink    *sink
	folder  string
	current int    // which program is measured: each has a configuration and a state of its own
	msmtp   string // its configuration
}

func (b *bench) config() string {
	return filepath.Join(b.folder, fmt.Sprintf("config-%d.json", b.current))
}

func (b *bench) state() string { return filepath.Join(b.folder, fmt.Sprintf("state-%d", b.current)) }

// cost is what one process took.
type cost struct {
	wall, cpu time.Duration
	peak      int64 // octets
	err       error
}

func main() {
	folder := flag.String("folder", "", "where the state is kept; the default is a temporary folder")
	many := flag.Int("messages", 100_000, "messages in the long queue")
	calls := flag.Int("calls", 30, "calls of sendmail")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: speed [-folder DIR] [-messages N] [-calls N] POSTIER…")
		os.Exit(64)
	}
	if err := run(*folder, *many, *calls, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(parent string, many, calls int, programs []string) error {
	folder, err := os.MkdirTemp(parent, "postier-speed-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	b := &bench{folder: folder, msmtp: filepath.Join(folder, "msmtprc")}
	if b.sink, err = newSink(folder); err != nil {
		return err
	}
	if err := b.configure(programs); err != nil {
		return err
	}
	b.sendmail(programs, calls)
	for n, program := range programs {
		b.current = n
		fmt.Println(program)
		b.queue(program, 1000)
		b.queue(program, many)
		b.relay(program)
		b.large(program, 25*mega)
		b.large(program, 99*mega)
	}
	if err := b.postfix(); err != nil {
		fmt.Println("relay by Postfix:", err)
	}
	return nil
}

// configure writes one profile for all programs, with the password in a file.
func (b *bench) configure(programs []string) error {
	secret := filepath.Join(b.folder, "secret")
	profile := map[string]any{
		"enabled": true, "from": map[string]string{"address": address},
		"submission": map[string]any{
			"host": "127.0.0.1", "port": b.sink.port, "security": "tls", "auth": "plain", "username": address,
		},
		"credential": map[string]string{"kind": "file", "path": secret, "type": "password"},
		"sent_copy":  map[string]string{"mode": "none"}, "tls": map[string]string{"ca_file": b.sink.caFile},
	}
	for b.current = range programs {
		data, err := json.Marshal(map[string]any{
			"version": 1, "default": "bench", "profiles": map[string]any{"bench": profile},
			"queue": map[string]string{"database": filepath.Join(b.state(), "postier.db")},
		})
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.config(), data, 0o600); err != nil {
			return err
		}
	}
	rc := fmt.Sprintf("account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls off\ntls_trust_file %s\n"+
		"auth plain\nuser %s\npasswordeval cat %s\nfrom %s\n", b.sink.port, b.sink.caFile, address, secret, address)
	return errors.Join(os.WriteFile(secret, []byte(password+"\n"), 0o600),
		os.WriteFile(b.msmtp, []byte(rc), 0o600))
}

// call runs a program once and says what it took.
func (b *bench) call(limit time.Duration, in io.Reader, argv ...string) cost {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = b.environment()
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = in, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	err := cmd.Run()
	out := cost{wall: time.Since(start)}
	if state := cmd.ProcessState; state != nil {
		out.cpu = state.UserTime() + state.SystemTime()
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
			out.peak = usage.Maxrss << 10
		}
	}
	if err != nil && ctx.Err() == nil {
		out.err = fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return out
}

func (b *bench) environment() []string {
	return []string{"HOME=" + b.folder, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "POSTIER_CONFIG=" + b.config()}
}

const forever = time.Hour

// sendmail calls each program for one message after the other, in turn.
func (b *bench) sendmail(programs []string, calls int) {
	ways := [][]string{{"msmtp", "--file=" + b.msmtp, "--", address}}
	for _, program := range programs {
		ways = append(ways, []string{program, "sendmail", "-t", "-i"})
	}
	walls, cpus := make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
	for range calls + 1 {
		for i, argv := range ways {
			b.current = max(0, i-1)
			c := b.call(forever, strings.NewReader(text), argv...)
			if c.err != nil {
				fmt.Println(argv[0], c.err)
			}
			walls[i], cpus[i] = append(walls[i], c.wall), append(cpus[i], c.cpu)
		}
	}
	for i, argv := range ways {
		wall, cpu := median(walls[i][1:]), median(cpus[i][1:])
		fmt.Printf("%-44s %6.1f ms wall %6.1f ms processor   times msmtp: %.2f %.2f\n", argv[0]+", a call a message",
			ms(wall), ms(cpu), ratio(wall, median(walls[0][1:])), ratio(cpu, median(cpus[0][1:])))
	}
}

// queue accepts messages in one dialog, lists them and works them off.
func (b *bench) queue(program string, messages int) {
	state := b.state()
	_ = os.RemoveAll(state)
	accept := b.call(forever, dialog(messages), program, "sendmail", "-odq", "-bs")
	b.say("accept by sendmail -bs", messages, accept)
	b.say("queue list", messages, b.call(forever, nil, program, "queue", "list"))
	before := b.sink.messages.Load()
	drain := b.call(drainLimit, nil, program, "queue", "run")
	b.say("queue run", int(b.sink.messages.Load()-before), drain)
	fmt.Printf("  state after it: %.1f MB\n", float64(size(state))/1e6)
	_ = os.RemoveAll(state)
}

// large sends one large message, with an attachment's lines.
func (b *bench) large(program string, octets int) {
	line := strings.Repeat("A", 76) + "\n"
	in := io.MultiReader(strings.NewReader(text), &repeated{text: line, times: octets / len(line)})
	c := b.call(forever, in, program, "sendmail", "-t", "-i")
	b.say(fmt.Sprintf("sendmail of %d MB", octets/mega), 1, c)
	fmt.Printf("  state after it: %.1f MB\n", float64(size(b.state()))/1e6)
}

func (b *bench) say(what string, n int, c cost) {
	if c.err != nil {
		fmt.Printf("  %s: %v\n", what, c.err)
		return
	}
	fmt.Printf("  %-24s %7d in %7.2f s: %8.1f a second, %6.2f ms processor each, %6.1f MB at most\n", what, n,
		c.wall.Seconds(), float64(n)/c.wall.Seconds(), ms(c.cpu)/float64(max(n, 1)), float64(c.peak)/1e6)
}

// dialog is what a program says to `sendmail -bs`, all at once.
func dialog(messages int) io.Reader {
	one := "MAIL FROM:<" + address + ">\r\nRCPT TO:<" + address + ">\r\nDATA\r\n" +
		strings.ReplaceAll(text, "\n", "\r\n") + ".\r\n"
	return io.MultiReader(strings.NewReader("EHLO bench\r\n"), &repeated{text: one, times: messages},
		strings.NewReader("QUIT\r\n"))
}

// repeated reads the same text so many times. It holds it once: a process that is started reports at least the memory
// of the one that started it.
type repeated struct {
	text        string
	times, from int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.times > 0 {
		copied := copy(p[n:], r.text[r.from:])
		n, r.from = n+copied, r.from+copied
		if r.from == len(r.text) {
			r.from, r.times = 0, r.times-1
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func size(folder string) (octets int64) {
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			octets += info.Size()
		}
	}
	return octets
}

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
