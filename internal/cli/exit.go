package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
)

// exit prints the sentence for an error and returns its exit code.
func exit(f *command.Factory, err error) int {
	if err == nil {
		return exitcode.OK
	}
	err = f.Sentence(err)
	f.Complain(words(f, err))
	var invalid *config.InvalidError
	if errors.As(err, &invalid) {
		for _, fault := range invalid.Faults {
			_, _ = fmt.Fprintf(f.Err, "  %s: %s\n", safetext.Escape(fault.Path), safetext.EscapeText(f.Say(fault.Text)))
		}
	}
	var broken *carrier.PanicError
	if errors.As(err, &broken) {
		for line := range strings.Lines(fmt.Sprintf("%v\n%s", broken.Value, broken.Stack)) {
			f.Note("  " + safetext.Escape(strings.TrimRight(line, "\n")))
		}
	}
	return command.Code(err)
}

// words returns the sentence for an error after the code of its cause, since it may end in a command to copy. It is
// empty when everything was printed already.
func words(f *command.Factory, err error) string {
	text, code := sentence(f, err), explain.Code(causeOf(err))
	if text == "" || code == "" || strings.Contains(text, "("+code+")") {
		return text
	}
	return code + ": " + text
}

func sentence(f *command.Factory, err error) string {
	var own *command.Error
	var stopped *plain.Stopped
	switch {
	case errors.As(err, &own):
		return own.Text
	case errors.As(err, &stopped):
		return stoppedWords(f, stopped)
	case command.Code(err) == exitcode.Interrupted:
		return ""
	}
	if text, ok := config.Describe(err); ok {
		return f.Say(text)
	}
	return safetext.Escape(err.Error())
}

// stoppedWords returns the sentence about where an unattended run ended. A cause is its last word, for programs; the
// code for people stands before the sentence, as with every failure.
func stoppedWords(f *command.Factory, s *plain.Stopped) string {
	key := "cli.stopped.field"
	switch {
	case s.Finding != nil && s.Saved:
		return f.T("cli.stopped.saved", "number", s.Step.Number(), "cause", s.Finding.Cause)
	case s.Finding != nil:
		return f.T("cli.stopped.finding", "number", s.Step.Number(), "cause", s.Finding.Cause)
	case s.SignIn:
		return f.T("oauth.setup.stopped", "number", s.Step.Number())
	case s.Field == "" && s.Err != nil:
		return f.T("cli.stopped.finding", "number", s.Step.Number(), "cause", sentence(f, s.Err))
	case s.Field == "":
		key = "cli.stopped.question"
	case s.Field == wizard.FieldSecret:
		key = "cli.stopped.secret"
	case s.Field == wizard.FieldAddress:
		key = "cli.stopped.address"
	}
	return f.T(key, "number", s.Step.Number(), "field", command.FlagOf(s.Field))
}

// flagError translates pflag's errors.
func flagError(f *command.Factory, err error) error {
	var unknown *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		return command.Usage(f.T("cli.error.flag-unknown", "flag", safetext.FromRemote(unknown.GetSpecifiedName())))
	case errors.As(err, &needs):
		return command.Usage(f.T("cli.error.flag-needs", "flag", safetext.FromRemote(needs.GetSpecifiedName())))
	case errors.As(err, &invalid):
		return command.Usage(f.T("cli.error.flag-value", "flag", safetext.FromRemote(invalid.GetFlag().Name), "value",
			safetext.FromRemote(invalid.GetValue())))
	}
	return command.Usage(safetext.Escape(err.Error()))
}
