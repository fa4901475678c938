package smtp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// offered judges what the server offers for signing in, and picks the mechanism.
func (l *ladder) offered(context.Context) diagnostics.Result {
	list := l.dialog.ext.Mechanisms()
	token := l.target.SecretType == config.SecretOAuth
	_, inTLS := l.dialog.conn.State()
	l.mechanism = choose(list, l.target.Submission.Auth, token, inTLS)
	evidence := diagnostics.Evidence{Kind: "mechanisms", Fields: map[string]any{
		"before_tls": remotes(l.before.Mechanisms()), "after_tls": remotes(list), "chosen": l.mechanism,
	}}
	switch {
	case len(list) == 0:
		return fail(causeAuthNotOffered, evidence)
	case l.mechanism == "" && choose(list, config.MechanismAuto, true, inTLS) != "" && !token &&
		choose(list, config.MechanismAuto, false, inTLS) == "":
		return fail(causeBasicDisabled, evidence) // nothing but OAuth is offered
	case l.mechanism == "":
		return fail(causeAuthUnsupported, evidence)
	}
	for _, name := range l.before.Mechanisms() {
		if name == mechPlain || name == mechLogin {
			return warn(causeAuthBeforeTLS, evidence)
		}
	}
	return pass(evidence)
}

const maxMechanismsShown = 30

func remotes(list []string) []safetext.Remote {
	out := make([]safetext.Remote, 0, len(list))
	for _, s := range list[:min(len(list), maxMechanismsShown)] {
		out = append(out, safetext.FromRemote(s))
	}
	return out
}

// mayReveal is the one question before anything secret is written: TLS with a chain that holds, or a technician's
// consent to cleartext on this very host.
func (l *ladder) mayReveal() bool {
	if l.way.security == config.SecurityNone {
		return l.target.AllowCleartext
	}
	_, inTLS := l.dialog.conn.State()
	return inTLS && l.tls.Verified()
}

func (l *ladder) userName() string {
	if l.target.Submission.Username != "" {
		return l.target.Submission.Username
	}
	return l.target.Address
}

// signIn tries one sign-in and no second one: servers lock accounts (docs/security.md T21).
func (l *ladder) signIn(context.Context) diagnostics.Result {
	switch {
	case !l.mayReveal():
		return fail(causeCleartext)
	case l.target.Secret.Empty():
		return skip(causeNotApplicable, diagnostics.Evidence{Kind: "error", Text: safetext.FromRemote(errNoSecret.Error())})
	}
	m := l.newMechanism(l.mechanism)
	if m == nil {
		return fail(causeAuthUnsupported)
	}
	evidence := diagnostics.Evidence{Kind: "auth", Fields: map[string]any{
		"mechanism": m.name, "username": safetext.FromRemote(l.userName()), "secret": string(l.target.SecretType),
	}}
	r, hints, err := l.exchangeAuth(m)
	if m.weak {
		evidence.Fields["weak_iterations"] = true
	}
	var result diagnostics.Result
	var broken *errMechanism
	switch {
	case errors.As(err, &broken):
		result = fail(causeProtocol, diagnostics.Evidence{Kind: "error", Text: l.clean(err.Error())})
	case err != nil:
		result = l.fault(err, stageDialog)
	case r.Code == codeAuthOK:
		result = pass(l.replyEvidence(r))
		result.Code = replyCodeOf(r)
	case r.Code < 400:
		result = fail(causeProtocol, l.replyEvidence(r)) // neither 235 nor a challenge nor a refusal (RFC 4954 §4)
		result.Code = replyCodeOf(r)
	default:
		result = l.replied(r, l.refusedCause(r))
		if result.Cause == causeWrongPassword && l.target.SecretType == config.SecretOAuth {
			result.Cause, result.Matched = causeTokenExpired, "" // there was no password to be wrong
		}
	}
	result.Evidence = append(append([]diagnostics.Evidence{evidence}, hints...), result.Evidence...)
	return result
}

// refusedCause is the cause of a refusal that the catalogue does not know.
func (l *ladder) refusedCause(r Reply) string {
	switch {
	case r.Code == 504:
		return causeAuthUnsupported // RFC 4954 §6
	case l.target.SecretType == config.SecretOAuth:
		return causeTokenExpired
	case r.Code == 454:
		return causeAuthTemporary
	}
	return causeWrongPassword
}

