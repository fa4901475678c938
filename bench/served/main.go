// Command served measures `postier serve` with many people at once. bench/README.md says what is inside each figure.
//
//	go run ./bench/served [-sessions N] POSTIER
package main

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

const (
	firstFrames = 30 // sessions one after the other
	typists     = 50 // people who type at the same time
	letters     = 20 // that each of them types
	patience    = 30 * time.Second
	quiet       = 3 * time.Second        // for what is under way to end before something is counted
	watched     = 5 * time.Second        // how long wake-ups are counted
	typingPause = 120 * time.Millisecond // of a fast typist: 100 words a minute
)

func main() {
	sessions := flag.Int("sessions", 200, "sessions at once")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: served [-sessions N] POSTIER")
		os.Exit(2)
	}
	if err := measure(flag.Arg(0), *sessions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(program string, sessions int) error {
	folder, err := os.MkdirTemp("", "postier-served-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s, err := start(program, folder, sessions)
	if err != nil {
		return err
	}
	defer s.stop()
	var frames []time.Duration
	for range firstFrames {
		p, took, err := s.join(0)
		if err != nil {
			return err
		}
		frames = append(frames, took)
		p.leave()
	}
	fmt.Printf("connect to first frame, median of %d: %.1f ms (greatest %.1f)\n", firstFrames, ms(middle(frames)),
		ms(slices.Max(frames)))
	time.Sleep(quiet)
	alone := s.memory()
	fmt.Printf("memory of the server without a session: %.1f MB\n", mega(alone))
	people, err := s.all(sessions)
	if err != nil {
		return err
	}
	time.Sleep(quiet)
	full := s.memory()
	fmt.Printf("memory with %d sessions: %.1f MB, %.2f MB each\n", len(people), mega(full),
		mega(full-alone)/float64(len(people)))
	switches, cpu := s.switches(), s.cpu()
	time.Sleep(watched)
	fmt.Printf("idle: %.1f wake-ups a second and session, %.2f %% of a core for all\n",
		float64(s.switches()-switches)/watched.Seconds()/float64(len(people)),
		100*(s.cpu()-cpu).Seconds()/watched.Seconds())
	typing := people[:min(typists, len(people))]
	for _, pause := range []time.Duration{typingPause, 0} {
		if err := s.typed(typing, pause); err != nil {
			return err
		}
	}
	return nil
}

// typed measures how long each key takes while people type, with a pause between a letter's echo and the next one.
func (s *server) typed(people []*person, pause time.Duration) error {
	cpu := s.cpu()
	delays, err := typing(people, pause)
	if err != nil {
		return err
	}
	how := "without a pause"
	if pause > 0 {
		how = fmt.Sprintf("a letter every %d ms", pause.Milliseconds())
	}
	fmt.Printf("key to its echo while %d type %s: median %.1f ms, 99 %% below %.1f ms; %.2f ms of the processor a key\n",
		len(people), how, ms(middle(delays)), ms(delays[len(delays)*99/100]), ms(s.cpu()-cpu)/float64(len(delays)))
	return nil
}

// typing has many people type at once and returns how long each letter took to come back, sorted.
func typing(people []*person, pause time.Duration) ([]time.Duration, error) {
	var mu sync.Mutex
	var delays []time.Duration
	var failed error
	var all sync.WaitGroup
	for _, p := range people {
		all.Go(func() {
			for n := range letters {
				if pause > 0 { // and not all at the same moment
					time.Sleep(pause/2 + mathrand.N(pause))
				}
				took, err := p.key(string(rune('a' + n)))
				mu.Lock()
				delays, failed = append(delays, took), cmp.Or(failed, err)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(delays)
	return delays, failed
}

func middle(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mega(octets int64) float64 { return float64(octets) / (1 << 20) }

// server is the program that is measured.
type server struct {
	cmd     *exec.Cmd
	address string
	keys    []gossh.Signer
}

func start(program, folder string, people int) (*server, error) {
	s := &server{}
	var text bytes.Buffer
	for n := range people {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		key, err := gossh.NewSignerFromKey(private)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, key)
		fmt.Fprintf(&text, "postier-user=\"person%d\" %s", n, gossh.MarshalAuthorizedKey(key.PublicKey()))
	}
	keys := filepath.Join(folder, "keys")
	if err := os.WriteFile(keys, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = free.Addr().String()
	_ = free.Close()
	many := strconv.Itoa(people + 1)
	s.cmd = exec.Command(program, "serve", "--listen", s.address, "--authorized-keys", keys, "--root",
		filepath.Join(folder, "root"), "--max-sessions", many, "--max-per-address", many)
	s.cmd.Env = []string{"HOME=" + folder}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			return s, conn.Close()
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// all lets everyone in, a few at a time, as people come.
func (s *server) all(people int) ([]*person, error) {
	var list []*person
	for n := range people {
		p, _, err := s.join(n)
		if err != nil {
			return nil, fmt.Errorf("person %d: %w", n, err)
		}
		list = append(list, p)
	}
	return list, nil
}

// person is one client at a terminal of 80x24.
type person struct {
	conn  *gossh.Client
	in    io.Writer
	drawn chan string
}

// join signs in and waits for the first frame: the time is from before the connection to the octets that show it.
func (s *server) join(n int) (*person, time.Duration, error) {
	began := time.Now()
	conn, err := s.dial(n)
	if err != nil {
		return nil, 0, err
	}
	p := &person{conn: conn, drawn: make(chan string, 1000)}
	session, err := conn.NewSession()
	if err != nil {
		return nil, 0, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if p.in, err = session.StdinPipe(); err != nil {
		return nil, 0, err
	}
	if err := session.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		return nil, 0, err
	}
	if err := session.Shell(); err != nil {
		return nil, 0, err
	}
	go p.read(out)
	err = p.waitFor("E-mail address")
	return p, time.Since(began), err
}

// dial comes again where the server lets no more in from one address for the moment.
func (s *server) dial(n int) (*gossh.Client, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		conn, err := gossh.Dial("tcp", s.address, &gossh.ClientConfig{
			User: "x", Auth: []gossh.AuthMethod{gossh.PublicKeys(s.keys[n])},
			HostKeyCallback: gossh.InsecureIgnoreHostKey(), //nolint:gosec // the server of this very run
		})
		if err == nil || time.Now().After(deadline) {
			return conn, err
		}
	}
}

func (p *person) read(out io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := out.Read(buffer)
		if err != nil {
			close(p.drawn)
			return
		}
		p.drawn <- string(buffer[:n])
	}
}

// waitFor waits until something drawn holds a text.
func (p *person) waitFor(text string) error {
	var seen strings.Builder
	late := time.After(patience)
	for {
		select {
		case drawn, open := <-p.drawn:
			if seen.WriteString(drawn); strings.Contains(seen.String(), text) {
				return nil
			}
			if !open {
				return io.ErrUnexpectedEOF
			}
		case <-late:
			return fmt.Errorf("%q was not drawn: %q", text, seen.String())
		}
	}
}

// key types one letter and waits for it.
func (p *person) key(letter string) (time.Duration, error) {
	began := time.Now()
	if _, err := io.WriteString(p.in, letter); err != nil {
		return 0, err
	}
	err := p.waitFor(letter)
	return time.Since(began), err
}

func (p *person) leave() { _ = p.conn.Close() }

// status is a number of the kernel's about the server.
func (s *server) status(path, name string) (sum int64) {
	files, _ := filepath.Glob(strings.ReplaceAll(path, "PID", strconv.Itoa(s.cmd.Process.Pid)))
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for line := range strings.Lines(string(data)) {
			if value, ok := strings.CutPrefix(line, name+":"); ok {
				n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				sum += n
			}
		}
	}
	return sum
}

func (s *server) memory() int64 { return s.status("/proc/PID/status", "VmRSS") << 10 }

func (s *server) switches() int64 {
	return s.status("/proc/PID/task/*/status", "voluntary_ctxt_switches")
}

func (s *server) cpu() time.Duration {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	const user, system, tick = 11, 12, 10 * time.Millisecond
	a, _ := strconv.ParseInt(fields[user], 10, 64)
	b, _ := strconv.ParseInt(fields[system], 10, 64)
	return time.Duration(a+b) * tick
}
