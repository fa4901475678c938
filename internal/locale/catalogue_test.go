package locale

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// message is one entry of a .po file.
type message struct {
	id, plural string
	forms      []string
}

// catalogueOf reads all files of a language, by key.
func catalogueOf(t *testing.T, lang Lang) map[string]message {
	t.Helper()
	entries, err := files.ReadDir("catalogue/" + string(lang))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]message{}
	for _, entry := range entries {
		if entry.Name() == "data.po" {
			continue // sentences of the data, which package sentences holds against it
		}
		data, err := files.ReadFile("catalogue/" + string(lang) + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		domain := strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))
		for _, m := range parsePO(t, string(lang)+"/"+entry.Name(), string(data)) {
			if m.id == "" {
				continue // the header
			}
			if got, _, _ := strings.Cut(m.id, "."); got != domain {
				t.Errorf("%s/%s: %s belongs into another file", lang, entry.Name(), m.id)
			}
			if _, twice := all[m.id]; twice {
				t.Errorf("%s/%s: %s stands there twice", lang, entry.Name(), m.id)
			}
			all[m.id] = m
		}
	}
	return all
}

var poLine = regexp.MustCompile(`^(msgid|msgid_plural|msgstr|msgstr\[\d\])?\s*("(?:[^"\\]|\\.)*")$`)

func parsePO(t *testing.T, name, text string) []message {
	t.Helper()
	var out []message
	var to *string
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := poLine.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("%s:%d: %s", name, i+1, line)
		}
		value, err := strconv.Unquote(parts[2])
		if err != nil {
			t.Fatalf("%s:%d: %v", name, i+1, err)
		}
		switch {
		case parts[1] == "msgid":
			out = append(out, message{})
			to = &out[len(out)-1].id
		case parts[1] == "msgid_plural":
			to = &out[len(out)-1].plural
		case parts[1] != "":
			last := &out[len(out)-1]
			last.forms = append(last.forms, "")
			to = &last.forms[len(last.forms)-1]
		}
		*to += value
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func placeholders(forms []string) []string {
	var out []string
	for _, form := range forms {
		for _, name := range placeholder.FindAllString(form, -1) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// pluralForms is how many forms a language has, as the header of its files says.
func pluralForms(t *testing.T, lang Lang) int {
	t.Helper()
	data, err := files.ReadFile("catalogue/" + string(lang) + "/common.po")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`nplurals=(\d)`).FindSubmatch(data)
	if m == nil {
		t.Fatalf("%s: common.po does not say how many plural forms there are", lang)
	}
	return int(m[1][0] - '0')
}

// TestLanguagesAgree: the same keys, the same placeholders and the plural forms that the language has.
func TestLanguagesAgree(t *testing.T) {
	t.Parallel()
	english := catalogueOf(t, English)
	for _, lang := range All() {
		other := catalogueOf(t, lang)
		for _, key := range slices.Sorted(maps.Keys(english)) {
			m, ok := other[key]
			if !ok {
				t.Errorf("%s: %s is missing", lang, key)
				continue
			}
			if (m.plural == "") != (english[key].plural == "") {
				t.Errorf("%s: %s has plural forms in one language only", lang, key)
			}
			want := 1
			if m.plural != "" {
				want = pluralForms(t, lang)
			}
			if len(m.forms) != want || slices.Contains(m.forms, "") {
				t.Errorf("%s: %s has %d forms, want %d, none empty", lang, key, len(m.forms), want)
			}
			if got, want := placeholders(m.forms), placeholders(english[key].forms); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the places %v, want %v", lang, key, got, want)
			}
		}
		for key := range other {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: %s is not in English", lang, key)
			}
		}
	}
}

// TestOrthography finds spelling mistakes that tools make and people notice at once.
func TestOrthography(t *testing.T) {
	t.Parallel()
	// \b knows ASCII letters only: hôtes would end in a word of its own.
	informal := regexp.MustCompile(`(^|[^\p{L}])([Tt]u|[Tt]on|[Tt]es)([^\p{L}]|$)`)
	germanLetter := regexp.MustCompile(`(^|[^\p{L}])Post([^\p{L}]|$)`)
	germanInformal := regexp.MustCompile(`(^|[^\p{L}])([Dd]u|[Dd]eine?|[Dd]ir)([^\p{L}]|$)`)
	for _, lang := range All() {
		for key, m := range catalogueOf(t, lang) {
			for _, text := range m.forms {
				say := func(what string) { t.Errorf("%s: %s: %s: %q", lang, key, what, text) }
				if strings.HasPrefix(text, " ") || strings.HasSuffix(text, " ") {
					say("blank at the edge")
				}
				if strings.Contains(text, "ß") && lang != German || strings.ContainsAny(text, "çœ") && lang == German {
					say("letter of another language")
				}
				if lang == French && informal.MatchString(text) {
					say("tutoiement")
				}
				if lang == German && germanInformal.MatchString(text) {
					say("Sie, not du")
				}
				if lang == German && germanLetter.MatchString(text) {
					say("Post comes by the postman")
				}
			}
		}
	}
}

// widths are what fits at its place on a screen of 80 columns, in cells.
var widths = []struct {
	prefix string
	most   int
}{
	{"wizard.title.", 40},
	{"wizard.fact.", 60},
	{"wizard.action.", 60},
	{"wizard.field.", 44},
	{"wizard.credential.label.", 40},
	{"wizard.security.", 48},
	{"wizard.auth.", 40},
	{"wizard.kind.", 30},
	{"wizard.verdict.", 40},
	{"common.pass", 11},
	{"common.warn", 11},
	{"common.fail", 11},
	{"common.skip", 11},
}

// TestWidths: a label that is wider than its place would be cut.
func TestWidths(t *testing.T) {
	t.Parallel()
	for _, lang := range All() {
		for key, m := range catalogueOf(t, lang) {
			for _, w := range widths {
				if !strings.HasPrefix(key, w.prefix) || strings.HasSuffix(key, ".help") {
					continue
				}
				for _, line := range strings.Split(strings.Join(m.forms, "\n"), "\n") {
					if n := utf8.RuneCountInString(line); n > w.most {
						t.Errorf("%s: %s is %d cells wide, at most %d: %q", lang, key, n, w.most, line)
					}
				}
			}
		}
	}
}

// TestEveryMessageCanBeSaid goes through T and N as the program does.
func TestEveryMessageCanBeSaid(t *testing.T) {
	t.Parallel()
	for _, lang := range All() {
		for key, m := range catalogueOf(t, lang) {
			if m.plural != "" {
				for n := range 3 {
					if got := For(lang).N(key, n); strings.HasPrefix(got, "<") {
						t.Errorf("%s: N(%s, %d) is %q", lang, key, n, got)
					}
				}
				continue
			}
			if got := For(lang).T(key); got != m.forms[0] {
				t.Errorf("%s: T(%s) is %q, want %q", lang, key, got, fmt.Sprint(m.forms))
			}
		}
	}
}
