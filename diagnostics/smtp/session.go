package smtp

import (
	"context"
	"errors"
	"slices"
	"time"

	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/wire"
)

// QueueDataDeadline is how long a sender without a person waits for the verdict behind the dot (RFC 5321 §4.5.3.2.6).
const QueueDataDeadline = 600 * time.Second

// ErrSessionOver says that a session takes no further message; nothing was said about this one.
var ErrSessionOver = errors.New("the connection has ended")

// Session is a signed-in connection that hands over one message after another. It is not safe for use by several
// goroutines.
type Session struct {
	ladder *ladder
	// Results are those of the rungs up to the sign-in.
	Results []diagnostics.Result
	sent    int
}

// Dial climbs the ladder up to the sign-in, once. The error is a *SendError with StateNotSent, or ctx's own.
func Dial(ctx context.Context, network *wire.Network, target account.Target) (*Session, error) {
	l := newLadder(network, target, Options{Message: []byte{}})
	l.keep, l.patience = true, QueueDataDeadline
	envelope := ids(diagnostics.SMTPSender, diagnostics.SMTPRecipient, diagnostics.SMTPData)
	checks := slices.DeleteFunc(l.checks(), func(c diagnostics.Check) bool {
		return slices.Contains(envelope, c.ID) || c.ID == diagnostics.NetConnect6
	})
	s := &Session{ladder: l, Results: diagnostics.Run(ctx, nil, diagnostics.Plan{Checks: checks})}
	failed, bad := diagnostics.FirstFailure(s.Results)
	switch {
	case ctx.Err() != nil:
		s.Close()
		return nil, ctx.Err()
	case bad:
		s.Close()
		return nil, &SendError{State: StateNotSent, Result: failed}
	}
	last := s.Results[len(s.Results)-1]
	if l.dialog == nil || last.Status == diagnostics.Skip {
		s.Close()
		return nil, &SendError{State: StateNotSent, Result: last}
	}
	return s, nil
}

// Extensions is what the server offers inside TLS.
func (s *Session) Extensions() Extensions { return s.ladder.dialog.ext }

// Sent is the number of messages that went over this connection.
func (s *Session) Sent() int { return s.sent }

// Usable reports whether another message may follow.
func (s *Session) Usable() bool { return s.ladder.dialog != nil && !s.ladder.dialog.broken }

// Mail is one message with its envelope.
type Mail struct {
	From string
	To   []string
	// Message is a whole message with its header, lines ended by LF or CRLF.
	Message []byte
	// BeforeDot is called when the server has agreed to take the message and before the last part of it is written: from
	// then on nobody but the server can know what became of it (RFC 1047). An error stops the transaction.
	BeforeDot func() error
}

// Send hands over one message. On an error other than a refusal of the message the session is over. The error is nil
// when the server took the message for at least one recipient, ErrSessionOver when the connection had ended before
// anything was said, else a *SendError.
func (s *Session) Send(ctx context.Context, m Mail) (Outcome, error) {
	l := s.ladder
	outcome := Outcome{State: StateNotSent}
	if !s.Usable() {
		return outcome, ErrSessionOver
	}
	defer l.dialog.conn.Watch(ctx)()
	start := time.Now()
	l.opts.Message, l.opts.Recipients, l.recipients, l.beforeDot = m.Message, m.To, nil, m.BeforeDot
	l.data = l.transaction(m.From, m.To, m.Message)
	l.dialog.inData = l.data.dataSaid
	if s.sent > 0 && l.data.mail.Code == 0 && l.dialog.broken && ctx.Err() == nil {
		return outcome, ErrSessionOver // servers close idle connections
	}
	result := l.sender(ctx)
	result.ID = diagnostics.SMTPSender
	if result.Status == diagnostics.Pass {
		recipients := l.recipient(ctx)
		recipients.ID = diagnostics.SMTPRecipient
		outcome.Recipients = l.recipients
		result = recipients
	}
	if result.Status != diagnostics.Fail {
		result = l.message(ctx)
		result.ID = diagnostics.SMTPData
	}
	outcome.Results, outcome.Took = []diagnostics.Result{result}, time.Since(start)
	if result.Status == diagnostics.Pass {
		s.sent++
		outcome.State = StateAccepted
		for _, e := range result.Evidence {
			if e.Kind == "queue" {
				outcome.QueueID = e.Text.Raw()
			}
		}
		return outcome, nil
	}
	switch {
	case result.Cause == causeUnknownDelivery:
		outcome.State = StateUnknown
	case result.Code != nil:
		outcome.State = StateRefused
	}
	// What the server still waits for after a refusal depends on what was pipelined; a new connection costs less than a
	// doubt.
	s.Close()
	if outcome.State == StateNotSent && ctx.Err() != nil {
		return outcome, ctx.Err()
	}
	return outcome, &SendError{State: outcome.State, Result: result}
}

// Close says goodbye.
func (s *Session) Close() { s.ladder.close() }
