package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/export"
	"postier/internal/cli/command"
)

// completionShells are the shells for which completion can be written.
var completionShells = []string{"bash", "zsh", "fish", "powershell"}

// newCompletion replaces cobra's own command, whose words are English.
func newCompletion(f *command.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: f.T("man.completion"), Long: f.T("man.completion.long"),
		Args:      f.Args(1, 1),
		ValidArgs: completionShells,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(f.Out, true)
		case "zsh":
			return root.GenZshCompletion(f.Out)
		case "fish":
			return root.GenFishCompletion(f.Out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(f.Out)
		}
		return command.Usage(f.Say(command.OneOf(args[0], completionShells...)))
	}
	return cmd
}

// completeNames lets the shell offer the words that a command takes: names of profiles, formats, providers and causes,
// and the values of its flags.
func completeNames(f *command.Factory, commands []*cobra.Command) {
	for _, cmd := range commands {
		words := strings.Fields(cmd.Use)[1:]
		names := func(word string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Trim(w, "[]") == word })
		}
		switch {
		case names("FORMAT"):
			cmd.ValidArgsFunction = completeFormat(f)
		case names("PROFILE"):
			cmd.ValidArgsFunction = completeProfile(f)
		}
		for word, values := range wordValues {
			if names(word) {
				cmd.ValidArgsFunction = offer(values)
			}
		}
		completeValues(cmd, cmd.Flags())
		if cmd.Flags().Lookup("edit") != nil {
			_ = cmd.RegisterFlagCompletionFunc("edit",
				func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
					return completeProfile(f)(cmd, nil, begun)
				})
		}
		completeNames(f, cmd.Commands())
	}
}

// completeProfile offers the saved profiles for the first argument, and none when the configuration cannot be read: the
// command itself will say why.
func completeProfile(f *command.Factory) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		path, _ := f.ConfigPath()
		doc, err := config.Load(path)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(doc.File.Names(), begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFormat offers the formats of export, and the profiles after a format.
func completeFormat(f *command.Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return completeProfile(f)(cmd, args[1:], begun)
		}
		var names []string
		for _, format := range export.Formats() {
			names = append(names, format.Name)
		}
		return beginning(names, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

func beginning(names []string, begun string) []cobra.Completion {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, begun) })
}
