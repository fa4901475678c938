package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/account"
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

// Text writes the report as lines without cursor movement: for terminals, pipes, logs and screen readers. What to fix
// first comes first, then a row for each check, with the details of whatever else did not pass.
func Text(w io.Writer, info Info, results []diagnostics.Result) error {
	lines := append(Opening(info), card(info, results)...)
	lines = append(lines, RepairLines(info)...)
	lines = append(lines, rows(info, results)...)
	lines = slices.Concat(lines, []string{""}, Closing(info, results), PortLines(info))
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// card is what to look at first, in full: what happened, what to do, and what the server said.
func card(info Info, results []diagnostics.Result) []string {
	root, ok := diagnostics.First(results)
	if !ok {
		return nil
	}
	words := Describe(info.Lang, root)
	lines := []string{paint(info, root.Status, fmt.Sprintf("%s (%s)", words.Title, words.Code))}
	return slices.Concat(lines, explanation(info, words, "  "), details(info, root, "  "), []string{""})
}

// rows has a line for each check below the heading of its area. The root is told in the card.
func rows(info Info, results []diagnostics.Result) []string {
	root, _ := diagnostics.First(results)
	var lines []string
	area := ""
	for _, r := range results {
		if of := Area(r.ID); of != area {
			area = of
			lines = append(lines, locale.For(info.Lang).T("diagnose.area."+area))
		}
		own := []string{}
		if r.ID == root.ID {
			own = append(own, headline(info, r, "  ")...)
			own = append(own, transcript(info, r)...)
		} else {
			own = lineList(info, r, "  ")
		}
		lines = append(lines, own...)
	}
	return lines
}

// Area is the heading of a check: the connection belongs to submission.
func Area(id check.ID) string {
	if area := id.Area(); area != "net" {
		return area
	}
	return "smtp"
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

// Closing gives the overall verdict in one or two lines, and what to fix first. Checks that pass are not called working
// where the profile is switched off.
func Closing(info Info, results []diagnostics.Result) []string {
	c, verdict := locale.For(info.Lang), diagnostics.Verdict(results)
	root, failed := diagnostics.Root(results)
	words := Describe(info.Lang, root)
	refused := RecipientRefused(info.Target, results)
	key := "checks.report.verdict." + string(verdict)
	switch {
	case refused:
		key = "checks.report.verdict.recipient"
	case info.Off != "" && verdict != check.Fail:
		key = "checks.report.verdict.off"
	}
	said := []string{c.T(key, "address", safetext.FromRemote(info.Target.Recipient))}
	switch {
	case refused:
		said = append(said, fmt.Sprintf("%s (%s)", words.Title, words.Code))
	case failed:
		said = append(said, c.T("checks.report.root", "title", words.Title, "code", words.Code))
	}
	if info.Off != "" {
		said = append(said, fill(info, "", "", info.Off)...)
	}
	return said
}

// RecipientRefused reports whether nothing failed but the other person's address to which a test message was sent. That
// says nothing about the settings.
func RecipientRefused(target account.Target, results []diagnostics.Result) bool {
	root, failed := diagnostics.Root(results)
	if !failed || target.Recipient == "" || strings.EqualFold(target.Recipient, target.Address) {
		return false
	}
	others := slices.ContainsFunc(results, func(r diagnostics.Result) bool {
		return r.Status == check.Fail && r.ID != root.ID
	})
	info, known := explain.Cause(root.Cause)
	return !others && known && info.Group == "recipient"
}

// Word is a status as one word in capitals, in the user's language: PASS, WARN, FAIL, SKIP in English.
func Word(lang locale.Lang, s check.Status) string {
	return locale.For(lang).T("common." + string(s))
}

// Lines shows one result: a line with the verdict, and below it, for whatever did not pass, what it means, what to do
// and what the server said. Remote text appears in a marked block only (docs/security.md T7).
func Lines(info Info, r diagnostics.Result) []string { return lineList(info, r, "") }

func lineList(info Info, r diagnostics.Result, margin string) []string {
	lines := headline(info, r, margin)
	inner := margin + indent("")
	if r.Status == check.Fail || r.Status == check.Warn {
		words := Describe(info.Lang, r)
		lines = append(lines, fill(info, inner, inner, fmt.Sprintf("%s (%s)", words.Title, words.Code))...)
		lines = append(lines, explanation(info, words, inner)...)
	}
	return slices.Concat(lines, details(info, r, inner), transcript(info, r))
}

// explanation is what a cause means and what to do about it.
func explanation(info Info, words explain.Words, margin string) []string {
	lines := fill(info, margin, margin, words.Meaning)
	for i, step := range words.Remedy {
		number := fmt.Sprintf("%d. ", i+1)
		lines = append(lines, fill(info, margin+number, margin+strings.Repeat(" ", len(number)), step)...)
	}
	return lines
}

// details are the values to copy and the evidence. The evidence of a check that passed is folded away unless asked for.
func details(info Info, r diagnostics.Result, margin string) []string {
	failed := r.Status == check.Fail || r.Status == check.Warn
	var lines []string
	if failed {
		lines = fixes(info, r.Fix, margin)
	}
	if failed || info.Verbose {
		for _, e := range r.Evidence {
			lines = append(lines, evidenceLines(info, e, margin)...)
		}
	}
	return lines
}

func transcript(info Info, r diagnostics.Result) []string {
	if !info.Transcript {
		return nil
	}
	var lines []string
	for _, line := range r.Transcript {
		lines = append(lines, indent("| "+line.String()))
	}
	return lines
}

// headline is the row of a check. A reason that does not fit goes on below its own beginning.
func headline(info Info, r diagnostics.Result, margin string) []string {
	word := wordColumn(info.Lang)
	start := typeset.Pad(Name(info.Lang, r.ID), nameColumn)
	mark := margin + paint(info, r.Status, Word(info.Lang, r.Status)) +
		strings.Repeat(" ", word-typeset.Width(Word(info.Lang, r.Status)))
	said := ""
	switch r.Status {
	case check.Skip:
		switch r.Cause {
		case "":
		case check.CauseNeedsFailed:
			said = locale.For(info.Lang).T("checks.report.not-reached")
		default:
			said = Describe(info.Lang, r).Title
		}
	default:
		if r.Took >= time.Second { // shorter times tell nothing
			said = locale.For(info.Lang).Seconds(r.Took, 2)
		}
	}
	below := strings.Repeat(" ", typeset.Width(margin)+word+nameColumn)
	lines := fill(info, mark+start, below, said)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// fill wraps our own words for a terminal.
func fill(info Info, first, rest, text string) []string {
	if info.Width <= 0 || typeset.Width(first+text) <= info.Width {
		return []string{first + text}
	}
	return typeset.Fill(first, rest, text, info.Width)
}

// paint colours the word of a verdict (ECMA-48 SGR): the basic colours are those that every palette keeps readable.
func paint(info Info, status check.Status, text string) string {
	colour := map[check.Status]string{check.Pass: "32", check.Warn: "33", check.Fail: "31", check.Skip: "2"}[status]
	if !info.Colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func indent(s string) string { return "       " + s }

// fixes are the values to copy. Each stands alone on its line, which begins with it and is never wrapped: a broken line
// or a space would be copied too.
func fixes(info Info, list []check.Fix, margin string) []string {
	c := locale.For(info.Lang)
	var lines []string
	for _, f := range list {
		label, text := c.T("checks.report.fix"), f.Value
		switch {
		case f.Removes():
			label = c.T("checks.report.fix-remove", "name", safetext.FromRemote(f.Name), "type", strings.ToUpper(f.Kind))
			text = f.Old
		case f.Name != "":
			label = c.T("checks.report.fix-record", "name", safetext.FromRemote(f.Name), "type", strings.ToUpper(f.Kind))
		}
		lines = append(lines, margin+label, safetext.Escape(text))
	}
	return lines
}

// evidenceLines shows one observation: its label, its fields in alphabetical order, and remote text as a block.
func evidenceLines(info Info, o diagnostics.Observation, margin string) []string {
	c := locale.For(info.Lang)
	label := o.Kind()
	key := "checks.evidence." + o.Kind()
	if l, ok := o.(diagnostics.Labelled); ok {
		key = "checks.evidence." + l.Label()
	}
	if c.Has(key) {
		label = c.T(key)
	}
	if e, ok := o.(diagnostics.Extensions); ok {
		return append([]string{margin + label + ":"}, extensionLines(info, e, margin+"  ")...)
	}
	var parts []string
	for _, m := range diagnostics.Members(o) {
		parts = append(parts, m.Name+"="+fieldText(m.Value))
	}
	show := func(text ...string) []string {
		return fill(info, margin, margin+"  ", strings.TrimSpace(strings.Join(text, " ")))
	}
	lines := show(append([]string{label + ":"}, parts...)...)
	s, ok := o.(diagnostics.Spoken)
	if !ok || s.Said().Empty() {
		return lines
	}
	prefix := margin + c.T("checks.report.server-says") + "│ "
	said := s.Said().Block("")
	if !fromServer(o) && len(said) == 1 {
		return show(append([]string{label + ":", s.Said().Escaped()}, parts...)...)
	}
	var block []string
	for _, line := range said {
		block = append(block, fill(info, prefix, prefix, line)...)
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

// extensionLines explains what an SMTP server offers, one entry each.
func extensionLines(info Info, e diagnostics.Extensions, margin string) []string {
	c := locale.For(info.Lang)
	var lines []string
	for _, x := range e.List {
		key := "checks.extension." + x.Keyword.Raw()
		if !c.Has(key) {
			key = "checks.extension.unknown"
		}
		line := strings.TrimSpace(x.Keyword.Escaped() + " " + x.Params.Escaped())
		lines = append(lines, fill(info, margin, margin+"  ", line+": "+c.T(key))...)
	}
	return lines
}

// flat writes a list of objects as the values of each, which reads better than JSON; everything else is left as it is.
func flat(data []byte) string {
	if !bytes.HasPrefix(data, []byte("[{")) || bytes.ContainsAny(data[1:], "[") {
		return string(data)
	}
	var out strings.Builder
	in := json.NewDecoder(bytes.NewReader(data))
	depth, name := 0, false
	for {
		token, err := in.Token()
		switch t := token.(type) {
		case nil:
			if err == nil { // null
				continue
			}
			return out.String()
		case json.Delim:
			switch t {
			case '{':
				if depth++; out.Len() > 0 {
					out.WriteString(",")
				}
			case '}':
				depth--
			}
			name = false
		default:
			if name = !name; !name && depth > 0 {
				fmt.Fprintf(&out, " %v", t)
			}
		}
	}
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
	text := flat(data)
	if s, ok := v.(string); ok && !strings.ContainsAny(s, " \"") {
		text = s
	}
	text = safetext.Escape(text)
	if len(text) > maxField {
		text = strings.ToValidUTF8(text[:maxField], "") + "…"
	}
	return text
}
