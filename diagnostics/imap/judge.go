package imap

import (
	"context"
	"errors"
	"strings"

	"postier/diagnostics"
	"postier/internal/account"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// The causes that this package gives by its own judgement; the others come from the catalogue of replies.
const (
	causeApplicable    = "not-applicable"
	causeByProvider    = "sent-copy-by-provider"
	causeFolderMissing = "folder-missing"
	causeReadOnly      = "folder-read-only"
	causeRefused       = "append-refused"
	causeReadback      = "readback-mismatch"
	causeCleanup       = "cleanup-failed"
	causeQuota         = "quota-nearly-full"
	causeFull          = "mailbox-full"
	causeUnknown       = "delivery-unknown"
	causeAlert         = "server-alert"
	causeDropped       = "connection-dropped"
	causeTimeout       = "server-timeout"
	causeLimit         = "limit-exceeded"
	causeProtocol      = "protocol-error"
	causeStripped      = "tls-stripped"
	causeInjected      = "tls-injected"
	causeCleartext     = "insecure-cleartext"
	causeWrongMode     = "tls-wrong-mode"
	causeService       = "wrong-service"
	causeTurnedAway    = "greeting-refused"
	causePreauth       = "preauth-refused"
	causeTLSRequired   = "tls-required"
	causeNoMechanism   = "auth-mechanism-unsupported"
	causeNotOffered    = "auth-not-offered"
)

// ours maps the faults that the dialog itself finds.
var ours = []struct {
	err   error
	cause string
}{
	{client.ErrPreauth, causePreauth},
	{client.ErrNoStartTLS, causeStripped},
	{client.ErrInsecure, causeCleartext},
	{client.ErrLoginDisabled, causeTLSRequired},
	{client.ErrNoMechanism, causeNoMechanism},
	{client.ErrServerUnproven, causeProtocol},
	{client.ErrChallenge, causeProtocol},
	{client.ErrUnsafe, "settings-invalid"},
	{client.ErrNoServer, "no-imap-at-provider"},
	{client.ErrGone, causeReadback},
	{client.ErrStillThere, causeCleanup},
}

// kinds maps faults of a connection that stood. At connect time the first rung says it differently.
var kinds = map[wire.Kind]string{
	wire.KindPolicy:      "address-not-allowed",
	wire.KindRefused:     "connection-refused",
	wire.KindUnreachable: "network-unreachable",
	wire.KindTimeout:     causeTimeout,
	wire.KindReset:       causeDropped,
	wire.KindClosed:      causeDropped,
	wire.KindLimit:       causeLimit,
	wire.KindInjected:    causeInjected,
	wire.KindForbidden:   "starttls-forbidden",
	wire.KindNotTLS:      causeWrongMode,
	wire.KindVersion:     "tls-version-unsupported",
	wire.KindAlert:       "tls-handshake",
	wire.KindTLS:         "tls-handshake",
	wire.KindOther:       causeDropped,
}

var resolveCauses = map[wire.Failure]string{wire.NotFound: "dns-nxdomain"}

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
	result := diagnostics.Result{Status: diagnostics.Fail}
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
		result.Cause = causeProtocol
		result.Evidence = append(result.Evidence,
			diagnostics.Evidence{Kind: "protocol", Text: safetext.FromRemote(protocol.What)})
		return result
	case errors.As(err, &resolve):
		result.Cause = "dns-failure"
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
		result.Cause = "dns-no-address"
		return result
	}
	fault := wire.Classify(err)
	if fault.Kind == wire.KindCancelled {
		return diagnostics.Result{Status: diagnostics.Skip, Cause: diagnostics.CauseCancelled}
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
