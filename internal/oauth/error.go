package oauth

import (
	"errors"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Problem is the reason why a sign-in or a renewal failed.
type Problem string

// The problems.
const (
	NotConfigured Problem = "not_configured" // no client id, or no endpoint for this way
	BadTenant     Problem = "bad_tenant"     // the tenant is not a name
	ClientRefused Problem = "client_refused" // the provider does not know the client id, or forbids it this way
	Denied        Problem = "denied"         // the person, or the page, said no
	TimedOut      Problem = "timed_out"      // the code expired
	NeedsConsent  Problem = "needs_consent"  // an administrator must consent first
	Blocked       Problem = "blocked"        // the organisation's rules forbid it
	ScopeMissing  Problem = "scope_missing"  // less was granted than mail needs
	WrongAccount  Problem = "wrong_account"  // another mailbox was signed in
	NoRefresh     Problem = "no_refresh"     // the provider returned no refresh token
	Foreign       Problem = "foreign_paste"  // the pasted text belongs to another sign-in
	NotAnAddress  Problem = "no_code"        // the pasted text contains no code
	Expired       Problem = "expired"        // the sign-in was revoked or expired
	NotSignedIn   Problem = "not_signed_in"  // there is no token file
	Damaged       Problem = "damaged"        // there is one, but it cannot be read
	Unreachable   Problem = "unreachable"    // no connection
	Ill           Problem = "server_error"   // the provider reports an internal error
	BadAnswer     Problem = "bad_answer"     // the answer is not valid
	Unwritable    Problem = "unwritable"     // the token file cannot be written
	Busy          Problem = "busy"           // another program is renewing the same sign-in and does not finish
	Refused       Problem = "refused"        // any other error that the provider names
)

// Error says what was tried and how it ended. It never contains a token, a code or a verifier: every secret that was
// sent to a server is removed from what the server writes.
type Error struct {
	Problem  Problem
	Provider string
	// Server is the endpoint's host.
	Server string
	// Said holds the provider's own words: its error code, a colon and the description.
	Said safetext.Remote
	// Account is the account that was signed in, Wanted the one that should have been (WrongAccount).
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

// Text is the sentence for people. For a file, safefile explains what is wrong and gives the command that fixes it.
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

// causes of a problem in the catalogue (diagnostics/explain).
var causes = map[Problem]check.Cause{
	NotConfigured: check.CauseOAuthNotConfigured,
	BadTenant:     check.CauseOAuthNotConfigured,
	ClientRefused: check.CauseOAuthNotConfigured,
	Denied:        check.CauseOAuthDenied,
	TimedOut:      check.CauseOAuthTimeout,
	NeedsConsent:  check.CauseOAuthScopeMissing,
	Blocked:       check.CauseOAuthScopeMissing,
	ScopeMissing:  check.CauseOAuthScopeMissing,
	WrongAccount:  check.CauseOAuthScopeMissing,
	NoRefresh:     check.CauseOAuthScopeMissing,
	Foreign:       check.CauseOAuthDenied,
	NotAnAddress:  check.CauseOAuthDenied,
	Expired:       check.CauseOAuthTokenExpired,
	NotSignedIn:   check.CauseOAuthTokenExpired,
	Damaged:       check.CauseCredentialUnreadable,
	Ill:           check.CauseServerBusy,
	BadAnswer:     check.CauseProtocolError,
	Unwritable:    check.CauseFileFailed,
	Busy:          check.CauseFileFailed,
	Refused:       check.CauseOAuthDenied,
}

// Cause is the problem's cause in the catalogue (diagnostics/explain).
func (e *Error) Cause() check.Cause {
	if e.Problem == Unreachable {
		return wire.Fault{Kind: e.Kind}.Cause()
	}
	return causes[e.Problem]
}

// Again reports whether the same sign-in can continue and the person can paste once more.
func (e *Error) Again() bool { return e.Problem == Foreign || e.Problem == NotAnAddress }

// passing reports whether the same request may succeed later.
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
