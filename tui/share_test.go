package tui

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/share"
	"postier/wizard"
)

// sharedStops are the screens whose shared form is approved by eye.
var sharedStops = []string{"credential", "submission-refused"}

// crossed is the view of a state after it went over the stream.
func crossed(t *testing.T, state wizard.State, focus share.Target) share.View {
	t.Helper()
	data, err := json.Marshal(share.View{Screen: state.Screen().Shared(state.Mask), Focus: focus})
	if err != nil {
		t.Fatal(err)
	}
	var v share.View
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// watching is the helper's program with a view. What it sends arrives at sent, line by line.
type watching struct {
	watcher
	sent <-chan string
}

func watch(t *testing.T, v share.View, lang locale.Lang, width, height int) watching {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { _ = there.Close() })
	viewer := share.NewViewer(here)
	t.Cleanup(viewer.Close)
	sent := make(chan string, 1000)
	go func() {
		defer close(sent)
		for s := bufio.NewScanner(there); s.Scan(); {
			sent <- s.Text()
		}
	}()
	w := newWatcher(WatchOptions{Viewer: viewer, Lang: lang, Now: func() time.Time { return noon }}, testTheme())
	w.helper.seen = share.Seen{View: v, Any: true, Since: noon}
	w.look()
	w.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return watching{w, sent}
}

func (w watching) view() string { return ansi.Strip(w.View().Content) }

func (w watching) keys(names ...string) {
	for _, name := range names {
		w.Update(keyPress(name))
	}
}

