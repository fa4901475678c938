// Package exitcode names the exit codes of docs/reference.md §4. Which error has which code is one table, in
// internal/cli/command.
package exitcode

// The names and numbers of sysexits.h, where it has one.
const (
	OK          = 0   // everything asked for holds
	Failed      = 1   // a check failed, in a way no other code names
	Usage       = 64  // an unknown option or argument
	Data        = 65  // a malformed value
	NoHost      = 68  // a name does not exist
	Unavailable = 69  // the server cannot be reached
	IO          = 74  // reading or writing here failed, or it is not known whether a message left
	TempFail    = 75  // try again later
	Protocol    = 76  // the peer broke the protocol
	NoPerm      = 77  // signing in was refused
	Config      = 78  // the configuration is invalid, unreadable or too open
	Interrupted = 130 // stopped by the user or a signal
)

// All are the codes in the order of the reference.
func All() []int {
	return []int{
		OK, Failed, Usage, Data, NoHost, Unavailable, IO, TempFail, Protocol, NoPerm, Config, Interrupted,
	}
}

// Transient is the code of a failure that the other side called transient: one that says no more than "failed" becomes
// "try again later".
func Transient(code int) int {
	if code == Failed {
		return TempFail
	}
	return code
}
