package main

import "github.com/spf13/cobra"

// localise gives help and usage the person's language; cobra's own words are English.
func (a *app) localise(root *cobra.Command) {
	root.SetUsageTemplate(a.t("help.usage") + ":{{if .Runnable}}\n  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [" +
		a.t("help.command") + "]{{end}}{{if .HasAvailableSubCommands}}\n\n" + a.t("help.commands") +
		":{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name \"help\"))}}\n  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}" +
		"{{if .HasAvailableLocalFlags}}\n\n" + a.t("help.flags") + ":\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}" +
		"{{if .HasAvailableInheritedFlags}}\n\n" + a.t("help.global") + ":\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}\n")
	root.SetHelpTemplate("{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}{{.UsageString}}")
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Short = a.t("short.help")
		}
	}
	root.InitDefaultHelpFlag()
	a.helpFlags(root)
}

// helpFlags words --help in every command.
func (a *app) helpFlags(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	if f := cmd.Flags().Lookup("help"); f != nil {
		f.Usage = a.t("flag.help")
	}
	for _, sub := range cmd.Commands() {
		a.helpFlags(sub)
	}
}
