package smtp

import (
	"context"
	"errors"
	"strings"

	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// The causes that this package gives by itself; the rest come from the catalogue by the server's words.
const (
	causeNoIPv6           = "not-applicable"
	causeNotApplicable    = "not-applicable"
	causeIPv6Broken       = "ipv6-broken"
	causeNXDomain         = "dns-nxdomain"
	causeNoAddress        = "dns-no-address"
	causeDNSFailure       = "dns-failure"
	causeAddressRefused   = "address-not-allowed"
	causePortBlocked      = "port-blocked"
	causeRefused          = "connection-refused"
	causeDropped          = "connection-dropped"
	causeUnreachable      = "network-unreachable"
	causeTimeout          = "server-timeout"
	causeGreetingSlow     = "greeting-slow"
	causeGreetingRefused  = "greeting-refused"
	causeLimit            = "limit-exceeded"
	causeProtocol         = "protocol-error"
	causeWrongService     = "wrong-service"
	causeIntercept        = "security-software-intercept"
	causeWrongMode        = "tls-wrong-mode"
	causeStripped         = "tls-stripped"
	causeInjected         = "tls-injected"
	causeHandshake        = "tls-handshake"
	causeVersion          = "tls-version-unsupported"
	causeStartTLSFailed   = "starttls-failed"
	causeForbidden        = "starttls-forbidden"
	causeCleartext        = "insecure-cleartext"
	causeEhloUnsupported  = "ehlo-unsupported"
	causeAuthNotOffered   = "auth-not-offered"
	causeAuthUnsupported  = "auth-mechanism-unsupported"
	causeBasicDisabled    = "basic-auth-disabled"
	causeAuthBeforeTLS    = "auth-before-tls"
	causeNoCredential     = "credential-unreadable"
	causeTokenExpired     = "oauth-token-expired"
	causeWrongPassword    = "wrong-password"
	causeAuthTemporary    = "auth-temporary-failure"
	causeSenderRejected   = "sender-rejected"
	causeRecipientRefused = "recipient-rejected"
	causeMessageRefused   = "message-refused"
	causeTooLarge         = "message-too-large"
	causeUTF8             = "utf8-unsupported"
	causeAddressInvalid   = "address-invalid"
	causeSettings         = "settings-invalid"
	causeUnknownDelivery  = "delivery-unknown"
	causeBusy             = "server-busy"
	causeUnknown          = "unknown"
)

// stage says where in the ladder something happened: the same silence means a blocked port before the connection stands
// and a slow server afterwards.
type stage string

const (
	stageResolve stage = "resolve"
	stageConnect stage = "connect"
	stageDialog  stage = "dialog"
)

func pass(evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Pass, Evidence: evidence}
}

func skip(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Skip, Cause: cause, Evidence: evidence}
}

func fail(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Fail, Cause: cause, Evidence: evidence}
}

func warn(cause string, evidence ...diagnostics.Evidence) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Warn, Cause: cause, Evidence: evidence}
}

// fault judges an error that is no reply.
func (l *ladder) fault(err error, at stage) diagnostics.Result {
	var protocol *ProtocolError
	if errors.As(err, &protocol) {
		return l.strange(protocol)
	}
	if errors.Is(err, wire.ErrNoAddress) {
		return fail(causeNoAddress)
	}
	f := wire.Classify(err)
	fields := map[string]any{"class": string(f.Kind)}
	if !f.Detail.Empty() {
		fields["detail"] = f.Detail
	}
	evidence := diagnostics.Evidence{Kind: "error", Text: l.clean(f.Text.Raw()), Fields: fields}
	if f.Kind == wire.KindCancelled || errors.Is(err, context.Canceled) {
		return skip(diagnostics.CauseCancelled, evidence)
	}
	cause, args := kindCause(f, at)
	result := fail(cause, evidence)
	result.Args = append(args, "host", safetext.FromRemote(l.target.Submission.Host), "port", l.way.port)
	return result
}

