package setup

import (
	"fmt"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/locale"
	"postier/internal/safetext"
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
	report := wizard.Report{
		ID: string(r.ID), Status: string(r.Status), Cause: r.Cause, Matched: r.Matched, Args: r.Args, Took: r.Took, Seen: seen(r),
	}
	for _, e := range r.Evidence {
		if e.Kind == "reply" && r.Status != diagnostics.Pass {
			report.Reply = e.Text
		}
	}
	for _, fix := range r.Fix {
		report.Fixes = append(report.Fixes, wizard.Fix{Kind: fix.Kind, Name: fix.Name, Value: fix.Value, Old: fix.Old, TTLSeconds: fix.TTLSeconds})
	}
	if cause, ok := explain.Cause(r.Cause); ok {
		report.Mend = wizard.Step(cause.Step)
		report.Field = wizard.FieldID(cause.FieldFor(string(r.ID)))
		switch report.Field {
		case "smtp-auth":
			report.Field = wizard.FieldAuth
		case "username", "smtp-user":
			report.Field = wizard.FieldUser
		case "credential":
			report.Field = wizard.FieldSecret
		}
	}
	for _, line := range r.Transcript {
		report.Details = append(report.Details, line.String())
	}
	if len(report.Details) == 0 {
		for _, e := range r.Evidence {
			report.Details = append(report.Details, evidenceLine(e))
		}
	}
	return report
}

// seen is one line of evidence for the row of a check.
func seen(r diagnostics.Result) safetext.Remote {
	for _, e := range r.Evidence {
		switch {
		case e.Kind == "tls":
			return safetext.FromRemote(fmt.Sprint(e.Fields["version"]))
		case e.Kind == "folder", e.Kind == "append":
			if name, ok := e.Fields["name"].(safetext.Remote); ok {
				return name
			}
		case e.Kind == "connection":
			if address, ok := e.Fields["address"].(string); ok {
				return safetext.FromRemote(address)
			}
		case !e.Text.Empty():
			line, _, _ := strings.Cut(e.Text.Raw(), "\n")
			return safetext.FromRemote(strings.TrimRight(line, "\r"))
		}
	}
	return safetext.Remote{}
}

// evidenceLine is one piece of evidence as a raw line for the technician.
func evidenceLine(e diagnostics.Evidence) string {
	parts := []string{e.Kind + ":"}
	if !e.Text.Empty() {
		parts = append(parts, e.Text.Escaped())
	}
	names := make([]string, 0, len(e.Fields))
	for name := range e.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		parts = append(parts, safetext.Escape(fmt.Sprintf("%s=%v", name, e.Fields[name])))
	}
	return strings.Join(parts, " ")
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
	title := r.ID
	if key := "setup.check." + r.ID; locale.For(lang).Has(key) {
		title = locale.For(lang).T(key)
	}
	cause, ok := explain.Cause(r.Cause)
	if !ok {
		return Description{Title: title}
	}
	answer := explain.AnswerFor(r.Cause, r.Matched)
	d := Description{
		Title: cause.Title(lang), Code: cause.Code, Meaning: fillArgs(answer.Meaning(lang), r.Args), Who: string(cause.Who), Retry: string(cause.Retry),
	}
	for _, line := range answer.Remedy(lang) {
		d.Remedy = append(d.Remedy, fillArgs(line, r.Args))
	}
	return d
}

// fillArgs fills {name} in a cause's text.
func fillArgs(text string, args []any) string {
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		value := fmt.Sprint(args[i+1])
		text = strings.ReplaceAll(text, "{"+name+"}", safetext.Escape(value))
	}
	return text
}
