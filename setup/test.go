package setup

import (
	"context"
	"errors"

	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/smtp"
	"postier/wizard"
)

// test sends one message to the person's own address and finds it again. Where the mailbox cannot be read, only sending
// is proven, and smtp.data is the whole report. It never sends twice: a second message is the person's own decision
// (security.md T18).
func (w *Worker) test(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	target := w.Target(r.Draft, r)
	if !r.Draft.ReadsMailbox() {
		target.IMAP = nil
		out.Reports = w.sendOnly(ctx, r, target, tell)
		return
	}
	target.SentMode = r.Draft.CopyMode()
	results := w.run(ctx, r, tell, arrival.Plan(w.Network, target, arrival.Options{
		Lang: w.Lang, Product: w.Product, Deadline: w.Arrival, Now: w.Now,
	}))
	out.Reports = Reports(results)
	if delivered, ok := diagnostics.Find(results, diagnostics.ArrivalDelivered); ok {
		out.FiledByProvider, _ = arrival.FiledByProvider(delivered)
	}
}

// sendOnly hands the message over and leaves looking for it to the person.
func (w *Worker) sendOnly(ctx context.Context, r wizard.Request, target diagnostics.Target, tell func(wizard.Outcome)) []wizard.Report {
	began := wizard.Report{ID: string(diagnostics.SMTPData), Running: true}
	tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Report: &began})
	message, err := arrival.Compose(target, w.Lang, w.product(), w.now())
	if err != nil {
		return []wizard.Report{Report(diagnostics.Result{ID: diagnostics.SMTPData, Status: diagnostics.Fail, Cause: "address-invalid"})}
	}
	outcome, err := smtp.Send(ctx, w.Network, target, message.Raw, []string{target.To()})
	var refused *smtp.SendError
	switch {
	case err == nil:
		data, _ := diagnostics.Find(outcome.Results, diagnostics.SMTPData)
		return []wizard.Report{Report(data)}
	case ctx.Err() == nil && errors.As(err, &refused):
		return []wizard.Report{Report(refused.Result)}
	}
	return []wizard.Report{Report(diagnostics.Result{
		ID: diagnostics.SMTPData, Status: diagnostics.Skip, Cause: diagnostics.CauseCancelled, Took: outcome.Took,
	})}
}

func (w *Worker) product() string {
	if w.Product == "" {
		return "postier"
	}
	return w.Product
}
