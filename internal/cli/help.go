package cli

import "github.com/spf13/cobra"

// localise gives help and usage the person's language; cobra's own words are English.
func (a *app) localise(root *cobra.Command) {
	root.SetUsageFunc(a.usage)
	root.SetHelpTemplate("{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}{{.UsageString}}")
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
