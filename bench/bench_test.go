// Package bench measures what a person notices: how long a start takes, how many bytes a key sends, how many round
// trips a check takes. The figures can be compared within one run on one machine; no test depends on a time.
//
//	go test -run '^$' -bench . ./bench
package bench

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
)

// binary builds the program once, stripped as a release is.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "postier-bench-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "postier")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "postier/cmd/postier")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		_, _ = os.Stderr.Write(out)
	}
	return path, err
})

func program(b *testing.B) string {
	b.Helper()
	path, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkStart runs a whole process that prints its version, and for comparison one that does nothing.
func BenchmarkStart(b *testing.B) {
	path := program(b)
	for name, argv := range map[string][]string{"version": {path, "version"}, "floor-true": {"true"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command(argv[0], argv[1:]...).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSize reports the stripped binary.
func BenchmarkSize(b *testing.B) {
	info, err := os.Stat(program(b))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}

// terminal runs the wizard in a pseudo-terminal of 80x24 as over SSH, and counts what it sends.
type terminal struct {
	pty  *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	seen strings.Builder
	n    int
}

func start(b *testing.B, home string) *terminal {
	b.Helper()
	cmd := exec.Command(program(b), "setup")
	cmd.Env = []string{
		"TERM=xterm-256color", "SSH_TTY=/dev/pts/0", "LANG=en_GB.UTF-8", "HOME=" + home,
		"PATH=" + os.Getenv("PATH"),
	}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		b.Fatal(err)
	}
	t := &terminal{pty: f, cmd: cmd}
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := f.Read(buf)
			t.mu.Lock()
			t.seen.Write(buf[:n])
			t.n += n
			t.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return t
}

func (t *terminal) bytes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

func (t *terminal) wait(b *testing.B, text string) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		t.mu.Lock()
		found := strings.Contains(t.seen.String(), text)
		t.mu.Unlock()
		if found {
			return
		}
	}
	b.Fatalf("%q did not appear", text)
}

func (t *terminal) stop() {
	_ = t.cmd.Process.Kill()
	_ = t.cmd.Wait()
	_ = t.pty.Close()
}

// BenchmarkFirstFrame is from the start of the process to the first question on the screen.
func BenchmarkFirstFrame(b *testing.B) {
	program(b)
	for b.Loop() {
		b.StopTimer()
		home := b.TempDir()
		b.StartTimer()
		t := start(b, home)
		t.wait(b, "1/12")
		b.StopTimer()
		t.stop()
		b.StartTimer()
	}
}

// BenchmarkKey counts the bytes that one typed letter sends.
func BenchmarkKey(b *testing.B) {
	t := start(b, b.TempDir())
	defer t.stop()
	t.wait(b, "1/12")
	time.Sleep(300 * time.Millisecond)
	before, keys := t.bytes(), 0
	for b.Loop() {
		for _, key := range "anna@example.org" {
			_, _ = io.WriteString(t.pty, string(key))
			time.Sleep(60 * time.Millisecond) // a quick typist; keys that come together are drawn together
			keys++
		}
		_, _ = io.WriteString(t.pty, strings.Repeat("\x7f", 16))
		time.Sleep(200 * time.Millisecond)
		keys += 16
	}
	b.ReportMetric(float64(t.bytes()-before)/float64(keys), "bytes/key")
}

// BenchmarkRoundTrips counts the network's share of a check through a proxy that adds a round trip.
func BenchmarkRoundTrips(b *testing.B) {
	const rtt = 50 * time.Millisecond
	provider, err := rehearsal.Start(context.Background(), rehearsal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer provider.Close()
	var mu sync.Mutex
	proxies := map[string]string{}
	route := func(network, host string, port int) (string, bool) {
		address, ok := provider.Route(network, host, port)
		if network == "tcp6" {
			return "[::1]:1", true // one family only; otherwise the faster of two would be counted
		}
		if !ok {
			return address, ok
		}
		mu.Lock()
		defer mu.Unlock()
		if proxies[address] == "" {
			proxy, err := scripted.NewProxy(address, rtt)
			if err != nil {
				b.Error(err)
				return address, ok
			}
			b.Cleanup(proxy.Close)
			proxies[address] = proxy.Addr()
		}
		return proxies[address], true
	}
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		b.Fatal(err)
	}
	network := &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: route}
	target := account.Target{
		Address: provider.Address, Submission: provider.Submission, IMAP: &provider.IMAP, SentMode: config.SentAppend,
		Secret: provider.Password,
	}
	upgrade := target
	upgrade.Submission.Port, upgrade.Submission.Security = 587, config.SecurityStartTLS
	for _, c := range []struct {
		name  string
		last  check.ID
		plans func() []diagnostics.Plan
	}{
		{
			"submission-tls", check.SMTPAuth,
			func() []diagnostics.Plan { return []diagnostics.Plan{smtp.Plan(network, target, smtp.Options{})} },
		},
		{
			"submission-starttls", check.SMTPAuth,
			func() []diagnostics.Plan { return []diagnostics.Plan{smtp.Plan(network, upgrade, smtp.Options{})} },
		},
		{
			"imap-append", check.IMAPAppend,
			func() []diagnostics.Plan { return []diagnostics.Plan{imap.Plan(network, target, imap.Options{})} },
		},
	} {
		b.Run(c.name, func(b *testing.B) {
			var trips float64
			runs := 0
			for b.Loop() {
				begun := time.Now()
				var took time.Duration
				results := diagnostics.Run(context.Background(), func(e diagnostics.Event) {
					if e.Result != nil && e.ID == c.last {
						took = time.Since(begun)
					}
				}, c.plans()...)
				if f, failed := diagnostics.Root(results); failed {
					b.Fatalf("%s: %s", f.ID, f.Cause)
				}
				trips += float64(took) / float64(rtt)
				runs++
			}
			b.ReportMetric(trips/float64(runs), "round-trips")
		})
	}
}

// BenchmarkPresetLookup is the look-up of an address domain among all providers.
func BenchmarkPresetLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := presets.Lookup("wanadoo.fr"); !ok {
			b.Fatal("wanadoo.fr is not known")
		}
	}
}
