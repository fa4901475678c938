// Command speed measures how postier sends, keeps and looks up, next to msmtp, to Postfix and to the bare questions, in
// one run on one machine, and prints one table and what is inside each figure. bench/README.md has the figures.
//
//	go run ./bench/speed [-folder DIR] [-messages N] [-calls N] [-domains N] [-only PART,PART…] [POSTIER…]
//
// Without a program it builds this tree as a release is built. With several, each gets a table.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const mega = 1 << 20

func main() {
	o := options{}
	flag.StringVar(&o.folder, "folder", "", "where the state is kept; the default is a temporary folder")
	flag.IntVar(&o.messages, "messages", 100_000, "messages in the long queue")
	flag.IntVar(&o.calls, "calls", 30, "calls of sendmail")
	flag.IntVar(&o.domains, "domains", 1000, "domains in the list")
	flag.StringVar(&o.only, "only", "", "the parts to measure, with commas; the default is all of them")
	flag.Parse()
	if err := o.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

type options struct {
	folder, only             string
	messages, calls, domains int
}

func (o options) wants(part string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), part)
}

// parts are what can be measured, in the order of the table.
var parts = []string{"calls", "queue", "relay", "large", "list"}

// unknown is a part of -only that cannot be measured, or "".
func (o options) unknown() string {
	for part := range strings.SplitSeq(o.only, ",") {
		if part != "" && !slices.Contains(parts, part) {
			return part
		}
	}
	return ""
}

func (o options) run(programs []string) error {
	if part := o.unknown(); part != "" {
		return fmt.Errorf("-only knows %s, not %q", strings.Join(parts, ", "), part)
	}
	folder, err := os.MkdirTemp(o.folder, "postier-speed-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if len(programs) == 0 {
		program := filepath.Join(folder, "postier")
		if err := build(program); err != nil {
			return err
		}
		programs = []string{program}
	}
	s, err := newSink(folder)
	if err != nil {
		return err
	}
	for _, program := range programs {
		b := &bench{options: o, sink: s, program: program, folder: folder}
		if err := b.configure(); err != nil {
			return err
		}
		b.all()
		fmt.Printf("\n%s, %s, load %s\n\n", program, time.Now().UTC().Format("2006-01-02 15:04 MST"), load())
		b.table.print(os.Stdout)
	}
	return nil
}

// all measures what is wanted. What cannot be measured here is a row of the table, too.
func (b *bench) all() {
	measure := map[string]func() error{
		"calls": b.callEach, "queue": b.queues, "relay": b.relays, "large": b.largeMessages, "list": b.list,
	}
	for _, part := range parts {
		if !b.wants(part) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", part)
		if err := measure[part](); err != nil {
			b.table.add(row{name: part, value: "not measured: " + err.Error()})
		}
	}
}

// build makes the program as .ci/build makes a release.
func build(path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/postier")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// load is how many processes wanted a processor in the last minutes: what else the machine is doing.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
