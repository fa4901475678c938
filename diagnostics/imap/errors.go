package imap

import "errors"

// Faults that the dialog itself finds.
var (
	errClosed = errors.New("the connection has ended")
	errUnsafe = errors.New("a line break or NUL in an argument")

	// errPreauth: RFC 9051 §7.1.4 lets a server say who we are. Before TLS that is how an attacker skips it, and inside
	// TLS it means a mailbox that nobody signed in to: postier stops either way (docs/security.md T3).
	errPreauth = errors.New("the server did not ask who we are")
	// errStripped: no STARTTLS where it was required (RFC 8314 §3).
	errStripped = errors.New("the server does not offer STARTTLS")
	// errInsecure guards the secrets: nothing signs in outside verified TLS.
	errInsecure = errors.New("signing in without verified TLS")
	// errServerUnproven: the server's SCRAM signature is missing or wrong (RFC 5802 §3).
	errServerUnproven = errors.New("the server could not prove that it knows the password")
	errNoMechanism    = errors.New("no common way to sign in")
	errLoginDisabled  = errors.New("the server says LOGINDISABLED")
	errChallenge      = errors.New("an unexpected challenge")
)
