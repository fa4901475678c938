package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
	"postier/wizard"
)

// script is a conversation of one screen that records the answers.
type script struct {
	screen  wizard.Screen
	answers *[]wizard.Answer
}

func (s script) Screen() wizard.Screen           { return s.screen }
func (s script) Answer(a wizard.Answer)          { *s.answers = append(*s.answers, a) }
func (s script) Outcomes() <-chan wizard.Outcome { return nil }
func (s script) Tell(wizard.Outcome)             {}
func (s script) Ended() bool                     { return false }
func (s script) HasSecret() bool                 { return false }
func (s script) Resumable() bool                 { return true }
func (s script) Unchanged() bool                 { return false }
func (s script) Masker() func(string) string     { return nil }
func (s script) SetLang(locale.Lang)             {}

func newScript(screen wizard.Screen) script {
	if screen.Step == "" {
		screen.Step = wizard.StepServer
	}
	screen.Number = screen.Step.Number()
	return script{screen: screen, answers: &[]wizard.Answer{}}
}

func (s script) last(t *testing.T) wizard.Answer {
	t.Helper()
	if len(*s.answers) == 0 {
		t.Fatal("nothing was answered")
	}
	return (*s.answers)[len(*s.answers)-1]
}

func text(id wizard.FieldID, value string) wizard.Field {
	return wizard.Field{ID: id, Kind: wizard.KindText, Label: wizard.Literal(string(id)), Value: value}
}

func action(id wizard.ActionID, key rune) wizard.Action {
	return wizard.Action{ID: id, Label: wizard.Literal("do " + string(id)), Key: key}
}

