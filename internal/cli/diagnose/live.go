package diagnose

import (
	"fmt"
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

// liveView shows a run on a terminal: finished checks stay in the scrollback in the order of the report, grouped by
// area; one line per area below them names the check that is running and its seconds. Only those lines are redrawn.
//
// With --plain and on a dumb terminal nothing is redrawn: finished checks are printed as lines, and every ten seconds a
// line says what is still running.
type liveView struct {
	f     *command.Factory
	info  report.Info
	order []check.ID // still to be printed, in report order

	mu      sync.Mutex
	results map[check.ID]diagnostics.Result
	running map[check.ID]time.Time
	area    string // of the last heading
	drawn   int    // lines of the status block on the screen
	held    bool
	done    chan struct{}
	ended   sync.Once
	still   bool // never redraw
	silent  bool // the status block alone, on standard error: what was found is shown elsewhere
	beat    int
}

const (
	liveTick      = time.Second
	liveHeartbeat = 10 // ticks
	liveWidth     = 76
)

// newLiveView shows the whole run, or when silent only the checks that are running.
func newLiveView(f *command.Factory, info report.Info, plans []diagnostics.Plan, silent bool) *liveView {
	v := &liveView{
		f: f, info: info, results: map[check.ID]diagnostics.Result{}, running: map[check.ID]time.Time{},
		done: make(chan struct{}), still: f.Plain || f.Getenv("TERM") == "dumb", silent: silent,
	}
	if !silent {
		for _, line := range report.Opening(info) {
			f.Println(line)
		}
	}
	planned := map[check.ID]bool{}
	for _, p := range plans {
		for _, c := range p.Checks {
			planned[c.ID] = true
		}
	}
	for _, id := range check.All() {
		if planned[id] {
			v.order = append(v.order, id)
		}
	}
	go v.tick()
	return v
}

func (v *liveView) println(line string) {
	if v.silent {
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
		v.results[e.ID] = *e.Result
	}
	v.redraw()
}

// redraw removes the status block, prints the finished checks up to the first unfinished one, and draws the block
// again.
func (v *liveView) redraw() {
	if v.held {
		return
	}
	v.erase()
	for len(v.order) > 0 {
		result, ended := v.results[v.order[0]]
		if !ended {
			break
		}
		v.order = v.order[1:]
		if v.silent {
			continue
		}
		if area := areaOf(result.ID); area != v.area {
			v.area = area
			v.f.Println(v.f.T("diagnose.area." + area))
		}
		for _, line := range report.Lines(v.info, result) {
			v.f.Println("  " + line)
		}
	}
	if v.still {
		return
	}
	lines := v.status()
	for _, line := range lines {
		v.println(line)
	}
	v.drawn = len(lines)
}

// erase moves up over the status block and clears to the end of the screen (ECMA-48 CUU, ED).
func (v *liveView) erase() {
	if v.drawn > 0 {
		to := v.f.Out
		if v.silent {
			to = v.f.Err
		}
		_, _ = fmt.Fprintf(to, "\x1b[%dA\x1b[J", v.drawn)
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
			if areaOf(id) == area {
				names = append(names, report.Name(v.f.Lang(), id))
				longest = max(longest, int(time.Since(v.running[id]).Round(time.Second).Seconds()))
			}
		}
		if len(names) > 0 {
			line := v.f.T("diagnose.running", "area", v.f.T("diagnose.area."+area), "checks", strings.Join(names, ", "),
				"seconds",
				longest)
			// A line that the terminal wraps could not be erased again.
			lines = append(lines, typeset.Shorten(line, liveWidth, "…"))
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

// stop ends the view; the finished checks stay on the screen.
func (v *liveView) stop() {
	v.ended.Do(func() {
		close(v.done)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.running = map[check.ID]time.Time{}
		v.redraw()
	})
}

// areaOf is the heading for a check: the connection belongs to submission.
func areaOf(id check.ID) string {
	area, _, _ := strings.Cut(string(id), ".")
	if area == "net" {
		return "smtp"
	}
	return area
}
