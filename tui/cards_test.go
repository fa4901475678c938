package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/wizard"
	"postier/wizard/worker"
)

// checkOf is the check of the wizard that finds a cause, and its work; for a cause that none of them finds, the last
// one before a message would leave.
func checkOf(cause check.Cause) (wizard.RequestKind, check.ID) {
	for _, kind := range []wizard.RequestKind{wizard.DoSubmission, wizard.DoSent, wizard.DoDNS, wizard.DoTest} {
		for _, id := range wizard.Checks(kind) {
			if page, ok := explain.Check(id); ok && slices.Contains(page.Causes, cause) {
				return kind, id
			}
		}
	}
	return wizard.DoSubmission, check.SMTPRecipient
}

// walkTo goes through the wizard, with every check passing, until the work of one kind is under way.
func walkTo(t *testing.T, kind wizard.RequestKind) *walker {
	t.Helper()
	w := &walker{t: t}
	w.state, w.asked = wizard.New(wizard.Options{
		Today: "2026-11-21", ConfigPath: "/home/marie/.config/postier/config.json", Book: shortBook(),
		Address: "contact@gmail.com", CheckName: worker.CheckName,
	})
	for range 3 {
		w.answer(w.state.Screen().Actions[0].ID)
	}
	w.at(wizard.StepCredential)
	w.answer(wizard.ActNext, "secret", "abcd efgh ijkl mnop")
	for _, each := range []wizard.RequestKind{wizard.DoSubmission, wizard.DoSent, wizard.DoDNS, wizard.DoTest} {
		if each == kind {
			break
		}
		w.done(each, "", nil)
		w.answer(wizard.ActNext)
	}
	return w
}

// card returns the wizard where a check found the cause.
func card(t *testing.T, cause explain.CauseInfo) wizard.State {
	t.Helper()
	kind, id := checkOf(cause.Slug)
	w := walkTo(t, kind)
	status := check.Fail
	if cause.Severity == explain.SeverityWarn {
		status = check.Warn
	}
	w.done(kind, "", func(o *wizard.Outcome) {
		o.Reports, o.Folders = nil, []string{"INBOX", "Sent"}
		rest := diagnostics.Result{Status: check.Pass}
		for _, each := range wizard.Checks(kind) {
			r := rest
			if each == id {
				r.Status, r.Cause = status, cause.Slug
				if status == check.Fail {
					rest = diagnostics.Result{Status: check.Skip, Cause: check.CauseNeedsFailed}
				}
			}
			r.ID = each
			o.Reports = append(o.Reports, worker.ReportOf(r))
		}
	})
	return w.state
}

// TestGoldenCards compares the card of every cause, as the wizard shows it in each language, with its approved text:
// the whole page at 80 columns, which 120 columns do not change, and the window of 40x12.
func TestGoldenCards(t *testing.T) {
	t.Parallel()
	states := map[check.Cause]wizard.State{}
	for _, cause := range explain.Causes() {
		states[cause.Slug] = card(t, cause)
	}
	for _, lang := range locale.All() {
		var whole, narrow strings.Builder
		for _, cause := range explain.Causes() {
			head := fmt.Sprintf("== %s %s, %s, %s\n", cause.Code, cause.Slug, cause.Who, cause.Retry)
			state := states[cause.Slug]
			usual := converse(t, state, lang, 80, 24)
			inSight(t, string(cause.Slug), usual)
			page := pageText(usual)
			large := converse(t, state, lang, 120, 30)
			if wide := pageText(large); wide != page {
				t.Errorf("%s in %s: 120 columns show\n%s\n80 columns show\n%s", cause.Slug, lang, wide, page)
			}
			fits(t, string(cause.Slug), large.view(), 120, 30)
			whole.WriteString(head + page)
			window := converse(t, state, lang, 40, 12).view()
			fits(t, string(cause.Slug), window, 40, 12)
			_, below, _ := strings.Cut(window, "\n") // the header names the next language, not this one
			narrow.WriteString(head + trimmed(below))
		}
		goldenFile(t, "cards", "cards-"+string(lang), whole.String())
		goldenFile(t, "cards", "cards-"+string(lang)+"-40x12", narrow.String())
	}
}

// inSight checks that the first key of a card stands in the window beneath its text.
func inSight(t *testing.T, name string, d *driver) {
	t.Helper()
	first := d.model.speech.say(d.model.screen.Actions[0].Label)
	if view := d.view(); !strings.Contains(view, "["+first) {
		t.Errorf("%s: its key %q is not seen\n%s", name, first, view)
	}
}

// TestLongReply: however much a server says, the keys stay inside the window.
func TestLongReply(t *testing.T) {
	t.Parallel()
	cause, _ := explain.Cause(check.CauseTLSStripped)
	for _, lang := range locale.All() {
		d := converse(t, card(t, cause), lang, 80, 24)
		d.model.screen.Finding.Reply = safetext.FromRemote(strings.Repeat("250-AN-EXTENSION\r\n", 9) + "250 OK\r\n")
		inSight(t, string(lang), d)
		if view := d.view(); !strings.Contains(view, "250-AN-EXTENSION …") {
			t.Errorf("%s: the reply is not seen\n%s", lang, view)
		}
	}
}

// pageText is all of a page, without the frame and without what is cut off.
func pageText(d *driver) string {
	var lines []string
	p := d.model.layOut(d.model.bodyHeight(), density{})
	p.fit(p.whole())
	for _, l := range p.lines {
		lines = append(lines, ansi.Strip(l.text))
	}
	return trimmed(strings.Join(lines, "\n"))
}

func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// TestWaitIsSeen: the time until the next check, its keys and the cause are inside the smallest window.
func TestWaitIsSeen(t *testing.T) {
	t.Parallel()
	cause, _ := explain.Cause(check.CauseGreylisted)
	state, _ := card(t, cause).Answer(wizard.Answer{Action: wizard.ActWait})
	for _, lang := range locale.All() {
		d := converse(t, state, lang, 40, 12)
		d.shows("B-49")
		d.shows("5:00")
		d.keys("enter", "enter")
		if d.model.ended || d.model.overlay.kind != overlayNone {
			t.Errorf("%s: a second Enter does not go on waiting", lang)
		}
		d.keys("l")
		if d.model.overlay.kind != overlayLeave {
			t.Errorf("%s: leaving is not asked about", lang)
		}
	}
}
