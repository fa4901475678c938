package imap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// clientCauses maps what the client finds by itself to causes.
var clientCauses = []struct {
	err   error
	cause check.Cause
}{
	{client.ErrPreauth, check.CausePreauthRefused},
	{client.ErrNoStartTLS, check.CauseTLSStripped},
	{client.ErrInsecure, check.CauseInsecureCleartext},
	{client.ErrLoginDisabled, check.CauseTLSRequired},
	{client.ErrNoMechanism, check.CauseAuthMechanismUnsupported},
	{client.ErrUnsafe, check.CauseSettingsInvalid},
	{client.ErrNoServer, check.CauseNoIMAPAtProvider},
	{client.ErrGone, check.CauseReadbackMismatch},
	{client.ErrStillThere, check.CauseCleanupFailed},
	{wire.ErrNoAddress, check.CauseDNSNoAddress},
}

// Failure judges an error of client.Open or of a session, for checks of other areas that use a mailbox.
func Failure(ctx context.Context, network *wire.Network, target account.Target, err error) diagnostics.Result {
	r := &run{network: network, target: target, access: access(network, target)}
	var step *client.StepError
	if errors.As(err, &step) && step.Step == client.StepCertificate {
		return diagnostics.JudgeCertificate(ctx, network, r.access.Server.Host, step.TLS)
	}
	return r.failure(err)
}

// failure turns an error into a failed result: the cause, what the server said, and its code. Whatever the cause, its
// sentence may name the server.
func (r *run) failure(err error) diagnostics.Result { return r.judge(err).With(r.serverParams()) }

func (r *run) judge(err error) diagnostics.Result {
	var (
		refused  *client.ReplyError
		protocol *client.ProtocolError
		exchange *sasl.Error
		resolve  *wire.ResolveError
		step     *client.StepError
	)
	if errors.As(err, &step) {
		err = step.Err
	}
	for _, own := range clientCauses {
		if errors.Is(err, own.err) {
			return diagnostics.Failed(own.cause)
		}
	}
	fault := wire.Classify(err)
	switch {
	case errors.As(err, &exchange):
		return diagnostics.Failed(check.CauseProtocolError)
	case errors.As(err, &refused):
		return r.refused(refused)
	case errors.As(err, &protocol):
		return diagnostics.Failed(check.CauseProtocolError, diagnostics.Protocol{Text: safetext.FromRemote(protocol.What)})
	case errors.As(err, &resolve):
		return diagnostics.Failed(fault.Cause(), Lookup{Name: safetext.FromRemote(resolve.Name), Failure: resolve.Kind})
	case fault.Kind == wire.KindCancelled:
		return diagnostics.Skipped(check.CauseCancelled)
	}
	answer := explain.Fault(fault)
	result := diagnostics.Failed(answer.Cause, diagnostics.Failure{
		Text: safetext.FromRemote(r.target.Secret.Redact(fault.Text.Raw())), Class: fault.Kind, Detail: fault.Detail,
	}).With(check.Params{Limit: fault.Detail})
	result.Answer = answer
	return result
}

// serverParams names the server in the sentence of a cause, as the person wrote it.
func (r *run) serverParams() check.Params {
	typed := r.target.Mailbox().Server.Host
	return check.Params{Host: safetext.FromRemote(typed), Port: check.Number(r.access.Server.Port)}
}

// maxCode is how much of a response code a result shows; the longest registered one has 19 octets.
const maxCode = 60

// otherService reports whether a greeting is that of another service.
func otherService(line string) bool {
	return slices.ContainsFunc([]string{"220", "554", "+OK", "SSH-", "HTTP/", "<!DOCTYPE", "<HTML"},
		func(word string) bool { return strings.HasPrefix(strings.ToUpper(line), word) })
}