func kindCause(f wire.Fault, at stage) (cause string, args []any) {
	switch f.Kind {
	case wire.KindPolicy:
		return causeAddressRefused, nil
	case wire.KindResolve:
		if f.Detail.Raw() == string(wire.NotFound) {
			return causeNXDomain, nil
		}
		if f.Detail.Raw() == string(wire.NoAddress) {
			return causeNoAddress, nil
		}
		return causeDNSFailure, nil
	case wire.KindRefused:
		return causeRefused, nil
	case wire.KindUnreachable:
		return causeUnreachable, nil
	case wire.KindLimit:
		return causeLimit, []any{"limit", f.Detail}
	case wire.KindInjected:
		return causeInjected, nil
	case wire.KindForbidden:
		return causeForbidden, nil
	case wire.KindNotTLS:
		return causeWrongMode, nil
	case wire.KindVersion:
		return causeVersion, nil
	case wire.KindAlert, wire.KindTLS:
		return causeHandshake, nil
	case wire.KindTimeout:
		if at == stageConnect {
			return causePortBlocked, nil
		}
		return causeTimeout, nil
	case wire.KindReset, wire.KindClosed:
		return causeDropped, nil
	}
	switch at {
	case stageResolve:
		return causeDNSFailure, nil
	case stageConnect:
		return causeUnreachable, nil
	}
	return causeDropped, nil
}

// strange judges what is no SMTP reply: TLS bytes, another protocol, or nonsense.
func (l *ladder) strange(e *ProtocolError) diagnostics.Result {
	evidence := diagnostics.Evidence{
		Kind: "reply", Text: shorten(l.clean(e.Seen.Raw())),
		Fields: map[string]any{"fault": e.What},
	}
	switch {
	case e.What == "tls-record":
		return fail(causeWrongMode, evidence)
	case otherService(e.Seen.Raw()):
		return fail(causeWrongService, evidence)
	}
	return fail(causeProtocol, evidence)
}

// otherService knows the first words of the services that people reach by a wrong port.
func otherService(text string) bool {
	for _, start := range []string{
		"* OK", "* PREAUTH", "* BYE", "+OK", "-ERR", "HTTP/", "SSH-", "<!DOCTYPE", "<html",
		"RFB ",
	} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

// replied judges a refusal in the server's own words. fallback is the cause when the catalogue has none, or knows only
// that the command was not understood, which at this rung has a meaning of its own.
func (l *ladder) replied(r Reply, fallback string) diagnostics.Result {
	answer := l.match(r)
	if answer.Entry == "" && (answer.Cause == causeUnknown || answer.Cause == causeProtocol) {
		answer.Cause = fallback
		if r.Code >= 400 && r.Code < 500 {
			answer.Cause = causeBusy // RFC 5321 §4.2.1: a transient negative completion
		}
	}
	result := fail(answer.Cause, l.replyEvidence(r))
	result.Matched, result.Provider = answer.Entry, l.target.Provider
	result.Code = replyCodeOf(r)
	return result
}

func replyCodeOf(r Reply) *diagnostics.ReplyCode {
	if r.Code == 0 {
		return nil
	}
	return &diagnostics.ReplyCode{Reply: r.Code, Enhanced: r.Enhanced}
}

// replyEvidence is a reply without any form of the secret, which a server may have sent back.
func (l *ladder) replyEvidence(r Reply) diagnostics.Evidence {
	return diagnostics.Evidence{Kind: "reply", Text: l.clean(r.Text())}
}

// maxStrange is how much of what is no reply is kept as evidence.
const maxStrange = 500

func shorten(r safetext.Remote) safetext.Remote {
	text := r.Raw()
	return safetext.FromRemote(text[:min(len(text), maxStrange)])
}

// clean replaces every form of the secret.
func (l *ladder) clean(text string) safetext.Remote {
	return safetext.FromRemote(l.target.Secret.Redact(text, l.target.Submission.Username))
}
