package cli

import (
	"encoding/json"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: a.T("cli.short.version"), Args: a.noArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return json.NewEncoder(a.out).Encode(map[string]string{
					"name": "postier", "version": version,
					"go": runtime.Version(),
				})
			}
			a.println("postier " + version)
			return nil
		},
	}
}
