package smtp

import (
	"context"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// Options say what a run does besides observing.
type Options struct {
	// Message is sent when it is not nil: a whole message with its header, lines ended by CRLF.
	Message []byte
	// Recipients take the trial RCPT and the message; empty means Target.To alone. It must be an address that the user
	// named (docs/security.md T21).
	Recipients []string
	// Aliases are further sender addresses to try, without sending; ignored when Message is set.
	Aliases []string
	// Keep takes over the connection when the recipient or the message was taken, for a Send to come; nil ends it.
	Keep func(*smtp.Client)
	// Over is a connection to the same account that was kept, for Send alone; nil opens one.
	Over *smtp.Client
}

// ladder is what the checks of one plan share: the client whose steps they judge. The needs make them run one after the
// other, except for net.connect6, which only asks the client for its attempts over IPv6.
type ladder struct {
	network *wire.Network
	target  account.Target
	opts    Options
	client  *smtp.Client

	transaction *smtp.Transaction
	receipt     smtp.Receipt
	// failed is the client's error that ended the submission.
	failed error
	// kept is set once opts.Keep has the connection.
	kept bool
}

// Plan is the submission ladder for one target: net.* and smtp.* checks. smtp.data is among them when a message is
// given, smtp.auth unless Auth is none, sender and recipient when there are addresses for them.
func Plan(network *wire.Network, target account.Target, opts Options) diagnostics.Plan {
	l := newLadder(network, target, opts)
	return diagnostics.Plan{Checks: l.checks(), Close: l.close}
}

func newLadder(network *wire.Network, target account.Target, opts Options) *ladder {
	client := smtp.New(network, target.Submitter())
	client.Examine()
	return &ladder{network: network, target: target, opts: opts, client: client}
}

func (l *ladder) close() {
	if !l.kept {
		l.client.Close()
	}
}

// checks lists the rungs with their needs, which depend on the mode: inside implicit TLS the greeting comes after the
// handshake, with STARTTLS before it.
func (l *ladder) checks() []diagnostics.Check {
	checks := []diagnostics.Check{
		l.rung(check.NetResolve, l.resolve),
		l.rung(check.NetConnect, l.connect, check.NetResolve),
		// It runs after the steps in which the server speaks first.
		{
			ID: check.NetConnect6, Needs: ids(check.NetResolve),
			After: ids(check.NetConnect, check.SMTPGreeting, check.SMTPTLS), Run: l.connect6,
		},
		l.greetingCheck(),
		l.tlsCheck(),
		{ID: check.SMTPInjection, Needs: ids(check.SMTPGreeting), After: ids(check.SMTPTLS), Run: l.injection},
		{ID: check.SMTPCertificate, Needs: ids(check.SMTPTLS), Run: l.certificate},
		// The EHLO before STARTTLS is a part of smtp.tls, but its refusal is judged here.
		after(l.rung(check.SMTPEhlo, l.hello, check.SMTPGreeting), check.SMTPTLS, check.SMTPCertificate),
	}
	last := check.SMTPEhlo
	if l.target.Submission.Auth != config.MechanismNone {
		needs := ids(check.SMTPAuthOffered)
		if l.client.Server().Security != config.SecurityNone {
			needs = append(needs, check.SMTPCertificate)
		}
		last = check.SMTPAuth
		checks = append(checks,
			l.rung(check.SMTPAuthOffered, l.offered, check.SMTPEhlo), l.rung(last, l.signIn, needs...))
	}
	if l.target.Author() == "" {
		return checks
	}
	return append(checks, l.envelope(last)...)
}

// envelope lists the rungs of the transaction, the first of which needs one.
func (l *ladder) envelope(last check.ID) []diagnostics.Check {
	checks := []diagnostics.Check{
		l.rung(check.SMTPSender, l.sender, last), l.rung(check.SMTPRecipient, l.recipient, check.SMTPSender),
	}
	if l.opts.Message != nil {
		checks = append(checks, l.rung(check.SMTPData, l.message, check.SMTPRecipient))
	}
	return checks
}

func (l *ladder) greetingCheck() diagnostics.Check {
	switch {
	case len(l.client.Ways()) > 1:
		return after(l.rung(check.SMTPGreeting, l.greeting, check.NetConnect), check.SMTPTLS)
	case l.client.Server().Security == config.SecurityTLS:
		return l.rung(check.SMTPGreeting, l.greeting, check.SMTPTLS)
	}
	return l.rung(check.SMTPGreeting, l.greeting, check.NetConnect)
}

func (l *ladder) tlsCheck() diagnostics.Check {
	if len(l.client.Ways()) == 1 && l.client.Server().Security != config.SecurityTLS {
		return l.rung(check.SMTPTLS, l.secure, check.SMTPGreeting)
	}
	return l.rung(check.SMTPTLS, l.secure, check.NetConnect)
}

func ids(list ...check.ID) []check.ID { return list }

// rung is the check of a step, whose result has the step's lines of the transcript.
func (l *ladder) rung(id check.ID, step func(context.Context) diagnostics.Result, needs ...check.ID) diagnostics.Check {
	return diagnostics.Check{ID: id, Needs: needs, Run: diagnostics.Recorded(l.client.Recorder(), step)}
}

func after(c diagnostics.Check, ids ...check.ID) diagnostics.Check {
	c.After = ids
	return c
}

// traced gives a result the time and the lines of its step, which may have run earlier for another check.
func (l *ladder) traced(step smtp.Step, result diagnostics.Result) diagnostics.Result {
	trace := l.client.Trace(step)
	result.Took, result.Transcript = trace.Took, trace.Lines
	return result
}

// needsFailed is the result of a check whose need became known only during the run.
func needsFailed(need check.ID) diagnostics.Result {
	return diagnostics.Result{Status: check.Skip, Cause: check.CauseNeedsFailed, Needs: ids(need)}
}
