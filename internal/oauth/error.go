package oauth

import (
	"context"
	"errors"

	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Problem is how a sign-in or a renewal ended.
type Problem string

// The problems.
const (
	NotConfigured Problem = "not_configured" // no client id, or no endpoint for this way
	BadTenant     Problem = "bad_tenant"     // the tenant is not a name
	ClientRefused Problem = "client_refused" // the provider does not know the client id, or forbids it this way
	Denied        Problem = "denied"         // the person, or the page, said no
	TimedOut      Problem = "timed_out"      // the code ran out
	NeedsConsent  Problem = "needs_consent"  // an administrator has to agree first
	Blocked       Problem = "blocked"        // the organisation's rules forbid it
	ScopeMissing  Problem = "scope_missing"  // less was granted than mail needs
	WrongAccount  Problem = "wrong_account"  // another mailbox was signed in
	NoRefresh     Problem = "no_refresh"     // the provider gave nothing to renew with
	Foreign       Problem = "foreign_paste"  // what was pasted belongs to another sign-in
	NotAnAddress  Problem = "no_code"        // what was pasted holds no code
	Expired       Problem = "expired"        // the sign-in was withdrawn or ran out
	NotSignedIn   Problem = "not_signed_in"  // there is no token file
	Damaged       Problem = "damaged"        // there is one, and it is not ours to understand
	Unreachable   Problem = "unreachable"    // no connection
	Ill           Problem = "server_error"   // the provider has trouble of its own
	BadAnswer     Problem = "bad_answer"     // an answer that is none
	Unwritable    Problem = "unwritable"     // the token file cannot be written
	Busy          Problem = "busy"           // another program renews the same sign-in and does not finish
	Refused       Problem = "refused"        // any other error that the provider names
)

// Error says what was tried and how it ended. It never contains a token, a code or a verifier: what a server writes is
// cleaned of everything secret that was sent to it.
type Error struct {
	Problem  Problem
	Provider string
	// Server is the endpoint's host.
	Server string
	// Said is the provider's own words: its error code, and the description behind a colon.
	Said safetext.Remote
	// Account is who was signed in instead, and Wanted who should have been (WrongAccount).
	Account safetext.Remote
	Wanted  string
	// Kind is the class of a network error (Unreachable).
	Kind wire.Kind
	Err  error
}

// Error is the technical text.
func (e *Error) Error() string {
	text := "browser sign-in"
	if e.Provider != "" {
		text += " with " + safetext.Escape(e.Provider)
	}
	if e.Server != "" {
		text += " at " + e.Server
	}
	text += ": " + string(e.Problem)
	if e.Kind != "" {
		text += " (" + string(e.Kind) + ")"
	}
	if !e.Said.Empty() {
		text += ": " + e.Said.Escaped()
	}
	if e.Err != nil {
		text += ": " + safetext.Escape(e.Err.Error())
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Problem: Denied}) true for that problem.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Problem == e.Problem
}

// Text is the sentence for people. What is wrong with a file is said by safefile, command to mend it included.
func (e *Error) Text() locale.Text {
	var file *safefile.Error
	if (e.Problem == Unwritable || e.Problem == Damaged) && errors.As(e.Err, &file) {
		return file.Text()
	}
	label := known[e.Provider].label
	if label == "" {
		label = e.Provider
	}
	return locale.Msg("oauth.problem."+string(e.Problem), "provider", safetext.FromRemote(label),
		"server", safetext.FromRemote(e.Server), "said", e.Said, "account", e.Account, "wanted",
		safetext.FromRemote(e.Wanted))
}

// ending is what a problem means to the catalogue of causes and to a script (docs/reference.md §4).
type ending struct {
	cause string
	exit  int
}

var endings = map[Problem]ending{
	NotConfigured: {"oauth-not-configured", 78},
	BadTenant:     {"oauth-not-configured", 78},
	ClientRefused: {"oauth-not-configured", 78},
	Denied:        {"oauth-denied", 77},
	TimedOut:      {"oauth-timeout", 77},
	NeedsConsent:  {"oauth-scope-missing", 77},
	Blocked:       {"oauth-scope-missing", 77},
	ScopeMissing:  {"oauth-scope-missing", 77},
	WrongAccount:  {"oauth-scope-missing", 77},
	NoRefresh:     {"oauth-scope-missing", 77},
	Foreign:       {"oauth-denied", 65},
	NotAnAddress:  {"oauth-denied", 65},
	Expired:       {"oauth-token-expired", 77},
	NotSignedIn:   {"oauth-token-expired", 77},
	Damaged:       {"credential-unreadable", 78},
	Ill:           {"server-busy", 75},
	BadAnswer:     {"protocol-error", 76},
	Unwritable:    {"file-failed", 74},
	Busy:          {"file-failed", 75},
	Refused:       {"oauth-denied", 77},
}

// causes of Unreachable by the kind of network error.
var unreachable = map[wire.Kind]string{
	wire.KindResolve:     "dns-failure",
	wire.KindRefused:     "connection-refused",
	wire.KindUnreachable: "network-unreachable",
	wire.KindTimeout:     "server-timeout",
	wire.KindReset:       "connection-dropped",
	wire.KindClosed:      "connection-dropped",
	wire.KindPolicy:      "address-not-allowed",
	wire.KindCertificate: "cert-untrusted",
	wire.KindNotTLS:      "tls-wrong-mode",
	wire.KindVersion:     "tls-version-unsupported",
}

// Cause is the slug of the catalogue of causes (diagnostics/explain).
func (e *Error) Cause() string {
	if e.Problem == Unreachable {
		if cause, ok := unreachable[e.Kind]; ok {
			return cause
		}
		return "tls-handshake"
	}
	return endings[e.Problem].cause
}

// ExitCode is the exit code of docs/reference.md §4.
func (e *Error) ExitCode() int {
	if e.Problem == Unreachable {
		return 69
	}
	return endings[e.Problem].exit
}

// Again reports whether the same sign-in can go on: the person pastes once more.
func (e *Error) Again() bool { return e.Problem == Foreign || e.Problem == NotAnAddress }

// passing reports whether a later try of the same request may succeed.
func (e *Error) passing() bool {
	return e.Problem == Ill || e.Problem == Unreachable && e.Kind != wire.KindPolicy
}

// problemOf is the *Error in err, or nil.
func problemOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// stopped is the context's error when it ended, for callers that tell a person's Esc from a failure.
func stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return nil
}