func TestEnterGoesToTheOpenFieldAndThenOn(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{text("a", "filled"), text("b", ""), text("c", "")},
		Actions: []wizard.Action{action(wizard.ActNext, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.write("two").keys("enter")
	if len(*s.answers) != 0 {
		t.Fatal("the screen was sent although a field is empty")
	}
	d.write("three").keys("enter")
	got := s.last(t)
	if got.Action != wizard.ActNext || got.Values["a"] != "filled" || got.Values["b"] != "two" ||
		got.Values["c"] != "three" {
		t.Errorf("answered %+v", got)
	}
}

func TestLettersAreActionsOnlyOutsideText(t *testing.T) {
	t.Parallel()
	fields := []wizard.Field{text("a", ""), {ID: "ok", Kind: wizard.KindConfirm, Value: wizard.No}}
	s := newScript(wizard.Screen{
		Fields:  fields,
		Actions: []wizard.Action{action(wizard.ActNext, 0), action(wizard.ActManual, 'm')},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.keys("m")
	if len(*s.answers) != 0 {
		t.Fatal("a letter typed into a text acted")
	}
	d.shows("Alt+M")
	d.keys("alt+m")
	if got := s.last(t); got.Action != wizard.ActManual || got.Values["a"] != "m" {
		t.Errorf("answered %+v", got)
	}
	d.keys("tab", "m")
	if len(*s.answers) != 2 {
		t.Error("m did not act although no text has the focus")
	}
	d.keys("y", "tab", "tab", "enter")
	if got := s.last(t); got.Action != wizard.ActManual || got.Values["ok"] != wizard.Yes {
		t.Errorf("answered %+v", got)
	}
}

func TestConfirmTakesTheLettersOfEachLanguage(t *testing.T) {
	t.Parallel()
	for lang, letter := range map[locale.Lang]string{locale.English: "y", locale.French: "o", locale.German: "j"} {
		s := newScript(wizard.Screen{
			Fields:  []wizard.Field{{ID: "ok", Kind: wizard.KindConfirm, Value: wizard.No}},
			Actions: []wizard.Action{action(wizard.ActNext, 0)},
		})
		drive(t, s, lang, 80, 24).keys(letter, "enter")
		if got := s.last(t); got.Values["ok"] != wizard.Yes {
			t.Errorf("%s: %s gave %+v", lang, letter, got)
		}
		drive(t, s, lang, 80, 24).keys("left", "n", "enter")
		if got := s.last(t); got.Values["ok"] != wizard.No {
			t.Errorf("%s: n gave %+v", lang, got)
		}
	}
}

func TestBackAlwaysWorks(t *testing.T) {
	t.Parallel()
	refused := text("b", "x")
	refused.Error = wizard.Literal("not like this")
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{text("a", "1"), refused},
		Actions: []wizard.Action{action(wizard.ActNext, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.shows("not like this")
	d.keys("shift+tab")
	if len(*s.answers) != 0 || d.model.focus != 0 {
		t.Fatal("Shift+Tab did not go to the field before")
	}
	d.keys("shift+tab")
	if s.last(t).Action != wizard.ActBack {
		t.Error("Shift+Tab on the first field did not go back")
	}
	d.write("!").keys("esc")
	if got := s.last(t); got.Action != wizard.ActBack || got.Values["a"] != "1!" {
		t.Errorf("Esc answered %+v: what was typed must go along", got)
	}
}

func TestPaste(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{{ID: wizard.FieldSecret, Kind: wizard.KindSecret, Label: wizard.Literal("Password")}},
		Actions: []wizard.Action{action(wizard.ActNext, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.send(tea.PasteMsg{Content: "pa ss\u00a0 \r\n"})
	if len(*s.answers) != 0 {
		t.Fatal("a paste submitted the screen")
	}
	d.hides("pa ss")
	d.keys("enter")
	if got := s.last(t).Secret.Reveal(); got != "pa ss\u00a0 " {
		t.Errorf("the secret is %q: line ends go, everything else stays", got)
	}
	d.send(tea.PasteMsg{Content: "two\nlines"})
	d.shows("several lines")
	d.keys("ctrl+v")
	if got := d.model.inputs[0].entry.value(); strings.Contains(got, "\x16") {
		t.Errorf("ctrl+v changed the value: %q", got)
	}
}

func TestSecretIsKeptWhenEmpty(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{{ID: wizard.FieldSecret, Kind: wizard.KindSecret, Given: true}},
		Actions: []wizard.Action{action(wizard.ActNext, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.shows("Already entered")
	d.keys("enter")
	if got := s.last(t); got.Action != wizard.ActNext || !got.Secret.Empty() {
		t.Errorf("answered %+v", got)
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	choices := []wizard.Choice{
		{Value: "1", Label: wizard.Literal("one"), Detail: wizard.Literal("the first")},
		{Value: "2", Label: wizard.Literal("two")},
		{Value: "3", Label: wizard.Literal("three")},
	}
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{{ID: "c", Kind: wizard.KindChoice, Value: "2", Choices: choices}},
		Actions: []wizard.Action{action(wizard.ActNext, 0), action(wizard.ActManual, 'm')},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.shows("▸ two")
	d.shows("the first")
	d.keys("down", "enter")
	if got := s.last(t); got.Values["c"] != "3" {
		t.Errorf("answered %+v", got)
	}
	d.keys("m")
	if got := s.last(t); got.Action != wizard.ActManual {
		t.Errorf("answered %+v", got)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	var choices []wizard.Choice
	for i := range 300 {
		choices = append(choices,
			wizard.Choice{Value: "p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)), Label: wizard.Literal("Provider")})
	}
	choices[200] = wizard.Choice{
		Value: "ecole", Label: wizard.Literal("École Élémentaire"),
		Detail: wizard.Literal("mailbox"),
	}
	s := newScript(wizard.Screen{
		Fields:  []wizard.Field{{ID: "p", Kind: wizard.KindSearch, Choices: choices}},
		Actions: []wizard.Action{action(wizard.ActNext, 0), action(wizard.ActManual, 'm')},
	})
	d := drive(t, s, locale.English, 80, 24)
	if rows := strings.Count(d.view(), "Provider"); rows > maxRows {
		t.Errorf("%d rows are shown", rows)
	}
	d.write("elem eco")
	d.shows("▸ École Élémentaire · mailbox")
	d.keys("enter")
	if got := s.last(t); got.Values["p"] != "ecole" {
		t.Errorf("answered %+v", got)
	}
	d.write("zzz")
	d.shows("Nothing matches")
	d.keys("enter")
	if got := s.last(t); got.Values["p"] != "" {
		t.Errorf("no match answered %+v", got)
	}
}

func TestLanguageKeyKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{Step: wizard.StepPrepare, Fields: []wizard.Field{text("a", "")}})
	d := drive(t, s, locale.English, 80, 24)
	var heard []locale.Lang
	d.model.onLang = func(l locale.Lang) { heard = append(heard, l) }
	d.write("marie").keys("f2")
	d.shows("Étape 4/12")
	d.shows("marie")
	d.keys("ctrl+l")
	d.shows("Schritt 4/12")
	d.keys("?", "f1", "f2")
	d.shows("Step 4/12")
	if len(heard) != 3 || heard[0] != locale.French {
		t.Errorf("heard %v", heard)
	}
}

func TestDisabledActionSaysWhy(t *testing.T) {
	t.Parallel()
	off := action(wizard.ActRetry, 'r')
	off.Disabled = wizard.Literal("the same password")
	s := newScript(wizard.Screen{Actions: []wizard.Action{action(wizard.ActNext, 0), off}})
	d := drive(t, s, locale.English, 80, 24).keys("r")
	d.shows("Not possible now: the same password")
	if len(*s.answers) != 0 {
		t.Error("a disabled action was taken")
	}
}

func TestEnterDoesNotStopACheckByAccident(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{
		Step: wizard.StepSubmission, Actions: []wizard.Action{action(wizard.ActCancel, 'x')},
		Busy: &wizard.Busy{Request: 7, Text: wizard.Literal("working"), GivesUp: 30 * time.Second},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.shows("30 s at most")
	d.keys("enter")
	if len(*s.answers) != 0 {
		t.Fatal("Enter stopped the check")
	}
	d.keys("x")
	if s.last(t).Action != wizard.ActCancel {
		t.Error("x did not stop the check")
	}
}

func TestElapsedSeconds(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{
		Step: wizard.StepSubmission,
		Busy: &wizard.Busy{Request: 7, Text: wizard.Literal("working")},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.model.now = func() time.Time { return noon.Add(12 * time.Second) }
	d.send(tickMsg{7})
	d.shows("working · 12 s")
}

func TestCopyAndQR(t *testing.T) {
	t.Parallel()
	url := wizard.Copyable{
		Label: wizard.Literal("Page"),
		Text:  "https://myaccount.example/apppasswords?" + strings.Repeat("x", 60), QR: true,
	}
	record := wizard.Copyable{Label: wizard.Literal("Record"), Text: "v=DKIM1; k=rsa; p=" + strings.Repeat("MIIB", 60)}
	s := newScript(wizard.Screen{
		Copy:    []wizard.Copyable{url, record},
		Actions: []wizard.Action{action(wizard.ActNext, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	if view := d.model.View().Content; !strings.Contains(view, "\x1b]8;;"+url.Text) ||
		!strings.Contains(d.view(), "\nhttps://myaccount") {
		t.Error("the address has no link, or does not begin in the first column")
	}
	d.keys("c")
	d.shows("Text 1 of 2")
	d.keys("right")
	d.shows("Text 2 of 2")
	d.keys("c")
	if d.clipboard != record.Text {
		t.Errorf("the clipboard holds %q", d.clipboard)
	}
	d.shows("Copied: Record")
	d.keys("esc", "q")
	d.shows("█")
	d.keys("c")
	if d.clipboard != url.Text {
		t.Errorf("the clipboard holds %q", d.clipboard)
	}
	d.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.shows("too small")
}

func TestQRCodeOfAnAddressFitsTheDesignSize(t *testing.T) {
	t.Parallel()
	address := "https://account.example.com/security/app-passwords/ab" // 53 octets: version 3
	s := newScript(wizard.Screen{Copy: []wizard.Copyable{{Label: wizard.Literal("Page"), Text: address, QR: true}}})
	d := drive(t, s, locale.English, 80, 24).keys("q")
	if rows := strings.Count(d.view(), "█") + strings.Count(d.view(), "▀"); len(address) != 53 || rows < 100 {
		t.Errorf("no code for %d octets:\n%s", len(address), d.view())
	}
	d.shows(address)
}

func TestHelpAndDetailsPages(t *testing.T) {
	t.Parallel()
	finding := refused("smtp.auth")
	s := newScript(wizard.Screen{
		Step: wizard.StepSubmission, Checks: []wizard.Report{finding}, Finding: &finding, Help: "wizard.help.submission",
		Actions: []wizard.Action{action(wizard.ActFix, 0)},
	})
	d := drive(t, s, locale.English, 80, 24)
	d.keys("?")
	d.shows("Help · Sending")
	d.keys("end")
	d.shows("Ctrl+Z")
	d.keys("esc", "t")
	d.shows("AUTH PLAIN ***")
	d.shows("wrong-password (gmail-535-5.7.8)")
	d.keys("t", "enter")
	if s.last(t).Action != wizard.ActFix {
		t.Error("Enter does not lead to the fix")
	}
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	s := newScript(wizard.Screen{Step: wizard.StepAddress, Fields: []wizard.Field{text("address", "")}})
	d := drive(t, s, locale.English, 80, 24).keys("ctrl+c")
	if !d.quit {
		t.Error("leaving an untouched first screen asks")
	}
	d = drive(t, s, locale.English, 80, 24).write("x").keys("ctrl+c")
	d.shows("Leave now?")
	if d.quit {
		t.Fatal("left without asking")
	}
	d.keys("esc")
	d.hides("Leave now?")
	d.keys("ctrl+c", "ctrl+c")
	if !d.quit {
		t.Error("the second Ctrl+C did not leave")
	}
	if got := d.model.summary("postier setup --resume"); !strings.Contains(got, "\n  postier setup --resume\n") {
		t.Errorf("the summary is %q", got)
	}
}

// everySecond halves the work; the screens left out look like their neighbours.
func everySecond(stops []stop) []stop {
	var out []stop
	for i := 0; i < len(stops); i += 2 {
		out = append(out, stops[i])
	}
	return out
}

func TestEveryKeyOnSmallScreens(t *testing.T) {
	t.Parallel()
	names := []string{
		"tab", "down", "pgdown", "f2", "?", "pgdown", "esc", "t", "down", "esc", "c", "right", "esc", "q", "esc", "shift+tab",
		"up", "left",
		"right", "home", "end", "space", "backspace", "ctrl+c", "esc",
	}
	for _, stop := range everySecond(walk(t)) {
		for _, size := range []struct{ width, height int }{{1, 1}, {7, 5}, {39, 11}} {
			d := converse(t, stop.state, locale.German, size.width, size.height)
			for _, name := range names {
				d.keys(name)
				fits(t, stop.name+" after "+name, d.view(), size.width, size.height)
			}
		}
	}
}

// TestHostileText puts hostile text into every place that shows remote text, and checks what reaches the terminal.
func TestHostileText(t *testing.T) {
	t.Parallel()
	hostile := "a\x1b[2Jb\x1b]52;c;aGk=\x07c\u202ed\u200be\x9bf\u009bg\rh\x00i"
	evil := wizard.Report{
		ID: "smtp.auth", Status: check.Fail, Cause: check.Cause(hostile), Code: hostile, Matched: hostile,
		Name: wizard.Remote(hostile), Title: wizard.Remote(hostile), Meaning: wizard.Literal(hostile),
		Remedy: []wizard.Words{wizard.Translated(presets.Text{locale.English: hostile})}, WhoWords: wizard.Literal(hostile),
		RetryWords: wizard.Literal(hostile),
		Reply:      wizard.Remote(hostile + "\nPassword: ").Remote,
		Brief:      wizard.Remote(hostile).Remote, Details: []string{hostile},
		Fixes: []check.Fix{{Kind: "TXT", Name: hostile, Value: hostile}},
	}
	s := newScript(wizard.Screen{
		Title: wizard.Literal(hostile), Intro: []wizard.Words{wizard.Remote(hostile)},
		Notices:  []wizard.Notice{{Text: wizard.Literal(hostile)}},
		Facts:    []wizard.Fact{{Label: wizard.Literal("x"), Value: wizard.Literal(hostile)}},
		Numbered: []wizard.Words{wizard.Remote(hostile)},
		Copy:     []wizard.Copyable{{Label: wizard.Literal(hostile), Text: "https://x.example/" + hostile, QR: true}},
		Checks:   []wizard.Report{evil}, Finding: &evil,
		Fields: []wizard.Field{
			text("a", hostile),
			{ID: "c", Kind: wizard.KindChoice, Choices: []wizard.Choice{{Value: "1", Label: wizard.Remote(hostile)}}},
			{ID: "s", Kind: wizard.KindSearch, Choices: []wizard.Choice{{Value: "1", Label: wizard.Remote(hostile)}}},
		},
		Actions: []wizard.Action{{ID: wizard.ActNext, Label: wizard.Literal(hostile)}},
	})
	d := drive(t, s, locale.French, 120, 200)
	for _, name := range []string{"", "tab", "tab", "f1", "esc", "f5", "esc", "f3", "c", "right", "esc", "f4"} {
		if name != "" {
			d.keys(name)
		}
		harmless(t, name, d.model.View().Content)
		if strings.ContainsAny(d.clipboard, "\x1b\x07\u202e\u009b") {
			t.Errorf("the clipboard got %q", d.clipboard)
		}
	}
	d.keys("esc")
	for _, l := range strings.Split(d.view(), "\n") {
		if strings.Contains(l, "Password:") && !strings.HasPrefix(strings.TrimLeft(l, " ┃"), "serveur│ ") {
			t.Errorf("the server's words are not marked: %q", l)
		}
	}
	harmless(t, "summary", d.model.summary(hostile))
}

// harmless checks that only our own styles and links are left as escape sequences.
func harmless(t *testing.T, name, content string) {
	t.Helper()
	for _, r := range ansi.Strip(content) {
		if r != '\n' && (r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u200b' || r == 0xfffd && name != "") &&
			r != 0xfffd {
			t.Errorf("after %q the screen holds %q", name, r)
		}
	}
	for _, sequence := range []string{"\x1b[2J", "\x1b]52", "\u009b", "\x9b"} {
		if strings.Contains(content, sequence) {
			t.Errorf("after %q the screen holds the sequence %q", name, sequence)
		}
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	for _, stop := range walk(t) {
		d := converse(t, stop.state, locale.French, 80, 24)
		d.model.speech.theme = testTheme("LANG", "C")
		for _, in := range d.model.inputs {
			if in.search != nil {
				in.search.labels = nil // they were made for the other theme
			}
		}
		for _, r := range d.view() {
			if r > 0x7e {
				t.Fatalf("%s holds %q in a locale that is not UTF-8:\n%s", stop.name, r, d.view())
			}
		}
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	if testTheme("NO_COLOR", "1").colour || !testTheme().colour {
		t.Error("NO_COLOR is not followed")
	}
	finding := refused("smtp.auth")
	s := newScript(wizard.Screen{Checks: []wizard.Report{finding}, Finding: &finding})
	for _, noColour := range []bool{false, true} {
		d := drive(t, s, locale.English, 80, 24)
		if noColour {
			d.model.speech.theme = testTheme("NO_COLOR", "1")
		}
		content := d.model.View().Content
		if has := strings.Contains(content, "\x1b[") &&
			(strings.Contains(content, ";41") || strings.Contains(content, "41m")); has == noColour {
			t.Errorf("no colour %v, but the failure has its colour: %v\n%q", noColour, has, content)
		}
		d.shows("FAIL")
	}
}

// TestWhatLeavingKeeps: the note about the password appears only when one was given, and neither a rehearsal nor a
// first step that was not finished promises to keep anything.
func TestWhatLeavingKeeps(t *testing.T) {
	t.Parallel()
	fresh, _ := wizard.New(wizard.Options{Today: "2026-11-21"})
	stored, _ := wizard.New(wizard.Options{Today: "2026-11-21", Resumed: true})
	for _, row := range []struct {
		name      string
		state     wizard.State
		resumable bool
		want      string
		onward    bool
	}{
		{"a stored draft", stored, true, "What you have entered so far is kept. You", true},
		{"nothing stored yet", fresh, true, "Nothing new is kept yet.", false},
		{"a rehearsal", stored, false, "nothing is kept", true}, // its caller names no command
	} {
		d := converse(t, row.state, locale.English, 80, 24)
		d.model.resumable = row.resumable
		d.keys("m", "ctrl+c")
		if screen := d.view(); !strings.Contains(screen, row.want) {
			t.Errorf("%s: %s", row.name, screen)
		}
		if said := d.model.summary("postier setup --resume"); strings.Contains(said, "password") ||
			strings.Contains(said, "Nothing was kept") == row.resumable ||
			strings.Contains(said, "--resume") != row.onward {
			t.Errorf("%s: %s", row.name, said)
		}
	}
}
