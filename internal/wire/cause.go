package wire

import (
	"strings"

	"postier/internal/check"
)

// Cause is what a fault of a connection that stood is in the catalogue of diagnostics/explain.
func (f Fault) Cause() check.Cause {
	switch f.Kind {
	case KindPolicy:
		return check.CauseAddressNotAllowed
	case KindResolve:
		return f.resolveCause()
	case KindRefused:
		return check.CauseConnectionRefused
	case KindUnreachable:
		return check.CauseNetworkUnreachable
	case KindLimit:
		return check.CauseLimitExceeded
	case KindInjected:
		return check.CauseTLSInjected
	case KindForbidden:
		return check.CauseStartTLSForbidden
	case KindNotTLS:
		if f.HTTP() {
			return check.CauseWrongService
		}
		return check.CauseTLSWrongMode
	case KindVersion:
		return check.CauseTLSVersionUnsupported
	case KindCertificate:
		return check.CauseCertUntrusted
	case KindAlert, KindTLS:
		return check.CauseTLSHandshake
	case KindTimeout:
		return check.CauseServerTimeout
	case KindCancelled:
		return check.CauseCancelled
	}
	return check.CauseConnectionDropped
}

// HTTP reports whether a web server answered where TLS was expected, as a captive portal does on every port.
func (f Fault) HTTP() bool {
	return f.Kind == KindNotTLS && strings.HasPrefix(f.Detail.Raw(), "HTTP/")
}

// DialCause is Cause before the connection stood, where the same silence means a blocked port.
func (f Fault) DialCause() check.Cause {
	switch f.Kind {
	case KindTimeout:
		return check.CausePortBlocked
	case KindOther, KindCertificate:
		return check.CauseNetworkUnreachable
	}
	return f.Cause()
}

func (f Fault) resolveCause() check.Cause {
	switch Failure(f.Detail.Raw()) {
	case NotFound:
		return check.CauseDNSNXDomain
	case NoAddress:
		return check.CauseDNSNoAddress
	}
	return check.CauseDNSFailure
}
