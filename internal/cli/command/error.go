package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// Error ends the run with a code and a sentence; an empty sentence says nothing more.
type Error struct {
	Code  int
	Text  string
	Cause check.Cause // of the catalogue, where there is one
	// Recipient is the address that alone was refused, where the settings work.
	Recipient string
}

// Error is the sentence.
func (e *Error) Error() string { return e.Text }

// Failure is an error with a code and a sentence.
func Failure(code int, text string) error { return &Error{Code: code, Text: text} }

// Usage is an error about the command line.
func Usage(text string) error { return &Error{Code: exitcode.Usage, Text: text} }

// Quiet ends the run with a code and prints nothing. It is nil for success.
func Quiet(code int) error {
	if code == exitcode.OK {
		return nil
	}
	return &Error{Code: code}
}

// Fault is an error with a message of the catalogue.
func (p *Printer) Fault(code int, key string, args ...any) error {
	return &Error{Code: code, Text: p.T(key, args...)}
}

// Data is an error about a malformed value.
func (p *Printer) Data(text locale.Text) error { return &Error{Code: exitcode.Data, Text: p.Say(text)} }

// DataOf is Data about the value of a flag.
func (p *Printer) DataOf(flag string, text locale.Text) error {
	return &Error{Code: exitcode.Data, Text: flag + ": " + p.Say(text)}
}

// OneOf is empty when a value is one of the words, and otherwise says which words there are.
func OneOf[W ~string](value string, words ...W) locale.Text {
	if slices.Contains(words, W(value)) {
		return locale.Text{}
	}
	return locale.Msg("cli.error.one-of", "value", safetext.FromRemote(value), "words", Join(words))
}

// Join lists words of any kind, separated by commas.
func Join[W ~string](words []W) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}

// NoArgs refuses every argument.
func (p *Printer) NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && cmd.HasSubCommands() {
		return Usage(p.T("cli.error.command", "command", safetext.FromRemote(args[0])))
	}
	return p.Args(0, 0)(cmd, args)
}

// Args checks the number of arguments.
func (p *Printer) Args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usage(p.T("cli.error.missing", "usage", strings.TrimSuffix(cmd.UseLine(), " [flags]")))
		case len(args) > most:
			return Usage(p.T("cli.error.argument", "argument", safetext.FromRemote(args[most])))
		}
		return nil
	}
}

// NeedSubcommand is the run of a command that only holds others: it prints the usage.
func (p *Printer) NeedSubcommand(cmd *cobra.Command, _ []string) error {
	if p.JSON {
		return Usage(p.T("cli.error.missing", "usage", cmd.CommandPath()+" …"))
	}
	_ = cmd.Usage()
	return Quiet(exitcode.Usage)
}
