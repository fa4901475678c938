package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
)

func durand() *config.Profile {
	return &config.Profile{
		Enabled: true, From: config.Address{Address: "contact@durand.example"},
		Kinds:  map[string]bool{"invoice": true, "quote": false},
		Limits: config.Limits{PerDay: 500, Batch: config.Batch{Messages: 12, WaitSeconds: 15.5}},
	}
}

// kept applies what a page saves, as the command does.
func kept(p *config.Profile) home.Save {
	return func(values map[wizard.FieldID]string) map[wizard.FieldID]wizard.Words {
		return wizard.SetOptions(p, values)
	}
}

// list is a suppression list in memory.
type list map[string]bool

func (l list) Suppress(pattern string) wizard.Words {
	if pattern == "nonsense" {
		return wizard.Msg("sendcli.suppress.pattern", "value", safetext.FromRemote(pattern))
	}
	l[pattern] = true
	return wizard.Words{}
}

func (l list) Unsuppress(pattern string) wizard.Words {
	delete(l, pattern)
	return wizard.Words{}
}

func suppressed() []home.Suppressed {
	return []home.Suppressed{
		{Pattern: "gone@customer.example", Reason: safetext.FromRemote("550 5.1.1 no such user"), Proposed: true},
		{Pattern: "anna@customer.example", Reason: safetext.FromRemote("asked to be left alone")},
		{Pattern: "@rival.example\x1b[2J"},
	}
}

// queued is a queue that nothing works through.
func queued(kept *config.QueueMode) home.Queued {
	return home.Queued{
		Facts: []wizard.Fact{
			{Label: wizard.Msg("home.queue.waiting"), Value: wizard.Literal("2")},
			{Label: wizard.Msg("home.queue.service"), Value: wizard.Msg("home.queue.service-off")},
			{
				Label: wizard.Literal("2026-11-21 09:12"), Value: wizard.Remote("c.petit@example.fr"),
				Detail: wizard.Literal("Title (N-81)"),
			},
		},
		Notice:  wizard.Msg("sendcli.unkept", "command", "postier service install"),
		Waiting: 2, Mode: config.ModeQueue, Install: true,
		Save: func(mode config.QueueMode) wizard.Words { *kept = mode; return wizard.Words{} },
	}
}

func formats() []wizard.Choice {
	return []wizard.Choice{
		{Value: "msmtp", Label: wizard.Remote("msmtp"), Detail: wizard.Literal("msmtp")},
		{Value: "wordpress", Label: wizard.Remote("wordpress"), Detail: wizard.Literal("WordPress")},
	}
}

// TestQueuePage (P-6, P-13): the mode is a choice; what waits is tried and the service is installed only by their own
// letters. A program to export for is found by typing.
func TestQueuePage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		keys            []string
		mode            config.QueueMode
		tried, installs bool
	}{
		{[]string{"enter"}, config.ModeQueue, false, false},
		{[]string{"down", "enter"}, config.ModeDirect, false, false},
		{[]string{"t"}, config.ModeQueue, true, false},
		{[]string{"i"}, config.ModeQueue, false, true},
	} {
		var kept config.QueueMode
		page := home.NewQueue(queued(&kept))
		onPage(t, page, locale.English, 80, 24).keys(row.keys...)
		if !page.Saved() || kept != row.mode || page.Tried() != row.tried || page.Installs() != row.installs {
			t.Errorf("%v: saved %v, %s, tried %v, installs %v", row.keys, page.Saved(), kept, page.Tried(), page.Installs())
		}
	}
	quiet := queued(nil)
	quiet.Waiting, quiet.Install = 0, false
	if n := len(home.NewQueue(quiet).Screen().Actions); n != 1 {
		t.Errorf("%d actions where nothing waits and the service runs", n)
	}
	export := home.NewExport("durand", formats())
	onPage(t, export, locale.English, 80, 24).keys("w", "o", "r", "enter")
	if !export.Saved() || export.Values()[home.FieldFormat] != "wordpress" {
		t.Errorf("%v, %v", export.Saved(), export.Values())
	}
}

