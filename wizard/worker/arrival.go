package worker

import (
	"cmp"
	"context"
	"errors"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/explain"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/imap"
	submission "postier/internal/smtp"
	"postier/internal/wire"
	"postier/wizard"
)

// test sends one message to the person's own address and finds it again. Where the mailbox cannot be read, only sending
// is proven. It never sends twice: a second message is the person's own decision (docs/security.md T18).
func (w *Worker) test(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	network, target, ok := w.dial(ctx, r, check.SMTPData, out)
	if !ok {
		return
	}
	submitter, mailbox := owner{target.Submitter(), r.Draft.TLS.CAFile}, owner{target.Mailbox(), r.Draft.TLS.CAFile}
	sender := &sender{
		network: network, target: target, open: w.kept.submission.take(submitter),
		tell: func(report wizard.Report) { tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Report: &report}) },
	}
	defer func() { w.kept.submission.keep(sender.open, submitter) }()
	if !r.Draft.ReadsMailbox() {
		message, err := arrival.Compose(target, w.Lang, cmp.Or(w.Product, config.Program), w.now())
		if err != nil {
			out.Reports = []wizard.Report{ReportOf(diagnostics.Result{
				ID: check.SMTPData, Status: check.Fail,
				Cause: check.CauseAddressInvalid,
			})}
			return
		}
		_, _ = sender.send(ctx, message.Raw) // the result is in sender.submitted
		out.Reports = []wizard.Report{ReportOf(sender.submitted)}
		return
	}
	target.SentMode = r.Draft.CopyMode()
	results := w.run(ctx, r, tell, arrival.Plan(network, target, arrival.Options{
		Lang: w.Lang, Product: w.Product, Deadline: w.Arrival, Now: w.Now, Send: sender.send, Sent: r.Sent,
		Mailbox: func() *imap.Session { return w.kept.mailbox.take(mailbox) },
		Hold:    func(s *imap.Session) { w.kept.mailbox.keep(s, mailbox) },
	}))
	if delivered, ok := diagnostics.Find(results, check.ArrivalDelivered); ok {
		out.FiledByProvider, _ = arrival.FiledByProvider(delivered)
		out.Sent = arrival.Missing(delivered)
		if r.Sent != "" && delivered.Status != check.Pass && delivered.Status != check.Warn {
			out.Sent = r.Sent // the mailbox could not be read: the next look is for the same message
		}
	}
	out.Reports = reportsOf(sender.withSubmission(results))
}

// sender submits the test message once and keeps the result.
type sender struct {
	network *wire.Network
	target  account.Target
	tell    func(wizard.Report)
	// open is a connection that was left open: by the checks, and then by this message. nil when there is none.
	open *submission.Client
	// the check that decided whether the message was submitted; its status is empty before that
	submitted diagnostics.Result
}

func (s *sender) send(ctx context.Context, message []byte) (smtp.Outcome, error) {
	s.tell(wizard.Report{ID: check.SMTPData, Running: true})
	over := s.open
	s.open = nil
	outcome, err := smtp.Send(ctx, s.network, s.target, smtp.Options{
		Message: message, Over: over, Keep: func(c *submission.Client) { s.open = c },
	})
	var refused *smtp.SendError
	switch {
	case err == nil:
		s.submitted, _ = diagnostics.Find(outcome.Results, check.SMTPData)
	case errors.As(err, &refused) && (ctx.Err() == nil || outcome.State == submission.StateUnknown):
		s.submitted = refused.Result
	default:
		s.submitted = diagnostics.Result{ID: check.SMTPData, Status: check.Skip, Cause: check.CauseCancelled}
	}
	s.submitted.Took = outcome.Took
	s.tell(ReportOf(s.submitted))
	return outcome, err
}

// withSubmission puts the check of the submission before those of the arrival. When the submission failed, the arrival
// cannot be judged, so its checks are skipped and only the root cause is shown. A message that was found was accepted,
// even where the server's answer was lost (RFC 1047).
func (s *sender) withSubmission(results []diagnostics.Result) []diagnostics.Result {
	if s.submitted.Status == "" {
		return results
	}
	delivered, _ := diagnostics.Find(results, check.ArrivalDelivered)
	arrived := delivered.Status == check.Pass || delivered.Status == check.Warn
	if arrived && s.submitted.Cause == check.CauseDeliveryUnknown {
		s.submitted.Status, s.submitted.Cause, s.submitted.Answer = check.Pass, "", explain.Answer{}
	}
	for i := range results {
		if results[i].ID == check.ArrivalDelivered && results[i].Cause == s.submitted.Cause &&
			s.submitted.Status == check.Fail {
			results[i].Status, results[i].Cause = check.Skip, check.CauseNeedsFailed
			results[i].Answer = explain.Answer{}
		}
	}
	return append([]diagnostics.Result{s.submitted}, results...)
}
