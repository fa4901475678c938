package arrival

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/diagnostics"
	checks "postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/locale"
	"postier/internal/safetext"
	submission "postier/internal/smtp"
	"postier/internal/wire"
)

// SendFunc submits the message once, as smtp.Send does.
type SendFunc func(ctx context.Context, message []byte) (smtp.Outcome, error)

// Options say how the test is made.
type Options struct {
	// Lang is the language of the message; empty means English. Product is the name of the program that will send; empty
	// means postier.
	Lang    locale.Lang
	Product string
	// Send is nil for smtp.Send to Target.To.
	Send SendFunc
	// Mailbox takes over a session that an earlier check of the same account has kept. Without one, or if it has ended,
	// there is a new one.
	Mailbox func() *client.Session
	// Hold takes over the session once the message was found; nil ends it.
	Hold func(*client.Session)
	// Sent is the Message-ID of a test message that was submitted by an earlier run: it is looked for, and none is sent.
	Sent string
	// Deadline is how long the message may take; 0 means DefaultDeadline.
	Deadline time.Duration
	// Keep leaves the message where it arrived.
	Keep bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// DefaultDeadline is long enough for a slow filter and short enough for a person to watch; greylisting takes longer.
const DefaultDeadline = 90 * time.Second

// slow is the time after which a late arrival gets a warning.
const slow = 60 * time.Second

type run struct {
	network  *wire.Network
	target   account.Target
	options  Options
	recorder *wire.Recorder

	session   *client.Session
	junk      client.Choice
	sent      client.Choice
	message   Message
	hit       found
	judgement Judgement
}

// Plan lists the arrival checks. They wait for the submission and IMAP checks of the same run, so that neither server
// holds two sessions at once and a refused secret is not tried again (docs/security.md T21). A target without IMAP
// has none.
func Plan(network *wire.Network, target account.Target, options Options) diagnostics.Plan {
	if target.IMAP == nil {
		return diagnostics.Plan{}
	}
	options.Product, options.Lang = cmp.Or(options.Product, config.Program), cmp.Or(options.Lang, locale.English)
	options.Deadline = cmp.Or(options.Deadline, DefaultDeadline)
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Send == nil {
		options.Send = func(ctx context.Context, message []byte) (smtp.Outcome, error) {
			return smtp.Send(ctx, network, target, smtp.Options{Message: message})
		}
	}
	r := &run{network: network, target: target, options: options, recorder: wire.NewRecorder()}
	needs := []check.ID{check.SMTPAuth, check.SMTPRecipient, check.IMAPAuth}
	after := []check.ID{check.SMTPData, check.IMAPCleanup, check.IMAPQuota}
	arrived := []check.ID{check.ArrivalDelivered}
	return diagnostics.Plan{
		Checks: []diagnostics.Check{
			{ID: check.ArrivalDelivered, Needs: needs, After: after, Run: r.delivered},
			{ID: check.ArrivalPlacement, Needs: arrived, Run: r.placement},
			{ID: check.ArrivalSPF, Needs: arrived, Run: r.spf},
			{ID: check.ArrivalDKIM, Needs: arrived, Run: r.dkim},
			{ID: check.ArrivalDMARC, Needs: arrived, Run: r.dmarc},
		},
		Close: r.closeSession,
	}
}

// delivered sends the message, finds it, judges it and removes it again.
func (r *run) delivered(ctx context.Context) diagnostics.Result {
	if r.options.Mailbox != nil {
		r.session = r.options.Mailbox()
	}
	if r.session != nil {
		r.recorder = r.session.Recorder()
	}
	r.recorder.Hide(r.target.Secret, r.target.IMAP.Username, r.target.Submission.Username)
	mark := r.recorder.Mark()
	result := r.deliver(ctx)
	if r.options.Hold != nil && r.session != nil && !result.Failed() && !r.session.Ended() {
		r.options.Hold(r.session)
		r.session = nil
	}
	r.closeSession()
	result.Transcript = append(result.Transcript, r.recorder.Since(mark)...)
	return result
}

func (r *run) deliver(ctx context.Context) diagnostics.Result {
	message, err := r.compose()
	if err != nil {
		return diagnostics.Failed(check.CauseAddressInvalid)
	}
	r.message = message
	// The mailbox is opened first, so that no message is sent that could not be found again.
	if err := r.open(ctx); err != nil {
		return checks.Failure(ctx, r.network, r.target, err)
	}
	var outcome smtp.Outcome
	if r.options.Sent == "" {
		outcome, err = r.options.Send(ctx, message.Raw)
	}
	since := time.Now()
	evidence := diagnostics.Evidence{Sent{
		State: string(outcome.State), QueueID: safetext.FromRemote(outcome.Receipt.QueueID), MessageID: message.ID,
		Octets: len(message.Raw),
	}}
	if err != nil && outcome.State != submission.StateUnknown {
		return r.unsent(ctx, err, evidence)
	}
	hit, err := r.search(ctx, since)
	if err != nil {
		return r.notFound(ctx, err, outcome, evidence)
	}
	r.hit = hit
	r.judgement = Judge(ctx, r.network, hit.raw)
	evidence = append(evidence, Arrived{
		Folder: hit.folder.Name, Junk: hit.junk, Seconds: hit.after.Round(100 * time.Millisecond).Seconds(),
		Hops: r.judgement.Hops,
	})
	evidence = append(evidence, r.cleanUp(ctx)...)
	result := diagnostics.Passed(evidence...)
	if data, found := diagnostics.Find(outcome.Results, check.SMTPData); found && data.Status == check.Warn {
		result = diagnostics.Warned(data.Cause, append(evidence, data.Evidence...)...)
	}
	if hit.after >= slow {
		result = diagnostics.Warned(check.CauseArrivalSlow, evidence...)
	}
	if r.doubled(result) {
		result = diagnostics.Warned(check.CauseSentCopyDuplicate, evidence...)
	}
	return result.With(check.Params{Seconds: check.Number(int(hit.after.Round(time.Second).Seconds()))})
}

// compose writes a new message, or returns what is known of the one that was sent before.
func (r *run) compose() (Message, error) {
	if r.options.Sent != "" {
		return Message{ID: r.options.Sent, Token: tokenOf(r.options.Sent)}, nil
	}
	return Compose(r.target, r.options.Lang, r.options.Product, r.options.Now())
}

// unsent returns the result of the submission check that failed.
func (r *run) unsent(ctx context.Context, err error, evidence diagnostics.Evidence) diagnostics.Result {
	var refused *smtp.SendError
	if ctx.Err() == nil && errors.As(err, &refused) {
		result := refused.Result
		result.Status, result.Needs, result.Took = check.Fail, nil, 0
		return result.After(evidence...)
	}
	return diagnostics.Skipped(check.CauseCancelled, evidence...)
}

// notFound distinguishes a message that did not arrive from a mailbox that could not be read.
func (r *run) notFound(ctx context.Context, err error, outcome smtp.Outcome,
	evidence diagnostics.Evidence,
) diagnostics.Result {
	switch {
	case ctx.Err() != nil:
		return diagnostics.Skipped(check.CauseCancelled, evidence...)
	case errors.Is(err, errNotArrived) && outcome.State == submission.StateUnknown:
		return diagnostics.Failed(check.CauseDeliveryUnknown, evidence...)
	case errors.Is(err, errNotArrived):
		return diagnostics.Failed(check.CauseNotArrived, evidence...).With(
			check.Params{Seconds: check.Number(int(r.options.Deadline.Seconds()))})
	}
	return checks.Failure(ctx, r.network, r.target, err).After(evidence...)
}

// cleanUp removes the message and its Sent copy, and reports whether the provider filed that copy. This test files
// none, so a copy comes from the provider.
func (r *run) cleanUp(ctx context.Context) diagnostics.Evidence {
	var evidence diagnostics.Evidence
	if !r.options.Keep {
		method, err := r.session.Remove(ctx, r.hit.uid) // the folder in which it was found is still open
		evidence = append(evidence, Removed{
			Folder: r.hit.folder.Name, Method: string(method), OK: err == nil && method != client.LeftMarked,
		})
	}
	if !r.sent.Found || r.sent.Folder.Same(r.hit.folder) {
		return evidence
	}
	uids, err := r.session.FindIn(ctx, r.sent.Folder, r.message.ID)
	if err != nil {
		return evidence
	}
	copied := SentCopy{Folder: r.sent.Folder.Name, FiledByProvider: len(uids) > 0}
	if len(uids) > 0 && !r.options.Keep {
		copied.Removed = new(r.removeCopy(ctx, uids[0]))
	}
	return append(evidence, copied)
}

// removeCopy removes the Sent copy if it contains our token.
func (r *run) removeCopy(ctx context.Context, uid imap.UID) bool {
	raw, err := r.session.Fetch(ctx, uid)
	if err != nil || !bytes.Contains(raw, []byte(r.message.Token)) {
		return false
	}
	method, err := r.session.Remove(ctx, uid)
	return err == nil && method != client.LeftMarked
}

// Missing reads from the result of arrival.delivered the Message-ID of a message that the server has accepted and that
// has not arrived; empty when there is none.
func Missing(delivered diagnostics.Result) string {
	if delivered.Cause != check.CauseNotArrived {
		return ""
	}
	seen, _ := diagnostics.Observed[Sent](delivered.Evidence)
	return seen.MessageID
}

// FiledByProvider reads from the result of arrival.delivered whether the provider filed the Sent copy by itself. known
// is false when that could not be determined. The mode append then makes a second copy of each message.
func FiledByProvider(delivered diagnostics.Result) (filed, known bool) {
	seen, known := diagnostics.Observed[SentCopy](delivered.Evidence)
	return seen.FiledByProvider, known
}

// doubled reports whether both the provider and this profile file a Sent copy.
func (r *run) doubled(delivered diagnostics.Result) bool {
	filed, _ := FiledByProvider(delivered)
	return filed && r.target.SentMode == config.SentAppend
}
