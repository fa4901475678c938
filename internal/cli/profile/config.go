package profile

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/safetext"
	"postier/presets/vendor"
)

// NewConfig is `postier config`.
func NewConfig(f *command.Factory) *cobra.Command {
	return f.Group("config", "cli.short.config",
		f.Leaf("path", "cli.short.config-path", 0, 0, func(context.Context, []string) error {
			path, _ := f.ConfigPath()
			shown := struct {
				Path string `json:"path"`
			}{path}
			return f.Result(shown, func() { f.Println(safetext.Escape(path)) })
		}),
		f.Leaf("show", "cli.short.config-show", 0, 0, func(context.Context, []string) error { return showConfig(f) }),
		vendorToo(f, "schema", "cli.short.config-schema", func() error {
			_, err := f.Out.Write(config.Schema())
			return err
		}, func() error {
			_, err := f.Out.Write(vendor.Schema())
			return err
		}),
		f.Leaf("get KEY", "cli.short.config-get", 1, 1, func(_ context.Context, args []string) error {
			doc, err := f.Document()
			if err != nil {
				return err
			}
			value, err := config.Get(doc, args[0])
			if err != nil {
				return err
			}
			f.Println(safetext.Escape(value))
			return nil
		}),
		vendorToo(f, "validate", "cli.short.config-validate", func() error { return validateConfig(f) },
			func() error { return validateVendor(f) }),
		f.Leaf("migrate", "cli.short.config-migrate", 0, 0, func(context.Context, []string) error { return migrate(f) }))
}

// vendorToo is a command on the configuration that works on the vendor file with --vendor.
func vendorToo(f *command.Factory, use, short string, configuration, vendor func() error) *cobra.Command {
	onVendor := false
	cmd := f.Leaf(use, short, 0, 0, func(context.Context, []string) error {
		if onVendor {
			return vendor()
		}
		return configuration()
	})
	cmd.Flags().BoolVar(&onVendor, "vendor", false, f.T("vendor.flag.vendor"))
	cmd.Annotations = map[string]string{command.WithoutVendor: "yes"}
	return cmd
}

// showConfig prints the configuration with every secret that an old file may hold masked.
func showConfig(f *command.Factory) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	shown := doc.File
	shown.Profiles = map[string]*config.Profile{}
	for name, p := range doc.File.Profiles {
		shown.Profiles[name] = mask(p)
	}
	shown.Queue.Database = config.MaskDatabase(shown.Queue.Database)
	shown.Watch.Notify = nil
	for _, target := range doc.File.Watch.Notify {
		shown.Watch.Notify = append(shown.Watch.Notify, config.MaskNotify(target))
	}
	return f.PrintJSON(shown)
}

// migrate rewrites the file in the present version. Version 1 is the first, so there is nothing to change yet; a file
// that cannot be read is an error.
func migrate(f *command.Factory) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	return f.Result(migrated{doc.Path, doc.File.Version}, func() {
		f.Println(f.T("cli.config.current", "path", safetext.FromRemote(doc.Path), "version", doc.File.Version))
	})
}

// migrated is what `config migrate --json` prints.
type migrated struct {
	Path    string `json:"path"`
	Version int    `json:"version"`
}
