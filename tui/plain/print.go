package plain

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/wizard"
)

// width is the longest line. URLs and records are printed on lines of their own and may be longer.
const width = 76

// printer prints lines in one language.
type printer struct {
	out     io.Writer
	lang    locale.Lang
	product string
	causes  bool // print the cause's name too, for scripts and support
	numbers int  // how many choices of a long list were printed with a number
}

func (p *printer) t(key string, args ...any) string { return locale.For(p.lang).T(key, args...) }

func (p *printer) colon(label string) string { return locale.For(p.lang).Colon(label) }

func (p *printer) say(key string, args ...any) { p.paragraph("", p.t(key, args...)) }

func (p *printer) words(w wizard.Words) string { return w.Say(p.lang, p.product) }

func (p *printer) printLine(text string) { _, _ = io.WriteString(p.out, text+"\n") }

// prompt leaves the cursor behind the question.
func (p *printer) prompt(label string) {
	_, _ = io.WriteString(p.out, strings.Join(typeset.Fill("", "", p.colon(label), width), "\n")+" ")
}

// paragraph wraps text after a prefix; the lines that follow are indented to match.
func (p *printer) paragraph(prefix, said string) {
	indent := strings.Repeat(" ", typeset.Width(prefix))
	for part := range strings.SplitSeq(said, "\n") {
		for _, line := range typeset.Fill(prefix, indent, part, width) {
			p.printLine(line)
		}
		prefix = indent
	}
}

// screen prints a step's texts, verdict, facts and checks. ask prints its fields and actions. What the screen before it
// said of the same step is not said again: a check that ends goes on with its verdict.
func (p *printer) screen(v, before wizard.Screen) {
	said := before.Intro
	if v.Step != before.Step {
		said = nil
		p.printLine("")
		title := p.words(v.Title)
		if passed := v.PassedOverNumbers(); passed != "" { // a gap in the numbers is explained
			title += " (" + p.t("tui.passed-over", "steps", passed) + ")"
		}
		p.printLine(p.t("plain.step", "number", v.Number, "of", len(wizard.Steps()), "title", title))
		p.printLine("")
	}
	if v.Number == 0 {
		p.printLine("")
		p.printLine(p.words(v.Title))
		p.printLine("")
	}
	for _, w := range v.Intro {
		if !slices.ContainsFunc(said, func(old wizard.Words) bool { return p.words(old) == p.words(w) }) {
			p.paragraph("", p.words(w))
		}
	}
	verdict := v.Busy == nil && (len(v.Checks) > 0 || v.Step == wizard.StepDone)
	if verdict {
		p.notices(v)
	}
	if v.Finding != nil && v.Busy == nil {
		p.finding(v)
	}
	p.facts(v, before)
	for i, w := range v.Numbered {
		p.paragraph("  "+strconv.Itoa(i+1)+". ", p.words(w))
	}
	if !v.Text.Empty() {
		p.printLine(safetext.EscapeText(strings.Trim(v.Text.Raw(), "\n")))
	}
	if v.Busy == nil {
		p.results(v)
	} else {
		text := p.words(v.Busy.Text)
		switch {
		case v.Busy.Countdown:
			text += " " + p.t("plain.good-for", "minutes", int(v.Busy.GivesUp.Round(time.Minute).Minutes()))
		case v.Busy.GivesUp > 0:
			text += " " + p.t("plain.at-most", "seconds", int(v.Busy.GivesUp.Seconds()))
		}
		p.paragraph("", text)
		if len(v.Actions) > 1 && v.AwaitsTime() {
			p.actions(v.Actions, true) // of a wait: each key, then Enter
		}
	}
	if !verdict {
		p.notices(v)
	}
	for _, c := range v.Copy {
		p.printLine(p.colon(p.words(c.Label)))
		p.printLine(safetext.Escape(c.Text))
	}
}

