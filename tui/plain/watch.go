package plain

import (
	"context"
	"io"
	"reflect"
	"strconv"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/share"
	"postier/wizard"
	"postier/wizard/carrier"
)

// WatchOptions are what Watch needs. Viewer must be given.
type WatchOptions struct {
	Viewer  *share.Viewer
	Product string
	Lang    locale.Lang
	In      io.Reader
	Out     io.Writer
}

// Watch shows a helper what a person sees on plain lines, until one of the two ends it. A number points at a field or
// an action, and a line of text is shown to the person. The end of a terminal's input ends it; of other input it only
// says that the helper has no keyboard.
func Watch(ctx context.Context, o WatchOptions) error {
	w := &watch{printer: printer{out: o.Out, lang: o.Lang, product: o.Product}, viewer: o.Viewer, input: newInput(o.In)}
	defer w.input.close()
	defer o.Viewer.Close()
	w.say("plain.watch-hello")
	typed := w.input.next()
	for {
		seen := w.viewer.Seen()
		if seen.Over {
			return seen.Err
		}
		w.look(seen)
		select {
		case <-seen.Changed:
		case r := <-typed:
			w.input.pending, typed = nil, nil
			switch {
			case r.err != nil && !w.input.terminal:
			case r.err != nil, w.take(strings.TrimSpace(r.text)):
				return nil
			default:
				typed = w.input.next()
			}
		case <-ctx.Done():
			return carrier.ErrInterrupted
		}
	}
}

// watch is the helper's side on plain lines.
type watch struct {
	printer
	viewer *share.Viewer
	input  *input
	shown  wizard.Screen
	any    bool
	person share.Target
}

// look prints what has changed on the person's screen.
func (w *watch) look(seen share.Seen) {
	if !seen.Any {
		return
	}
	v := seen.View.Screen
	if w.any && alike(w.shown, v) {
		w.ended(w.shown.Checks, v.Checks)
		w.shown.Checks = v.Checks
	} else {
		before := w.shown
		w.shown, w.any = v, true
		w.screen(v, before)
		w.checks(v.Checks)
		if v.Finding != nil {
			for _, line := range v.Finding.Details {
				w.printLine("  " + safetext.Escape(line))
			}
		}
		w.targets()
	}
	if focus := seen.View.Focus; focus != w.person && focus != (share.Target{}) {
		w.person = focus
		if label := w.labelOf(focus); label != "" {
			w.say("plain.watch-person", "what", label)
		}
	}
}

// ended prints the checks that have ended since.
func (w *watch) ended(before, now []wizard.Report) {
	for i, r := range now {
		if i < len(before) && before[i].ID == r.ID && before[i].Status == "" && r.Status != "" {
			w.check(r)
		}
	}
}

// alike reports whether a screen needs not be printed again: while checks are under way, each one that ends is a line.
func alike(a, b wizard.Screen) bool {
	if a.Busy != nil && b.Busy != nil {
		a.Checks, b.Checks = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// target is a field or an action with its label.
type target struct {
	share.Target
	label string
}

// all are the fields and actions in the order of their numbers.
func (w *watch) all() []target {
	var out []target
	for _, f := range w.shown.Fields {
		label := w.words(f.Label)
		if f.Kind != wizard.KindSecret {
			label = w.colon(label) + " " + w.current(f)
		}
		out = append(out, target{share.Target{Field: f.ID}, strings.TrimRight(label, " ")})
	}
	for _, a := range w.shown.Actions {
		out = append(out, target{share.Target{Action: a.ID}, "[" + w.words(a.Label) + "]"})
	}
	return out
}

// targets lists what can be pointed at.
func (w *watch) targets() {
	for i, t := range w.all() {
		w.paragraph("  "+strconv.Itoa(i+1)+". ", t.label)
	}
}

func (w *watch) labelOf(t share.Target) string {
	for _, other := range w.all() {
		if other.Target == t {
			return other.label
		}
	}
	return ""
}

// take acts on a line of the helper's, and reports whether it is the last one.
func (w *watch) take(line string) (leave bool) {
	list := w.all()
	switch n, err := strconv.Atoi(line); {
	case line == "<":
		return true
	case line == "":
	case line == "?":
		w.say("plain.watch-hello")
		w.targets()
	case line == "=":
		w.lang = w.lang.Next()
		w.screen(w.shown, wizard.Screen{})
		w.targets()
	case err == nil && n == 0:
		w.viewer.Point(share.Target{})
	case err == nil && n >= 1 && n <= len(list):
		w.viewer.Point(list[n-1].Target)
		w.say("plain.watch-pointed", "what", list[n-1].label)
	default:
		w.viewer.Remark(line)
		w.say("tui.watch-sent", "text", safetext.FromRemote(line))
	}
	return false
}
