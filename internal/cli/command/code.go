package command

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"postier/config"
	"postier/config/export"
	"postier/config/importer"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/discovery"
	"postier/internal/exitcode"
	"postier/internal/oauth"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/presets/vendor"
	"postier/tui/plain"
	"postier/wizard/carrier"
)

// This file is the table from errors to exit codes (docs/reference.md §4). The outcome of a check or a reply has the
// code of its cause, which is in the catalogue of causes (diagnostics/explain; diagnostics/report reads it).

// Code is the exit code of an error: that of the first case or row that matches it.
func Code(err error) int {
	var own *Error
	var stopped *plain.Stopped
	var signIn *oauth.Error
	var file *safefile.Error
	switch {
	case err == nil:
		return exitcode.OK
	case errors.As(err, &own):
		return own.Code
	case errors.Is(err, carrier.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitcode.Interrupted
	case errors.As(err, &stopped):
		return stoppedCode(stopped)
	case errors.As(err, &signIn):
		return signInCode(signIn)
	case errors.As(err, new(*vendor.SyntaxError)):
		return exitcode.Config
	case errors.As(err, &file):
		return fileCode(file)
	case errors.As(err, new(*config.InvalidError)), errors.As(err, new(*config.VersionError)),
		errors.As(err, new(*config.SyntaxError)), errors.As(err, new(*config.ChangedError)):
		return exitcode.Config
	}
	for _, row := range sentences() {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return formatCode(err)
}

func formatCode(err error) int {
	var refused *export.Error
	var foreign *importer.Error
	switch {
	case errors.As(err, &refused):
		// A format that does not exist, or a flag that it does not take, is usage; a value that it cannot hold is data.
		switch refused.Reason.Key {
		case "config.enum", "config.export.inline_only", "config.export.no_inline":
			return exitcode.Usage
		}
		return exitcode.Data
	case errors.Is(err, importer.ErrFormat):
		return exitcode.Usage
	case errors.As(err, &foreign):
		return exitcode.Data
	case errors.As(err, new(*delivery.StateError)), errors.As(err, new(*fs.PathError)):
		return exitcode.IO
	case errors.As(err, new(*config.OperationError)), errors.Is(err, config.ErrNoKey):
		// a profile or a key that does not exist, or a malformed name
		return exitcode.Data
	}
	return exitcode.Failed
}

// sentence is the exit code and the message for an error without words of its own.
type sentence struct {
	err  error
	code int
	key  string
}

func sentences() []sentence {
	return []sentence{
		{delivery.ErrTooLarge, exitcode.Data, "sendcli.message.large"},
		{delivery.ErrHeader, exitcode.Data, "sendcli.message.header"},
		{delivery.ErrEmpty, exitcode.Data, "sendcli.message.empty"},
		{delivery.ErrLoop, exitcode.Data, "sendcli.message.loop"},
		{delivery.ErrBadAddress, exitcode.Data, "sendcli.message.address"},
		{delivery.ErrTemplateName, exitcode.Data, "sendcli.template.name"},
		{delivery.ErrPattern, exitcode.Data, "sendcli.suppress.pattern"},
		{delivery.ErrNoEntry, exitcode.Data, "sendcli.suppress.none"},
		{delivery.ErrNoItem, exitcode.Data, "sendcli.queue.none"},
		{delivery.ErrNoText, exitcode.Data, "sendcli.log.no-text"},
		{delivery.ErrTestText, exitcode.Data, "sendcli.log.test-text"},
		{delivery.ErrUnattended, exitcode.Config, "sendcli.ask.nobody"},
		{delivery.ErrTemplateField, exitcode.Data, "sendcli.template.field"},
		{delivery.ErrBusy, exitcode.TempFail, "sendcli.queue.busy"},
		{discovery.ErrNoDomain, exitcode.NoHost, "discovery.no-domain"},
		{discovery.ErrUnreachable, exitcode.Unavailable, "discovery.unreachable"},
	}
}

// Sentence puts an error that the table knows by name into words with these arguments. Every other one stays as it is.
func (p *Printer) Sentence(err error, args ...any) error {
	var state *delivery.StateError
	if errors.As(err, &state) {
		fate := ""
		switch state.Fate {
		case delivery.FateRefused:
			fate = p.T("sendcli.error.refused")
		case delivery.FateAccepted:
			fate = p.T("sendcli.error.accepted")
		case delivery.FateUnknown:
			fate = p.T("sendcli.error.unknown")
		}
		if errors.Is(err, context.Canceled) {
			return Failure(exitcode.Interrupted, fate)
		}
		// The advice to try again is for what was not accepted.
		again := state.Fate == "" || state.Fate == delivery.FateRefused
		if problem := state.DiskProblem(); problem != "" && again {
			why := p.T("config.file."+problem, "path", safetext.FromRemote(state.Place))
			return &Error{Code: exitcode.IO, Text: strings.TrimRight(why+" "+fate, " "), Cause: check.CauseFileFailed}
		}
		text := p.T("sendcli.error.state", "op", state.Op, "place", safetext.FromRemote(state.Place), "error",
			safetext.FromRemote(state.Err.Error()))
		return Failure(exitcode.IO, strings.TrimRight(text+" "+fate, " "))
	}
	for _, row := range sentences() {
		if errors.Is(err, row.err) {
			return p.Fault(row.code, row.key, args...)
		}
	}
	return err
}

// PostCode is the code of a message that was handed in: that of its first try, unless the queue has it (queued) or the
// server accepted it but refused some recipients.
func PostCode(t delivery.Try, queued bool, refused int) int {
	switch {
	case t.State == delivery.StateWaiting && queued:
		return exitcode.OK
	case t.State == delivery.StateSent && refused > 0:
		return exitcode.Failed
	}
	return TryCode(t)
}

// TryCode is the code for the outcome of a try.
func TryCode(t delivery.Try) int {
	switch t.State {
	case delivery.StateSent, delivery.StateCopy:
		return exitcode.OK
	case delivery.StateUnknown:
		return exitcode.IO
	}
	var signIn *oauth.Error
	if errors.As(t.Err, &signIn) {
		return signInCode(signIn)
	}
	if t.State == delivery.StateWaiting {
		return causeCode(t.Cause, exitcode.TempFail)
	}
	return causeCode(t.Cause, exitcode.Failed)
}

// BlockCode is the code of a message that was not sent for this reason.
func BlockCode(b delivery.Block) int {
	switch b {
	case delivery.BlockNone:
		return exitcode.OK
	case delivery.BlockNoProfile, delivery.BlockOff, delivery.BlockUnknown:
		return exitcode.Config
	}
	return exitcode.Failed
}

// VerdictCode is the code for a result of SPF (RFC 7208 §2.6) or DMARC.
func VerdictCode[V ~string](verdict V) int {
	switch verdict {
	case "fail", "softfail", "permerror":
		return exitcode.Failed
	case "temperror":
		return exitcode.TempFail
	}
	return exitcode.OK
}

// DomainCode is the code of one domain of a list, from that of its report: a list tells only whether all passed.
func DomainCode(report int) int { return min(report, exitcode.Failed) }

// ListCode is the code of a list after one more line: a line that is no domain name counts most, then the first
// failure.
func ListCode(before, line int) int {
	if line == exitcode.Data || before == exitcode.OK {
		return line
	}
	return before
}

// causeCode is the code of a cause, or otherwise where the catalogue gives it none.
func causeCode(slug check.Cause, otherwise int) int {
	if cause, ok := explain.Cause(slug); ok && cause.Exit != exitcode.OK {
		return cause.Exit
	}
	return otherwise
}

// signInCode is the code of the cause, except for problems whose cause also covers problems of another kind.
func signInCode(e *oauth.Error) int {
	switch e.Problem {
	case oauth.Foreign, oauth.NotAnAddress: // the person pasted something else
		return exitcode.Data
	case oauth.Busy: // another process holds the file
		return exitcode.TempFail
	case oauth.Unreachable:
		return exitcode.Unavailable
	}
	return causeCode(e.Cause(), exitcode.Failed)
}

// stoppedCode is the code of an unattended run that a check or a question ended.
func stoppedCode(s *plain.Stopped) int {
	switch {
	case s.Finding != nil && s.Finding.Exit != exitcode.OK:
		return s.Finding.Exit
	case s.Finding != nil:
		return causeCode(s.Finding.Cause, exitcode.Failed)
	case s.SignIn:
		return exitcode.NoPerm
	case s.Field != "":
		return exitcode.Data
	case s.Err != nil:
		return Code(s.Err)
	}
	return exitcode.Failed
}

// fileCode tells a file that could not be written from one that must not be used.
func fileCode(e *safefile.Error) int {
	switch e.Problem {
	case safefile.Denied, safefile.DiskFull, safefile.ReadOnly, safefile.Locked, safefile.Failed:
		writing := []string{"lock", "mkdir", "create", "write", "sync", "rename", "remove", "chmod", "chown", "close"}
		if slices.Contains(writing, e.Op) {
			return exitcode.IO
		}
	}
	return exitcode.Config
}
