package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// localise gives help and usage the person's language; cobra's own words are English.
func (a *app) localise(root *cobra.Command) {
	root.SetUsageFunc(a.usage)
	root.SetHelpFunc(help)
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Short = a.T("cli.short.help")
		}
	}
	root.InitDefaultHelpFlag()
	a.helpFlags(root)
}

// helpFlags words --help in every command.
func (a *app) helpFlags(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	if f := cmd.Flags().Lookup("help"); f != nil {
		f.Usage = a.T("cli.flag.help")
	}
	for _, sub := range cmd.Commands() {
		a.helpFlags(sub)
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
