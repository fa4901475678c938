package worker

import (
	"strings"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/report"
	"postier/internal/locale"
	"postier/wizard"
)

// Reports turns results into the wizard's shape.
func Reports(results []diagnostics.Result) []wizard.Report {
	out := make([]wizard.Report, 0, len(results))
	for _, r := range results {
		out = append(out, Report(r))
	}
	return out
}

// Report turns one result into the wizard's shape.
func Report(r diagnostics.Result) wizard.Report {
	out := wizard.Report{
		ID: string(r.ID), Status: string(r.Status), Cause: r.Cause, Matched: r.Matched, Provider: r.Provider, Args: r.Args,
		Took: r.Took, Seen: seen(r),
	}
	if r.Status == diagnostics.Fail {
		out.Exit = report.ExitOf(r)
	}
	for _, e := range r.Evidence {
		if e.Kind == "reply" && r.Status != diagnostics.Pass {
			out.Reply = e.Text
		}
	}
	for _, fix := range r.Fix {
		out.Fixes = append(out.Fixes,
			wizard.Fix{Kind: fix.Kind, Name: fix.Name, Value: fix.Value, Old: fix.Old, TTLSeconds: fix.TTLSeconds})
	}
	if cause, ok := explain.Cause(r.Cause); ok {
		out.Mend, out.Field = place(wizard.Step(cause.Step), cause.FieldFor(string(r.ID)))
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

// place puts the catalogue's word for a field into the wizard's, on the step that really has it.
func place(step wizard.Step, field string) (wizard.Step, wizard.FieldID) {
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

// evidenceLine is one piece of evidence as a raw line for the technician.
func evidenceLine(e diagnostics.Evidence) string {
	data, err := e.MarshalJSON()
	if err != nil {
		return e.Kind
	}
	return string(data)
}

// Description is what a check's outcome means, in words of one language.
type Description struct {
	Title   string
	Code    string // to be said aloud
	Meaning string
	Remedy  []string
	Who     string
	Retry   string
}

// Describe puts a report into words: the name of the check when it passed, else its cause, meaning and remedy.
func Describe(r wizard.Report, lang locale.Lang) Description {
	cause, known := explain.Cause(r.Cause)
	if !known {
		check, _ := explain.Check(r.ID)
		return Description{Title: check.Title(lang)}
	}
	words := report.Describe(lang,
		diagnostics.Result{ID: diagnostics.ID(r.ID), Cause: r.Cause, Matched: r.Matched, Provider: r.Provider, Args: r.Args})
	return Description{
		Title: words.Title, Code: words.Code, Meaning: words.Meaning, Remedy: words.Remedy, Who: string(cause.Who),
		Retry: string(cause.Retry),
	}
}
