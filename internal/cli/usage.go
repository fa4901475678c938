package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/typeset"
)

// helpWidth is the longest line of a help page; a flag whose name is longer than helpColumn has its text on the next
// line.
const (
	helpWidth  = 80
	helpColumn = 34
)

// usage prints cobra's usage page in the user's language: the words of cobra and pflag are English.
func usage(f *command.Factory, cmd *cobra.Command) error {
	var b strings.Builder
	heading := func(key string) { b.WriteString(locale.For(f.Lang()).Colon(f.T(key)) + "\n") }
	heading("cli.help.usage")
	if cmd.Runnable() {
		b.WriteString("  " + strings.Replace(cmd.UseLine(), "[flags]", f.T("cli.help.options"), 1) + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " [" + f.T("cli.help.command") + "]\n\n")
		heading("cli.help.commands")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				helpLine(&b, "  "+typeset.Pad(sub.Name(), sub.NamePadding()), sub.NamePadding()+3, sub.Short)
			}
		}
	}
	if cmd.HasAvailableLocalFlags() {
		b.WriteString("\n")
		heading("cli.help.flags")
		flagLines(f, &b, cmd.LocalFlags())
	}
	if cmd.HasAvailableInheritedFlags() {
		b.WriteString("\n")
		heading("cli.help.global")
		flagLines(f, &b, cmd.InheritedFlags())
	}
	_, err := io.WriteString(cmd.OutOrStderr(), b.String())
	return err
}

// flagLines prints the flags with the kind of value that each takes and its default.
func flagLines(f *command.Factory, b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name := "      --" + flag.Name
		if flag.Shorthand != "" {
			name = "  -" + flag.Shorthand + ", --" + flag.Name
		}
		if kind := flagKind(f, flag); kind != "" {
			name += " " + kind
		}
		text := flag.Usage
		if hasDefault(flag) {
			text += " " + f.T("cli.help.default", "value", flag.DefValue)
		}
		helpLine(b, name, helpColumn, text)
	})
}

// flagKind is the word for the value of a flag, empty when it takes none.
func flagKind(f *command.Factory, flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return ""
	case "int", "int64", "uint", "float64", "count":
		return f.T("cli.help.number")
	case "duration":
		return f.T("cli.help.duration")
	}
	return f.T("cli.help.text")
}

// hasDefault reports whether to show the default of a flag. That of --lang is the language in use, which was set before
// the flags were parsed, and is not shown.
func hasDefault(f *pflag.Flag) bool {
	switch f.DefValue {
	case "", "[]", "0", "0s", "false":
		return false
	}
	return f.Name != "lang"
}

// helpLine prints a name with its text, wrapped in a column to the right of it.
func helpLine(b *strings.Builder, name string, column int, said string) {
	indent := strings.Repeat(" ", column)
	if typeset.Width(name)+1 > column {
		b.WriteString(name + "\n")
		name = ""
	}
	for _, line := range typeset.Fill(typeset.Pad(name, column), indent, said, helpWidth) {
		b.WriteString(line + "\n")
	}
}