// watchedBy is a watch that found something.
func watchedBy(kept *config.Watch) home.Watching {
	return home.Watching{
		Facts: []wizard.Fact{
			{Label: wizard.Msg("home.watch.state"), Value: wizard.Msg("watch.state.failing")},
			{Label: wizard.Msg("home.watch.checked"), Value: wizard.Literal("2026-11-21 10:30")},
			{Label: wizard.Msg("home.watch.next"), Value: wizard.Literal("2026-11-22 10:30")},
			{
				Label: wizard.Literal("smtp.auth"), Value: wizard.Literal("Title (A-14)"),
				Detail: wizard.Msg("watch.since", "since", "2026-11-21 09:00"),
			},
		},
		Settings: config.Watch{
			EveryHours: 12, Notify: []string{"owner@durand.example", "https://hooks.example/S3cret"},
			Command: []string{"/usr/bin/logger", "-t", "mail"},
		},
		Programs: true,
		Save: func(w config.Watch) wizard.Words {
			if w.EveryHours == 13 {
				return wizard.Literal("the disk is full")
			}
			*kept = w
			return wizard.Words{}
		},
	}
}

func logged() []home.Sent {
	return []home.Sent{
		{
			ID: "a1", Line: wizard.Remote("2026-11-21 10:31  a.martin@example.fr  Facture 2026-118"),
			Facts: []wizard.Fact{{Label: wizard.Msg("home.log.recipient"), Value: wizard.Remote("a.martin@example.fr")}},
		},
		{ID: "a2", Line: wizard.Remote("2026-11-21 10:30  b.leroy@example.fr  Facture 2026-117")},
	}
}

func templates() []home.Template {
	return []home.Template{
		{
			Name: "facture", Text: "Bonjour {{client}}, voici la facture {{numero}}.",
			Values: map[wizard.FieldID]string{
				home.FieldTemplateSubject: "Facture {{numero}}", home.FieldTemplateKind: "facture",
				home.FieldTemplateFrom: "Cabinet Durand <contact@durand.example>",
			},
		},
		{Name: "rappel", Text: "Sauf erreur de notre part …"},
	}
}

// TestTemplatesPage (P-8): a header line is changed and a test asked for in at most six keys; what is refused stays on
// the page.
func TestTemplatesPage(t *testing.T) {
	t.Parallel()
	var saved []string
	refuse := wizard.Words{}
	page := func() *home.Page {
		save := func(name string, values map[wizard.FieldID]string) wizard.Words {
			saved = append(saved, name+": "+values[home.FieldTemplateSubject])
			return refuse
		}
		return home.NewTemplates(templates(), wizard.Words{}, save)
	}
	change := page()
	onPage(t, change, locale.English, 80, 24).keys("enter", "!", "enter") // after the v of the home screen
	test := page()
	onPage(t, test, locale.English, 80, 24).keys("down", "enter", "alt+t")
	if fmt.Sprint(saved) != "[facture: Facture {{numero}}! rappel: ]" || !change.Saved() || change.Tried() ||
		!test.Tried() || test.Values()[home.FieldTemplate] != "rappel" {
		t.Errorf("%q, %v, %v", saved, change.Tried(), test.Values())
	}
	refuse = wizard.Literal("no such address")
	bad := page()
	if d := onPage(t, bad, locale.English, 80, 24).keys("enter", "enter"); bad.Ended() {
		t.Error("the page ended")
	} else {
		d.shows("no such address")
	}
}

func onPage(t *testing.T, page *home.Page, lang locale.Lang, width, height int) *driver {
	t.Helper()
	return drive(t, carrier.Show(page), lang, width, height)
}

