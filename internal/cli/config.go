package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/presets/vendor"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: a.T("cli.short.config"), Args: a.noArgs, RunE: a.needSubcommand}
	cmd.AddCommand(
		&cobra.Command{
			Use: "path", Short: a.T("cli.short.config-path"), Args: a.noArgs,
			RunE: func(*cobra.Command, []string) error {
				path, _ := a.configPath()
				a.println(safetext.Escape(path))
				return nil
			},
		},
		&cobra.Command{
			Use: "show", Short: a.T("cli.short.config-show"), Args: a.noArgs,
			RunE: func(*cobra.Command, []string) error {
				doc, err := a.document()
				if err != nil {
					return err
				}
				return a.printJSON(withoutInline(doc.File))
			},
		},
		a.vendorToo(&cobra.Command{Use: "schema", Short: a.T("cli.short.config-schema"), Args: a.noArgs}, func() error {
			_, err := a.out.Write(config.Schema())
			return err
		}, func() error {
			_, err := a.out.Write(vendor.Schema())
			return err
		}),
		&cobra.Command{
			Use: "get KEY", Short: a.T("cli.short.config-get"), Args: a.args(1, 1),
			RunE: func(_ *cobra.Command, args []string) error {
				doc, err := a.document()
				if err != nil {
					return err
				}
				value, err := config.Get(doc, args[0])
				if err != nil {
					return err
				}
				a.println(safetext.Escape(value))
				return nil
			},
		},
		a.vendorToo(&cobra.Command{Use: "validate", Short: a.T("cli.short.config-validate"), Args: a.noArgs},
			a.validateConfig,
			a.validateVendor),
		&cobra.Command{
			Use: "migrate", Short: a.T("cli.short.config-migrate"), Args: a.noArgs,
			RunE: func(*cobra.Command, []string) error { return a.migrateConfig() },
		},
	)
	return cmd
}

// withoutInline is the configuration with every secret that an old file may hold masked.
func withoutInline(f config.File) config.File {
	out := f
	out.Profiles = map[string]*config.Profile{}
	for name, p := range f.Profiles {
		shown := *p
		if shown.Credential.Value != "" {
			shown.Credential.Value = "***"
		}
		out.Profiles[name] = &shown
	}
	return out
}

type validation struct {
	Path   string            `json:"path"`
	Valid  bool              `json:"valid"`
	Faults []validationFault `json:"faults"`
	// Proven maps profile names to whether the proven settings are still those in the file.
	Proven map[string]bool `json:"proven"`
}

type validationFault struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	Warning bool   `json:"warning"`
	stale   bool
}

// validateConfig names every fault with its place. Settings that were edited after they were proven are told too, and
// are no fault.
func (a *app) validateConfig() error {
	path, _ := a.configPath()
	doc, err := config.Check(path)
	if missing(err) { // safefile names the first folder that is missing; the file is what was asked for
		return a.Fault(exitConfig, "cli.error.no-config", "path", safetext.FromRemote(path))
	}
	if err != nil {
		return err
	}
	faults := doc.Validate()
	result := validation{
		Path: doc.Path, Valid: len(faults.Errors()) == 0, Faults: []validationFault{},
		Proven: map[string]bool{},
	}
	for _, f := range faults {
		result.Faults = append(result.Faults,
			validationFault{f.Path, a.Say(f.Text), f.Warning, f.Text.Key == "config.validated.stale"})
	}
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		if p == nil {
			continue
		}
		result.Proven[name] = p.Proven()
		if text := openSecret(doc, p); !text.Empty() {
			result.Valid = false
			result.Faults = append(result.Faults,
				validationFault{Path: "profiles." + name + ".credential.path", Message: a.Say(text)})
		}
	}
	if a.json {
		if err := a.printJSON(result); err != nil {
			return err
		}
	} else {
		a.printValidation(doc, result)
	}
	if !result.Valid {
		return quiet(exitConfig)
	}
	return nil
}

// openSecret says that others can read the file of a profile's secret, and how to mend it. A file that is missing is
// told when the secret is wanted: it may be on another machine.
func openSecret(doc *config.Document, p *config.Profile) locale.Text {
	if p.Credential.Kind != config.CredentialFile || p.Credential.Path == "" {
		return locale.Text{}
	}
	path := p.Credential.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(doc.Path), path)
	}
	var file *safefile.Error
	if _, err := safefile.Read(path); errors.As(err, &file) && file.Problem == safefile.TooOpen {
		return file.Text()
	}
	return locale.Text{}
}

func (a *app) printValidation(doc *config.Document, v validation) {
	for _, f := range v.Faults {
		if f.stale {
			continue // named below, with the profile
		}
		word := "common.fail"
		if f.Warning {
			word = "common.warn"
		}
		a.println(a.T(word) + " " + safetext.Escape(f.Path) + ": " + f.Message)
	}
	for _, name := range doc.File.Names() {
		switch p := doc.File.Profiles[name]; {
		case p == nil:
		case p.Validated == nil:
			a.println(a.T("common.warn") + " " + a.T("cli.config.unproven", "name", name))
		case !v.Proven[name]:
			a.println(a.T("common.warn") + " " + a.T("cli.config.edited", "name", name))
		}
	}
	if v.Valid {
		a.println(a.T("common.pass") + " " + a.T("cli.config.valid", "path", safetext.FromRemote(v.Path)))
	}
}

// migrateConfig rewrites the file in the present version. Version 1 is the first, so there is nothing to change yet,
// but a file that cannot be read is told.
func (a *app) migrateConfig() error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	a.println(a.T("cli.config.current", "path", safetext.FromRemote(doc.Path), "version", doc.File.Version))
	return nil
}

func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

func (a *app) needSubcommand(cmd *cobra.Command, _ []string) error {
	_ = cmd.Usage()
	return quiet(exitUsage)
}

// missing reports whether err says that the configuration does not exist.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
