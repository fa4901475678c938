package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/cli/lookup"
	"postier/internal/cli/send"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/presets"
	"postier/wizard"
)

// flagValues are the words that a flag takes where they are known, by the flag's name.
var flagValues = map[string]func() []string{
	"lang":          func() []string { return texts(locale.All()) },
	"fault":         faultNames,
	"only":          func() []string { return texts(check.All()) },
	"protocol":      protocolNames,
	"provider":      providerNames,
	"auth":          func() []string { return texts(config.Mechanisms()) },
	"smtp-security": func() []string { return texts(config.Securities()) },
	"imap-security": func() []string { return texts(config.Securities()) },
	"sent-copy":     func() []string { return texts(config.SentModes()) },
	"keep":          func() []string { return []string{wizard.KeepFile, wizard.KeepAsk} },
}

// formatValues are those of --format, which several commands have.
var formatValues = map[string][]string{
	"guide":  lookup.GuideFormats,
	"report": texts(report.Formats()),
	"export": send.LogFormats,
}

// wordValues are the words that an argument takes, by what the usage line calls it.
var wordValues = map[string]func() []string{"PROVIDER": providerNames, "CODE": causeNames}

func texts[W ~string](words []W) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return list
}

func protocolNames() []string {
	return []string{explain.SMTP, explain.IMAP, explain.TLS, explain.TCP, explain.DNS}
}

func faultNames() []string {
	var names []string
	for _, fault := range rehearsal.Faults() {
		names = append(names, fault.Name)
	}
	return names
}

func providerNames() []string {
	var names []string
	for _, entry := range presets.Default().All() {
		if entry.Source == presets.SourceFlagship {
			names = append(names, entry.ID)
		}
	}
	return names
}

// causeNames are the codes that a person reads out, and the ids of causes and checks.
func causeNames() []string {
	var names []string
	for _, cause := range explain.Causes() {
		names = append(names, cause.Code, string(cause.Slug))
	}
	return append(names, texts(check.All())...)
}

// offer completes an argument or a flag with one of some words.
func offer(words func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return beginning(words(), begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeValues lets the shell offer the values of a command's flags.
func completeValues(cmd *cobra.Command, flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		words := flagValues[flag.Name]
		if formats := formatValues[cmd.Name()]; flag.Name == "format" && formats != nil {
			words = func() []string { return formats }
		}
		if words != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, offer(words))
		}
	})
}
