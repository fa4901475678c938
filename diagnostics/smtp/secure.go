package smtp

import (
	"context"
	"errors"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// greetingSlow is when a banner counts as late: people notice, and programs with short deadlines give up.
const greetingSlow = 10 * time.Second

// greeting judges the banner (RFC 5321 §3.1).
func (l *ladder) greeting(ctx context.Context) diagnostics.Result {
	g, err := l.client.Greet(ctx)
	if err != nil {
		return l.traced(smtp.StepGreeting, l.judge(smtp.StepGreeting, err))
	}
	result := diagnostics.Passed(diagnostics.Evidence{
		Kind: "banner", Text: l.clean(g.Reply.Text()),
		Fields: map[string]any{
			"lines": len(g.Reply.Lines), "waited_ms": g.Waited.Milliseconds(),
		},
	})
	switch {
	case g.Reply.Masked():
		result.Status, result.Cause = check.Warn, check.CauseSecuritySoftwareIntercept
	case g.Waited > greetingSlow:
		result.Status, result.Cause = check.Warn, check.CauseGreetingSlow
	}
	return l.traced(smtp.StepGreeting, result)
}

// secure judges how TLS came about: at once, or by STARTTLS.
func (l *ladder) secure(ctx context.Context) diagnostics.Result {
	report, err := l.client.Secure(ctx)
	way, clear := l.client.Way(), diagnostics.Evidence{Kind: "tls", Fields: map[string]any{"version": "none"}}
	var result diagnostics.Result
	switch {
	case errors.Is(err, smtp.ErrNoTLS):
		result = l.judge(smtp.StepTLS, err, clear)
	case err != nil:
		result = l.judge(smtp.StepTLS, err)
	case way.Security == config.SecurityNone:
		result = diagnostics.Warned(check.CauseInsecureCleartext, clear)
	default:
		result = diagnostics.Passed(diagnostics.Evidence{Kind: "tls", Fields: map[string]any{
			"version": report.Version, "cipher": report.Cipher, "mode": string(way.Security),
			"took_ms": report.Took.Milliseconds(),
		}})
	}
	return l.traced(smtp.StepTLS, result)
}

// certificate judges the chain that the handshake showed, for the host that the person confirmed.
func (l *ladder) certificate(ctx context.Context) diagnostics.Result {
	if l.client.Way().Security == config.SecurityNone {
		return diagnostics.Skipped(check.CauseNotApplicable)
	}
	report, _ := l.client.Secure(ctx)
	return diagnostics.JudgeCertificate(ctx, l.network, l.host(), report)
}

// injection is the verdict on what came after the consent to STARTTLS (docs/security.md T2).
func (l *ladder) injection(ctx context.Context) diagnostics.Result {
	_, err := l.client.Secure(ctx)
	var e *smtp.Error
	switch {
	case errors.As(err, &e) && e.Step == smtp.StepInjection:
		return l.judge(smtp.StepInjection, err)
	case l.client.Way().Security != config.SecurityStartTLS:
		return diagnostics.Skipped(check.CauseNotApplicable)
	case err != nil:
		return needsFailed(check.SMTPTLS)
	}
	return diagnostics.Passed(diagnostics.Evidence{Kind: "buffered", Fields: map[string]any{"octets": 0}})
}

// hello judges the EHLO that counts: inside TLS where there is TLS.
func (l *ladder) hello(ctx context.Context) diagnostics.Result {
	r, err := l.client.Hello(ctx)
	if err != nil {
		return l.judge(smtp.StepHello, err)
	}
	ext := l.client.Extensions()
	list := make([]map[string]any, 0, len(ext.List))
	for _, x := range ext.List {
		list = append(list, map[string]any{
			"keyword": safetext.FromRemote(x.Keyword),
			"params":  safetext.FromRemote(x.Params),
		})
	}
	return l.accepted(r, diagnostics.Evidence{Kind: "extensions", Fields: map[string]any{
		"domain": safetext.FromRemote(ext.Domain), "helo": l.client.Helo(), "list": list, "size": ext.Size(),
	}})
}
