package profile

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// NewAlias is `postier alias`: where mail to the local names of this machine goes.
func NewAlias(f *command.Factory) *cobra.Command {
	const anyNumber = 1 << 10
	return f.Group("alias", "cli.short.alias",
		f.Leaf("list", "cli.short.alias-list", 0, 0, func(context.Context, []string) error { return aliasList(f) }),
		f.Leaf("set NAME ADDRESS…", "cli.short.alias-set", 2, anyNumber, change(f,
			func(d *config.Document, args []string) error {
				for _, address := range args[1:] {
					if strings.Contains(address, "@") { // without one it is another local name
						if err := f.CheckAddress(address); err != nil {
							return err
						}
					}
				}
				if d.File.Aliases == nil {
					d.File.Aliases = map[string][]string{}
				}
				d.File.Aliases[args[0]] = args[1:]
				return nil
			})),
		f.Leaf("remove NAME", "cli.short.alias-remove", 1, 1, change(f,
			func(d *config.Document, args []string) error {
				if _, known := d.File.Aliases[args[0]]; !known {
					return f.Fault(exitcode.Data, "cli.alias.unknown", "name", safetext.FromRemote(args[0]))
				}
				for _, other := range slices.Sorted(maps.Keys(d.File.Aliases)) {
					if other != args[0] && slices.Contains(d.File.Aliases[other], args[0]) {
						return f.Fault(exitcode.Data, "cli.alias.used", "name", safetext.FromRemote(args[0]), "other",
							safetext.FromRemote(other))
					}
				}
				delete(d.File.Aliases, args[0])
				return nil
			})),
		f.Leaf("import FILE", "cli.short.alias-import", 1, 1, func(ctx context.Context, args []string) error {
			return importAliases(ctx, f, args[0])
		}))
}

// aliasRow is one local name as --json prints it.
type aliasRow struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
}

func aliasList(f *command.Factory) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	rows := []aliasRow{}
	for _, name := range slices.Sorted(maps.Keys(doc.File.Aliases)) {
		rows = append(rows, aliasRow{name, doc.File.Aliases[name]})
	}
	return command.List(&f.Printer, rows, func(r aliasRow) {
		f.Println(r.Name + ": " + strings.Join(r.Addresses, ", "))
	})
}
