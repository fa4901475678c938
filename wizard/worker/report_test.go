package worker

import (
	"slices"
	"strings"
	"testing"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/wizard"
)

// stepFields lists the fields that each step can show.
var stepFields = map[wizard.Step][]wizard.FieldID{
	wizard.StepAddress: {wizard.FieldAddress, wizard.FieldFrom},
	wizard.StepServer: {
		wizard.FieldSMTPHost, wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldAuth, wizard.FieldUser,
		wizard.FieldHelo,
		wizard.FieldIMAPHost, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity, wizard.FieldIMAPUser,
	},
	wizard.StepCredential: {wizard.FieldSecret},
	wizard.StepSent:       {wizard.FieldSentFolder, wizard.FieldSentCopy},
}

// TestEveryCauseHasAPlace (M-5): the step and field that the catalogue names exist in the wizard.
func TestEveryCauseHasAPlace(t *testing.T) {
	t.Parallel()
	placed := 0
	for _, cause := range explain.Causes() {
		for _, id := range []check.ID{check.SMTPAuth, check.IMAPConnect, check.DNSSPF} {
			r := ReportOf(diagnostics.Result{ID: id, Status: check.Fail, Cause: cause.Slug})
			if cause.Step == "" {
				if r.Step != "" {
					t.Errorf("%s leads to %s", cause.Slug, r.Step)
				}
				continue
			}
			placed++
			if r.Step.Number() == 0 {
				t.Errorf("%s leads to %q, which is no step", cause.Slug, r.Step)
			}
			if r.Field != "" && !slices.Contains(stepFields[r.Step], r.Field) {
				t.Errorf("%s at %s leads to step %s, which has no field %s", cause.Slug, id, r.Step, r.Field)
			}
		}
	}
	if placed == 0 {
		t.Error("no cause has a place")
	}
}

// TestReportsExplainThemselves: every check has a name and every cause its words, in every language.
func TestReportsExplainThemselves(t *testing.T) {
	t.Parallel()
	say := func(w wizard.Words, lang locale.Lang) string { return w.Say(lang, "postier") }
	for _, lang := range locale.All() {
		for _, id := range check.All() {
			r := ReportOf(diagnostics.Result{ID: id, Status: check.Pass})
			if name := say(CheckName(id), lang); name == "" || say(r.Title, lang) != name || !r.Meaning.Empty() {
				t.Errorf("%s, %s: %+v", id, lang, r)
			}
		}
		for _, cause := range explain.Causes() {
			r := ReportOf(diagnostics.Result{ID: check.SMTPAuth, Status: check.Fail, Cause: cause.Slug})
			if say(r.Title, lang) != cause.Title(lang) || r.Code != cause.Code || say(r.Meaning, lang) == "" ||
				len(r.Remedy) != len(cause.Remedy(lang)) || say(r.RetryWords, lang) != cause.Retry.Say(lang) ||
				r.WhoWords.Empty() != (cause.Who == explain.WhoUser) ||
				!r.WhoWords.Empty() && say(r.WhoWords, lang) != cause.Who.Say(lang) {
				t.Errorf("%s, %s: %+v", cause.Slug, lang, r)
			}
		}
	}
	if r := ReportOf(diagnostics.Result{ID: "no.such", Cause: "no-such"}); !r.Title.Empty() {
		t.Errorf("%+v", r)
	}
}

// TestReportKeepsWhatTheServerSaid, raw, for the marked block and the technician.
func TestReportKeepsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	hostile := "535 5.7.8 no\x1b[2J\r\n535 really"
	r := ReportOf(diagnostics.Result{
		ID: check.SMTPAuth, Status: check.Fail, Cause: "wrong-password",
		Evidence: diagnostics.Evidence{diagnostics.SignIn{
			Mechanism: "PLAIN", Username: safetext.FromRemote("a\x07"),
		}, diagnostics.Reply{Text: safetext.FromRemote(hostile)}},
		Fix: []check.Fix{{Kind: "txt", Name: "x.example", Value: "v", Old: "o", TTLSeconds: 60}},
	})
	if r.Reply.Raw() != hostile || r.Brief.Raw() != "535 5.7.8 no\x1b[2J" {
		t.Errorf("reply %q, seen %q", r.Reply.Raw(), r.Brief.Raw())
	}
	if len(r.Details) != 2 || strings.ContainsAny(strings.Join(r.Details, ""), "\x1b\x07") {
		t.Errorf("%q", r.Details)
	}
	if r.Step != wizard.StepCredential || r.Field != wizard.FieldSecret || len(r.Fixes) != 1 ||
		r.Fixes[0] != (check.Fix{Kind: "txt", Name: "x.example", Value: "v", Old: "o", TTLSeconds: 60}) {
		t.Errorf("%+v", r)
	}
}

// TestFirstRemedies: the wizard replaces the first advice of two causes where it was tried.
func TestFirstRemedies(t *testing.T) {
	t.Parallel()
	for cause, about := range map[check.Cause]string{
		check.CauseTLSStripped: "port", check.CauseIPBlocklisted: "sign",
	} {
		r := ReportOf(diagnostics.Result{ID: check.SMTPAuth, Status: check.Fail, Cause: cause})
		if len(r.Remedy) < 2 || !strings.Contains(strings.ToLower(r.Remedy[0].Text.In(locale.English)), about) {
			t.Errorf("%s: the first advice is %v", cause, r.Remedy)
		}
	}
}
