package smtp

import (
	"context"
	"errors"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// greetingSlow is when a banner counts as late: people notice, and programs with short deadlines give up.
const greetingSlow = 10 * time.Second

// silentTLS is how long the banner of port 465 is waited for in STARTTLS mode. That port speaks TLS first (RFC 8314
// §7.3), so silence there is nearly certain to be a server waiting for a ClientHello.
const silentTLS = 5 * time.Second

// greeting reads the banner (RFC 5321 §3.1).
func (l *ladder) greeting(ctx context.Context) diagnostics.Result {
	if l.way.security == config.SecurityTLS {
		if known, ok := l.known(diagnostics.SMTPTLS); !ok || known.Status == diagnostics.Fail ||
			known.Status == diagnostics.Skip {
			return needsFailed(diagnostics.SMTPTLS)
		}
	}
	within := wire.GreetingDeadline
	if l.way.port == portTLS && l.way.security != config.SecurityTLS {
		within = silentTLS
	}
	start := time.Now()
	l.dialog.conn.Step(within)
	r, err := l.dialog.reply()
	waited := time.Since(start)
	if err != nil {
		return l.noGreeting(ctx, err)
	}
	if r.Code != codeReady {
		return l.replied(r, causeGreetingRefused)
	}
	evidence := diagnostics.Evidence{Kind: "banner", Text: l.clean(r.Text()), Fields: map[string]any{
		"lines": len(r.Lines), "waited_ms": waited.Milliseconds(),
	}}
	switch {
	case masked(r.Words()):
		return warn(causeIntercept, evidence)
	case waited > greetingSlow:
		return warn(causeGreetingSlow, evidence)
	}
	return pass(evidence)
}

// noGreeting tells a server that waits for TLS from one that is only silent: it offers TLS on the same connection.
func (l *ladder) noGreeting(ctx context.Context, err error) diagnostics.Result {
	result := l.fault(err, stageDialog)
	if !wire.IsTimeout(err) || l.way.security == config.SecurityTLS || l.dialog.conn.Received() > 0 {
		return result
	}
	if _, err := l.dialog.conn.Handshake(ctx, l.target.Submission.Host, l.target.Pins); err == nil {
		result.Cause = causeWrongMode
	}
	_ = l.dialog.conn.Close()
	return result
}

// masked reports a banner or keyword that a firewall has overwritten (Cisco PIX and ASA: 220 ******, XXXXXXXA).
func masked(text string) bool {
	return strings.Count(text, "*") >= 8 || strings.Contains(strings.ToUpper(text), "XXXXXXX")
}

// secure brings TLS about: at once, or by STARTTLS.
func (l *ladder) secure(ctx context.Context) diagnostics.Result {
	switch l.way.security {
	case config.SecurityTLS:
		return l.handshake(ctx)
	case config.SecurityNone:
		evidence := diagnostics.Evidence{Kind: "tls", Fields: map[string]any{"version": "none"}}
		if l.target.AllowCleartext {
			return warn(causeCleartext, evidence)
		}
		return fail(causeCleartext, evidence)
	}
	greeted := l.rung(diagnostics.SMTPGreeting, l.greeting)(ctx)
	if greeted.Status == diagnostics.Fail || greeted.Status == diagnostics.Skip {
		return needsFailed(diagnostics.SMTPGreeting)
	}
	if refusal, refused := l.consent(); refused {
		return refusal
	}
	return l.handshake(ctx)
}

// consent asks for TLS (RFC 3207 §4). Nothing is ever said behind it in the same segment.
func (l *ladder) consent() (diagnostics.Result, bool) {
	r, err := l.dialog.ehlo(l.helo())
	if err != nil {
		return l.fault(err, stageDialog), true
	}
	if r.Code != codeOK {
		// Without EHLO there are no extensions, and HELO would be the downgrade itself (docs/security.md T1).
		return l.replied(r, causeStripped), true
	}
	l.before = l.dialog.ext
	if !l.before.Has("STARTTLS") {
		cause := causeStripped
		if masked(r.Words()) {
			cause = causeIntercept
		}
		result := fail(cause, l.replyEvidence(r))
		result.Code = replyCodeOf(r)
		return result, true
	}
	r, err = l.dialog.ask(wire.CommandDeadline, command{line: "STARTTLS"})
	switch {
	case err != nil:
		return l.fault(err, stageDialog), true
	case r.Code != codeReady:
		return l.startTLSRefused(r), true
	}
	return diagnostics.Result{}, false
}

// startTLSRefused judges the answer to STARTTLS. RFC 3207 §4: 454 says that TLS is not available for a temporary
// reason; 421 and others of class 4 come from the same servers. That is a TLS that did not come up, whatever the words.
func (l *ladder) startTLSRefused(r Reply) diagnostics.Result {
	result := l.replied(r, causeStripped)
	if r.Code/100 == 4 {
		result.Cause, result.Matched = causeStartTLSFailed, ""
		if answer := l.match(r); answer.Cause == causeStartTLSFailed {
			result.Matched = answer.Entry
		}
	}
	return result
}

func (l *ladder) handshake(ctx context.Context) diagnostics.Result {
	report, err := l.dialog.conn.Handshake(ctx, l.target.Submission.Host, l.target.Pins)
	l.tls = report
	if err == nil {
		return pass(diagnostics.Evidence{Kind: "tls", Fields: map[string]any{
			"version": report.Version, "cipher": report.Cipher, "mode": string(l.way.security),
			"took_ms": report.Took.Milliseconds(),
		}})
	}
	l.dialog.broken = true
	_ = l.dialog.conn.Close()
	if errors.Is(err, wire.ErrInjected) {
		l.injected = err
		return needsFailed(diagnostics.SMTPInjection)
	}
	result := l.fault(err, stageDialog)
	// A server that consented and then breaks off mostly lacks its key or certificate.
	if f := wire.Classify(err); l.way.security == config.SecurityStartTLS && f.Kind == wire.KindAlert &&
		f.Detail.Raw() == "internal error" {
		result.Cause = causeStartTLSFailed
	}
	return result
}

// injection is the verdict on what came behind the consent to STARTTLS (docs/security.md T2).
func (l *ladder) injection(context.Context) diagnostics.Result {
	known, _ := l.known(diagnostics.SMTPTLS)
	switch {
	case l.injected != nil:
		result := l.fault(l.injected, stageDialog)
		return result
	case l.way.security != config.SecurityStartTLS:
		return skip(causeNotApplicable)
	case known.Status == diagnostics.Fail || known.Status == diagnostics.Skip:
		return needsFailed(diagnostics.SMTPTLS)
	}
	return pass(diagnostics.Evidence{Kind: "buffered", Fields: map[string]any{"octets": 0}})
}

// hello is the EHLO that counts: inside TLS where there is TLS.
func (l *ladder) hello(context.Context) diagnostics.Result {
	r, err := l.dialog.ehlo(l.helo())
	if err != nil {
		return l.fault(err, stageDialog)
	}
	if r.Code != codeOK {
		fallback := causeProtocol
		if r.Code == 500 || r.Code == 502 {
			fallback = causeEhloUnsupported
		}
		return l.replied(r, fallback)
	}
	list := make([]map[string]any, 0, len(l.dialog.ext.List))
	for _, x := range l.dialog.ext.List {
		list = append(list, map[string]any{
			"keyword": safetext.FromRemote(x.Keyword),
			"params":  safetext.FromRemote(x.Params),
		})
	}
	evidence := diagnostics.Evidence{Kind: "extensions", Fields: map[string]any{
		"domain": safetext.FromRemote(l.dialog.ext.Domain), "helo": l.helo(), "list": list, "size": l.dialog.ext.Size(),
	}}
	result := pass(evidence, l.replyEvidence(r))
	result.Code = replyCodeOf(r)
	return result
}

func (l *ladder) helo() string { return heloName(l.target.Submission.Helo, l.dialog.conn.LocalAddr()) }
