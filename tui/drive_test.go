package tui

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
	"postier/wizard"
	"postier/wizard/carrier"
)

// driver presses keys on a model and reads what it shows; there is no terminal.
type driver struct {
	t     *testing.T
	model *model
	quit  bool
	// clipboard is the text that was copied last.
	clipboard string
	worker    *fakeWorker
}

// fakeWorker records its requests and does nothing; tests tell the outcomes themselves.
type fakeWorker struct {
	asked chan wizard.Request
	ended chan int
}

func (*fakeWorker) Close() {}

func (w *fakeWorker) Do(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	w.asked <- r
	if r.Kind.Writes() {
		tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true})
		return
	}
	<-ctx.Done()
	w.ended <- r.ID
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testTheme(env ...string) theme {
	values := map[string]string{"LANG": "en_US.UTF-8"}
	for i := 0; i+1 < len(env); i += 2 {
		values[env[i]] = env[i+1]
	}
	return newTheme(func(name string) string { return values[name] }, false)
}

// converse drives the real wizard from a given state on.
func converse(t *testing.T, state wizard.State, lang locale.Lang, width, height int) *driver {
	t.Helper()
	worker := &fakeWorker{asked: make(chan wizard.Request, 100), ended: make(chan int, 100)}
	conversation := carrier.Start(t.Context(), state, nil, worker)
	t.Cleanup(conversation.Close)
	d := drive(t, conversation, lang, width, height)
	d.worker = worker
	return d
}

func drive(t *testing.T, c conversation, lang locale.Lang, width, height int) *driver {
	t.Helper()
	m := newModel(c, Options{
		Lang: lang, Now: func() time.Time { return noon }, Resume: "postier setup --resume",
	}, testTheme())
	d := &driver{t: t, model: m}
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	_, cmd := d.model.Update(msg)
	if _, ok := msg.(outcomeMsg); !ok { // after an outcome the command waits for the next one
		d.run(cmd)
	}
	d.model.View()
}

// run carries out the commands that matter to a test: quitting and the clipboard. It does not wait for ticks.
func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil || d.model.ticking != 0 && d.model.waiting != 0 && !d.model.ended && !d.model.left {
		return
	}
	switch msg := cmd().(type) {
	case tea.QuitMsg:
		d.quit = true
	case nil:
	default:
		if text, ok := clipboardText(msg); ok {
			d.clipboard = text
		}
	}
}

// keys presses keys by their names: "enter", "shift+tab", "alt+m"; any other word is typed letter by letter.
func (d *driver) keys(names ...string) *driver {
	d.t.Helper()
	for _, name := range names {
		d.send(keyPress(name))
	}
	return d
}

func (d *driver) write(text string) *driver {
	d.t.Helper()
	for _, r := range text {
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return d
}

var keyCodes = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left":  tea.KeyLeft,
	"right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	"backspace": tea.KeyBackspace, "f1": tea.KeyF1, "f2": tea.KeyF2, "f3": tea.KeyF3, "f4": tea.KeyF4, "f5": tea.KeyF5,
	"space": tea.KeySpace,
}

func keyPress(name string) tea.KeyPressMsg {
	var mod tea.KeyMod
	for {
		rest, found := strings.CutPrefix(name, "alt+")
		if found {
			mod |= tea.ModAlt
		} else if rest, found = strings.CutPrefix(name, "ctrl+"); found {
			mod |= tea.ModCtrl
		} else if rest, found = strings.CutPrefix(name, "shift+"); found {
			mod |= tea.ModShift
		}
		if !found {
			break
		}
		name = rest
	}
	if code, ok := keyCodes[name]; ok {
		return tea.KeyPressMsg{Code: code, Mod: mod}
	}
	r := []rune(name)[0]
	if mod != 0 {
		return tea.KeyPressMsg{Code: r, Mod: mod}
	}
	return tea.KeyPressMsg{Code: r, Text: name}
}

func (d *driver) view() string { return ansi.Strip(d.model.View().Content) }

func (d *driver) shows(text string) {
	d.t.Helper()
	if !strings.Contains(d.view(), text) {
		d.t.Errorf("the screen does not show %q:\n%s", text, d.view())
	}
}

func (d *driver) hides(text string) {
	d.t.Helper()
	if strings.Contains(d.view(), text) {
		d.t.Errorf("the screen shows %q:\n%s", text, d.view())
	}
}

// checkName returns the name of a check in these tests, the same in every language.
func checkName(id check.ID) wizard.Words { return wizard.Literal("Check " + string(id)) }

// withWords fills in the texts of a report for these tests.
func withWords(r wizard.Report) wizard.Report {
	r.Title, r.Code = wizard.Literal("The server refused the password"), "P-31"
	r.Meaning = wizard.Literal(
		"The server knows the account, but the password that was sent is not the one it expects. Many " +
			"providers want an app password here.")
	r.Remedy = []wizard.Words{
		wizard.Literal("Create an app password at your provider."), wizard.Literal("Copy it and paste it in step 5."),
		wizard.Literal("Then try again."),
	}
	r.Who, r.Retry = wizard.WhoUser, wizard.RetryAfterChange
	r.WhoWords = wizard.Translated(presets.Text{
		locale.English: "the administrator of your mail", locale.French: "l'administrateur de votre messagerie",
		locale.German: "die Person, die Ihre E-Mail verwaltet",
	})
	r.RetryWords = wizard.Translated(presets.Text{
		locale.English: "Then try again.", locale.French: "Réessayez ensuite.",
		locale.German: "Versuchen Sie es danach noch einmal.",
	})
	return r
}

// clipboardText reads Bubble Tea's own message for the clipboard, whose type is not exported.
func clipboardText(msg any) (string, bool) {
	if v := reflect.ValueOf(msg); v.Kind() == reflect.String {
		return v.String(), true
	}
	return "", false
}
