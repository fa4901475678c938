package diagnose

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/typeset"
)

// liveView shows on a terminal how far a run is: a line for each area names what is running, its seconds and how many
// checks ended. Only these lines are redrawn, and the report that is printed at the end replaces them.
//
// With --plain and on a dumb terminal nothing is redrawn: every ten seconds a line says what is still running.
type liveView struct {
	f *command.Factory

	mu      sync.Mutex
	ended   map[string]int // checks by area
	running map[check.ID]time.Time
	drawn   int // lines of the status block on the screen
	held    bool
	done    chan struct{}
	once    sync.Once
	still   bool // never redraw
	aside   bool // on standard error: the result is a file
	beat    int
}

const (
	liveTick      = time.Second
	liveHeartbeat = 10 // ticks
)

func newLiveView(f *command.Factory, aside bool) *liveView {
	v := &liveView{
		f: f, ended: map[string]int{}, running: map[check.ID]time.Time{}, done: make(chan struct{}),
		still: f.Plain || f.Getenv("TERM") == "dumb", aside: aside,
	}
	go v.tick()
	return v
}

func (v *liveView) println(line string) {
	if v.aside {
		v.f.Note(line)
		return
	}
	v.f.Println(line)
}

func (v *liveView) tick() {
	ticker := time.NewTicker(liveTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			v.mu.Lock()
			v.beat++
			if v.still && v.beat%liveHeartbeat == 0 && !v.held {
				for _, line := range v.status() {
					v.println(line)
				}
			}
			v.redraw()
			v.mu.Unlock()
		case <-v.done:
			return
		}
	}
}

func (v *liveView) observe(e diagnostics.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Result == nil {
		v.running[e.ID] = time.Now()
	} else {
		delete(v.running, e.ID)
		v.ended[report.Area(e.ID)]++
	}
	v.redraw()
}

func (v *liveView) redraw() {
	if v.held || v.still {
		return
	}
	v.erase()
	lines := v.status()
	for _, line := range lines {
		v.println(line)
	}
	v.drawn = len(lines)
}

// around prints lines that stay above the status block. A nil view has none.
func (v *liveView) around(say func()) {
	if v == nil {
		say()
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	say()
	v.redraw()
}

// erase removes the status block.
func (v *liveView) erase() {
	if v.drawn > 0 {
		to := v.f.Out
		if v.aside {
			to = v.f.Err
		}
		command.Erase(to, v.drawn)
		v.drawn = 0
	}
}

// status is one line for each area with a running check.
func (v *liveView) status() []string {
	var lines []string
	for _, area := range []string{"smtp", "imap", "dns", "arrival"} {
		var names []string
		longest := 0
		for _, id := range slices.Sorted(maps.Keys(v.running)) {
			if report.Area(id) == area {
				names = append(names, report.Name(v.f.Lang(), id))
				longest = max(longest, int(time.Since(v.running[id]).Round(time.Second).Seconds()))
			}
		}
		if len(names) > 0 {
			line := v.f.T("diagnose.running", "area", v.f.T("diagnose.area."+area), "done", v.ended[area],
				"checks", strings.Join(names, ", "), "seconds", longest)
			// A line that the terminal wraps could not be erased again.
			lines = append(lines, typeset.Shorten(line, command.Columns(v.f.Out)-1, "…"))
		}
	}
	return lines
}

// hold removes the block while a question is asked.
func (v *liveView) hold() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	v.held = true
}

func (v *liveView) resume() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = false
	v.redraw()
}

// stop ends the view and removes its lines.
func (v *liveView) stop() {
	v.once.Do(func() {
		close(v.done)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.running = map[check.ID]time.Time{}
		v.redraw()
	})
}
