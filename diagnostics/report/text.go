package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
)

// nameColumn is the width of the column with a check's name. Its time or the reason why it was skipped follows.
const nameColumn = 40

// wordColumn is the width of the longest status word in a language, with a space after it.
func wordColumn(lang locale.Lang) int {
	widest := 0
	for _, s := range []check.Status{check.Pass, check.Warn, check.Fail, check.Skip} {
		widest = max(widest, typeset.Width(Word(lang, s)))
	}
	return widest + 1
}

// Text writes the report as plain lines, without colour or cursor movement: for pipes, logs and screen readers.
func Text(w io.Writer, info Info, results []diagnostics.Result) error {
	lines := Opening(info)
	for _, r := range results {
		lines = append(lines, Lines(info, r)...)
	}
	lines = slices.Concat(lines, []string{""}, Closing(info.Lang, results), PortLines(info))
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// Opening says what is checked, followed by an empty line. It is empty when there is neither address nor server.
func Opening(info Info) []string {
	c := locale.For(info.Lang)
	switch {
	case info.Target.Address != "":
		return []string{c.T("checks.report.title", "address", safetext.FromRemote(info.Target.Address)), ""}
	case info.Target.Submission.Host != "":
		return []string{c.T("checks.report.server", "server", safetext.FromRemote(info.Target.Submission.Host)), ""}
	case info.Domain != "":
		return []string{c.T("checks.report.title", "address", safetext.FromRemote(info.Domain)), ""}
	case info.Target.IMAP != nil:
		return []string{c.T("checks.report.server", "server", safetext.FromRemote(info.Target.IMAP.Host)), ""}
	}
	return nil
}

// Closing gives the overall verdict in one or two lines, and what to fix first.
func Closing(lang locale.Lang, results []diagnostics.Result) []string {
	c := locale.For(lang)
	lines := []string{c.T("checks.report.verdict." + string(diagnostics.Verdict(results)))}
	if root, ok := diagnostics.Root(results); ok {
		words := Describe(lang, root)
		lines = append(lines, c.T("checks.report.root", "title", words.Title, "code", words.Code))
	}
	return lines
}

// Word is a status as one word in capitals, in the user's language: PASS, WARN, FAIL, SKIP in English.
func Word(lang locale.Lang, s check.Status) string {
	return locale.For(lang).T("common." + string(s))
}

// Lines shows one result: a line with the verdict, and below it, for whatever did not pass, what it means, what to do
// and what the server said. Remote text appears in a marked block only (docs/security.md T7).
func Lines(info Info, r diagnostics.Result) []string {
	lines := []string{headline(info.Lang, r)}
	if r.Status == check.Fail || r.Status == check.Warn {
		words := Describe(info.Lang, r)
		lines = append(lines, indent(fmt.Sprintf("%s (%s)", words.Title, words.Code)), indent(words.Meaning))
		for i, step := range words.Remedy {
			lines = append(lines, indent(fmt.Sprintf("%d. %s", i+1, step)))
		}
		lines = append(lines, fixes(info.Lang, r.Fix)...)
	}
	if r.Status == check.Fail || r.Status == check.Warn || info.Verbose {
		for _, e := range r.Evidence {
			lines = append(lines, evidenceLines(info.Lang, e)...)
		}
	}
	if info.Transcript {
		for _, line := range r.Transcript {
			lines = append(lines, indent("| "+line.String()))
		}
	}
	return lines
}

func headline(lang locale.Lang, r diagnostics.Result) string {
	line := typeset.Pad(Word(lang, r.Status), wordColumn(lang)) + typeset.Pad(Name(lang, r.ID), nameColumn)
	switch r.Status {
	case check.Skip:
		if words := Describe(lang, r); r.Cause != "" {
			line += words.Title
		}
	default:
		line += locale.For(lang).Seconds(r.Took, 2)
	}
	return strings.TrimRight(line, " ")
}

func indent(s string) string { return "       " + s }

func fixes(lang locale.Lang, list []check.Fix) []string {
	if len(list) == 0 {
		return nil
	}
	lines := []string{indent(locale.For(lang).T("checks.report.fix"))}
	for _, f := range list {
		text := f.Value
		if f.Name != "" {
			text = f.Name + "  " + strings.ToUpper(f.Kind) + "  " + f.Value
		}
		lines = append(lines, indent("  "+safetext.Escape(text)))
	}
	return lines
}

// evidenceLines shows one observation: its label, its fields in alphabetical order, and remote text as a block.
func evidenceLines(lang locale.Lang, o diagnostics.Observation) []string {
	c := locale.For(lang)
	label := o.Kind()
	if key := "checks.evidence." + o.Kind(); c.Has(key) {
		label = c.T(key)
	}
	if e, ok := o.(diagnostics.Extensions); ok {
		return append([]string{indent(label + ":")}, extensionLines(c, e)...)
	}
	var parts []string
	for _, m := range diagnostics.Members(o) {
		parts = append(parts, m.Name+"="+fieldText(m.Value))
	}
	lines := []string{indent(strings.TrimSpace(label + ": " + strings.Join(parts, " ")))}
	s, ok := o.(diagnostics.Spoken)
	if !ok || s.Said().Empty() {
		return lines
	}
	block := s.Said().Block(indent(c.T("checks.report.server-says") + "│ "))
	if !fromServer(o) && len(block) == 1 {
		lines[0] = indent(strings.TrimSpace(label + ": " + s.Said().Escaped() + " " + strings.Join(parts, " ")))
		return lines
	}
	if len(parts) == 0 {
		return block
	}
	return append(lines, block...)
}

// fromServer reports whether an observation quotes the server, so that its text goes into the marked block.
func fromServer(o diagnostics.Observation) bool {
	switch o.(type) {
	case diagnostics.Reply, diagnostics.Banner:
		return true
	}
	return false
}

// extensionLines explains what an SMTP server offers, one line each.
func extensionLines(c *locale.Catalogue, e diagnostics.Extensions) []string {
	var lines []string
	for _, x := range e.List {
		key := "checks.extension." + x.Keyword.Raw()
		if !c.Has(key) {
			key = "checks.extension.unknown"
		}
		line := strings.TrimSpace(x.Keyword.Escaped() + " " + x.Params.Escaped())
		lines = append(lines, indent("  "+line+": "+c.T(key)))
	}
	return lines
}

// maxField bounds one field in a plain line; the JSON has it whole.
const maxField = 200

// fieldText is a field's value as JSON without the quotes of plain words: JSON has no raw control character.
func fieldText(v any) string {
	if r, ok := v.(safetext.Remote); ok {
		v = r.Escaped()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	text := string(data)
	if s, ok := v.(string); ok && !strings.ContainsAny(s, " \"") {
		text = s
	}
	text = safetext.Escape(text)
	if len(text) > maxField {
		text = strings.ToValidUTF8(text[:maxField], "") + "…"
	}
	return text
}
