package smtp

import (
	"context"
	"encoding/json"
	"slices"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// offered judges what the server offers for signing in, and which mechanism fits.
func (l *ladder) offered(context.Context) diagnostics.Result {
	name, err := l.client.Mechanism()
	before := l.client.Before().Mechanisms()
	evidence := diagnostics.Evidence{Kind: "mechanisms", Fields: map[string]any{
		"before_tls": remotes(before), "after_tls": remotes(l.client.Extensions().Mechanisms()), "chosen": name,
	}}
	switch {
	case err != nil:
		return l.judge(smtp.StepMechanism, err, evidence)
	case slices.ContainsFunc(before, smtp.Clear):
		return diagnostics.Warned(check.CauseAuthBeforeTLS, evidence)
	}
	return diagnostics.Passed(evidence)
}

const maxMechanismsShown = 30

func remotes(list []string) []safetext.Remote {
	out := make([]safetext.Remote, 0, len(list))
	for _, s := range list[:min(len(list), maxMechanismsShown)] {
		out = append(out, safetext.FromRemote(s))
	}
	return out
}

func (l *ladder) userName() string { return l.client.Account().Server.Username }

// signIn judges the one sign-in.
func (l *ladder) signIn(ctx context.Context) diagnostics.Result {
	s, err := l.client.SignIn(ctx)
	var result diagnostics.Result
	if err != nil {
		result = l.judge(smtp.StepAuth, err)
	} else {
		result = l.accepted(s.Reply)
	}
	if s.Mechanism == "" {
		return result
	}
	fields := map[string]any{
		"mechanism": s.Mechanism, "username": safetext.FromRemote(l.userName()), "secret": string(l.target.SecretType),
	}
	if s.Weak {
		fields["weak_iterations"] = true
	}
	evidence := []diagnostics.Evidence{{Kind: "auth", Fields: fields}}
	for _, challenge := range s.Challenges {
		evidence = append(evidence, l.oauthEvidence(challenge))
	}
	result.Evidence = append(evidence, result.Evidence...)
	return result
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

// maxDocument is how much of an error document is kept as evidence.
const maxDocument = 500

func shorten(r safetext.Remote) safetext.Remote {
	text := r.Raw()
	return safetext.FromRemote(text[:min(len(text), maxDocument)])
}
