package diagnose

import (
	"context"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/wizard"
	"postier/wizard/home"
)

// Letter is a message with a file, to somebody such as support.
type Letter struct {
	Profile       string // that sends it; empty where the machine's service sends
	To, ReplyTo   string
	Subject, Text string
	Name          string // of the file
	Content       []byte
}

// Post sends a letter, and says what became of it.
type Post func(context.Context, Letter) error

// errDeclined is the end of a report that the person wanted neither written nor sent.
var errDeclined = command.Quiet(exitcode.Interrupted)

// checkTo refuses, before any check runs, what could not be sent at the end.
func (o *ReportOptions) checkTo() error {
	if o.To == "" {
		return nil
	}
	if err := o.CheckAddress(o.To); err != nil {
		return err
	}
	if !o.Yes && !o.Interactive() {
		return command.Usage(o.T("diagnose.report.to-unasked"))
	}
	return nil
}

// mail sends the report that was shown, octet for octet, when the person says yes. about is what was checked.
func (o *ReportOptions) mail(ctx context.Context, about account.Target, b *report.Bundle, results []diagnostics.Result,
	content []byte,
) error {
	letter := Letter{To: o.To, Name: o.file(), Content: content}
	letter.Subject, letter.Text = o.cover(b)
	question := wizard.Msg("diagnose.report.send", "to", safetext.FromRemote(o.To))
	doc, err := o.Document()
	if err == nil { // without a configuration the machine's service may send
		carriers := doc.File.Carriers(about.Profile, submits(results))
		if len(carriers) == 0 {
			return o.Fault(exitcode.Config, "diagnose.report.no-carrier", "to", safetext.FromRemote(o.To))
		}
		letter.Profile = carriers[0]
		from := doc.File.Profiles[letter.Profile].From.Address
		letter.ReplyTo = answersTo(&doc.File, about, from)
		if about.Profile != "" && letter.Profile != about.Profile {
			o.Note(o.T("diagnose.report.instead", "profile", safetext.FromRemote(about.Profile), "fallback",
				safetext.FromRemote(letter.Profile)))
		}
		question = wizard.Msg("diagnose.report.send-from", "to", safetext.FromRemote(o.To), "from",
			safetext.FromRemote(from))
	}
	agreed, err := o.agreedToSend(ctx, question)
	switch {
	case err != nil:
		return err
	case !agreed:
		if o.ask == nil || o.said.Empty() { // where it was written, that is what became of it
			o.tell(wizard.Msg("diagnose.report.not-sent"))
		}
		return errDeclined
	}
	return o.post(ctx, letter)
}

// agreedToSend asks whether the report leaves the machine.
func (o *ReportOptions) agreedToSend(ctx context.Context, question wizard.Words) (bool, error) {
	switch {
	case o.Yes:
		return true, nil
	case o.ask != nil:
		return o.ask(ctx, home.NewLetter(question))
	}
	return o.Confirm(ctx, o.Say(question.Msg)+" "+o.T("diagnose.or-no")), nil
}

// answersTo is the address of the person, where the report leaves from another one, such as the fallback's, which
// no one may read. Without an address of their own it is the default's.
func answersTo(file *config.File, about account.Target, from string) string {
	person := about.Address
	if own := file.Profiles[about.Profile]; own != nil {
		person = own.From.Address
	} else if usual := file.Profiles[file.Default]; person == "" && usual != nil {
		person = usual.From.Address
	}
	if strings.EqualFold(person, from) || !config.ValidateAddress(person).Empty() { // it may be what --user said
		return ""
	}
	return person
}

// cover is what support reads before the report: the code to look up. The name of the profile is not in it, since the
// report may be masked.
func (o *ReportOptions) cover(b *report.Bundle) (subject, text string) {
	code := o.T("diagnose.report.no-code")
	if root := b.Report.Root; root != nil {
		code = root.Code
	}
	return o.T("diagnose.report.subject", "product", o.Product(), "code", code),
		o.T("diagnose.report.text", "product", o.Product(), "code", code)
}

// submits reports whether the checks found nothing that keeps messages from being sent.
func submits(results []diagnostics.Result) bool {
	for _, r := range results {
		if r.Status == check.Fail && report.Area(r.ID) == check.SMTPAuth.Area() {
			return false
		}
	}
	return true
}
