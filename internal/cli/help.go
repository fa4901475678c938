package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
)

// localise puts help and usage into the user's language; cobra's own words are English.
func localise(f *command.Factory, root *cobra.Command) {
	root.SetUsageFunc(func(cmd *cobra.Command) error { return usage(f, cmd) })
	root.SetHelpFunc(help)
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Short = f.T("cli.short.help")
		}
	}
	root.InitDefaultHelpFlag()
	helpFlags(f, root)
}

// helpFlags translates the text of --help in every command.
func helpFlags(f *command.Factory, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	if help := cmd.Flags().Lookup("help"); help != nil {
		help.Usage = f.T("cli.flag.help")
	}
	for _, sub := range cmd.Commands() {
		helpFlags(f, sub)
	}
}

// help prints what a command is for and its usage. It is a function and not a template of cobra's: a linker that sees
// templates keeps every exported method of the program.
func help(cmd *cobra.Command, _ []string) {
	text := strings.TrimRight(cmp.Or(cmd.Long, cmd.Short), " \t\r\n")
	if text != "" {
		text += "\n\n"
	}
	_, _ = fmt.Fprint(cmd.OutOrStdout(), text+cmd.UsageString())
}
