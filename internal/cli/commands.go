package cli

import (
	"slices"

	"github.com/spf13/cobra"
)

// commandRow is a command that is made when it is needed.
type commandRow struct {
	name string
	make func() *cobra.Command
}

// commands are all commands in the order of the help. When the call names one of them in the first place, only that one
// is made: the words and flags of the others would cost a program that is called for every message more than its own
// work.
func (a *app) commands() []*cobra.Command {
	rows := []commandRow{
		{"setup", a.setupCommand},
		{"demo", a.demoCommand},
		{"discover", a.discoverCommand},
		{"diagnose", a.diagnoseCommand},
		{"explain", a.explainCommand},
		{"guide", a.guideCommand},
		{"report", a.reportCommand},
		{"profile", a.profileCommand},
		{"config", a.configCommand},
		{"secret", a.secretCommand},
		{"token", a.tokenCommand},
		{"export", a.exportCommand},
		{"import", a.importCommand},
		{"send", a.sendCommand},
		{"sendmail", a.sendmailCommand},
		{"queue", a.queueCommand},
		{"suppress", a.suppressCommand},
		{"limits", a.limitsCommand},
		{"template", a.templateCommand},
		{"version", a.versionCommand},
		{"man", a.manCommand},
		{"completion", a.completionCommand},
	}
	speaksOfAll := a.called == "man" || a.called == "completion"
	if i := slices.IndexFunc(rows, func(r commandRow) bool { return r.name == a.called }); i >= 0 && !speaksOfAll {
		rows = rows[i : i+1]
	}
	var list []*cobra.Command
	for _, row := range rows {
		list = append(list, row.make())
	}
	a.completeNames(list)
	return list
}
