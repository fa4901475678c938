package smtp

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/smtp"
	"postier/internal/wire"
)

func (l *ladder) resolve(ctx context.Context) diagnostics.Result {
	addresses, err := l.client.Resolve(ctx)
	seen := diagnostics.Addresses{Host: safetext.FromRemote(l.host())}
	switch {
	case errors.Is(err, smtp.ErrHost):
		return l.judge(smtp.StepResolve, err, seen)
	case err != nil:
		return l.judge(smtp.StepResolve, err)
	}
	seen.IPv4, seen.IPv6 = append([]netip.Addr{}, addresses.V4...), append([]netip.Addr{}, addresses.V6...)
	return diagnostics.Passed(seen)
}

// host is the server's name in A-labels.
func (l *ladder) host() string { return l.client.Account().Server.Host }

// connect lists each attempt. A failed attempt over IPv4 is a warning when another one connected. IPv6 has its own
// check.
func (l *ladder) connect(ctx context.Context) diagnostics.Result {
	attempts, err := l.client.Connect(ctx)
	evidence := connections(attempts)
	if err != nil {
		result := l.judge(smtp.StepConnect, err)
		if len(evidence) > 0 { // each attempt already shows its error
			result.Evidence = evidence
		}
		return result
	}
	for _, a := range attempts {
		if a.Err == nil || a.IPv6() {
			continue
		}
		result := l.downgrade(l.judge(smtp.StepConnect, &smtp.Error{Step: smtp.StepConnect, Err: a.Err}))
		result.Evidence = evidence
		return result
	}
	return diagnostics.Passed(evidence...)
}

// connect6 judges IPv6 alone. Where IPv4 works and IPv6 does not, programs are slow or fail now and then, so that is a
// warning. A connection counts only when the server said something on it. A host without IPv6 addresses is fine.
func (l *ladder) connect6(ctx context.Context) diagnostics.Result {
	if addresses, _ := l.client.Resolve(ctx); len(addresses.V6) == 0 {
		return diagnostics.Skipped(check.CauseNotApplicable)
	}
	start := time.Now()
	attempts, stands, err := l.client.IPv6(ctx)
	switch {
	case errors.Is(err, wire.ErrNoAddress):
		return needsFailed(check.NetConnect)
	case err != nil:
		return diagnostics.Skipped(check.CauseCancelled)
	}
	result := diagnostics.Warned(check.CauseIPv6Broken)
	if _, err := l.client.Connect(ctx); err != nil && !stands {
		result = needsFailed(check.NetConnect)
	} else if stands && l.client.SpeaksIPv6(ctx) {
		result = diagnostics.Passed()
	}
	result.Evidence, result.Took = connections(attempts), time.Since(start)
	for _, a := range attempts {
		result.Took = max(result.Took, a.Took)
	}
	return result
}

// connections turns attempts into evidence.
func connections(attempts []smtp.Attempt) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, a := range attempts {
		list = append(list, diagnostics.Connection{Attempt: a.Attempt, Security: a.Security})
	}
	return list
}
