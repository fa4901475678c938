package cli

import (
	"encoding/json"
	"errors"
	"io"
	"slices"

	"postier/config"
	"postier/config/credential"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/oauth"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/tui/plain"
	"postier/wizard"
)

// failure is the JSON of a run that ended without a result (docs/reference.md §3).
type failure struct {
	Error failureError `json:"error"`
}

type failureError struct {
	Code  int         `json:"code"`
	Cause check.Cause `json:"cause,omitempty"`
	// CauseCode is the cause's spoken code, such as A-14.
	CauseCode string `json:"cause_code,omitempty"`
	Message   string `json:"message"`
	// Where an unattended run stopped, and the flag that would have let it go on.
	Step  wizard.Step    `json:"step,omitempty"`
	Field wizard.FieldID `json:"field,omitempty"`
	Flag  string         `json:"flag,omitempty"`
	// Faults are those of a configuration.
	Faults []failureFault `json:"faults,omitempty"`
}

type failureFault struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// answered is standard output that remembers whether a result was written to it.
type answered struct {
	io.Writer
	some bool
}

func (a *answered) Write(p []byte) (int, error) {
	a.some = a.some || len(p) > 0
	return a.Writer.Write(p)
}

// IsTerminal reports whether it is a terminal.
func (a *answered) IsTerminal() bool { return plain.IsTerminal(a.Writer) }

// wantsJSON finds --json without parsing the rest, so that mistakes on the command line are told as JSON too.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// answerFailure prints why there is no result, on one line, as programs read it. Nothing follows a result that has
// begun.
func answerFailure(f *command.Factory, out *answered, err error, message string) {
	if out.some || message == "" {
		return
	}
	cause := causeOf(err)
	said := failureError{
		Code: command.Code(err), Cause: cause, CauseCode: explain.Code(cause), Message: message,
	}
	var stopped *plain.Stopped
	if errors.As(err, &stopped) {
		said.Step, said.Field = stopped.Step, stopped.Field
		if stopped.Field != "" && stopped.Field != wizard.FieldAddress {
			said.Flag = command.FlagOf(stopped.Field)
		}
		if stopped.Field == wizard.FieldSecret {
			said.Flag = "--password-file"
		}
	}
	var invalid *config.InvalidError
	if errors.As(err, &invalid) {
		for _, fault := range invalid.Faults {
			said.Faults = append(said.Faults, failureFault{fault.Path, f.Say(fault.Text)})
		}
	}
	text, encodeErr := json.Marshal(failure{said})
	if encodeErr == nil {
		_, _ = out.Write(append(safetext.EscapeDocument(text), '\n'))
	}
}

// causeOf is the cause of an error in the catalogue; empty for mistakes on the command line and the like.
func causeOf(err error) check.Cause {
	var stopped *plain.Stopped
	var signIn *oauth.Error
	var file *safefile.Error
	var told *command.Error
	var state *delivery.StateError
	switch {
	case errors.As(err, &told):
		return told.Cause
	case errors.As(err, &state) && state.DiskProblem() != "":
		return check.CauseFileFailed
	case errors.As(err, &stopped):
		switch {
		case stopped.Finding != nil:
			return stopped.Finding.Cause
		case stopped.Err != nil:
			return causeOf(stopped.Err)
		}
	case errors.As(err, new(*config.VersionError)):
		return check.CauseConfigNewer
	case errors.As(err, &file) && command.Code(file) == exitcode.IO:
		return check.CauseFileFailed
	case errors.As(err, new(*credential.Error)):
		return check.CauseCredentialUnreadable
	case errors.As(err, &signIn):
		return signIn.Cause()
	case errors.As(err, &file):
		switch file.Problem {
		case safefile.TooOpen, safefile.FolderOpen, safefile.ForeignOwner, safefile.ForeignLink:
			return check.CauseConfigTooOpen
		}
		return check.CauseFileFailed
	case errors.As(err, new(*config.InvalidError)), errors.As(err, new(*config.SyntaxError)):
		return check.CauseConfigInvalid
	}
	return ""
}
