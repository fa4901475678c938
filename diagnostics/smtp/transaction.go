package smtp

import (
	"context"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// to lists the recipients of the trial RCPT or of the message.
func (l *ladder) to() []string {
	if len(l.opts.Recipients) > 0 {
		return l.opts.Recipients
	}
	return []string{l.target.To()}
}

// sender begins the transaction and judges the reply to MAIL, and those refusals of RCPT that are about the sender. The
// checks of recipient and message continue the same transaction: MAIL, RCPT and DATA are one round trip where the
// server allows it.
func (l *ladder) sender(ctx context.Context) diagnostics.Result {
	t := l.client.Begin(ctx, smtp.Mail{From: l.target.Author(), To: l.to(), Message: l.opts.Message})
	l.transaction = t
	from := safetext.FromRemote(l.target.Author())
	var result diagnostics.Result
	if err := t.SenderErr(); err != nil {
		result = l.judge(smtp.StepSender, err)
	} else if refusal, about := explain.SenderRefusal(t.Recipients, l.target.Provider); about {
		result = l.judge(smtp.StepSender, refusal)
	} else {
		result = l.accepted(t.Mail)
	}
	if t.Mail.Code != 0 {
		result = result.With(check.Params{From: from, Username: safetext.FromRemote(l.userName())})
	}
	return result.After(diagnostics.Sender{Text: from})
}

// recipient judges RCPT. The first refusal gives the cause; when the server accepts another recipient, the failure
// becomes a warning.
func (l *ladder) recipient(ctx context.Context) diagnostics.Result {
	t := l.transaction
	var result *diagnostics.Result
	var evidence diagnostics.Evidence
	for _, r := range t.Recipients {
		evidence = append(evidence,
			diagnostics.Recipient{Text: safetext.FromRemote(r.Address), Accepted: r.Refusal == nil})
		judged := l.accepted(r.Reply)
		if r.Refusal != nil {
			judged = l.judge(smtp.StepRecipient, r.Refusal)
		}
		judged = judged.With(check.Params{Recipient: safetext.FromRemote(r.Address)})
		if result == nil || (judged.Status == check.Fail && result.Status == check.Pass) {
			result = &judged
		}
	}
	if result == nil {
		failed := l.judge(smtp.StepRecipient, t.RecipientErr())
		result = &failed
	}
	if result.Status == check.Fail && t.Accepted() > 0 {
		*result = l.downgrade(*result)
	}
	result.Evidence = append(evidence, result.Evidence...)
	if l.opts.Message == nil {
		result.Evidence = append(result.Evidence, l.aliases(ctx)...)
		if l.keep(ctx, *result) {
			return *result
		}
		if err := l.client.Abandon(ctx); err != nil {
			*result = l.judge(smtp.StepRecipient, err, result.Evidence...)
		}
	}
	return *result
}

// keep leaves the connection open for a message to come, when that is wanted and the last step succeeded.
func (l *ladder) keep(ctx context.Context, last diagnostics.Result) bool {
	if l.opts.Keep == nil || last.Failed() || !l.client.Rest(ctx) {
		return false
	}
	l.kept = true
	l.opts.Keep(l.client)
	return true
}

// maxAliases bounds the trial senders of one run, because servers count errors and hang up.
const maxAliases = 10

// aliases tries further sender addresses, each in a transaction that is dropped before DATA.
func (l *ladder) aliases(ctx context.Context) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, address := range l.opts.Aliases[:min(len(l.opts.Aliases), maxAliases)] {
		if !l.client.Usable() || l.client.Reset(ctx) != nil {
			break
		}
		t := l.client.Begin(ctx, smtp.Mail{From: address, To: l.to()[:1]})
		if t.Mail.Code == 0 && !l.client.Usable() {
			break
		}
		alias := Alias{Text: safetext.FromRemote(address), Accepted: t.OK()}
		if !t.OK() {
			alias.Reply = new(l.clean(t.Refusal()))
		}
		list = append(list, alias)
	}
	return list
}

// message sends the message and judges the verdict on it.
func (l *ladder) message(ctx context.Context) diagnostics.Result {
	receipt, err := l.transaction.Data(ctx)
	l.receipt = receipt
	var evidence diagnostics.Evidence
	if receipt.Octets > 0 {
		evidence = append(evidence, Message{
			Octets: receipt.Octets, Recipients: l.transaction.Accepted(), TookMS: receipt.Took.Milliseconds(),
		})
	}
	if err != nil {
		return l.judge(smtp.StepData, err, evidence...)
	}
	result := l.accepted(receipt.Reply, evidence...)
	if receipt.QueueID != "" {
		result.Evidence = append(result.Evidence, QueueID{Text: safetext.FromRemote(receipt.QueueID)})
	}
	if l.keep(ctx, result) {
		return result
	}
	if err := l.client.Farewell(ctx); err != nil { // the message was taken all the same
		return l.downgrade(l.judge(smtp.StepData, err, result.Evidence...))
	}
	return result
}
