package smtp

import (
	"context"
	"fmt"
	"time"

	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// Outcome says whether one message was accepted, with the results of all checks.
type Outcome struct {
	State   smtp.State
	Receipt smtp.Receipt
	Results []diagnostics.Result
	Took    time.Duration
}

// SendError says why a message was not accepted.
type SendError struct {
	State  smtp.State
	Result diagnostics.Result // of the check that failed
}

func (e *SendError) Error() string {
	return fmt.Sprintf("submission stopped at %s: %s", e.Result.ID, e.Result.Cause)
}

// Send hands one message to the submission server of target, climbing the whole ladder once. It retries nothing. The
// error is nil when the server took the message for at least one recipient, else a *SendError or ctx's error.
//
// Over a kept connection only the transaction is new. Where that connection has ended before anything of the message
// was handed over, the message goes over a new one.
func Send(ctx context.Context, network *wire.Network, target account.Target, opts Options) (Outcome, error) {
	if opts.Message == nil {
		opts.Message = []byte{}
	}
	if opts.Over != nil {
		l := &ladder{network: network, target: target, opts: opts, client: opts.Over}
		outcome, err := l.send(ctx, l.envelope(check.SMTPAuth))
		if err == nil || ctx.Err() != nil || l.transaction != nil && !l.transaction.Over() {
			return outcome, err
		}
	}
	l := newLadder(network, target, opts)
	return l.send(ctx, l.checks())
}

// send carries out the checks that end with the message.
func (l *ladder) send(ctx context.Context, checks []diagnostics.Check) (Outcome, error) {
	start := time.Now()
	results := diagnostics.Run(ctx, nil, diagnostics.Plan{Checks: checks, Close: l.close})
	outcome := Outcome{State: smtp.StateNotSent, Receipt: l.receipt, Results: results, Took: time.Since(start)}
	data, _ := diagnostics.Find(results, check.SMTPData)
	if data.Status == check.Pass || data.Status == check.Warn {
		outcome.State = smtp.StateAccepted
		return outcome, nil
	}
	if l.failed != nil {
		outcome.State = smtp.StateOf(l.failed)
	}
	if err := ctx.Err(); err != nil && outcome.State == smtp.StateNotSent {
		return outcome, err
	}
	failed, ok := diagnostics.Root(results)
	if !ok || outcome.State == smtp.StateUnknown {
		failed = data
	}
	return outcome, &SendError{State: outcome.State, Result: failed}
}
