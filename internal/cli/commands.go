package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/cli/lookup"
	"postier/internal/cli/profile"
	"postier/internal/cli/send"
	"postier/internal/cli/serve"
	"postier/internal/cli/service"
	"postier/internal/cli/setup"
)

// commandRow makes a command when it is needed.
type commandRow struct {
	name string
	make func() *cobra.Command
}

// commands returns all commands in the order of the help. When the first argument names one of them, only that one is
// made: for a program that is called for every message, the words and flags of the others would take longer than its
// own work.
func commands(f *command.Factory, called string) []*cobra.Command {
	rows := []commandRow{
		{"setup", func() *cobra.Command { return setup.New(f, nil) }},
		{"join", func() *cobra.Command { return setup.NewJoin(f, nil) }},
		{"demo", func() *cobra.Command { return setup.NewDemo(f, nil) }},
		{"serve", func() *cobra.Command { return serve.New(f, serve.Program{Home: runHome, End: exit}, nil) }},
		{"discover", func() *cobra.Command { return lookup.NewDiscover(f, nil) }},
		{"diagnose", func() *cobra.Command { return diagnose.New(f, nil) }},
		{"explain", func() *cobra.Command { return lookup.NewExplain(f, nil) }},
		{"guide", func() *cobra.Command { return lookup.NewGuide(f, nil) }},
		{"report", func() *cobra.Command { return diagnose.NewReport(f, send.Letter(f), nil) }},
		{"profile", func() *cobra.Command { return profile.New(f) }},
		{"alias", func() *cobra.Command { return profile.NewAlias(f) }},
		{"config", func() *cobra.Command { return profile.NewConfig(f) }},
		{"secret", func() *cobra.Command { return profile.NewSecret(f) }},
		{"token", func() *cobra.Command { return profile.NewToken(f, nil) }},
		{"export", func() *cobra.Command { return profile.NewExport(f, nil) }},
		{"import", func() *cobra.Command { return setup.NewImport(f, nil) }},
		{"send", func() *cobra.Command { return send.NewSend(f, nil) }},
		{"sendmail", func() *cobra.Command { return send.NewSendmail(f, nil) }},
		{"queue", func() *cobra.Command { return send.NewQueue(f) }},
		{"log", func() *cobra.Command { return send.NewLog(f, nil) }},
		{"watch", func() *cobra.Command { return send.NewWatch(f, nil) }},
		{"service", func() *cobra.Command { return service.New(f) }},
		{"suppress", func() *cobra.Command { return send.NewSuppress(f) }},
		{"limits", func() *cobra.Command { return send.NewLimits(f) }},
		{"template", func() *cobra.Command { return send.NewTemplate(f) }},
		{"version", func() *cobra.Command { return newVersion(f) }},
		{"man", func() *cobra.Command { return newMan(f) }},
		{"completion", func() *cobra.Command { return newCompletion(f) }},
	}
	speaksOfAll := called == "man" || called == "completion"
	if i := slices.IndexFunc(rows, func(r commandRow) bool { return r.name == called }); i >= 0 && !speaksOfAll {
		rows = rows[i : i+1]
	}
	var list []*cobra.Command
	for _, row := range rows {
		list = append(list, row.make())
	}
	completeNames(f, list)
	return list
}
