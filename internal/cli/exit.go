package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/tui"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
)

// Exit codes of docs/reference.md §4.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 64
	exitData        = 65
	exitIO          = 74
	exitNoPerm      = 77
	exitConfig      = 78
	exitInterrupted = 130
)

// exitError ends the run with a code and a sentence; an empty sentence says nothing more.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func usagef(text string) error { return &exitError{exitUsage, text} }

// Fault is an error of a command's own, in the person's language.
func (a *app) Fault(code int, key string, args ...any) error {
	return &exitError{code, a.T(key, args...)}
}

// quiet ends the run with a code; everything was said already.
func quiet(code int) error { return &exitError{code: code} }

// exit prints an error in words and returns its code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitOK
	}
	var own *exitError
	if errors.As(err, &own) {
		a.complain(own.text)
		return own.code
	}
	var stopped *plain.Stopped
	switch {
	case errors.Is(err, tui.ErrInterrupted), plain.Interrupted(err), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &stopped):
		return a.stopped(stopped)
	}
	var broken *carrier.PanicError
	if errors.As(err, &broken) {
		a.complain(safetext.Escape(err.Error()))
		for line := range strings.Lines(fmt.Sprintf("%v\n%s", broken.Value, broken.Stack)) {
			_, _ = io.WriteString(a.err, "  "+safetext.Escape(strings.TrimRight(line, "\n"))+"\n")
		}
		return exitFailed
	}
	if text, ok := config.Describe(err); ok {
		a.complain(a.Say(text))
		var invalid *config.InvalidError
		if errors.As(err, &invalid) {
			a.faults(invalid.Faults)
		}
		return codeOf(err)
	}
	a.complain(safetext.Escape(err.Error()))
	return codeOf(err)
}

// stopped explains where an unattended run ended.
func (a *app) stopped(s *plain.Stopped) int {
	if s.Finding != nil {
		key := "cli.stopped.finding"
		if s.Saved {
			key = "cli.stopped.saved"
		}
		a.complain(a.T(key, "number", s.Step.Number(), "cause", s.Finding.Cause))
		if s.Finding.Exit != 0 {
			return s.Finding.Exit
		}
		if cause, ok := explain.Cause(s.Finding.Cause); ok && cause.Exit != 0 {
			return cause.Exit
		}
		return exitFailed
	}
	if s.SignIn {
		a.complain(a.T("oauth.setup.stopped", "number", s.Step.Number()))
		return exitNoPerm
	}
	key := "cli.stopped.question"
	switch s.Field {
	case "":
	case wizard.FieldSecret:
		key = "cli.stopped.secret"
	case wizard.FieldAddress:
		key = "cli.stopped.address"
	default:
		key = "cli.stopped.field"
	}
	a.complain(a.T(key, "number", s.Step.Number(), "field", "--"+flagOf(s.Field)))
	if s.Field != "" {
		return exitData
	}
	return exitFailed
}

func (a *app) faults(faults config.Faults) {
	for _, f := range faults {
		_, _ = fmt.Fprintf(a.err, "  %s: %s\n", safetext.Escape(f.Path), a.Say(f.Text))
	}
}

func (a *app) complain(text string) {
	if text != "" {
		_, _ = io.WriteString(a.err, "postier: "+text+"\n")
	}
}

// codeOf is the exit code of an error that is none of a command's own: a configuration that cannot be used is 78,
// reading or writing that failed 74.
func codeOf(err error) int {
	var file *safefile.Error
	var credential interface{ ExitCode() int }
	switch {
	case errors.As(err, &credential):
		return credential.ExitCode()
	case errors.As(err, &file):
		if writing(file) {
			return exitIO
		}
		return exitConfig
	case errors.As(err, new(*config.InvalidError)), errors.As(err, new(*config.VersionError)),
		errors.As(err, new(*config.SyntaxError)), errors.As(err, new(*config.ChangedError)):
		return exitConfig
	case errors.As(err, new(*fs.PathError)):
		return exitIO
	case errors.As(err, new(*config.OperationError)): // a profile that there is none of, or a name that is none
		return exitData
	}
	return exitFailed
}

// writing reports whether a file could not be written, rather than being one that must not be used.
func writing(e *safefile.Error) bool {
	switch e.Problem {
	case safefile.Denied, safefile.DiskFull, safefile.ReadOnly, safefile.Locked, safefile.Failed:
		return slices.Contains([]string{
			"lock", "mkdir", "create", "write", "sync", "rename", "remove", "chmod", "chown",
			"close",
		}, e.Op)
	}
	return false
}

// flagError puts pflag's errors into words.
func (a *app) flagError(err error) error {
	var unknown *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		return usagef(a.T("cli.error.flag-unknown", "flag", safetext.FromRemote(unknown.GetSpecifiedName())))
	case errors.As(err, &needs):
		return usagef(a.T("cli.error.flag-needs", "flag", safetext.FromRemote(needs.GetSpecifiedName())))
	case errors.As(err, &invalid):
		return usagef(a.T("cli.error.flag-value", "flag", safetext.FromRemote(invalid.GetFlag().Name), "value",
			safetext.FromRemote(invalid.GetValue())))
	}
	return usagef(safetext.Escape(err.Error()))
}

func (a *app) noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		if cmd.HasSubCommands() {
			return usagef(a.T("cli.error.command", "command", safetext.FromRemote(args[0])))
		}
		return usagef(a.T("cli.error.argument", "argument", safetext.FromRemote(args[0])))
	}
	return nil
}

// args checks the number of arguments.
func (a *app) args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef(a.T("cli.error.missing", "usage", strings.TrimSuffix(cmd.UseLine(), " [flags]")))
		case most >= 0 && len(args) > most:
			return usagef(a.T("cli.error.argument", "argument", safetext.FromRemote(args[most])))
		}
		return nil
	}
}
