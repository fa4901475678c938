package explain

import (
	"slices"
	"strings"
	"sync"

	"postier/internal/check"
	"postier/internal/locale"
)

// CheckWords is the page of a check in one language.
type CheckWords struct {
	Title string `json:"title"`
	What  string `json:"what"` // what the check does
	Why   string `json:"why"`  // why it matters
}

// CheckInfo is the page of one check.
type CheckInfo struct {
	ID check.ID `json:"id"`
	// Causes are the causes that the check can find, the most likely first. Every check can also be skipped (needs-failed)
	// or stopped (cancelled).
	Causes []check.Cause              `json:"causes"`
	Text   map[locale.Lang]CheckWords `json:"text"`
}

// Title is the check in a few words.
func (c CheckInfo) Title(lang locale.Lang) string { return c.words(lang).Title }

// What says what the check does.
func (c CheckInfo) What(lang locale.Lang) string { return c.words(lang).What }

// Why says why it matters.
func (c CheckInfo) Why(lang locale.Lang) string { return c.words(lang).Why }

func (c CheckInfo) words(lang locale.Lang) CheckWords {
	if w, ok := c.Text[lang]; ok {
		return w
	}
	to, w := locale.For(lang), c.Text[locale.English]
	return CheckWords{Title: to.Translate(w.Title), What: to.Translate(w.What), Why: to.Translate(w.Why)}
}

var checks = sync.OnceValue(func() []CheckInfo { return readFile[[]CheckInfo]("data/checks.json") })

// Checks lists the checks of the contract in the order of a report.
func Checks() []CheckInfo { return slices.Clone(checks()) }

// Check returns the check with this id.
func Check(id check.ID) (CheckInfo, bool) {
	for _, c := range checks() {
		if c.ID == id {
			return c, true
		}
	}
	return CheckInfo{}, false
}

type labelData struct {
	Who   map[Who]map[locale.Lang]string   `json:"who"`
	Retry map[Retry]map[locale.Lang]string `json:"retry"`
}

var labels = sync.OnceValue(func() labelData { return readFile[labelData]("data/labels.json") })

// Say names the party in a language.
func (w Who) Say(lang locale.Lang) string { return locale.Choose(labels().Who[w], lang) }

// Say says in a sentence whether to try again.
func (r Retry) Say(lang locale.Lang) string { return locale.Choose(labels().Retry[r], lang) }

// Kind says what a page is about.
type Kind string

// The kinds of page.
const (
	KindCause Kind = "cause"
	KindCheck Kind = "check"
)

// PageInfo is one page of the catalogue in one language, ready to be printed.
type PageInfo struct {
	Kind Kind
	// ID is a cause's slug or a check's id.
	ID string
	// Code is the cause's spoken code, empty for a check.
	Code  string
	Title string
	// Meaning is what happened or what the check does; Why, for a check only, is why it matters.
	Meaning string
	Why     string
	Remedy  []string
	Who     Who
	Retry   Retry
	Step    string
	Field   string
	// Related are the checks that find this cause, or the causes that this check finds.
	Related []string
}

// Page finds the page for the slug of a cause, a spoken code or the id of a check, in any letter case.
func Page(code string, lang locale.Lang) (PageInfo, bool) {
	code = strings.ToLower(strings.TrimSpace(code))
	if c, ok := Check(check.ID(code)); ok {
		page := PageInfo{
			Kind: KindCheck, ID: string(c.ID), Title: c.Title(lang), Meaning: c.What(lang), Why: c.Why(lang),
		}
		for _, cause := range c.Causes {
			page.Related = append(page.Related, string(cause))
		}
		return page, true
	}
	cause, ok := Cause(check.Cause(code))
	if !ok {
		cause, ok = ByCode(code)
	}
	if !ok {
		return PageInfo{}, false
	}
	return PageInfo{
		Kind: KindCause, ID: string(cause.Slug), Code: cause.Code, Title: cause.Title(lang), Meaning: cause.Meaning(lang),
		Remedy: cause.Remedy(lang),
		Who:    cause.Who, Retry: cause.Retry, Step: cause.Step, Field: cause.Field, Related: checksOf(cause.Slug),
	}, true
}

func checksOf(slug check.Cause) []string {
	var ids []string
	for _, c := range checks() {
		if slices.Contains(c.Causes, slug) {
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}

// Near lists at most limit slugs, codes and check ids that begin with or contain what was typed, for "did you mean".
func Near(typed string, limit int) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if typed == "" {
		return nil
	}
	var starts, contains []string
	add := func(name string) {
		switch {
		case strings.HasPrefix(name, typed):
			starts = append(starts, name)
		case strings.Contains(name, typed):
			contains = append(contains, name)
		}
	}
	for _, c := range checks() {
		add(string(c.ID))
	}
	for _, c := range causes().list {
		add(string(c.Slug))
	}
	all := append(starts, contains...)
	return all[:min(len(all), max(limit, 0))]
}