// facts prints the labelled values, each that can be changed with its number. While a search goes on they are printed
// as soon as they are known, and not again when it ends with the same.
func (p *printer) facts(v, before wizard.Screen) {
	if shown := p.factLines(before); v.Step == before.Step && len(shown) > 0 && slices.Equal(shown, p.factLines(v)) {
		if v.Busy == nil && len(v.Notices) == 0 {
			p.say("plain.search-ended")
		}
		return
	}
	row := 0
	for i, line := range p.factLines(v) {
		lead := "  "
		if v.Facts[i].Change != "" && !p.causes { // an unattended run changes nothing
			row++
			lead = fmt.Sprintf("  %2d. ", row)
		}
		p.paragraph(lead, line)
	}
}

// factLines are the facts of a screen in words.
func (p *printer) factLines(v wizard.Screen) []string {
	var out []string
	for _, f := range v.Facts {
		text := p.words(f.Value)
		if !f.Detail.Empty() {
			text += " (" + p.words(f.Detail) + ")"
		}
		if label := p.words(f.Label); label != "" {
			text = p.colon(label) + " " + text
		}
		out = append(out, text)
	}
	return out
}

func (p *printer) notices(v wizard.Screen) {
	for _, n := range v.Notices {
		p.paragraph(p.t("plain.level."+string(n.Level))+" ", p.words(n.Text))
	}
}

// results says in one line what came of the checks. An unattended run lists all of them.
func (p *printer) results(v wizard.Screen) {
	if p.causes {
		p.checks(v.Checks)
		return
	}
	if counts := v.Tally().Say(p.lang); len(counts) > 0 {
		p.paragraph("", strings.Join(counts, " · "))
	}
}

// checks lists the checks that have ended.
func (p *printer) checks(reports []wizard.Report) {
	for _, r := range reports {
		if r.Status != "" {
			p.check(r)
		}
	}
}

func (p *printer) check(r wizard.Report) {
	text := p.words(r.Name)
	evidence := r.ForReader()
	if evidence.Empty() {
		evidence.Remote = r.Brief
	}
	if !evidence.Empty() {
		text = p.colon(text) + " " + short(p.words(evidence))
	}
	text += " (" + locale.For(p.lang).Seconds(r.Took, 1) + ")"
	if p.causes && r.Cause != "" && r.Status != check.Skip {
		text += " [" + string(r.Cause) + "]"
	}
	p.paragraph(p.t("common."+string(r.Status))+" "+string(r.ID)+" ", text)
}

func short(text string) string {
	const limit = 60
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + "…"
}

// finding explains a failure: what happened, what to do, and the server's own words in a marked block.
func (p *printer) finding(v wizard.Screen) {
	r := *v.Finding
	p.printLine("")
	title := p.words(r.Title)
	if r.Code != "" {
		title = r.Code + " · " + title
	}
	if p.causes {
		title += " [" + string(r.Cause) + "]"
	}
	level := string(wizard.LevelFail)
	switch {
	case r.Status == check.Warn:
		level = string(wizard.LevelWarn)
	case v.Passes():
		level = "wait"
	}
	p.paragraph(p.t("plain.level."+level)+" ", title)
	p.paragraph("", p.words(r.Meaning))
	for i, line := range r.Remedy {
		p.paragraph("  "+strconv.Itoa(i+1)+". ", p.words(line))
	}
	if !r.Reply.Empty() {
		for _, line := range r.Reply.Block(p.t("plain.server") + "│ ") {
			p.printLine(line)
		}
	}
	if who := p.words(r.WhoWords); who != "" {
		p.paragraph("", p.t("tui.who", "who", who))
	}
	if support := p.words(v.Support); support != "" {
		p.paragraph("", support)
	}
	p.printLine("")
}

