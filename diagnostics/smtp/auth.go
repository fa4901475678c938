package smtp

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// offered judges which sign-in mechanisms the server offers and whether one fits.
func (l *ladder) offered(context.Context) diagnostics.Result {
	name, err := l.client.Mechanism()
	before, inside := l.client.Before().Mechanisms(), l.client.Extensions().Mechanisms()
	seen := diagnostics.Mechanisms{
		BeforeTLS: safetext.FromRemotes(before[:min(len(before), maxMechanismsShown)]),
		AfterTLS:  safetext.FromRemotes(inside[:min(len(inside), maxMechanismsShown)]), Chosen: name,
	}
	switch {
	case err != nil:
		return l.judge(smtp.StepMechanism, err, seen)
	case slices.ContainsFunc(before, smtp.Clear):
		return diagnostics.Warned(check.CauseAuthBeforeTLS, seen)
	}
	return diagnostics.Passed(seen)
}

const maxMechanismsShown = 30

func (l *ladder) userName() string { return l.client.Account().Server.Username }

// signIn signs in once and judges the outcome.
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
	evidence := diagnostics.Evidence{diagnostics.SignIn{
		Mechanism: s.Mechanism, Username: safetext.FromRemote(s.Usernames[len(s.Usernames)-1]),
		Secret: new(l.target.SecretType), Weak: s.Weak,
	}}
	for _, passed := range s.Passed {
		evidence = append(evidence, RefusedMechanism{
			Text: shorten(l.clean(passed.Reply.Text())), Mechanism: passed.Name,
		})
	}
	for _, challenge := range s.Challenges {
		evidence = append(evidence, l.oauthDocument(challenge))
	}
	return result.After(evidence...).With(check.Params{Username: safetext.FromRemote(strings.Join(s.Usernames, ", "))})
}

// oauthDocument reads the JSON in which an OAuth server explains a refusal.
func (l *ladder) oauthDocument(challenge []byte) OAuthDocument {
	seen := OAuthDocument{Text: shorten(l.clean(string(challenge)))}
	var document map[string]any
	if json.Unmarshal(challenge, &document) != nil {
		return seen
	}
	for name, field := range map[string]**safetext.Remote{
		"status": &seen.Status, "schemes": &seen.Schemes, "scope": &seen.Scope,
		"openid-configuration": &seen.Configuration,
	} {
		if value, ok := document[name].(string); ok {
			*field = new(shorten(l.clean(value)))
		}
	}
	return seen
}

// maxDocument is how much of an error document is kept as evidence.
const maxDocument = 500

func shorten(r safetext.Remote) safetext.Remote {
	text := r.Raw()
	return safetext.FromRemote(text[:min(len(text), maxDocument)])
}
