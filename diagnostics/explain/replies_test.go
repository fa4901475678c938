package explain

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"postier/internal/locale"
)

var protocols = []string{SMTP, IMAP, TLS, TCP, DNS}

// asQuery is the example as a caller would put it: with its codes, as the entry has them or as the reply shows them.
func asQuery(protocol string, r *reply) Query {
	q := ParseReplyAs(protocol, r.Example)
	if q.Code == "" {
		q.Code = r.Code
	}
	return q
}

func TestEveryExampleLeadsToItsCause(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		for _, r := range replies(protocol) {
			q := asQuery(protocol, r)
			if !r.NeedsProvider {
				if got := Match(Query{Protocol: protocol, Text: r.Example}); got.Cause != r.Cause {
					t.Errorf("%s: %q without codes leads to %s (%s), want %s", r.ID, r.Example, got.Cause, got.Reply, r.Cause)
				}
				if got := Match(q); got.Cause != r.Cause || got.Reply == "" {
					t.Errorf("%s: %q leads to %s (%s), want %s", r.ID, r.Example, got.Cause, got.Reply, r.Cause)
				}
			} else if got := Match(q); got.Reply == r.ID {
				t.Errorf("%s: matched without its provider", r.ID)
			}
			for _, provider := range r.Provider {
				q.Provider = provider
				if got := Match(q); got.Cause != r.Cause {
					t.Errorf("%s at %s: %q leads to %s (%s), want %s", r.ID, provider, r.Example, got.Cause, got.Reply, r.Cause)
				}
			}
		}
	}
}

func TestRepliesAreWellFormed(t *testing.T) {
	t.Parallel()
	idForm := regexp.MustCompile(`^[a-z0-9]+([-_][a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, protocol := range protocols {
		for _, r := range replies(protocol) {
			if seen[r.ID] || !idForm.MatchString(r.ID) {
				t.Errorf("id %q: doubled or of the wrong form", r.ID)
			}
			seen[r.ID] = true
			re, err := regexp.Compile(r.expression())
			if err != nil {
				t.Errorf("%s: %v", r.ID, err)
				continue
			}
			text := asQuery(protocol, r).Text
			lower := strings.ToLower(text)
			if r.wide() {
				text = wordsOf(protocol, text)
				lower = text
			}
			if !re.MatchString(text) || !r.matches(&searched{text: text, lower: lower}) {
				t.Errorf("%s: the pattern does not match its example %q", r.ID, text)
			}
			if _, ok := Cause(r.Cause); !ok {
				t.Errorf("%s: no cause %q", r.ID, r.Cause)
			}
			if r.Source == "" || r.Evidence != "captured" && r.Evidence != "cited" && r.Evidence != "recalled" {
				t.Errorf("%s: source %q, evidence %q", r.ID, r.Source, r.Evidence)
			}
			if r.NeedsProvider && len(r.Provider) == 0 {
				t.Errorf("%s: needs a provider and names none", r.ID)
			}
			if r.Priority > 1 || r.Priority < -3 {
				t.Errorf("%s: priority %d", r.ID, r.Priority)
			}
			if len(r.Text) > 0 {
				checkWords(t, r.ID, r.Text)
			}
		}
	}
	if len(seen) < 600 {
		t.Errorf("%d replies, want at least 600", len(seen))
	}
}

// checkWords holds that a text is there in every language with the same parts, short enough, and free of what a
// terminal would act on.
func checkWords(t *testing.T, where string, text map[locale.Lang]Words) {
	t.Helper()
	if len(text) != len(locale.Written()) {
		t.Errorf("%s: %d languages", where, len(text))
	}
	want := text[locale.English]
	if want.Title == "" && want.Meaning == "" && len(want.Remedy) == 0 {
		t.Errorf("%s: empty", where)
	}
	for _, lang := range locale.Written() {
		w := text[lang]
		if (w.Title == "") != (want.Title == "") || (w.Meaning == "") != (want.Meaning == "") ||
			!slices.Equal(placeholders(w.Detail), placeholders(want.Detail)) || len(w.Remedy) != len(want.Remedy) {
			t.Errorf("%s %s: not the same parts as the English text", where, lang)
		}
		if len(w.Remedy) > 4 {
			t.Errorf("%s %s: %d steps, want at most 4", where, lang, len(w.Remedy))
		}
		checkLine(t, where+" "+string(lang)+" title", w.Title, 60)
		for _, line := range append([]string{w.Meaning, w.Detail}, w.Remedy...) {
			checkLine(t, where+" "+string(lang), line, 300)
		}
	}
}

// placeholders are the names in braces, sorted; a detail without any says nothing about the case.
func placeholders(detail string) []string {
	found := regexp.MustCompile(`\{[a-z_]+\}`).FindAllString(detail, -1)
	slices.Sort(found)
	return found
}

func checkLine(t *testing.T, where, line string, limit int) {
	t.Helper()
	if n := len([]rune(line)); n > limit {
		t.Errorf("%s: %d characters, want at most %d: %s", where, n, limit, line)
	}
	if line != strings.TrimSpace(line) || strings.ContainsAny(line, "\n\r\t\x1b") || strings.Contains(line, "  ") {
		t.Errorf("%s: stray blanks or control characters: %q", where, line)
	}
}
