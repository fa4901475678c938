package diagnose

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/report"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/tui/plain"
)

const (
	// listParallel is how many domains are looked at side by side: enough to hide a resolver's round trips, few enough for
	// its rate limits.
	listParallel = 48
	// listQueries is how many DNS questions are under way: fewer than fit into the receive buffer of a small resolver.
	listQueries = 64
	// listPatience is how long a domain counts as one of them: what takes longer waits for a silent server.
	listPatience = time.Second
	// listWindow is how many results may wait for an earlier, slower one; with listCache it bounds the memory of a run.
	listWindow = 4096
	// listCache is how many answers are kept. Those that many domains share (the includes of large providers) are used all
	// the time and therefore stay.
	listCache = 20_000
	// listLine bounds one line; a domain name has at most 253 octets.
	listLine = 4 << 10
)

// listFault is the output for a line that is no domain name.
type listFault struct {
	Schema int             `json:"schema"`
	Domain safetext.Remote `json:"domain"`
	Error  string          `json:"error"`
}

// lineResult is the output for one line.
type lineResult struct {
	line []byte
	code int
}

// lister checks many domains: one per line in, one JSON report per line out, in the same order.
type lister struct {
	*checkup
	options  dns.Options
	progress *progress
}

// list is --list.
func (c *checkup) list(ctx context.Context, path string, options dns.Options) error {
	in, total, done, err := openList(c.Factory, path)
	if err != nil {
		return err
	}
	defer done()
	defer c.network.Resolver.ShareSockets()()
	options.Resolver = lookup.NewCache(lookup.NewLimit(c.network.Resolver, listQueries), listCache)
	l := &lister{checkup: c, options: options, progress: newProgress(c.Factory, total)}
	code, err := l.work(ctx, in)
	l.progress.end()
	switch {
	case ctx.Err() != nil:
		return command.Quiet(exitcode.Interrupted)
	case err != nil:
		return err
	}
	return command.Quiet(code)
}

// openList opens the list; total is the number of lines where the list is a file, else 0.
func openList(f *command.Factory, path string) (in io.Reader, total int, done func(), err error) {
	if path == "-" {
		return f.In, 0, func() {}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && plain.IsTerminal(f.Err) {
		if total, err = countLines(file); err == nil {
			_, err = file.Seek(0, io.SeekStart)
		}
		if err != nil {
			_ = file.Close()
			return nil, 0, nil, err
		}
	}
	return file, total, func() { _ = file.Close() }, nil
}

func countLines(r io.Reader) (int, error) {
	scanner := newLines(r)
	n := 0
	for scanner.Scan() {
		if domainOfLine(scanner.Text()) != "" {
			n++
		}
	}
	return n, scanner.Err()
}

func newLines(r io.Reader) *bufio.Scanner {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, listLine), listLine)
	return scanner
}

// domainOfLine is the domain on a line; empty lines and those that begin with # have none.
func domainOfLine(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return ""
	}
	return line
}

// work checks the list and returns the exit code: 65 when a line was no domain name, otherwise 1 when a domain failed.
func (l *lister) work(ctx context.Context, in io.Reader) (code int, err error) {
	out := bufio.NewWriter(l.Out)
	lines := command.Lines{
		Parallel: listParallel, Window: listWindow, Patience: listPatience, Clean: domainOfLine,
	}
	reading, err := command.EachLine(ctx, newLines(in), lines, l.look, func(result lineResult, idle bool) error {
		code = command.ListCode(code, result.code)
		if result.line == nil { // stopped
			return nil
		}
		_, err := out.Write(append(result.line, '\n'))
		if err == nil && idle { // the next line may take long: write what is finished
			err = out.Flush()
		}
		l.progress.step()
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	switch {
	case err != nil:
		return code, command.Failure(exitcode.IO, safetext.Escape(err.Error()))
	case errors.Is(reading, bufio.ErrTooLong):
		return code, l.Fault(exitcode.Data, "diagnose.list.too-long")
	}
	return code, reading
}

// look checks one domain.
func (l *lister) look(ctx context.Context, domain string, _ int) lineResult {
	if ctx.Err() != nil {
		return lineResult{code: exitcode.Interrupted}
	}
	if v := config.ValidateDomain(domain); !v.Empty() {
		line, err := json.Marshal(listFault{report.Schema, safetext.FromRemote(domain), l.Say(v)})
		if err != nil {
			return lineResult{code: exitcode.Failed}
		}
		return lineResult{line, exitcode.Data}
	}
	options := l.options
	options.Domain = domain
	info := report.Info{Version: l.Version, Started: time.Now(), Domain: domain, Target: l.target, Lang: l.Lang()}
	results := diagnostics.Run(ctx, nil,
		choose(l.Only, []diagnostics.Plan{dns.Plan(l.network, l.target, options)})...)
	info.Took = time.Since(info.Started)
	line, err := json.Marshal(report.Build(info, results))
	if err != nil {
		return lineResult{code: exitcode.Failed}
	}
	return lineResult{line, command.DomainCode(report.ExitCode(results))}
}

// progress shows a line on standard error when that is a terminal.
type progress struct {
	f     *command.Factory
	total int
	count atomic.Int64
	begun time.Time
	shown time.Time
	on    bool
}

const (
	progressPause = 200 * time.Millisecond // five frames a second are enough for a bar
	progressWidth = 30
)

func newProgress(f *command.Factory, total int) *progress {
	return &progress{f: f, total: total, begun: time.Now(), on: plain.IsTerminal(f.Err) && !f.Plain &&
		f.Getenv("TERM") != "dumb"}
}

func (p *progress) step() {
	n := int(p.count.Add(1))
	if !p.on || time.Since(p.shown) < progressPause {
		return
	}
	p.shown = time.Now()
	_, _ = fmt.Fprintf(p.f.Err, "\r%s\x1b[K", p.line(n))
}

// line is the bar with the count and the speed.
func (p *progress) line(n int) string {
	rate := int(float64(n) / max(time.Since(p.begun).Minutes(), 1e-6))
	text := p.f.T("diagnose.list.progress", "n", n, "rate", rate)
	if p.total == 0 {
		return text
	}
	full := min(progressWidth, n*progressWidth/p.total)
	bar := "[" + strings.Repeat("#", full) + strings.Repeat(".", progressWidth-full) + "]"
	return fmt.Sprintf("%s %3d %%  %s", bar, min(100, n*100/p.total), text)
}

// end removes the bar.
func (p *progress) end() {
	if p.on && !p.shown.IsZero() {
		_, _ = fmt.Fprint(p.f.Err, "\r\x1b[K")
	}
}