// next is the next line that was sent, without the greeting.
func (w watching) next(t *testing.T) string {
	t.Helper()
	for {
		select {
		case line := <-w.sent:
			if line != `{"version":1}` {
				return line
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was sent")
		}
	}
}

// TestGoldenShared compares both sides of shared screens with their approved files: the person's, on whose screen
// support has pointed and written, and the helper's.
func TestGoldenShared(t *testing.T) {
	t.Parallel()
	for _, s := range walk(t) {
		if !slices.Contains(sharedStops, s.name) {
			continue
		}
		for _, lang := range locale.All() {
			for _, size := range sizes[:2] {
				name := fmt.Sprintf("%s-%s-%dx%d", s.name, lang, size.width, size.height)
				d := converse(t, s.state, lang, size.width, size.height)
				d.model.sharing.presenter = share.NewPresenter(nil)
				d.model.sharing.status = share.Status{
					Phase: share.Watched, Guest: safetext.FromRemote("max\x1b[2J"), Point: d.model.target(),
					Remark: safetext.FromRemote("Bitte hier noch einmal\x1b]0;x\x07 lesen"),
				}
				golden(t, "person-"+name, d.view(), size.width, size.height)
				w := watch(t, crossed(t, s.state, d.model.target()), lang, size.width, size.height)
				golden(t, "helper-"+name, w.view(), size.width, size.height)
			}
		}
	}
}

// endings are all ways in which a sharing ends, or does not begin.
var endings = []wizard.Words{
	wizard.Msg("share.stopped"), wizard.Msg("share.left"), wizard.Msg("share.expired"), wizard.Msg("share.guessed"),
	wizard.Msg("share.version"), wizard.Msg("share.no-offer", "error", "too many offers are open"),
	wizard.Msg("share.relay.unreachable", "host", "share.dayboard.example"),
	wizard.Msg("share.relay.host-key", "host", "share.dayboard.example"),
	wizard.Msg("share.relay.refused", "host", "share.dayboard.example"),
	wizard.Msg("share.relay.lost", "host", "share.dayboard.example"),
}

// TestGoldenSharing compares the screens from the key for sharing to its end with their approved files. None of the
// sentences is cut.
func TestGoldenSharing(t *testing.T) {
	t.Parallel()
	state := walk(t)[0].state
	for _, lang := range locale.All() {
		for _, size := range sizes[:2] {
			draw := func(name string, set func(*sharing)) string {
				d := converse(t, state, lang, size.width, size.height)
				d.model.sharing.presenter = share.NewPresenter(nil)
				set(&d.model.sharing)
				view := d.view()
				golden(t, fmt.Sprintf("sharing-%s-%s-%dx%d", name, lang, size.width, size.height), view, size.width, size.height)
				return view
			}
			for name, status := range map[string]share.Status{
				"asking":  {Phase: share.Asking},
				"code":    {Phase: share.Waiting, Code: "48210937"},
				"watched": {Phase: share.Watched},
				"relay":   {Phase: share.Watched, Guest: safetext.FromRemote("Claire · share.dayboard.example")},
				"note": {
					Phase: share.Watched, Guest: safetext.FromRemote("Claire"),
					Remark: safetext.FromRemote("Caps Lock is on, please type it once more"),
				},
			} {
				view := draw(name, func(s *sharing) { s.status = status })
				if lines := strings.Split(view, "\n")[:4]; name != "asking" && strings.Contains(strings.Join(lines, "\n"), "…") {
					t.Errorf("%s, %s: cut\n%s", name, lang, view)
				}
			}
			for _, ended := range endings {
				name := strings.TrimPrefix(ended.Msg.Key, "share.")
				view := draw(strings.ReplaceAll(name, ".", "-"), func(s *sharing) { s.ended = ended })
				if said := ended.Say(lang, "postier"); !strings.Contains(unspaced(view), unspaced(said)) {
					t.Errorf("%s, %s: cut\n%s", name, lang, view)
				}
			}
		}
	}
}

// unspaced is a text without what wrapping changes.
func unspaced(text string) string { return strings.Join(strings.Fields(text), "") }

// TestSharingAtEverySize: in every window of two lines or more the person sees that somebody looks, and both sides fill
// their windows exactly.
func TestSharingAtEverySize(t *testing.T) {
	t.Parallel()
	for _, s := range walk(t) {
		for _, size := range []struct{ width, height int }{{1, 1}, {2, 2}, {20, 3}, {40, 4}, {30, 7}, {200, 60}} {
			d := converse(t, s.state, locale.French, size.width, size.height)
			d.model.sharing.status = share.Status{
				Phase: share.Watched, Remark: safetext.FromRemote(strings.Repeat("mot ", 50)),
			}
			view := d.view()
			fits(t, s.name, view, size.width, size.height)
			if size.width >= 20 && size.height >= 2 && !strings.Contains(view, "L'ASSISTANCE REGA") {
				t.Errorf("%s at %v does not say that somebody looks:\n%s", s.name, size, view)
			}
			w := watch(t, crossed(t, s.state, share.Target{}), locale.German, size.width, size.height)
			fits(t, "helper "+s.name, w.view(), size.width, size.height)
			w.keys("w", "x")
			fits(t, "helper writing "+s.name, w.view(), size.width, size.height)
		}
	}
}

// shared gives a driver a presenter with an offer.
func shared(t *testing.T, d *driver) *share.Hub {
	t.Helper()
	hub := new(share.Hub)
	p := share.NewPresenter(func(context.Context) (share.Opening, error) { return hub.Open() })
	t.Cleanup(p.Close)
	d.model.sharing = newSharing(p)
	return hub
}

// settled waits until the sharing has reached a phase.
func settled(t *testing.T, d *driver, phase share.Phase) share.Status {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		s := d.model.sharing.presenter.Status()
		if s.Phase == phase {
			d.model.update(shareMsg{})
			return s
		}
		select {
		case <-s.Changed:
		case <-late:
			t.Fatalf("still %+v", s)
		}
	}
}

// TestShareKey: F6 begins and ends the sharing on every screen and every page over it, and + does where it is no
// letter of a field.
func TestShareKey(t *testing.T) {
	t.Parallel()
	for _, s := range walk(t) {
		for _, over := range []string{"", "f1", "f5"} {
			d := converse(t, s.state, locale.English, 80, 24)
			shared(t, d)
			if over != "" {
				d.keys(over)
			}
			d.model.press(tea.KeyPressMsg{Code: tea.KeyF6})
			code := settled(t, d, share.Waiting).Code
			d.shows(code.String())
			d.model.press(tea.KeyPressMsg{Code: tea.KeyF6})
			if phase := d.model.sharing.status.Phase; phase != share.Off {
				t.Fatalf("%s under %q: phase %v", s.name, over, phase)
			}
			d.hides(code.String())
			d.shows("No one is looking now.")
			d.model.update(shareMsg{}) // the presenter tells of it as well
			d.shows("No one is looking now.")
			typing := d.model.typing() && d.model.overlay.kind == overlayNone
			d.keys("+")
			if on := d.model.sharing.status.Phase != share.Off; on == typing {
				t.Errorf("%s under %q: + shares is %v, typing %v", s.name, over, on, typing)
			}
		}
	}
}

