package smtp

import (
	"context"

	"postier/config"
	"postier/diagnostics"
)

// certificate judges the chain that the handshake showed, for the host that the person confirmed.
func (l *ladder) certificate(ctx context.Context) diagnostics.Result {
	if l.way.security == config.SecurityNone {
		return skip(causeNotApplicable)
	}
	return diagnostics.JudgeCertificate(ctx, l.network, l.target.Submission.Host, l.tls)
}
