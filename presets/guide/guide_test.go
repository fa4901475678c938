package guide

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"postier/internal/locale"
	"postier/presets"
)

var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func options(lang locale.Lang) Options { return Options{Lang: lang, Product: "Crésus", Today: today} }

// TestEveryProviderHasAGuide in every language, with nothing left to fill and nothing untranslated.
func TestEveryProviderHasAGuide(t *testing.T) {
	t.Parallel()
	titles := map[string]int{}
	for _, e := range presets.Default().All() {
		p, ok := presets.Default().Get(e.ID)
		if !ok {
			t.Fatalf("%s cannot be read", e.ID)
		}
		var shape []string
		for _, lang := range locale.All() {
			page := For(p, options(lang))
			var b strings.Builder
			if err := page.Text(&b); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			for _, hole := range []string{"<guide.", "{product}", "{name}", "{label}", "{n}", "{host}", "{port}", "{value}"} {
				if strings.Contains(text, hole) && !strings.Contains(hole, "host") {
					t.Errorf("%s in %s: %s is left in\n%s", e.ID, lang, hole, text)
				}
			}
			var ids []string
			for _, s := range page.Sections {
				ids = append(ids, s.ID)
			}
			if shape == nil {
				shape = ids
			} else if !slices.Equal(shape, ids) {
				t.Errorf("%s: %v in %s, %v in English", e.ID, ids, lang, shape)
			}
			if _, impossible := p.Impossible(); !impossible && p.PasswordWorks() && !slices.Contains(ids, "steps") {
				t.Errorf("%s in %s: nothing says what to do: %v", e.ID, lang, ids)
			}
			titles[page.Title]++
			if page.Footer == "" {
				t.Errorf("%s in %s does not say how sure it is", e.ID, lang)
			}
		}
	}
	if len(titles) < 200 {
		t.Errorf("only %d guides", len(titles))
	}
}

// TestGuidesOfTheirOwn: the providers that customers have are explained with steps of their own in every language; each
// of these guides says on which day and where they were read, or that they are from memory.
func TestGuidesOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"orange", "sfr", "bouygues", "free", "laposte", "bluewin", "sunrise", "hispeed", "hostpoint", "infomaniak",
		"ovh-mxplan", "ovh-emailpro", "ovh-exchange", "ovh-zimbra", "gandi", "ionos-de", "ionos-fr", "ionos-com", "strato",
		"hetzner", "o2switch", "lws", "alwaysdata", "allinkl", "one-com", "hostinger", "godaddy", "namecheap", "titan",
		"proximus", "telenet", "videotron", "rogers", "bell", "shaw", "numericable", "alice", "voo", "cogeco",
	} {
		p, ok := presets.Default().Get(id)
		if !ok {
			t.Errorf("%s is missing", id)
			continue
		}
		if p.DocsURL == "" && p.AppPasswordURL == "" {
			t.Errorf("%s: no link to the provider", id)
		}
		confidence, checked, sources := p.StepsKnown()
		if confidence == presets.Guess != slices.Equal(sources, []string{"memory"}) {
			t.Errorf("%s: the steps are a %s, and come from %v", id, confidence, sources)
		}
		said := map[string]bool{}
		for _, lang := range locale.All() {
			steps := section(For(p, options(lang)), "steps").Steps
			if len(steps) < 2 || len(p.AppPasswordSteps[lang]) != len(steps) {
				t.Errorf("%s in %s has no steps of its own: %q", id, lang, steps)
			}
			said[strings.Join(steps, " ")] = true
			known := section(For(p, options(lang)), "sources").Text
			if len(known) == 0 || !strings.Contains(known[0], checked) ||
				confidence != presets.Guess && (len(known) < 2 || !strings.Contains(known[1], presets.SourceName(sources[0]))) {
				t.Errorf("%s in %s does not say when and where its steps were read: %q", id, lang, known)
			}
		}
		if len(said) != len(locale.All()) {
			t.Errorf("%s says the same in two languages", id)
		}
	}
}

// TestEveryGuideNamesItsSource: a guide with steps of its own says how well they are known and since when.
func TestEveryGuideNamesItsSource(t *testing.T) {
	t.Parallel()
	guides := 0
	for _, e := range presets.Default().All() {
		p, _ := presets.Default().Get(e.ID)
		if len(p.AppPasswordSteps) == 0 {
			continue
		}
		guides++
		if _, ok := p.Trust["app_password_steps"]; !ok {
			t.Errorf("%s does not say how well its steps are known", e.ID)
		}
		_, checked, sources := p.StepsKnown()
		page := For(p, options(locale.French))
		if text := strings.Join(section(page, "sources").Text, " "); len(sources) == 0 || !strings.Contains(text, checked) {
			t.Errorf("%s: %q", e.ID, text)
		}
	}
	if guides < 60 {
		t.Errorf("only %d guides", guides)
	}
	t.Logf("%d guides", guides)
}

