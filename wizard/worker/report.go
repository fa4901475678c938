package worker

import (
	"strings"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
	"postier/wizard"
)

// reportsOf converts results of diagnostics into the wizard's reports.
func reportsOf(results []diagnostics.Result) []wizard.Report {
	out := make([]wizard.Report, 0, len(results))
	for _, r := range results {
		out = append(out, ReportOf(r))
	}
	return out
}

// ReportOf converts one result of diagnostics into the report that a card shows.
func ReportOf(r diagnostics.Result) wizard.Report {
	out := wizard.Report{
		ID: r.ID, Status: r.Status, Cause: r.Cause, Matched: r.Answer.Reply, Took: r.Took, Brief: r.Brief(), Fixes: r.Fix,
	}
	if r.Status == check.Fail {
		out.Exit = report.ExitOf(r)
	}
	for _, e := range r.Evidence {
		if reply, ok := e.(diagnostics.Reply); ok && r.Status != check.Pass {
			out.Reply = reply.Text
		}
	}
	out.Title = CheckName(out.ID)
	if cause, ok := explain.Cause(r.Cause); ok {
		fillMeaning(&out, r)
		out.Who, out.Retry = wizard.Who(cause.Who), wizard.Retry(cause.Retry)
		out.RetryWords = everyLanguage(cause.Retry.Say)
		if cause.Who != explain.WhoUser {
			out.WhoWords = everyLanguage(cause.Who.Say)
		}
		out.RetryAfter = retryAfter(out.Reply.Raw())
		out.UsualPause = time.Duration(cause.PauseMinutes) * time.Minute
		out.Step, out.Field = fixPlace(wizard.Step(cause.Step), cause.FieldFor(r.ID))
	}
	for _, line := range r.Transcript {
		out.Details = append(out.Details, line.String())
	}
	if len(out.Details) == 0 {
		for _, e := range r.Evidence {
			out.Details = append(out.Details, evidenceLine(e))
		}
	}
	return out
}

// fillMeaning fills in what a result means, in every language.
func fillMeaning(out *wizard.Report, r diagnostics.Result) {
	said := map[locale.Lang]explain.Words{}
	for _, lang := range locale.All() {
		said[lang] = report.Describe(lang, r)
	}
	in := func(part func(explain.Words) string) wizard.Words {
		return everyLanguage(func(lang locale.Lang) string { return part(said[lang]) })
	}
	out.Code = said[locale.English].Code
	out.Title = in(func(w explain.Words) string { return w.Title })
	out.Meaning = in(func(w explain.Words) string { return w.Meaning })
	for i := range said[locale.English].Remedy {
		out.Remedy = append(out.Remedy, in(func(w explain.Words) string {
			if i >= len(w.Remedy) {
				return "" // said in English, translated where the language has the sentence
			}
			return w.Remedy[i]
		}))
	}
}

// CheckName returns the name of a check for people.
func CheckName(id check.ID) wizard.Words {
	return everyLanguage(func(lang locale.Lang) string { return report.Name(lang, id) })
}

func everyLanguage(say func(locale.Lang) string) wizard.Words {
	text := presets.Text{}
	for _, lang := range locale.All() {
		if said := say(lang); said != "" {
			text[lang] = said
		}
	}
	return wizard.Translated(text)
}

// FixOf is where a cause is corrected; the zero Place where no step does.
func FixOf(cause check.Cause) wizard.Place {
	info, ok := explain.Cause(cause)
	if !ok {
		return wizard.Place{}
	}
	step, field := fixPlace(wizard.Step(info.Step), info.Field)
	return wizard.Place{Step: step, Field: field}
}

// fixPlace converts the catalogue's word for a field into the wizard's field and the step that shows it.
func fixPlace(step wizard.Step, field string) (wizard.Step, wizard.FieldID) {
	switch {
	case step == wizard.StepCredential:
		return step, wizard.FieldSecret
	case step == wizard.StepAddress:
		return step, wizard.FieldFrom
	case step == wizard.StepSent && strings.HasPrefix(field, "imap-"):
		return wizard.StepServer, wizard.FieldID(field)
	case step == wizard.StepSent && field != "":
		return step, wizard.FieldSentFolder
	case step == wizard.StepServer && (field == "smtp-auth" || field == "imap-auth"):
		return step, wizard.FieldAuth
	case step == wizard.StepServer:
		return step, wizard.FieldID(field)
	}
	return step, "" // the other steps show no field that a cause could name
}

// evidenceLine formats one observation as a raw line for the technician's view.
func evidenceLine(o diagnostics.Observation) string {
	data, err := diagnostics.Encode(o)
	if err != nil {
		return o.Kind()
	}
	return string(data)
}
