package sasl

import (
	"postier/internal/pattern"
)

// aboutMechanism are words by which servers refuse a mechanism that they offered, and not the secret.
var aboutMechanism = pattern.Of(`(?i)mechanism|(auth\w*|login|sasl) ?(type|method|command)|` +
	`(unsupported|unrecogni[sz]ed|unknown|unimplemented) auth|` +
	`auth\w* (is )?not (supported|implemented|available|enabled|allowed|permitted)|` +
	`(?-i:\b(PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|NTLM|SCRAM-SHA-[\w-]+)\b).*` +
	`(not |un)(supported|implemented|available|enabled|allowed|permitted|recogni[sz]ed)|` +
	`^535[ -]5\.(5\.[124]|7\.4)\b`)

// aboutAccount are words about the person's account or password, which such a refusal may name as well: a password of
// another kind is wanted, or signing in with one is switched off.
var aboutAccount = pattern.Of(`(?i)password|credential|user ?name|account|tenant|mailbox|application|too many`)

// aboutTransport are words about the connection, which 530 and 534 are for as well (RFC 3207 §4, RFC 4954 §6).
var aboutTransport = pattern.Of(`(?i)\bs?tls\b|starttls|\bssl\b|encrypt|secure`)

// aboutSignIn are words by which a server says that it did look at the sign-in, or wants something of the person.
var aboutSignIn = pattern.Of(`(?i)fail|unsuccessful|incorrect|wrong|denied|reject|block|lock|suspend|disabled|expired|` +
	`refused|browser|web|verif|polic|log[ -]?in|sign[ -]?in|https?:`)

// RefusesMechanism reports whether a server's refusal of a sign-in over SMTP is about the mechanism. Such a reply
// tested no password and costs no attempt, so the next mechanism may be tried. 535 means the account unless the words
// or the enhanced code are about the mechanism. The codes about commands never mean the account; 530 (sign in first)
// and 534 (the mechanism is too weak) do so only when their words say it (RFC 4954 §6).
func RefusesMechanism(code int, text string) bool {
	switch code {
	case 500, 501, 502, 503, 504, 538:
		return !aboutAccount().MatchString(text)
	case 530, 534:
		return NamesMechanism(text) || !aboutAccount().MatchString(text) && !aboutTransport().MatchString(text) &&
			!aboutSignIn().MatchString(text)
	case 535, 550, 554:
		return NamesMechanism(text)
	}
	return code/10 == 52 && NamesMechanism(text)
}

// NamesMechanism reports whether the words of a refusal are about the mechanism and not about the account.
func NamesMechanism(text string) bool {
	return aboutMechanism().MatchString(text) && !aboutAccount().MatchString(text)
}

// NamesAccount reports whether the words of a refusal are about the account or its secret.
func NamesAccount(text string) bool { return aboutAccount().MatchString(text) }