// TestPages: every page of the home screen, in every language and size.
func TestPages(t *testing.T) {
	t.Parallel()
	pages := map[string]func() *home.Page{
		"test-mode": func() *home.Page { return home.NewTestMode("durand", durand(), nil) },
		"limits":    func() *home.Page { return home.NewLimits("durand", durand(), nil, nil) },
		"kinds":     func() *home.Page { return home.NewKinds("durand", durand(), nil) },
		"suppress":  func() *home.Page { return home.NewSuppress(suppressed(), nil) },
		"test":      func() *home.Page { return home.NewTest("durand", durand()) },
		"log":       func() *home.Page { return home.NewLog("durand", logged()) },
		"templates": func() *home.Page { return home.NewTemplates(templates(), wizard.Words{}, nil) },
		"log-empty": func() *home.Page { return home.NewLog("durand", nil) },
		"watch":     func() *home.Page { return home.NewWatch("durand", watchedBy(nil)) },
		"queue":     func() *home.Page { return home.NewQueue(queued(nil)) },
		"export":    func() *home.Page { return home.NewExport("durand", formats()) },
		"reading":   func() *home.Page { return home.NewReading(wizard.Msg("home.queue.title"), came(), printed()) },
		"report":    func() *home.Page { return home.NewReport("postier-report.md", []byte(printed())) },
		"letter":    func() *home.Page { return home.NewLetter(wizard.Literal("Send it to help@vendor.example?")) },
	}
	for _, lang := range locale.All() {
		for _, size := range sizes {
			for name, page := range pages {
				d := onPage(t, page(), lang, size.width, size.height)
				golden(t, fmt.Sprintf("page-%s-%s-%dx%d", name, lang, size.width, size.height), d.view(), size.width, size.height)
			}
			opened := onPage(t, home.NewTemplates(templates(), wizard.Words{}, nil), lang, size.width, size.height).keys("enter")
			golden(t, fmt.Sprintf("page-template-%s-%dx%d", lang, size.width, size.height), opened.view(), size.width,
				size.height)
			d := onPage(t, home.NewLog("durand", logged()), lang, size.width, size.height).keys("enter")
			golden(t, fmt.Sprintf("page-log-one-%s-%dx%d", lang, size.width, size.height), d.view(), size.width, size.height)
		}
	}
}

// printed is a text of forty lines, and came what it came to.
func printed() string {
	var b strings.Builder
	for n := range 40 {
		fmt.Fprintf(&b, "  PASS line %d\n", n+1)
	}
	return b.String()
}

func came() wizard.Notice {
	return wizard.Notice{Level: wizard.LevelGood, Text: wizard.Literal("It works.")}
}

// TestReading: a long text begins with its first line, scrolls to its last one, and stands alone on its lines, where it
// can be marked.
func TestReading(t *testing.T) {
	t.Parallel()
	page := home.NewReading(wizard.Msg("home.queue.title"), came(), printed())
	d := onPage(t, page, locale.English, 80, 24)
	if lines := strings.Split(ansi.Strip(d.view()), "\n"); !slices.Contains(lines, "  PASS line 1") {
		t.Errorf("the beginning is not in sight, or not alone on its line:\n%s", d.view())
	}
	d.keys("end").shows("PASS line 40")
	d.keys("home").shows("PASS line 1")
	if d.keys("enter"); !page.Ended() || page.Saved() {
		t.Error("Enter does not go back")
	}
}

// TestReportIsAskedFor: Enter saves the report that the person asked for, and a key of its own sends it.
func TestReportIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page  *home.Page
		key   string
		saved bool
	}{
		{home.NewReport("a.md", []byte("x")), "enter", true},
		{home.NewReport("a.md", []byte("x")), "n", false},
		{home.NewReport("a.md", []byte("x")), "esc", false},
		{home.NewReport("", []byte("x")), "enter", false}, // there is nowhere to save it
		{home.NewLetter(wizard.Literal("?")), "enter", false},
		{home.NewLetter(wizard.Literal("?")), "s", true},
	} {
		if onPage(t, c.page, locale.English, 80, 24).keys(c.key); !c.page.Ended() || c.page.Saved() != c.saved {
			t.Errorf("%s: ended %v, saved %v", c.key, c.page.Ended(), c.page.Saved())
		}
	}
}

