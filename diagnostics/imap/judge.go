package imap

import (
	"context"
	"errors"
	"strings"

	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// ours maps the faults that the dialog itself finds.
var ours = []struct {
	err   error
	cause check.Cause
}{
	{client.ErrPreauth, check.CausePreauthRefused},
	{client.ErrNoStartTLS, check.CauseTLSStripped},
	{client.ErrInsecure, check.CauseInsecureCleartext},
	{client.ErrLoginDisabled, check.CauseTLSRequired},
	{client.ErrNoMechanism, check.CauseAuthMechanismUnsupported},
	{client.ErrServerUnproven, check.CauseProtocolError},
	{client.ErrChallenge, check.CauseProtocolError},
	{client.ErrUnsafe, check.CauseSettingsInvalid},
	{client.ErrNoServer, check.CauseNoIMAPAtProvider},
	{client.ErrGone, check.CauseReadbackMismatch},
	{client.ErrStillThere, check.CauseCleanupFailed},
}

// kinds maps faults of a connection that stood. At connect time the first rung says it differently.
var kinds = map[wire.Kind]check.Cause{
	wire.KindPolicy:      check.CauseAddressNotAllowed,
	wire.KindRefused:     check.CauseConnectionRefused,
	wire.KindUnreachable: check.CauseNetworkUnreachable,
	wire.KindTimeout:     check.CauseServerTimeout,
	wire.KindReset:       check.CauseConnectionDropped,
	wire.KindClosed:      check.CauseConnectionDropped,
	wire.KindLimit:       check.CauseLimitExceeded,
	wire.KindInjected:    check.CauseTLSInjected,
	wire.KindForbidden:   check.CauseStartTLSForbidden,
	wire.KindNotTLS:      check.CauseTLSWrongMode,
	wire.KindVersion:     check.CauseTLSVersionUnsupported,
	wire.KindAlert:       check.CauseTLSHandshake,
	wire.KindTLS:         check.CauseTLSHandshake,
	wire.KindOther:       check.CauseConnectionDropped,
}

var resolveCauses = map[wire.Failure]check.Cause{wire.NotFound: check.CauseDNSNXDomain}

// Failure is the verdict on an error of client.Open or of a session, for checks of other areas that use a mailbox.
func Failure(ctx context.Context, network *wire.Network, target account.Target, err error) diagnostics.Result {
	r := &run{network: network, target: target, access: access(network, target)}
	var step *client.StepError
	if errors.As(err, &step) && step.Step == client.StepCertificate {
		return diagnostics.JudgeCertificate(ctx, network, r.access.Server.Host, step.TLS)
	}
	return r.failure(err)
}

// failure turns an error into a failed result: the cause, what the server said, and its code.
func (r *run) failure(err error) diagnostics.Result {
	result := diagnostics.Result{Status: check.Fail}
	var (
		refused  *client.ReplyError
		protocol *client.ProtocolError
		resolve  *wire.ResolveError
		step     *client.StepError
	)
	if errors.As(err, &step) {
		err = step.Err
	}
	for _, own := range ours {
		if errors.Is(err, own.err) {
			result.Cause = own.cause
			return result
		}
	}
	switch {
	case errors.As(err, &refused):
		result.Evidence = append(result.Evidence, diagnostics.Reply(refused.Reply()))
		if refused.Code != "" {
			code := refused.Code[:min(len(refused.Code), maxCode)]
			result.Code = &diagnostics.ReplyCode{Enhanced: safetext.Escape(string(code))}
		}
		r.explain(&result, refused)
		return result
	case errors.As(err, &protocol):
		result.Cause = check.CauseProtocolError
		result.Evidence = append(result.Evidence,
			diagnostics.Evidence{Kind: "protocol", Text: safetext.FromRemote(protocol.What)})
		return result
	case errors.As(err, &resolve):
		result.Cause = check.CauseDNSFailure
		if cause := resolveCauses[resolve.Kind]; cause != "" {
			result.Cause = cause
		}
		result.Evidence = append(result.Evidence,
			diagnostics.Evidence{
				Kind:   "dns",
				Fields: map[string]any{"name": safetext.FromRemote(resolve.Name), "failure": string(resolve.Kind)},
			})
		return result
	}
	if errors.Is(err, wire.ErrNoAddress) {
		result.Cause = check.CauseDNSNoAddress
		return result
	}
	fault := wire.Classify(err)
	if fault.Kind == wire.KindCancelled {
		return diagnostics.Result{Status: check.Skip, Cause: check.CauseCancelled}
	}
	result.Cause = kinds[fault.Kind]
	result.Args = []any{
		"host", safetext.FromRemote(r.access.Server.Host), "port", r.access.Server.Port, "limit",
		fault.Detail,
	}
	text := safetext.FromRemote(r.target.Secret.Redact(fault.Text.Raw()))
	result.Evidence = append(result.Evidence,
		diagnostics.Evidence{Kind: "error", Text: text, Fields: map[string]any{"class": string(fault.Kind)}})
	return result
}

// maxCode is how much of a response code a result shows; the longest registered one has 19 octets.
const maxCode = 60

// stranger tells which other service speaks on this port by its first words.
func stranger(line string) bool {
	first := strings.ToUpper(line)
	return strings.HasPrefix(first, "220") || strings.HasPrefix(first, "554") || strings.HasPrefix(first, "+OK") ||
		strings.HasPrefix(first, "SSH-") || strings.HasPrefix(first, "HTTP/") || strings.HasPrefix(first, "<!DOCTYPE") ||
		strings.HasPrefix(first, "<HTML")
}
