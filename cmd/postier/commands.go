package main

import "github.com/spf13/cobra"

// commands are all commands in the order of the help.
func (a *app) commands() []*cobra.Command {
	list := []*cobra.Command{
		a.setupCommand(), a.demoCommand(),
		a.discoverCommand(), a.diagnoseCommand(), a.explainCommand(), a.guideCommand(), a.reportCommand(),
		a.profileCommand(), a.configCommand(), a.secretCommand(), a.tokenCommand(), a.exportCommand(), a.importCommand(),
		a.sendCommand(), a.sendmailCommand(), a.queueCommand(), a.suppressCommand(), a.limitsCommand(), a.templateCommand(),
		a.versionCommand(), a.manCommand(), a.completionCommand(),
	}
	a.completeNames(list)
	return list
}