// TestSixKeys: each of the daily changes takes at most six keys from the home screen, typed characters counted.
func TestSixKeys(t *testing.T) {
	t.Parallel()
	p, blocked, watched := durand(), list{"anna@customer.example": true}, config.Watch{EveryHours: 1}
	for _, row := range []struct {
		what string
		keys []string // the first one is the home screen's
		page *home.Page
		done func() bool
	}{
		{"test mode on", []string{"m", "space", "enter"}, home.NewTestMode("durand", p, kept(p)), func() bool {
			return p.TestMode == config.TestMode{Enabled: true, Address: "contact@durand.example"}
		}},
		{
			"a limit",
			[]string{"l", "down", "9", "0", "enter"},
			home.NewLimits("durand", p, kept(p), nil),
			func() bool { return p.Limits.PerDay == 90 && p.Limits.Batch.Messages == 12 && p.Limits.PerHour == 0 },
		},
		{
			"a kind off",
			[]string{"k", "space", "enter"},
			home.NewKinds("durand", p, kept(p)),
			func() bool { return !p.Kinds["invoice"] && !p.Kinds["quote"] && len(p.Kinds) == 2 },
		},
		{
			"an address off the blacklist",
			[]string{"b", "tab", "down", "down", "enter"},
			home.NewSuppress(suppressed(), blocked),
			func() bool { return len(blocked) == 0 },
		},
		{
			"the watch off",
			[]string{"w", "space", "enter"},
			home.NewWatch("durand", watchedBy(&watched)),
			func() bool { return watched.EveryHours == 0 && len(watched.Notify) == 2 && len(watched.Command) == 3 },
		},
		{"the fallback", []string{"f"}, nil, func() bool { return true }},
	} {
		if len(row.keys) > 6 {
			t.Errorf("%s takes %d keys", row.what, len(row.keys))
		}
		h := newHome(HomeOptions{Items: homeItems()}, testTheme())
		if h.Update(keyPress(row.keys[0])); h.choice.Profile != "durand" || h.choice.Action == home.Quit {
			t.Errorf("%s: %s opens %+v", row.what, row.keys[0], h.choice)
		}
		if row.page != nil {
			onPage(t, row.page, locale.English, 80, 24).keys(row.keys[1:]...)
			if !row.page.Saved() {
				t.Errorf("%s: not saved: %+v", row.what, row.page.Screen())
			}
		}
		if !row.done() {
			t.Errorf("%s: %+v, %v", row.what, p, blocked)
		}
	}
}

// TestSixKeysForEachKind (D-4): however many kinds of message there are, any of them is switched with at most six keys,
// the home screen's among them, and no other one is.
func TestSixKeysForEachKind(t *testing.T) {
	t.Parallel()
	const many = 120
	for _, number := range []int{1, 5, 12, 99, 112, many} {
		p := durand()
		p.Kinds = map[string]bool{}
		for i := range many {
			p.Kinds[fmt.Sprintf("kind-%03d", i+1)] = true
		}
		keys := append(strings.Split(strconv.Itoa(number), ""), "space", "enter")
		if len(keys)+1 > 6 {
			t.Errorf("kind %d takes %d keys", number, len(keys)+1)
		}
		page := home.NewKinds("durand", p, kept(p))
		onPage(t, page, locale.English, 80, 24).keys(keys...)
		for i := range many {
			if kind := fmt.Sprintf("kind-%03d", i+1); p.Kinds[kind] == (i+1 == number) {
				t.Errorf("after %v, %s is %v", keys, kind, p.Kinds[kind])
			}
		}
	}
	// A number that no kind has does nothing, and in a text field digits are text.
	p := durand()
	page := home.NewKinds("durand", p, kept(p))
	onPage(t, page, locale.English, 80, 24).keys("9", "2", "9", "tab", "2", "enter")
	if got := fmt.Sprint(p.Kinds); got != "map[2:false invoice:true quote:false]" {
		t.Errorf("%s", got)
	}
}

