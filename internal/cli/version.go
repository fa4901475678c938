package cli

import (
	"encoding/json"
	"runtime"

	"postier/internal/cli/command"

	"github.com/spf13/cobra"
)

// newVersion is `postier version`.
func newVersion(f *command.Factory) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: f.T("cli.short.version"), Args: f.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if f.JSON {
				return json.NewEncoder(f.Out).Encode(map[string]string{
					"name": "postier", "version": f.Version,
					"go": runtime.Version(),
				})
			}
			f.Println("postier " + f.Version)
			return nil
		},
	}
}
