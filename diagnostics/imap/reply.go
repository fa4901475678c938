package imap

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
)

// refused judges a refusal by the catalogue of replies.
func (r *run) refused(refused *client.ReplyError) diagnostics.Result {
	answer := explain.Match(explain.Query{
		Protocol: explain.IMAP, Code: string(refused.Status), Enhanced: string(refused.Code), Text: refused.Reply(),
		Provider: r.target.Provider,
	})
	result := diagnostics.Failed(answer.Cause, diagnostics.Reply{Text: safetext.FromRemote(refused.Reply())})
	result.Answer = answer
	if refused.Code != "" {
		code := refused.Code[:min(len(refused.Code), maxCode)]
		result.Code = &diagnostics.ReplyCode{Enhanced: safetext.Escape(string(code))}
	}
	if refused.SignIn() && refused.Status == imap.StatusResponseTypeNo && answer.Cause == check.CauseUnknown {
		// A server that gives no reason refuses the name or the password: RFC 9051 §6.2.2 and §6.2.3 know no other NO.
		result.Cause = check.CauseWrongPassword
	}
	return result
}

// judgeLetters adds to a refused password what its letters have to do with it.
func (r *run) judgeLetters(result *diagnostics.Result) {
	if r.access.SecretType == config.SecretOAuth || result.Cause != check.CauseWrongPassword {
		return
	}
	if result.Answer.Cause != result.Cause {
		result.Answer = explain.For(result.Cause)
	}
	result.Answer = explain.WithLetters(result.Answer, r.access.Secret.Letters())
}

// explainChallenge reads the JSON in which an OAuth server explains a refusal (RFC 7628 §3.2.2). The NO that follows
// says less.
func (r *run) explainChallenge(result *diagnostics.Result, challenge safetext.Remote) {
	text := strings.TrimSpace(challenge.Raw())
	answer := explain.Match(explain.Query{Protocol: explain.IMAP, Code: "+", Text: text, Provider: r.target.Provider})
	if answer.Cause != check.CauseUnknown {
		result.Cause, result.Answer = answer.Cause, answer
	}
}