// TestSixKeysForEachLimit (P-4, C-6): any limit is changed with at most six keys, a value of two digits among them.
func TestSixKeysForEachLimit(t *testing.T) {
	t.Parallel()
	for number, want := range []string{
		"{90 500 0 0 {12 15.5}}", "{0 90 0 0 {12 15.5}}", "{0 500 90 0 {12 15.5}}", "{0 500 0 90 {12 15.5}}",
		"{0 500 0 0 {90 15.5}}", "{0 500 0 0 {12 90}}",
	} {
		p := durand()
		page := home.NewLimits("durand", p, kept(p), nil)
		onPage(t, page, locale.English, 80, 24).keys("alt+"+strconv.Itoa(number+1), "9", "0", "enter") // after the l
		if got := fmt.Sprint(p.Limits); got != want {
			t.Errorf("limit %d: %s, want %s", number+1, got, want)
		}
	}
}

// TestPageStaysOpen: what is refused keeps the page open with the reason at its field, and nothing is changed.
func TestPageStaysOpen(t *testing.T) {
	t.Parallel()
	p := durand()
	for _, row := range []struct {
		page *home.Page
		keys []string
		want string
	}{
		{home.NewTestMode("durand", p, kept(p)), []string{"space", "tab", "end", "@", "enter"}, "FAIL"},
		{home.NewLimits("durand", p, kept(p), nil), []string{"x", "enter"}, "FAIL"},
		{home.NewKinds("durand", p, kept(p)), []string{"tab", "tab", "A", "enter"}, "FAIL"},
		{home.NewSuppress(nil, list{}), []string{"enter"}, "Type an address"},
		{home.NewTest("durand", p), []string{"x", "enter"}, "FAIL"},
		{home.NewLog("durand", logged()), []string{"enter", "x", "alt+r"}, "FAIL"},
	} {
		d := onPage(t, row.page, locale.English, 80, 24).keys(row.keys...)
		if row.page.Ended() {
			t.Errorf("%v ended the page", row.keys)
		}
		d.shows(row.want)
	}
	if want := durand(); fmt.Sprint(*p) != fmt.Sprint(*want) {
		t.Errorf("%+v", p)
	}
}

// TestLimitsAreReset (P-4): the counters start anew from the page of the limits; an error is shown there.
func TestLimitsAreReset(t *testing.T) {
	t.Parallel()
	p, resets := durand(), 0
	page := home.NewLimits("durand", p, kept(p), func() wizard.Words {
		if resets++; resets == 1 {
			return wizard.Literal("the disk is full")
		}
		return wizard.Words{}
	})
	d := onPage(t, page, locale.English, 80, 40).keys("7", "alt+z")
	if d.shows("the disk is full"); page.Ended() || p.Limits.PerHour != 7 {
		t.Errorf("ended %v, %+v", page.Ended(), p.Limits)
	}
	if d.keys("alt+z"); !page.Saved() || resets != 2 {
		t.Errorf("saved %v, %d resets", page.Saved(), resets)
	}
}

// TestPagesGoBack: Esc leaves a page without a question and changes nothing; a message goes back to the list.
func TestPagesGoBack(t *testing.T) {
	t.Parallel()
	p := durand()
	page := home.NewTestMode("durand", p, kept(p))
	if d := onPage(t, page, locale.English, 80, 24).keys("space", "esc"); !d.quit || page.Saved() || p.TestMode.Enabled {
		t.Errorf("Esc: quit %v, saved %v, %+v", d.quit, page.Saved(), p.TestMode)
	}
	log := home.NewLog("durand", logged())
	d := onPage(t, log, locale.English, 80, 24).keys("enter", "esc")
	if log.Ended() {
		t.Fatal("a message does not go back to the list")
	}
	d.keys("down", "enter", "alt+r")
	if !log.Saved() || log.Values()[home.FieldMessage] != "a2" {
		t.Errorf("%v", log.Values())
	}
}