// TestNoShareKey: where nothing can be shared, the key does nothing and is not named.
func TestNoShareKey(t *testing.T) {
	t.Parallel()
	d := converse(t, walk(t)[0].state, locale.English, 120, 60)
	d.model.press(tea.KeyPressMsg{Code: tea.KeyF6})
	d.keys("f1")
	d.hides("F6")
}

// TestHelperKeysReachNothing: of all keys, on every screen, only pointing and writing leave the helper's program.
func TestHelperKeysReachNothing(t *testing.T) {
	t.Parallel()
	var all []string
	for r := 'a'; r <= 'z'; r++ {
		all = append(all, string(r), "alt+"+string(r))
	}
	all = append(all, "0", "+", "/", "<", "space", "backspace", "f1", "esc", "f2", "f3", "f5", "esc", "up", "down", "left",
		"right", "tab", "shift+tab", "pgup", "pgdown", "home", "end", "ctrl+l", "enter", "esc", "esc")
	for _, s := range walk(t) {
		w := watch(t, crossed(t, s.state, share.Target{}), locale.English, 80, 24)
		w.keys(all...)
		w.Update(tea.PasteMsg{Content: "pasted\nlines"})
		w.helper.viewer.Close()
		for line := range w.sent {
			var frame struct {
				Version int
				Point   *share.Target
				Remark  string
			}
			decoder := json.NewDecoder(strings.NewReader(line))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&frame); err != nil || frame.Point != nil && *frame.Point != (share.Target{}) &&
				!frame.Point.On(s.state.Screen()) {
				t.Errorf("%s: sent %s: %v", s.name, line, err)
			}
		}
		if got := w.conversation.Screen(); got.Step != s.state.Screen().Step {
			t.Errorf("%s became %s", s.name, got.Step)
		}
	}
}

// TestPointAndWrite walks through what a helper can do, and what the person sees of it.
func TestPointAndWrite(t *testing.T) {
	t.Parallel()
	state := stopNamed(t, "server")
	w := watch(t, crossed(t, state, share.Target{}), locale.English, 80, 24)
	w.keys("tab", "enter")
	if got := w.next(t); got != `{"version":1,"point":{"field":"smtp-port"}}` {
		t.Errorf("sent %s", got)
	}
	if !strings.Contains(w.view(), "you point here") {
		t.Errorf("no mark:\n%s", w.view())
	}
	w.keys("enter")
	if got := w.next(t); got != `{"version":1,"point":{}}` {
		t.Errorf("sent %s", got)
	}
	w.keys("w")
	for _, r := range "q t?" {
		w.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	w.keys("enter")
	if got := w.next(t); got != `{"version":1,"remark":"q t?"}` {
		t.Errorf("sent %s", got)
	}
	w.keys("w", "x", "esc", "esc")
	if !strings.Contains(w.view(), "Stop looking?") {
		t.Errorf("not asked:\n%s", w.view())
	}
	d := converse(t, state, locale.French, 80, 24)
	shared(t, d)
	d.model.sharing.status = share.Status{
		Phase: share.Watched, Point: share.Target{Action: wizard.ActNext}, Remark: safetext.FromRemote("port\x1b[31m 587?"),
	}
	d.shows("l'assistance montre ceci\u00a0: Continuer")
	d.shows(`assistance│ port\x1b[31m 587?`)
}

func stopNamed(t *testing.T, name string) wizard.State {
	t.Helper()
	for _, s := range walk(t) {
		if s.name == name {
			return s.state
		}
	}
	t.Fatalf("no stop %s", name)
	return wizard.State{}
}

// TestHalfTypedSecret: while a secret is typed, what crosses does not change, letter after letter, and no letter of any
// other field crosses before the person has answered.
func TestHalfTypedSecret(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"credential", "server"} {
		d := converse(t, stopNamed(t, name), locale.French, 80, 24)
		hub := shared(t, d)
		d.model.press(tea.KeyPressMsg{Code: tea.KeyF6})
		here, there := net.Pipe()
		if err := hub.Join(share.Guest{}, settled(t, d, share.Waiting).Code, here); err != nil {
			t.Fatal(err)
		}
		d.model.publish()
		var got strings.Builder
		read := make(chan struct{})
		reader := bufio.NewReader(there)
		first, err := reader.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(&got, reader); close(read) }()
		settled(t, d, share.Watched)
		d.write("kanarienvogel")
		d.model.paste("nachtigall")
		d.model.press(tea.KeyPressMsg{Code: tea.KeyF6})
		<-read
		if !strings.Contains(first, `"view"`) {
			t.Fatalf("%s: first came %s", name, first)
		}
		if later := got.String(); strings.Contains(later, "view") {
			t.Errorf("%s: typing has changed what crosses:\n%s", name, later)
		}
	}
}

