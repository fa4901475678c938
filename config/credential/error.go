package credential

import (
	"errors"
	"io/fs"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
)

// Problem is why there is no secret.
type Problem string

// The problems.
const (
	Missing     Problem = "missing"       // nothing is kept under that name
	Unreadable  Problem = "unreadable"    // the file or the system refuses; Err has more
	Empty       Problem = "empty"         // there, and empty
	TooLong     Problem = "too_long"      // more than MaxSecret octets
	Malformed   Problem = "malformed"     // a NUL or a line break inside
	TimedOut    Problem = "timed_out"     // no answer in time
	Exited      Problem = "exited"        // the command ended with an error
	NotStarted  Problem = "not_started"   // the command could not be started
	NoKeyring   Problem = "no_keyring"    // this session has none, or it is locked
	NoSystemd   Problem = "no_systemd"    // not started by systemd with credentials
	NobodyToAsk Problem = "nobody_to_ask" // kind ask, without a person
	NotSignedIn Problem = "not_signed_in" // kind oauth, without a token source
	NotOurs     Problem = "not_ours"      // a kind that this program does not fill
	BadName     Problem = "bad_name"      // the profile's name is not one
	Unknown     Problem = "unknown"       // an unknown kind
)

// Error says which secret is missing and why. It never contains any of it.
type Error struct {
	Profile string
	Kind    config.CredentialKind
	Problem Problem
	// Where is the path, program, entry or variable of the reference.
	Where string
	// Stderr is the beginning of what a command wrote there: for -v only, since it may quote anything.
	Stderr safetext.Remote
	Err    error
}

// Error is the technical text.
func (e *Error) Error() string {
	text := "read secret of profile " + safetext.Escape(e.Profile) + " (" + string(e.Kind) + " " +
		safetext.Escape(e.Where) + "): " + string(e.Problem)
	if e.Err != nil {
		text += ": " + safetext.Escape(e.Err.Error())
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Text is the sentence for people. For a file, safefile explains what is wrong and gives the command that fixes it.
func (e *Error) Text() locale.Text {
	var file *safefile.Error
	if e.Problem == Unreadable && errors.As(e.Err, &file) {
		return file.Text()
	}
	return locale.Msg("config.secret."+string(e.Problem), "profile", safetext.FromRemote(e.Profile),
		"where", safetext.FromRemote(e.Where), "max", MaxSecret)
}

var (
	errNoSystemd = errors.New("CREDENTIALS_DIRECTORY is not set")
	errUnset     = errors.New("the variable is not set")
	errExit      = errors.New("the command failed")
	errStart     = errors.New("the command did not start")
	errTimeout   = errors.New("no answer in time")
	errOutput    = errors.New("the output is too long")
	errKeyring   = errors.New("no key ring")
	errNoEntry   = errors.New("the key ring has no such entry")
)

func problemOf(err error) Problem {
	var file *safefile.Error
	for _, row := range []struct {
		err     error
		problem Problem
	}{
		{errNoSystemd, NoSystemd},
		{errUnset, Missing},
		{errNoEntry, Missing},
		{errExit, Exited},
		{errStart, NotStarted},
		{errTimeout, TimedOut},
		{errOutput, TooLong},
		{errKeyring, NoKeyring},
		{fs.ErrNotExist, Missing},
	} {
		if errors.Is(err, row.err) {
			return row.problem
		}
	}
	if errors.As(err, &file) && file.Problem == safefile.TooLarge {
		return TooLong
	}
	return Unreadable
}

// where names the place of the secret, so that a person can look it up.
func where(reference config.Credential) string {
	switch reference.Kind {
	case config.CredentialFile, config.CredentialOAuth:
		return reference.Path
	case config.CredentialCommand:
		if len(reference.Command) > 0 {
			return reference.Command[0] // arguments may name more than people should see
		}
	case config.CredentialSystemd, config.CredentialKeyring, config.CredentialEnv:
		return reference.Name
	}
	return ""
}
