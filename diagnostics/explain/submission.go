package explain

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/check"
	"postier/internal/sasl"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// found maps what the client of package smtp finds by itself.
var found = []struct {
	err   error
	cause check.Cause
}{
	{smtp.ErrHost, check.CauseSettingsInvalid},
	{smtp.ErrNoTLS, check.CauseInsecureCleartext},
	{smtp.ErrNoStartTLS, check.CauseTLSStripped},
	{smtp.ErrOverwritten, check.CauseSecuritySoftwareIntercept},
	{smtp.ErrWantsTLS, check.CauseTLSWrongMode},
	{smtp.ErrNoKey, check.CauseStartTLSFailed},
	{smtp.ErrNoAuth, check.CauseAuthNotOffered},
	{smtp.ErrNoMechanism, check.CauseAuthMechanismUnsupported},
	{smtp.ErrMechanism, check.CauseAuthMechanismUnsupported},
	{smtp.ErrOnlyTokens, check.CauseBasicAuthDisabled},
	{smtp.ErrNoSecret, check.CauseNotApplicable},
	{smtp.ErrUTF8, check.CauseUTF8Unsupported},
	{smtp.ErrAddress, check.CauseAddressInvalid},
	{smtp.ErrTooLarge, check.CauseMessageTooLarge},
	{wire.ErrNoAddress, check.CauseDNSNoAddress},
}

// Submission is what the catalogue knows about the error that stopped a submission to a provider.
func Submission(e *smtp.Error, provider string) Answer {
	var (
		certificate *smtp.CertificateError
		mechanism   *sasl.Error
		protocol    *smtp.ProtocolError
	)
	switch {
	case e.Lost:
		return For(check.CauseDeliveryUnknown)
	case errors.As(e.Err, &certificate):
		return For(Certificate(certificate.TLS, certificate.At))
	case errors.As(e.Err, &mechanism):
		return For(check.CauseProtocolError)
	case errors.As(e.Err, &protocol):
		return For(strange(protocol))
	}
	for _, f := range found {
		if errors.Is(e.Err, f.err) {
			return For(f.cause)
		}
	}
	if e.Reply.Code != 0 {
		return refusedAnswer(e, provider)
	}
	f := wire.Classify(e.Err)
	switch {
	case e.Step == smtp.StepConnect:
		return DialFault(f)
	case e.Step == smtp.StepResolve && f.Kind == wire.KindOther:
		return For(check.CauseDNSFailure)
	}
	return Fault(f)
}

// strange is the cause of what is no SMTP reply: TLS bytes, another protocol, or nonsense.
func strange(e *smtp.ProtocolError) check.Cause {
	switch {
	case e.What == "tls-record":
		return check.CauseTLSWrongMode
	case slices.ContainsFunc(otherServices, func(start string) bool { return strings.HasPrefix(e.Seen.Raw(), start) }):
		return check.CauseWrongService
	}
	return check.CauseProtocolError
}

// otherServices are the first words of the services that people reach by a wrong port.
var otherServices = []string{
	"* OK", "* PREAUTH", "* BYE", "+OK", "-ERR", "HTTP/", "SSH-", "<!DOCTYPE", "<html", "RFB ",
}

// MatchSMTP is what the catalogue knows about a reply of a provider's server.
func MatchSMTP(r smtp.Reply, provider string) Answer {
	text, status := r.Sentence()
	return Match(Query{
		Protocol: SMTP, Code: strconv.Itoa(r.Code), Enhanced: status, Text: text, Provider: provider,
	})
}

// refusedAnswer answers a refusal in the server's own words. Where the catalogue does not know them, knows only that it
// was a refusal, or that the command was not understood, the step has a meaning of its own.
func refusedAnswer(e *smtp.Error, provider string) Answer {
	if e.Step != smtp.StepTLS && e.Reply.Code < 400 {
		return For(check.CauseProtocolError) // neither what the command may be answered with nor a refusal (RFC 5321 §4.3.2)
	}
	a := MatchSMTP(e.Reply, provider)
	token := e.Secret == config.SecretOAuth
	cause := a.Cause
	switch transient := e.Reply.Code/100 == 4; {
	case transient && errors.Is(e.Err, smtp.ErrStartTLS):
		// RFC 3207 §4: 454 says that TLS is not available for a temporary reason; 421 and others of class 4 come from the
		// same servers. That is a TLS that did not come up, whatever the words.
		cause = check.CauseStartTLSFailed
	case a.vague, a.Reply == "" && (cause == check.CauseUnknown || cause == check.CauseProtocolError):
		cause = stepCause(e)
		if transient {
			cause = check.CauseServerBusy // RFC 5321 §4.2.1: a transient negative completion
		}
	}
	if cause == check.CauseWrongPassword && token {
		cause = check.CauseOAuthTokenExpired // there was no password to be wrong
	}
	if cause != a.Cause {
		a = answer(cause, Query{Protocol: SMTP, Code: strconv.Itoa(e.Reply.Code)})
	}
	return WithLetters(a, e.Letters)
}

// stepCause is what a refusal means by the step alone.
func stepCause(e *smtp.Error) check.Cause {
	switch e.Step {
	case smtp.StepGreeting:
		return check.CauseGreetingRefused
	case smtp.StepTLS:
		return check.CauseTLSStripped
	case smtp.StepAuth:
		return signInCause(e)
	case smtp.StepSender:
		return check.CauseSenderRejected
	case smtp.StepRecipient:
		return check.CauseRecipientRejected
	case smtp.StepData:
		return check.CauseMessageRefused
	}
	if e.Reply.Code == 500 || e.Reply.Code == 502 { // RFC 5321 §4.1.1.1: a server without EHLO
		return check.CauseEHLOUnsupported
	}
	return check.CauseProtocolError
}

func signInCause(e *smtp.Error) check.Cause {
	switch {
	case e.Reply.Code == 504:
		return check.CauseAuthMechanismUnsupported // RFC 4954 §4
	case e.Secret == config.SecretOAuth:
		return check.CauseOAuthTokenExpired
	}
	return check.CauseWrongPassword
}

// blocked are the causes that close the sender's account, wherever in the dialog the server says so.
var blocked = map[check.Cause]bool{
	check.CauseAccountSuspended: true, check.CauseAccountNotActivated: true, check.CauseBasicAuthDisabled: true,
	check.CauseSMTPAuthDisabled: true,
}

// Blocked reports whether a cause closes the sender's account.
func Blocked(cause check.Cause) bool { return blocked[cause] }

// SenderRefusal finds the refusal of a recipient that is about the sender or the sender's account, when no recipient
// was taken: most servers hold the refusal of a sender back until then (Postfix smtpd_delay_reject).
func SenderRefusal(recipients []smtp.Recipient, provider string) (refusal *smtp.Error, found bool) {
	for _, r := range recipients {
		switch {
		case r.Refusal == nil:
			return nil, false
		case refusal == nil && aboutSender(MatchSMTP(r.Reply, provider)):
			refusal = new(*r.Refusal)
			refusal.Step = smtp.StepSender
		}
	}
	return refusal, refusal != nil
}

func aboutSender(a Answer) bool { return a.Info().Group == "sender" || Blocked(a.Cause) }
