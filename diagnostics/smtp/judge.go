package smtp

import (
	"context"
	"errors"
	"slices"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/sasl"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// accepted is the result of a step that the server accepted.
func (l *ladder) accepted(r smtp.Reply, evidence ...diagnostics.Observation) diagnostics.Result {
	result := diagnostics.Passed(append(evidence, diagnostics.Reply{Text: l.clean(r.Text())})...)
	result.Code = replyCode(r)
	return result
}

func replyCode(r smtp.Reply) *diagnostics.ReplyCode {
	return &diagnostics.ReplyCode{Reply: r.Code, Enhanced: r.Enhanced}
}

// judge turns an error of the client into the result of a step's check. When the error belongs to another step, the
// check is skipped.
func (l *ladder) judge(step smtp.Step, err error, evidence ...diagnostics.Observation) diagnostics.Result {
	var e *smtp.Error
	if !errors.As(err, &e) || e.Step != step {
		return needsFailed(checkOf(e))
	}
	l.failed = e
	evidence = append(evidence, l.evidence(e)...)
	if !e.Lost && errors.Is(e.Err, context.Canceled) {
		return diagnostics.Result{Status: check.Skip, Cause: check.CauseCancelled, Evidence: evidence}
	}
	answer := explain.Submission(e, l.target.Provider)
	result := diagnostics.Result{
		Status: check.Fail, Cause: answer.Cause, Answer: answer, Evidence: evidence,
		// Whatever the cause, its sentence may name the server, as the person wrote it.
		Params: check.Params{Host: safetext.FromRemote(l.target.Submission.Host), Port: check.Number(l.client.Server().Port)},
	}
	switch {
	case errors.Is(e.Err, smtp.ErrNoSecret):
		result.Status = check.Skip
	case e.Reply.Code != 0:
		result.Code = replyCode(e.Reply)
	case !e.Lost && broken(e.Err):
		if f := wire.Classify(e.Err); f.Kind == wire.KindLimit {
			result.Params.Limit = f.Detail
		}
	}
	return result
}

// downgrade turns a step's failure into a warning, because the submission goes on.
func (l *ladder) downgrade(result diagnostics.Result) diagnostics.Result {
	result.Status, l.failed = check.Warn, nil
	return result
}

// checkOf returns the check that a skipped check names as its unmet need.
func checkOf(e *smtp.Error) check.ID {
	switch {
	case e == nil:
		return ""
	case e.Step == smtp.StepGreeting:
		return check.SMTPGreeting
	case e.Step == smtp.StepInjection:
		return check.SMTPInjection
	case e.Step == smtp.StepHello:
		return check.SMTPEhlo
	}
	return check.SMTPTLS
}

// The client's own findings: for silent ones the cause says everything, for spoken ones the error's text is shown as
// well.
var (
	silent = []error{
		smtp.ErrHost, smtp.ErrNoTLS, smtp.ErrNoAuth, smtp.ErrNoMechanism, smtp.ErrOnlyTokens, wire.ErrNoAddress,
	}
	spoken = []error{smtp.ErrNoSecret, smtp.ErrUTF8, smtp.ErrAddress, smtp.ErrTooLarge}
)

// broken reports whether an error is a fault of the connection, and neither a reply, an invalid reply nor a finding of
// the client.
func broken(err error) bool {
	var protocol *smtp.ProtocolError
	var mechanism *sasl.Error
	is := func(known error) bool { return errors.Is(err, known) }
	return !errors.As(err, &protocol) && !errors.As(err, &mechanism) && !slices.ContainsFunc(silent, is) &&
		!slices.ContainsFunc(spoken, is)
}

// evidence returns the observation that an error quotes.
func (l *ladder) evidence(e *smtp.Error) diagnostics.Evidence {
	var protocol *smtp.ProtocolError
	switch {
	case e.Reply.Code != 0:
		return diagnostics.Evidence{diagnostics.Reply{Text: e.Said}}
	case errors.As(e.Err, &protocol):
		return diagnostics.Evidence{diagnostics.Reply{Text: e.Said, Fault: protocol.What}}
	case slices.ContainsFunc(silent, func(known error) bool { return errors.Is(e.Err, known) }):
		return nil
	}
	f := wire.Classify(e.Err)
	seen := diagnostics.Failure{Text: l.clean(f.Text.Raw())}
	if broken(e.Err) {
		seen.Class, seen.Detail = f.Kind, f.Detail
	}
	return diagnostics.Evidence{seen}
}

// clean masks every form of the secret.
func (l *ladder) clean(text string) safetext.Remote { return l.client.Clean(text) }