func TestEveryLimitHasWords(t *testing.T) {
	t.Parallel()
	for _, e := range presets.Default().All() {
		p, _ := presets.Default().Get(e.ID)
		for _, l := range p.Limits {
			if !slices.Contains(known, l.What) {
				t.Errorf("%s: limit %s has no words", e.ID, l.What)
			}
		}
	}
	for lang, want := range map[locale.Lang]string{
		locale.English: "10,000", locale.French: "10\u00a0000",
		locale.German: "10.000",
	} {
		if got := number(10000, lang); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
	if got := number(999, locale.English); got != "999" {
		t.Error(got)
	}
}

func section(p Page, id string) Section {
	for _, s := range p.Sections {
		if s.ID == id {
			return s
		}
	}
	return Section{}
}

func TestWhatAPageSays(t *testing.T) {
	t.Parallel()
	get := func(id string, lang locale.Lang, on time.Time) Page {
		p, _ := presets.Default().Get(id)
		o := options(lang)
		o.Today = on
		return For(p, o)
	}
	gmail := get("gmail", locale.German, today)
	if s := section(gmail, "steps"); len(s.Steps) != 5 || !strings.Contains(s.Steps[3], "Crésus") ||
		!strings.Contains(strings.Join(s.Links, ""), "apppasswords") {
		t.Errorf("steps: %+v", s)
	}
	if s := section(gmail, "look"); !strings.Contains(strings.Join(s.Text, " "), "abcd efgh") {
		t.Errorf("look: %+v", s)
	}
	if len(section(gmail, "alert").Text) == 0 || len(section(gmail, "unblock").Steps) < 3 ||
		len(section(gmail, "blocks").Text) < 3 || len(section(gmail, "before").Text) == 0 {
		t.Errorf("%+v", gmail)
	}
	if s := section(gmail, "limits"); !strings.Contains(strings.Join(s.Text, "|"),
		"500 Nachrichten pro Tag (kostenlos) (nicht bestätigt)") {
		t.Errorf("limits: %q", s.Text)
	}
	// A dated fact warns in time, and changes on its day.
	before := section(get("microsoft365", locale.English, today), "warnings")
	after := section(get("microsoft365", locale.English, today.AddDate(0, 2, 0)), "warnings")
	if !before.Warn || !strings.Contains(strings.Join(before.Text, " "), "That is in 40 days.") ||
		!strings.HasPrefix(after.Text[0], "Since the end") {
		t.Errorf("before %q\nafter %q", before.Text, after.Text)
	}
	// What can never work is said first, with the way out, and nothing asks for a password.
	for _, id := range []string{"tuta", "hey"} {
		page := get(id, locale.French, today)
		if page.Sections[0].ID != "impossible" || len(page.Sections[0].Text) < 2 || len(section(page, "steps").Steps) != 0 {
			t.Errorf("%s: %+v", id, page.Sections)
		}
	}
	if s := section(get("outlook", locale.English, today), "secret"); !s.Warn {
		t.Error("Outlook.com takes no password, and that is no warning")
	}
}

func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	p, _ := presets.Default().Get("gmail")
	hostile := *p
	hostile.Name = `<script>alert(1)</script>` + "\u202e"
	hostile.DocsURL = `https://x.example/"><img src=x onerror=alert(1)>`
	hostile.Traps = []presets.Text{{
		locale.English: "</p><iframe src=//x.example>", locale.French: "x", locale.German: "x",
	}}
	var b strings.Builder
	if err := For(&hostile, options(locale.English)).HTML(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `content="default-src 'none'; style-src 'sha256-`) ||
		strings.ContainsRune(b.String(), '\u202e') {
		t.Errorf("policy or escaping is missing:\n%s", b.String())
	}
	root, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	allowed := strings.Fields("html head body meta title style main h1 h2 section p ol ul li a footer")
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(allowed, n.Data) {
			t.Errorf("<%s> got in", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}

func TestMarkdownIsInert(t *testing.T) {
	t.Parallel()
	if got := markdown("- [a](javascript:x) <b> `c` *d* _e_ # | ~"); got != "\\- \\[a\\](javascript:x) \\<b\\> \\`c\\` "+
		"\\*d\\* \\_e\\_ \\# \\| \\~" {
		t.Error(got)
	}
	p, _ := presets.Default().Get("gmail")
	var b strings.Builder
	if err := For(p, options(locale.English)).Markdown(&b); err != nil ||
		!strings.Contains(b.String(), "\n4. Type the name Crésus") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestGolden compares one page of each format; POSTIER_UPDATE=1 rewrites them.
func TestGolden(t *testing.T) {
	t.Parallel()
	p, _ := presets.Default().Get("gmail")
	page := For(p, Options{Lang: locale.French, Product: "Crésus", Today: today, Address: "marie@gmail.com"})
	for name, write := range map[string]func(*strings.Builder) error{
		"gmail.fr.txt":  func(b *strings.Builder) error { return page.Text(b) },
		"gmail.fr.md":   func(b *strings.Builder) error { return page.Markdown(b) },
		"gmail.fr.html": func(b *strings.Builder) error { return page.HTML(b) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + name
		if os.Getenv("POSTIER_UPDATE") != "" {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != b.String() {
			t.Errorf("%s differs (%v):\n%s", name, err, b.String())
		}
	}
}