// TestWatchFollows: the helper's focus follows the person until the helper moves it, and does again on the next step.
func TestWatchFollows(t *testing.T) {
	t.Parallel()
	state := stopNamed(t, "server")
	w := watch(t, crossed(t, state, share.Target{Field: wizard.FieldAuth}), locale.English, 80, 40)
	if got := w.target(); got.Field != wizard.FieldAuth {
		t.Errorf("at %+v", got)
	}
	w.helper.seen.View.Focus = share.Target{Action: wizard.ActNext}
	w.look()
	if got := w.target(); got.Action != wizard.ActNext {
		t.Errorf("at %+v", got)
	}
	w.keys("shift+tab")
	own := w.target()
	w.helper.seen.View.Focus = share.Target{Field: wizard.FieldSMTPHost}
	w.look()
	if got := w.target(); got != own {
		t.Errorf("the helper's focus has moved from %+v to %+v", own, got)
	}
	w.helper.seen.View = crossed(t, stopNamed(t, "submission-refused"), share.Target{Action: wizard.ActRetry})
	w.look()
	if got := w.target(); got.Action == "" || got == own {
		t.Errorf("on the next step at %+v", got)
	}
	if !strings.Contains(w.view(), "P-31") || w.screen.Finding == nil {
		t.Errorf("no details:\n%s", w.view())
	}
}

// TestOddViewIsDrawn: a hostile program on the person's side cannot act on the helper's terminal or break the drawing.
func TestOddViewIsDrawn(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b]52;c;AAAA\x07\x1b[2J\u202e\u009b\nb"
	var v share.View
	text, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.ReplaceAll(`{"screen":{"Step":E,"Number":99,"Title":{"key":E,"literal":E,"remote":E},
		"Intro":[{"text":{"en":E}}],"Notices":[{"Level":E,"Text":{"literal":E}}],
		"Facts":[{"Label":{"literal":E},"Value":{"remote":E}}],"Numbered":[{"literal":E}],
		"Copy":[{"Label":{"literal":E},"Text":E,"QR":true,"Picture":E}],
		"Checks":[{"ID":E,"Status":E,"Cause":E,"Matched":E,"Details":[E],"Reply":E,"Brief":E}],
		"Finding":{"ID":E,"Code":E,"Title":{"literal":E},"Fixes":[{"kind":E,"name":E,"value":E}],"Remedy":[{"literal":E}]},
		"Fields":[{"ID":E,"Kind":E,"Value":E,"Label":{"literal":E}},
		{"Kind":"choice","Choices":[{"Value":E,"Label":{"literal":E}}]}],
		"Actions":[{"ID":E,"Label":{"literal":E},"Key":27},{"ID":"leave","Key":7}],"Busy":{"Request":-1,"Text":{"literal":E}},
		"Help":E},"focus":{"field":E}}`, "E", string(text))
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "f1", "f3", "f4", "f5"} {
		w := watch(t, arrived(t, v), locale.English, 80, 24)
		if key != "" {
			w.keys(key)
		}
		for range 30 {
			content := w.View().Content
			if got := strings.Count(content, "\n") + 1; got != 24 {
				t.Fatalf("under %q the screen has %d lines:\n%s", key, got, content)
			}
			plain := ansi.Strip(content)
			if strings.ContainsAny(plain, "\x1b\x07\u202e\u009b") || strings.Contains(content, "\x1b]52") ||
				strings.Contains(content, "\x1b[2J") {
				t.Fatalf("under %q a control character reaches the terminal: %q", key, content)
			}
			w.keys("pgdown")
		}
	}
}

// arrived is the view as a viewer has it that read it from a stream.
func arrived(t *testing.T, v share.View) share.View {
	t.Helper()
	here, there := net.Pipe()
	viewer := share.NewViewer(here)
	defer viewer.Close()
	go func() { _, _ = io.Copy(io.Discard, there) }()
	line, err := json.Marshal(map[string]any{"version": 1, "view": v})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = there.Write(append(line, '\n')) }()
	late := time.After(10 * time.Second)
	for {
		seen := viewer.Seen()
		if seen.Any || seen.Over {
			if seen.Err != nil {
				t.Fatal(seen.Err)
			}
			return seen.View
		}
		select {
		case <-seen.Changed:
		case <-late:
			t.Fatal("no view")
		}
	}
}
