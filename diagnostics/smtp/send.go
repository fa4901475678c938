package smtp

import (
	"context"
	"fmt"
	"time"

	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/wire"
)

// State says what became of a message.
type State string

// The states. Unknown is neither yes nor no: the message may have been delivered (docs/security.md T18), and must not
// be sent again without a look into the mailboxes.
const (
	StateAccepted State = "accepted"
	StateRefused  State = "refused"
	StateUnknown  State = "unknown"
	StateNotSent  State = "not-sent"
)

// Outcome is what became of one message.
type Outcome struct {
	State   State
	QueueID string // as the server named it, raw; empty when it did not
	// Recipients are the server's verdicts, in the order of the call.
	Recipients []Verdict
	Results    []diagnostics.Result
	Took       time.Duration
}

// SendError says why a message was not accepted.
type SendError struct {
	State  State
	Result diagnostics.Result // of the check that failed
}

func (e *SendError) Error() string {
	return fmt.Sprintf("submission stopped at %s: %s", e.Result.ID, e.Result.Cause)
}

// Send hands one message to the submission server of target, climbing the whole ladder once. It tries nothing twice.
// The error is nil when the server took the message for at least one recipient, else a *SendError or ctx's error.
func Send(ctx context.Context, network *wire.Network, target account.Target, message []byte,
	recipients []string,
) (Outcome, error) {
	if message == nil {
		message = []byte{}
	}
	start := time.Now()
	l := newLadder(network, target, Options{Message: message, Recipients: recipients})
	results := diagnostics.Run(ctx, nil, diagnostics.Plan{Checks: l.checks(), Close: l.close})
	outcome := Outcome{State: StateNotSent, Recipients: l.recipients, Results: results, Took: time.Since(start)}
	data, _ := diagnostics.Find(results, diagnostics.SMTPData)
	if data.Status == diagnostics.Pass {
		outcome.State = StateAccepted
		for _, e := range data.Evidence {
			if e.Kind == "queue" {
				outcome.QueueID = e.Text.Raw()
			}
		}
		return outcome, nil
	}
	failed, ok := diagnostics.FirstFailure(results)
	if !ok {
		failed = data
	}
	switch {
	case data.Cause == causeUnknownDelivery:
		outcome.State, failed = StateUnknown, data
	case failed.Code != nil:
		outcome.State = StateRefused
	}
	if err := ctx.Err(); err != nil && outcome.State == StateNotSent {
		return outcome, err
	}
	return outcome, &SendError{State: outcome.State, Result: failed}
}
