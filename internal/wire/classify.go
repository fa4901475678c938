package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"

	"postier/internal/safetext"
)

// Kind says what went wrong on a connection, as opposed to an error that the server reported in its protocol.
type Kind string

// The kinds, roughly in the order in which a conversation meets them.
const (
	KindNone        Kind = ""
	KindCancelled   Kind = "cancelled"   // the person stopped it
	KindPolicy      Kind = "policy"      // the address may not be dialled, nothing was sent
	KindResolve     Kind = "resolve"     // a look-up failed; see ResolveError
	KindRefused     Kind = "refused"     // nothing listens there
	KindUnreachable Kind = "unreachable" // no route to that network or host
	KindTimeout     Kind = "timeout"     // silence until the step's deadline
	KindReset       Kind = "reset"       // cut off with RST
	KindClosed      Kind = "closed"      // closed by the other side in the middle
	KindLimit       Kind = "limit"       // the peer sent more than a cap allows
	KindInjected    Kind = "injected"    // bytes after the STARTTLS reply
	KindForbidden   Kind = "forbidden"   // the policy does not allow STARTTLS; see Policy
	KindNotTLS      Kind = "not-tls"     // plain text instead of TLS
	KindVersion     Kind = "tls-version" // no common TLS version
	KindCertificate Kind = "certificate" // the chain is not valid; see TLSReport.Faults
	KindAlert       Kind = "tls-alert"   // another TLS alert; Detail names it
	KindTLS         Kind = "tls"         // another fault in the handshake
	KindOther       Kind = "other"
)

// Fault is a classified error.
type Fault struct {
	Kind Kind
	// Detail is the alert, the cap's name, or the first bytes that were not TLS.
	Detail safetext.Remote
	// Text is Go's own wording, as evidence.
	Text safetext.Remote
}

// Classify classifies an error of Connect, Handshake, Read or Write. nil gives KindNone.
func Classify(err error) Fault {
	if err == nil {
		return Fault{}
	}
	f := Fault{Kind: KindOther, Text: safetext.FromRemote(err.Error())}
	var (
		resolve *ResolveError
		limit   *LimitError
		header  tls.RecordHeaderError
	)
	// The order matters: a cancelled dial also looks like a timeout, and an injection also like a bad TLS record.
	switch {
	case errors.Is(err, ErrInjected):
		f.Kind = KindInjected
		if errors.As(err, &header) {
			f.Detail = safetext.FromRemote(string(header.RecordHeader[:]))
		}
	case errors.Is(err, context.Canceled):
		f.Kind = KindCancelled
	case errors.Is(err, ErrForbidden):
		f.Kind = KindForbidden
	case errors.Is(err, ErrAddressRefused):
		f.Kind = KindPolicy
	case errors.As(err, &resolve):
		f.Kind, f.Detail = KindResolve, safetext.FromRemote(string(resolve.Kind))
	case errors.As(err, &limit):
		f.Kind, f.Detail = KindLimit, safetext.FromRemote(limit.Limit)
	case errors.Is(err, ErrNoCertificate), errors.Is(err, ErrPinChanged):
		f.Kind = KindCertificate
	case errors.As(err, &header):
		f.Kind, f.Detail = KindNotTLS, safetext.FromRemote(string(header.RecordHeader[:]))
	default:
		f.Kind, f.Detail = classifyRest(err)
	}
	return f
}

func classifyRest(err error) (Kind, safetext.Remote) {
	for _, s := range systemErrors {
		if errors.Is(err, s.err) {
			return s.kind, safetext.Remote{}
		}
	}
	switch {
	case IsTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return KindTimeout, safetext.Remote{}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return KindClosed, safetext.Remote{}
	}
	return classifyTLS(err.Error())
}

// classifyTLS parses the error text of crypto/tls, whose alert type is not exported.
func classifyTLS(text string) (Kind, safetext.Remote) {
	_, alert, remote := strings.Cut(text, "remote error: tls: ")
	switch {
	case strings.Contains(text, "protocol version not supported"),
		strings.Contains(text, "unsupported protocol version"),
		strings.Contains(text, "no supported versions"):
		return KindVersion, safetext.FromRemote(alert)
	case remote:
		return KindAlert, safetext.FromRemote(alert)
	case strings.Contains(text, "tls: "):
		return KindTLS, safetext.Remote{}
	}
	return KindOther, safetext.Remote{}
}
