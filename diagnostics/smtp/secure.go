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

// greetingSlow is the wait after which a banner counts as late: users notice it, and programs with short deadlines give
// up.
const greetingSlow = 10 * time.Second

// greeting judges the banner (RFC 5321 §3.1).
func (l *ladder) greeting(ctx context.Context) diagnostics.Result {
	g, err := l.client.Greet(ctx)
	if err != nil {
		return l.traced(smtp.StepGreeting, l.judge(smtp.StepGreeting, err))
	}
	result := diagnostics.Passed(diagnostics.Banner{
		Text: l.clean(g.Reply.Text()), Lines: len(g.Reply.Lines), WaitedMS: g.Waited.Milliseconds(),
	})
	switch {
	case g.Reply.Masked():
		result.Status, result.Cause = check.Warn, check.CauseSecuritySoftwareIntercept
	case g.Waited > greetingSlow:
		result.Status, result.Cause = check.Warn, check.CauseGreetingSlow
	}
	return l.traced(smtp.StepGreeting, result)
}

// secure judges how TLS was established: at once, or by STARTTLS.
func (l *ladder) secure(ctx context.Context) diagnostics.Result {
	report, err := l.client.Secure(ctx)
	way, clear := l.client.Server(), diagnostics.NoTLS()
	var result diagnostics.Result
	switch {
	case errors.Is(err, smtp.ErrNoTLS):
		result = l.judge(smtp.StepTLS, err, clear)
	case err != nil:
		result = l.judge(smtp.StepTLS, err)
	case way.Security == config.SecurityNone:
		result = diagnostics.Warned(check.CauseInsecureCleartext, clear)
	default:
		result = diagnostics.Passed(diagnostics.TLS{
			Version: report.Version, Cipher: report.Cipher, Mode: way.Security, TookMS: report.Took.Milliseconds(),
		})
	}
	return l.traced(smtp.StepTLS, result)
}

// certificate judges the chain of the handshake for the host that the user confirmed.
func (l *ladder) certificate(ctx context.Context) diagnostics.Result {
	if l.client.Server().Security == config.SecurityNone {
		return diagnostics.Skipped(check.CauseNotApplicable)
	}
	report, _ := l.client.Secure(ctx)
	return diagnostics.JudgeCertificate(ctx, l.network, l.host(), report)
}

// injection judges whether data followed the server's consent to STARTTLS before TLS began (docs/security.md T2).
func (l *ladder) injection(ctx context.Context) diagnostics.Result {
	_, err := l.client.Secure(ctx)
	var e *smtp.Error
	switch {
	case errors.As(err, &e) && e.Step == smtp.StepInjection:
		return l.judge(smtp.StepInjection, err)
	case l.client.Server().Security != config.SecurityStartTLS:
		return diagnostics.Skipped(check.CauseNotApplicable)
	case err != nil:
		return needsFailed(check.SMTPTLS)
	}
	return diagnostics.Passed(Buffered{})
}

// hello judges the EHLO that counts: inside TLS where there is TLS.
func (l *ladder) hello(ctx context.Context) diagnostics.Result {
	if _, err := l.client.Secure(ctx); err != nil {
		return l.heloRefused(l.judge(smtp.StepHello, err))
	}
	r, err := l.client.Hello(ctx)
	if err != nil {
		return l.heloRefused(l.judge(smtp.StepHello, err))
	}
	ext := l.client.Extensions()
	seen := diagnostics.Extensions{
		Domain: safetext.FromRemote(ext.Domain), Helo: l.client.Helo(), List: []diagnostics.Extension{}, Size: ext.Size(),
	}
	for _, x := range ext.List {
		seen.List = append(seen.List,
			diagnostics.Extension{Keyword: safetext.FromRemote(x.Keyword), Params: safetext.FromRemote(x.Params)})
	}
	result := l.accepted(r, seen)
	result.Needs = ids(check.SMTPGreeting, check.SMTPTLS)
	if refused := l.client.RefusedHelo(); refused != "" {
		result = result.After(RefusedHelo{Name: safetext.FromRemote(refused)})
	}
	return result
}

// heloRefused names the name that was sent in the sentence of a refusal.
func (l *ladder) heloRefused(result diagnostics.Result) diagnostics.Result {
	if result.Cause == check.CauseHELORejected {
		result.Params.Name = safetext.FromRemote(l.client.Helo())
	}
	return result
}