// maxTurns bounds the challenges of one exchange; the longest mechanism has three.
const maxTurns = 6

// maxAuthLine is the longest AUTH line, initial response included (RFC 4954 §4).
const maxAuthLine = 12288

// exchangeAuth carries out the dialog. The whole of it shares one deadline; servers delay refusals on purpose. In the
// transcript everything that this side says behind the mechanism's name is masked, proofs too (docs/security.md T12).
func (l *ladder) exchangeAuth(m *mechanism) (r Reply, hints []diagnostics.Evidence, err error) {
	d := l.dialog
	initial, err := m.start(l.target.Submission.Host, d.ext.Mechanisms())
	if err != nil {
		return r, nil, &errMechanism{err.Error()}
	}
	line, shown := "AUTH "+m.name, "AUTH "+m.name
	held := initial
	if encoded := encodeInitial(initial); encoded != "" && len(line)+1+len(encoded)+2 <= maxAuthLine {
		line, shown, held = line+" "+encoded, shown+" "+wire.Masked, nil
	}
	if err := d.send(wire.AuthDeadline, command{line, shown}); err != nil {
		return r, nil, err
	}
	for range maxTurns {
		r, err = d.replyShown(m.shown)
		if err != nil {
			return r, hints, err
		}
		if r.Code == codeAuthOK {
			return r, hints, m.done()
		}
		if r.Code != codeProceed {
			return r, hints, nil
		}
		var out []byte
		if held != nil {
			out, held = held, nil
		} else if out, err = l.answer(m, r, &hints); err != nil {
			return r, hints, l.cancelAuth(err)
		}
		if err := d.send(wire.AuthDeadline, command{base64.StdEncoding.EncodeToString(out), wire.Masked}); err != nil {
			return r, hints, err
		}
	}
	return r, hints, l.cancelAuth(errChallenge)
}

// encodeInitial is the initial response in base64; an empty one is "=" (RFC 4954 §4), none is "".
func encodeInitial(initial []byte) string {
	switch {
	case initial == nil:
		return ""
	case len(initial) == 0:
		return "="
	}
	return base64.StdEncoding.EncodeToString(initial)
}

// answer reads a challenge and gives the response.
func (l *ladder) answer(m *mechanism, r Reply, hints *[]diagnostics.Evidence) ([]byte, error) {
	challenge, err := m.decode(strings.Join(r.Lines, ""))
	if err != nil {
		return nil, err
	}
	if m.name == mechXOAuth2 || m.name == mechOAuthBearer {
		*hints = append(*hints, l.oauthEvidence(challenge))
	}
	return m.next(challenge)
}

// oauthEvidence shows the error document in which the server explains itself: RFC 7628 §3.2.2, and the same for
// XOAUTH2.
func (l *ladder) oauthEvidence(challenge []byte) diagnostics.Evidence {
	e := diagnostics.Evidence{Kind: "oauth", Text: shorten(l.clean(string(challenge)))}
	var document map[string]any
	if json.Unmarshal(challenge, &document) == nil {
		e.Fields = map[string]any{}
		for _, name := range []string{"status", "schemes", "scope", "openid-configuration"} {
			if value, ok := document[name].(string); ok {
				e.Fields[name] = shorten(l.clean(value))
			}
		}
	}
	return e
}

// shown is a reply in the transcript. The challenges of SCRAM, NTLM and CRAM are masked: with the proof they would
// allow guessing offline. Those of OAuth explain an error and those of LOGIN are prompts.
func (m *mechanism) shown(r Reply) string {
	if r.Code != codeProceed || m.name == mechXOAuth2 || m.name == mechOAuthBearer || m.name == mechLogin ||
		r.Words() == "" {
		return r.Text()
	}
	return "334 " + wire.Masked
}

// cancelAuth ends an exchange that cannot go on (RFC 4954 §4: a single asterisk), so that the session stays in step.
func (l *ladder) cancelAuth(cause error) error {
	if err := l.dialog.send(wire.CommandDeadline, command{line: "*"}); err == nil {
		_, _ = l.dialog.reply()
	}
	return cause
}