func (p *printer) fieldIntro(f wizard.Field) {
	if !f.Error.Empty() {
		p.paragraph(p.t("plain.level.fail")+" ", p.words(f.Error))
	}
	if f.Fix {
		p.paragraph(p.t("plain.level.warn")+" ", p.t("plain.fix", "field", p.words(f.Label)))
	}
	if !f.Help.Empty() {
		p.paragraph("  ", p.words(f.Help))
	}
	if f.Kind == wizard.KindChoice {
		for i, c := range f.Choices {
			p.paragraph("  "+strconv.Itoa(i+1)+". ", p.choice(c))
		}
	}
	if f.Optional && f.Value != "" {
		p.paragraph("  ", p.t("plain.dash"))
	}
	if f.Given {
		p.paragraph("  ", p.t("plain.given"))
	}
}

func (p *printer) choice(c wizard.Choice) string {
	text := p.words(c.Label)
	if !c.Detail.Empty() {
		text += " (" + p.words(c.Detail) + ")"
	}
	return text
}

// firstChoices lists the first choices of a long list with their numbers.
func (p *printer) firstChoices(f wizard.Field) {
	if f.Kind != wizard.KindSearch {
		return
	}
	p.numbers = min(len(f.Choices), maxHits)
	for i, c := range f.Choices[:p.numbers] {
		p.paragraph("  "+strconv.Itoa(i+1)+". ", p.choice(c))
	}
	if more := len(f.Choices) - p.numbers; more > 0 {
		p.printLine("  " + p.t("plain.more", "n", more))
	}
}

// numbered is how many choices can be named by their number.
func (p *printer) numbered(f wizard.Field) int {
	if f.Kind == wizard.KindChoice {
		return len(f.Choices)
	}
	return min(p.numbers, len(f.Choices))
}

// current returns the value that an empty line keeps.
func (p *printer) current(f wizard.Field) string {
	for _, c := range f.Choices {
		if c.Value == f.Value {
			return p.words(c.Label)
		}
	}
	if f.Kind == wizard.KindConfirm {
		return p.t("plain." + f.Value)
	}
	return safetext.Escape(f.Value)
}

// maxHits is how many matches of a search are listed; if there are more, only that is said.
const maxHits = 10

// pick finds a choice by its number, its value or a part of its label.
func (p *printer) pick(f wizard.Field, text string) (string, bool) {
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= p.numbered(f) {
		return f.Choices[n-1].Value, true
	}
	var hits []wizard.Choice
	for _, c := range f.Choices {
		if strings.EqualFold(c.Value, text) || strings.EqualFold(p.words(c.Label), text) {
			return c.Value, true
		}
		if strings.Contains(strings.ToLower(p.words(c.Label)+" "+c.Value), strings.ToLower(text)) {
			hits = append(hits, c)
		}
	}
	switch {
	case len(hits) == 1:
		return hits[0].Value, true
	case len(hits) == 0:
		p.say("plain.no-match")
	default:
		p.say("plain.matches")
		for _, c := range hits[:min(len(hits), maxHits)] {
			p.printLine("  " + p.words(c.Label) + " (" + c.Value + ")")
		}
		if len(hits) > maxHits {
			p.printLine("  " + p.t("plain.more", "n", len(hits)-maxHits))
		}
	}
	return "", false
}

// actions lists what each key does.
func (p *printer) actions(actions []wizard.Action, slash bool) {
	for i, a := range actions {
		key := string(a.Key)
		if slash {
			key = "/" + key
		}
		if i == 0 && !slash {
			key = p.t("plain.enter")
		}
		if a.Key == 0 && (i > 0 || slash) {
			continue
		}
		text := p.words(a.Label)
		if !a.Disabled.Empty() {
			text += " (" + p.words(a.Disabled) + ")"
		}
		p.paragraph("  "+key+" = ", text)
	}
}

func (p *printer) help(v wizard.Screen) {
	p.printLine("")
	p.say(v.Help)
	p.say("plain.keys")
	if v.Finding != nil {
		p.finding(v)
		for _, line := range v.Finding.Details {
			p.printLine("  " + safetext.Escape(line))
		}
	}
	p.checks(v.Checks)
}
