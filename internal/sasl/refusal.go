package sasl

import (
	"regexp"
	"sync"
)

// aboutMechanism are words by which servers refuse a mechanism that they offered, and not the secret.
var aboutMechanism = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)mechanism|(auth\w*|login|sasl) ?(type|method|command)|` +
		`(unsupported|unrecogni[sz]ed|unknown|unimplemented) auth|auth\w* (is )?not (supported|implemented|available|enabled)`)
})

// aboutAccount are words about the person's account or password, which such a refusal may name as well: a password of
// another kind is wanted, or signing in with one is switched off.
var aboutAccount = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)password|credential|user ?name|account|tenant|mailbox|application|too many`)
})

// RefusesMechanism reports whether a server's refusal of a sign-in over SMTP is about the mechanism. Such a reply
// tested no password and costs no attempt, so the next mechanism may be tried. 535 and 534 mean the account unless the
// words name the mechanism (RFC 4954 §6); the codes about commands never mean the account.
func RefusesMechanism(code int, text string) bool {
	switch code {
	case 500, 501, 502, 503, 504, 538:
		return !aboutAccount().MatchString(text)
	case 530, 534, 535, 550, 554:
		return NamesMechanism(text)
	}
	return false
}

// NamesMechanism reports whether the words of a refusal are about the mechanism and not about the account.
func NamesMechanism(text string) bool {
	return aboutMechanism().MatchString(text) && !aboutAccount().MatchString(text)
}

// NamesAccount reports whether the words of a refusal are about the account or its secret.
func NamesAccount(text string) bool { return aboutAccount().MatchString(text) }
