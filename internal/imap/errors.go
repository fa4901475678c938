package imap

import "errors"

// Errors that the client detects itself, as opposed to a ReplyError of the server.
var (
	ErrClosed = errors.New("the connection has ended")
	ErrUnsafe = errors.New("a line break or NUL in an argument")

	// ErrPreauth: a server may greet with PREAUTH, which means that we are signed in already (RFC 9051 §7.1.4). Before
	// TLS an attacker can use it to prevent STARTTLS, and inside TLS it opens a mailbox without our sign-in. postier
	// stops in both cases (docs/security.md T3).
	ErrPreauth = errors.New("the server did not ask who we are")
	// ErrNoStartTLS means that STARTTLS was required and is not offered (RFC 8314 §3).
	ErrNoStartTLS = errors.New("the server does not offer STARTTLS")
	// ErrInsecure means that a secret would have been sent outside verified TLS.
	ErrInsecure      = errors.New("signing in without verified TLS")
	ErrNoMechanism   = errors.New("no common way to sign in")
	ErrLoginDisabled = errors.New("the server says LOGINDISABLED")
	// ErrNoServer means that there is no IMAP server to open.
	ErrNoServer = errors.New("no IMAP server is set")
	// ErrNotOffered means that the server lacks an extension.
	ErrNotOffered = errors.New("the server does not offer this")
	// ErrGone means that a message is not in the folder.
	ErrGone = errors.New("the message is not in the folder")
	// ErrStillThere means that a server agreed to remove a message and kept it.
	ErrStillThere = errors.New("the message is still in the folder")
)
