package cli

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"

	"postier/internal/cli/command"

	"github.com/spf13/cobra"
)

// about is what `version --json` prints. Commit and date are empty in a program that was not built from a repository.
type about struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"` // of the commit
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	System   string `json:"system"`
}

func build(version string) about {
	a := about{
		Name: "postier", Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return a
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			a.Commit = setting.Value
		case "vcs.time":
			a.Date, _, _ = strings.Cut(setting.Value, "T")
		case "vcs.modified":
			a.Modified = setting.Value == "true"
		}
	}
	return a
}

// newVersion is `postier version`.
func newVersion(f *command.Factory) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: f.T("cli.short.version"), Args: f.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if f.JSON {
				return json.NewEncoder(f.Out).Encode(build(f.Version))
			}
			f.Println("postier " + f.Version)
			return nil
		},
	}
}
