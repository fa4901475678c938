package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	short = 1000 // messages in the short queue
	// drainLimit is how long the long queue is worked through at most: the rate is what the sink took until then.
	drainLimit = 20 * time.Second
	// shortRuns are how often the short queue is worked through before the long one and again after it, so that a load
	// that changes meets both.
	shortRuns = 3
)

// callEach calls both programs for one message after the other, in turn.
func (b *bench) callEach() error {
	ways := [][]string{{"msmtp", "--file=" + b.msmtp(), "--", address}, {b.program, "sendmail", "-t", "-i"}}
	walls, cpus := make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
	for n := range b.calls + 1 {
		for i, argv := range ways {
			c, err := b.call(forever, strings.NewReader(text), argv...)
			if err != nil {
				return err
			}
			if n > 0 { // the first one makes the state and fills the caches
				walls[i], cpus[i] = append(walls[i], c.wall), append(cpus[i], c.cpu)
			}
		}
	}
	const inside = "a whole process for one message of 62 octets, from start to exit; medians of calls in turn. " +
		"Both sign in over TLS on a connection of their own, to a server on this machine that answers at once. " +
		"postier reads the password from a file, msmtp by passwordeval \"cat FILE\". postier stores the message " +
		"first, with a sync; msmtp stores nothing."
	for _, figure := range []struct {
		name, aim string
		of        [][]time.Duration
	}{{"`sendmail` a call, wall", "≤ 0.5", walls}, {"`sendmail` a call, processor", "≤ 1.5", cpus}} {
		peer, own := median(figure.of[0]), median(figure.of[1])
		b.table.add(row{
			figure.name, fmt.Sprintf("%.1f ms", ms(own)), fmt.Sprintf("msmtp %.1f ms", ms(peer)),
			fmt.Sprintf("%.2f", ratio(own, peer)), figure.aim, inside,
		})
	}
	return nil
}

// drained is what working through a queue gave.
type drained struct {
	cost
	messages int
}

func (d drained) rate() float64 { return float64(d.messages) / d.wall.Seconds() }

func (d drained) each() time.Duration { return d.cpu / time.Duration(max(1, d.messages)) }

// queues accepts, lists and works off a short queue and a long one.
func (b *bench) queues() error {
	var before, after []drained
	for range shortRuns {
		d, err := b.fillAndDrain(short, nil)
		if err != nil {
			return err
		}
		before = append(before, d)
	}
	long, err := b.fillAndDrain(b.messages, b.whileWaiting)
	if err != nil {
		return err
	}
	for range shortRuns {
		d, err := b.fillAndDrain(short, nil)
		if err != nil {
			return err
		}
		after = append(after, d)
	}
	var all drained
	for _, d := range append(before, after...) {
		all.wall, all.cpu, all.messages = all.wall+d.wall, all.cpu+d.cpu, all.messages+d.messages
	}
	inside := fmt.Sprintf("`queue run` as one process, from start to exit, with one profile and one connection to the "+
		"same server; of %d messages the first %v, of %d the mean of %d runs before that and %d after it. The ratio is that "+
		"of the longer queue to the shorter one.", b.messages, drainLimit, short, shortRuns, shortRuns)
	b.table.add(row{
		fmt.Sprintf("drain of %d", short), fmt.Sprintf("%.0f/s", all.rate()), "", "", "≥ 1,000/s", inside,
	})
	b.table.add(row{
		fmt.Sprintf("drain of %d", b.messages), fmt.Sprintf("%.0f/s", long.rate()),
		fmt.Sprintf("of %d: %.0f/s", short, all.rate()), fmt.Sprintf("%.2f", long.rate()/all.rate()), "≥ 0.95", inside,
	})
	b.table.add(row{
		"the same in processor a message", fmt.Sprintf("%.2f ms", ms(long.each())),
		fmt.Sprintf("of %d: %.2f ms", short, ms(all.each())), fmt.Sprintf("%.2f", ratio(all.each(), long.each())),
		"≥ 0.95", inside,
	})
	return nil
}

// fillAndDrain accepts messages, does what is to be done while they wait, and works them off.
func (b *bench) fillAndDrain(messages int, filled func(cost) error) (drained, error) {
	defer func() { _ = os.RemoveAll(b.state()) }()
	accept, err := b.postier(forever, dialog(messages), "sendmail", "-odq", "-bs")
	if err != nil {
		return drained{}, err
	}
	if filled != nil {
		if err := filled(accept); err != nil {
			return drained{}, err
		}
	}
	before := b.sink.messages.Load()
	c, err := b.postier(drainLimit, nil, "queue", "run")
	return drained{c, int(b.sink.messages.Load() - before)}, err
}

// whileWaiting has the figures of accepting a long queue, and lists it.
func (b *bench) whileWaiting(accept cost) error {
	b.table.add(row{
		fmt.Sprintf("accept %d by `sendmail -bs`", b.messages), fmt.Sprintf("%.0f/s, %.2f ms processor each",
			float64(b.messages)/accept.wall.Seconds(), ms(accept.cpu)/float64(b.messages)), "", "", "≥ 3,000/s",
		"one process with -odq and one dialog that sends everything ahead, from start to exit; what was answered with 250 " +
			"is synced.",
	})
	list, err := b.postier(forever, nil, "queue", "list")
	b.table.add(row{
		fmt.Sprintf("`queue list` of %d, memory", b.messages), fmt.Sprintf("%.1f MB", float64(list.peak)/1e6), "", "",
		"≤ 40 MB",
		"the largest resident set of one process that prints all of them, as the kernel reports it (10^6 octets).",
	})
	return err
}

// largeMessages sends one large message in each of two sizes, with an attachment's lines.
func (b *bench) largeMessages() error {
	for _, size := range []struct {
		octets int
		aim    string
	}{{25 * mega, "≤ 48 MB"}, {99 * mega, "passes"}} {
		line := strings.Repeat("A", 76) + "\n"
		in := io.MultiReader(strings.NewReader(text), &repeated{text: line, times: size.octets / len(line)})
		before := b.sink.messages.Load()
		c, err := b.postier(forever, in, "sendmail", "-t", "-i")
		if err != nil {
			return err
		}
		if b.sink.messages.Load() == before {
			return fmt.Errorf("%d MB did not arrive", size.octets/mega)
		}
		b.table.add(row{
			fmt.Sprintf("`sendmail` of %d MB, memory", size.octets/mega), fmt.Sprintf("%.1f MB in %.1f s", float64(c.peak)/1e6,
				c.wall.Seconds()), "", "", size.aim,
			"the largest resident set of one process that reads, stores and sends one message with lines of 76 octets; a size " +
				"of 1 MB is 2^20 octets, memory is in 10^6.",
		})
	}
	return nil
}
