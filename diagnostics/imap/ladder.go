package imap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// connect resolves the name and connects over both address families at once. Without implicit TLS the server speaks
// first, so the greeting is read here.
func (r *run) connect(ctx context.Context) diagnostics.Result {
	r.access.Server = client.Settle(ctx, r.network, r.target.Mailbox().Server)
	addresses, err := r.network.Addresses(ctx, r.access.Server.Host)
	if err != nil {
		return r.failure(err)
	}
	server := r.access.Server
	conn, attempts := r.network.ConnectBoth(ctx, server.Host, server.Port, addresses, r.recorder, grace)
	evidence := diagnostics.Evidence{diagnostics.Addresses{Host: safetext.FromRemote(server.Host), All: addresses}}
	for _, a := range attempts {
		evidence = append(evidence, diagnostics.Connection{Attempt: a, Security: server.Security, IMAP: true})
	}
	if conn == nil {
		return r.unreached(ctx, attempts).After(evidence...)
	}
	r.session = client.New(conn, r.access)
	if r.access.Server.Security != config.SecurityTLS {
		if result, failed := r.greeting(ctx); failed {
			return result.After(evidence...)
		}
	}
	return diagnostics.Passed(evidence...)
}

// grace is how long a connection waits for the slower address family, so that both can be reported.
const grace = 100 * time.Millisecond

// unreached judges attempts that all failed. The most telling error gives the cause: a refusal says more than silence.
func (r *run) unreached(ctx context.Context, attempts []wire.Attempt) diagnostics.Result {
	if ctx.Err() != nil {
		return diagnostics.Skipped(check.CauseCancelled)
	}
	strength := []wire.Kind{wire.KindReset, wire.KindTimeout, wire.KindRefused, wire.KindPolicy}
	strongest := wire.Fault{Kind: wire.KindUnreachable}
	for _, a := range attempts {
		fault := wire.Classify(a.Err)
		if slices.Index(strength, fault.Kind) > slices.Index(strength, strongest.Kind) {
			strongest = fault
		}
	}
	return diagnostics.Failed(strongest.DialCause()).With(r.serverParams())
}

// greeting reads the server's first words and judges them.
func (r *run) greeting(ctx context.Context) (diagnostics.Result, bool) {
	mark := r.recorder.Mark()
	err := r.session.Greet(ctx)
	if err == nil {
		return diagnostics.Result{}, false
	}
	result := r.failure(err)
	said := ""
	for _, line := range r.recorder.Since(mark) {
		if line.Direction == wire.Server {
			said = line.Text.Raw()
			break
		}
	}
	var refused *client.ReplyError
	switch {
	case result.Status == check.Skip:
	case errors.Is(err, client.ErrPreauth) && r.access.Server.Security != config.SecurityTLS:
		// Before TLS, an attacker sends PREAUTH to keep the client from asking for STARTTLS.
		result.Cause = check.CauseTLSStripped
	case errors.As(err, &refused) && result.Cause == check.CauseUnknown:
		result.Cause = check.CauseGreetingRefused
	case otherService(said):
		result.Cause = check.CauseWrongService
		result.Evidence = append(result.Evidence, diagnostics.Reply{Text: safetext.FromRemote(said)})
	case wire.IsTimeout(err) && r.access.Server.Security != config.SecurityTLS &&
		(r.access.Server.Port == config.PortIMAPS || client.SpeaksTLS(ctx, r.network, r.access.Server)):
		result.Cause = check.CauseTLSWrongMode
	case looksLikeTLS(said):
		result.Cause = check.CauseTLSWrongMode
	}
	return result, true
}

// looksLikeTLS recognises a TLS record by its type and version (RFC 8446 §5.1).
func looksLikeTLS(s string) bool {
	return len(s) > 1 && (s[0] == 0x15 || s[0] == 0x16) && s[1] == 0x03
}

// tls establishes the encryption. The next check judges the certificate.
func (r *run) tls(ctx context.Context) diagnostics.Result {
	switch r.access.Server.Security {
	case config.SecurityNone:
		if err := r.session.AcceptCleartext(); err != nil {
			return r.failure(err)
		}
		return diagnostics.Warned(check.CauseInsecureCleartext)
	case config.SecurityStartTLS:
		if err := r.session.StartTLS(ctx); err != nil {
			result := r.failure(err)
			var refused *client.ReplyError
			if errors.As(err, &refused) && refused.Command == "STARTTLS" {
				// The server offered STARTTLS and refused it. A broken server and an attacker look alike (RFC 8314 §3), so both end
				// here.
				result.Cause = check.CauseStartTLSFailed
			}
			return result
		}
	}
	report, err := r.session.Handshake(ctx)
	r.report = report
	if err != nil {
		return r.failure(err)
	}
	return diagnostics.Passed(diagnostics.TLS{
		Version: report.Version, Cipher: report.Cipher, TookMS: report.Took.Milliseconds(),
	})
}

// certificate judges the chain for the host that the user confirmed.
func (r *run) certificate(ctx context.Context) diagnostics.Result {
	if r.access.Server.Security == config.SecurityNone {
		return diagnostics.Skipped(check.CauseNotApplicable)
	}
	return diagnostics.JudgeCertificate(ctx, r.network, r.access.Server.Host, r.report)
}

// lastOf returns the last of a list, which may be empty.
func lastOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// auth signs in, once.
func (r *run) auth(ctx context.Context) diagnostics.Result {
	if r.access.Server.Security == config.SecurityTLS { // otherwise connect has read it
		if result, failed := r.greeting(ctx); failed {
			return result
		}
	}
	if err := r.session.Prepare(ctx); err != nil {
		return r.failure(err)
	}
	before := r.session.Capabilities()
	done, err := r.session.SignIn(ctx)
	evidence := diagnostics.Evidence{
		diagnostics.SignIn{
			Mechanism: done.Mechanism, Offered: safetext.FromRemotes(done.Offered),
			Username: safetext.FromRemote(lastOf(done.Usernames)),
		},
		Capabilities{Before: safetext.FromRemotes(before), After: safetext.FromRemotes(r.session.Capabilities())},
	}
	if !done.Challenge.Empty() {
		evidence = append(evidence, Challenge{Text: done.Challenge})
	}
	alerts := r.session.Alerts()
	for _, a := range alerts {
		evidence = append(evidence, Alert{Text: a})
	}
	if err != nil {
		result := r.failure(err)
		// LOGINDISABLED asks for TLS where there is none yet (RFC 9051 §6.2.3); inside TLS it only says that no sign-in is
		// possible.
		inside := r.access.Server.Security != config.SecurityNone
		if errors.Is(err, client.ErrNoMechanism) && len(done.Offered) == 0 ||
			errors.Is(err, client.ErrLoginDisabled) && inside {
			result.Cause = check.CauseAuthNotOffered
		}
		if !done.Challenge.Empty() && result.Status == check.Fail {
			r.explainChallenge(&result, done.Challenge)
		}
		r.judgeLetters(&result)
		return result.After(evidence...).With(check.Params{Username: safetext.FromRemote(strings.Join(done.Usernames, ", "))})
	}
	if len(alerts) > 0 {
		return diagnostics.Warned(check.CauseServerAlert, evidence...)
	}
	return diagnostics.Passed(evidence...)
}
