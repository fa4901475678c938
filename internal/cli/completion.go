package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/export"
	"postier/internal/safetext"
)

// completionShells are the shells for which completion can be written.
var completionShells = []string{"bash", "zsh", "fish", "powershell"}

// completionCommand takes the place of cobra's own, whose words are English.
func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: a.T("man.completion"), Long: a.T("man.completion.long"),
		Args:      a.args(1, 1),
		ValidArgs: completionShells,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(a.out, true)
		case "zsh":
			return root.GenZshCompletion(a.out)
		case "fish":
			return root.GenFishCompletion(a.out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(a.out)
		}
		return usagef(a.T("cli.error.one-of", "value", safetext.FromRemote(args[0]), "words",
			strings.Join(completionShells, ", ")))
	}
	return cmd
}

// completeNames lets the shell offer the names of profiles, formats and languages where a command takes one.
func (a *app) completeNames(commands []*cobra.Command) {
	for _, cmd := range commands {
		words := strings.Fields(cmd.Use)[1:]
		names := func(word string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Trim(w, "[]") == word })
		}
		switch {
		case names("FORMAT"):
			cmd.ValidArgsFunction = a.completeFormat
		case names("PROFILE"):
			cmd.ValidArgsFunction = a.completeProfile
		}
		if f := cmd.Flags().Lookup("edit"); f != nil {
			_ = cmd.RegisterFlagCompletionFunc("edit",
				func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
					return a.completeProfile(cmd, nil, begun)
				})
		}
		a.completeNames(cmd.Commands())
	}
}

// completeProfile offers the saved profiles for the first argument. A configuration that cannot be read offers none:
// the command itself will say why.
func (a *app) completeProfile(_ *cobra.Command, args []string, begun string) ([]cobra.Completion,
	cobra.ShellCompDirective,
) {
	path, _ := a.configPath()
	doc, err := config.Load(path)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return beginning(doc.File.Names(), begun), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeFormat(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion,
	cobra.ShellCompDirective,
) {
	if len(args) > 0 {
		return a.completeProfile(cmd, args[1:], begun)
	}
	var names []string
	for _, f := range export.Formats() {
		names = append(names, f.Name)
	}
	return beginning(names, begun), cobra.ShellCompDirectiveNoFileComp
}

func beginning(names []string, begun string) []cobra.Completion {
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, begun) })
}
