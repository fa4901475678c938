package tui

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/text/unicode/norm"

	"postier/internal/typeset"
	"postier/wizard"
)

// maxRows is how many choices a search shows at once: more than that is not read, and each row costs bytes a key.
const maxRows = 10

// search is a field in which the person finds one of many choices by typing. huh's Select is not used here: while it
// filters, it hides its title, and a list of hundreds costs kilobytes a key.
type search struct {
	filter *entry
	value  string // of the choice under the cursor
	lang   string // the language that the labels below are in
	labels []labelled
}

type labelled struct {
	value, label, detail, folded string
}

func newSearch(value string) *search { return &search{filter: newEntry("", false), value: value} }

// choices are the labels in the language of s, made once.
func (q *search) choices(f wizard.Field, s speech) []labelled {
	if q.lang == string(s.lang) && len(q.labels) == len(f.Choices) {
		return q.labels
	}
	q.lang, q.labels = string(s.lang), make([]labelled, 0, len(f.Choices))
	for _, c := range f.Choices {
		l := labelled{value: c.Value, label: s.say(c.Label), detail: s.say(c.Detail)}
		l.folded = fold(l.label + " " + l.value)
		q.labels = append(q.labels, l)
	}
	return q.labels
}

// matches returns the choices that contain every typed word; those that begin with the first word come first.
func (q *search) matches(f wizard.Field, s speech) []labelled {
	all := q.choices(f, s)
	words := strings.Fields(fold(q.filter.value()))
	if len(words) == 0 {
		return all
	}
	var starts, others []labelled
	for _, c := range all {
		if !holdsAll(c.folded, words) {
			continue
		}
		if strings.HasPrefix(c.folded, words[0]) {
			starts = append(starts, c)
		} else {
			others = append(others, c)
		}
	}
	return append(starts, others...)
}

func holdsAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// fold makes letters comparable: lower case, without accents.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

func index(choices []labelled, value string) int {
	return max(0, slices.IndexFunc(choices, func(c labelled) bool { return c.value == value }))
}

func (q *search) press(msg tea.KeyPressMsg, f wizard.Field, s speech) {
	move := map[string]int{"up": -1, "down": 1, "ctrl+p": -1, "ctrl+n": 1, "pgup": -maxRows, "pgdown": maxRows}
	if step, ok := move[msg.String()]; ok {
		q.move(step, f, s)
		return
	}
	before := q.filter.value()
	q.filter.press(msg)
	q.refilter(before, f, s)
}

// atTop reports whether the cursor is on the first choice.
func (q *search) atTop(f wizard.Field, s speech) bool {
	found := q.matches(f, s)
	return len(found) == 0 || index(found, q.value) == 0
}

func (q *search) paste(text string, f wizard.Field, s speech) (several bool) {
	before := q.filter.value()
	several = q.filter.paste(text)
	q.refilter(before, f, s)
	return several
}

// refilter puts the cursor on the best match when what was typed has changed.
func (q *search) refilter(before string, f wizard.Field, s speech) {
	if q.filter.value() == before {
		return
	}
	q.value = ""
	if found := q.matches(f, s); len(found) > 0 {
		q.value = found[0].value
	}
}

func (q *search) move(step int, f wizard.Field, s speech) {
	found := q.matches(f, s)
	if len(found) == 0 {
		return
	}
	q.value = found[min(len(found)-1, max(0, index(found, q.value)+step))].value
}

// draw adds the line to type in and at most rows choices. It returns the cursor's position, relative to the first line.
func (q *search) draw(p *page, f wizard.Field, s speech, rows int, focused bool) {
	g := s.theme.glyphs
	prompt := s.t("search") + " "
	text, at := q.filter.draw(p.width-typeset.Width(prompt)-2, g)
	if focused {
		p.cursor = &point{typeset.Width(prompt) + at, p.height()}
	}
	p.add(typeset.Shorten(prompt+text, p.width, ""))
	found := q.matches(f, s)
	if len(found) == 0 {
		p.plain(s.t("no-match"))
		return
	}
	rows = min(rows, maxRows)
	at = index(found, q.value)
	first := max(0, min(at-rows/2, len(found)-rows))
	for i := first; i < min(len(found), first+rows); i++ {
		row := found[i].label
		if found[i].detail != "" {
			row += " " + g.dot + " " + found[i].detail
		}
		if i == at {
			p.add(s.theme.styles.bold.Render(typeset.Shorten(g.focus+" "+row, p.width, g.ellipsis)))
		} else {
			p.add(typeset.Shorten("  "+row, p.width, g.ellipsis))
		}
	}
	if more := len(found) - min(len(found), first+rows); more > 0 {
		p.add(typeset.Shorten("  "+s.t("more-choices", "n", more), p.width, ""))
	}
}