// TestWatchPage (D-8): how often is checked and who is told are changed one by one; a URL is typed unseen and shown
// without its path; what is wrong stays on the page, and nothing is written.
func TestWatchPage(t *testing.T) {
	t.Parallel()
	before := watchedBy(nil).Settings
	settings := func(edit func(w *config.Watch)) config.Watch {
		w := before
		w.Notify = slices.Clone(w.Notify)
		edit(&w)
		return w
	}
	for name, row := range map[string]struct {
		keys []string
		want config.Watch
	}{
		"nothing": {[]string{"enter"}, before},
		"off":     {[]string{"space", "enter"}, settings(func(w *config.Watch) { w.EveryHours = 0 })},
		"every 9": {[]string{"tab", "9", "enter"}, settings(func(w *config.Watch) { w.EveryHours = 9 })},
		"as usual": {
			[]string{"tab", "ctrl+u", "enter"}, settings(func(w *config.Watch) { w.EveryHours = 24 }),
		},
		"nobody else": {[]string{"tab", "tab", "ctrl+u", "enter"}, settings(func(w *config.Watch) { w.Notify = nil })},
		"another URL": {
			append(append([]string{"tab", "tab", "tab"}, strings.Split("https://x.example/K", "")...), "enter"),
			settings(func(w *config.Watch) { w.Notify = append(w.Notify, "https://x.example/K") }),
		},
		"no program": {
			[]string{"tab", "tab", "tab", "tab", "ctrl+u", "enter"}, settings(func(w *config.Watch) { w.Command = nil }),
		},
	} {
		var kept config.Watch
		page := home.NewWatch("durand", watchedBy(&kept))
		d := onPage(t, page, locale.English, 80, 40).keys(row.keys...)
		if !page.Saved() || page.Tried() || fmt.Sprint(kept) != fmt.Sprint(row.want) {
			t.Errorf("%s: saved %v, %+v\n%s", name, page.Saved(), kept, d.view())
		}
		if strings.Contains(d.view(), "S3cret") || strings.Contains(d.view(), "x.example") {
			t.Errorf("%s: a secret is shown\n%s", name, d.view())
		}
	}
	for want, keys := range map[string][]string{
		"whole number of hours": {"tab", "0", "enter"},
		"@ sign is missing":     {"tab", "tab", "ctrl+u", "x", "enter"},
		"in the field below": slices.Concat(
			[]string{"tab", "tab", "ctrl+u"}, strings.Split("https://a.b/c", ""), []string{"enter"}),
		"https://":         {"tab", "tab", "tab", "x", "enter"},
		"full path":        {"tab", "tab", "tab", "tab", "ctrl+u", "l", "s", "enter"},
		"the disk is full": {"tab", "1", "3", "enter"},
	} {
		var kept config.Watch
		page := home.NewWatch("durand", watchedBy(&kept))
		d := onPage(t, page, locale.English, 80, 50).keys(keys...)
		if d.shows(want); page.Ended() || kept.EveryHours != 0 {
			t.Errorf("%v: ended %v, %+v", keys, page.Ended(), kept)
		}
	}
	var kept config.Watch
	page := home.NewWatch("durand", watchedBy(&kept))
	if onPage(t, page, locale.English, 80, 40).keys("c"); !page.Saved() || !page.Tried() || kept.EveryHours != 12 {
		t.Errorf("check now: saved %v, tried %v, %+v", page.Saved(), page.Tried(), kept)
	}
}

// TestLettersOfPages: no page has an action on a letter with which a field answers yes or no.
func TestLettersOfPages(t *testing.T) {
	t.Parallel()
	reset := func() wizard.Words { return wizard.Words{} }
	for name, page := range map[string]*home.Page{
		"test mode": home.NewTestMode("durand", durand(), nil), "kinds": home.NewKinds("durand", durand(), nil),
		"limits": home.NewLimits("durand", durand(), nil, reset), "watch": home.NewWatch("durand", watchedBy(nil)),
	} {
		v := page.Screen()
		confirms := slices.ContainsFunc(v.Fields, func(f wizard.Field) bool { return f.Kind == wizard.KindConfirm })
		for _, a := range v.Actions {
			if confirms && strings.ContainsRune("ynoj", a.Key) && a.Key != 0 {
				t.Errorf("%s: %q is yes or no there", name, a.Key)
			}
		}
	}
}
