package profile

import (
	"errors"
	"io/fs"
	"path/filepath"

	"postier/config"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets/vendor"
)

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

// validateConfig lists every fault with its place. It also names settings that were edited after they were proven,
// which is no fault.
func validateConfig(f *command.Factory) error {
	path, _ := f.ConfigPath()
	doc, err := config.Check(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.NoConfig(path)
	}
	if err != nil {
		return err
	}
	result := validationOf(f, doc.Path, doc.Validate())
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		if p == nil {
			continue
		}
		result.Proven[name] = p.Proven()
		if text := openSecret(doc, p); !text.Empty() {
			result.Valid = false
			result.Faults = append(result.Faults,
				validationFault{Path: "profiles." + name + ".credential.path", Message: f.Say(text)})
		}
		if _, err := account.Trusting(&wire.Network{}, doc.Path, p.TLS.CAFile); err != nil {
			result.Faults = append(result.Faults, validationFault{
				Path: "profiles." + name + ".tls.ca_file", Warning: true, // it may be on another machine
				Message: f.T("cli.error.ca-file", "path", safetext.FromRemote(p.TLS.CAFile),
					"error", safetext.FromRemote(err.Error())),
			})
		}
	}
	return result.end(f, func() {
		result.printFaults(f)
		result.printProofs(f, doc)
	})
}

func validationOf(f *command.Factory, path string, faults config.Faults) validation {
	v := validation{
		Path: path, Valid: len(faults.Errors()) == 0, Faults: []validationFault{}, Proven: map[string]bool{},
	}
	for _, fault := range faults {
		v.Faults = append(v.Faults,
			validationFault{fault.Path, f.Say(fault.Text), fault.Warning, fault.Text.Key == "config.validated.stale"})
	}
	return v
}

// end prints the validation, and is 78 when it found faults.
func (v validation) end(f *command.Factory, print func()) error {
	if err := f.Result(v, print); err != nil {
		return err
	}
	if !v.Valid {
		return command.Quiet(exitcode.Config)
	}
	return nil
}

// openSecret says that others can read the file of a profile's secret, and how to fix that. A missing file is reported
// only when the secret is used: it may be on another machine.
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

func (v validation) printFaults(f *command.Factory) {
	for _, fault := range v.Faults {
		if fault.stale {
			continue // named below, with the profile
		}
		word := "common.fail"
		if fault.Warning {
			word = "common.warn"
		}
		f.Println(f.T(word) + " " + safetext.Escape(fault.Path) + ": " + fault.Message)
	}
}

// printProofs says which profiles are not proven as they are in the file.
func (v validation) printProofs(f *command.Factory, doc *config.Document) {
	for _, name := range doc.File.Names() {
		switch p := doc.File.Profiles[name]; {
		case p == nil:
		case p.Validated == nil:
			f.Println(f.T("common.warn") + " " + f.T("cli.config.unproven", "name", name))
		case !v.Proven[name]:
			f.Println(f.T("common.warn") + " " + f.T("cli.config.edited", "name", name))
		}
	}
	if v.Valid {
		f.Println(f.T("common.pass") + " " + f.T("cli.config.valid", "path", safetext.FromRemote(v.Path)))
	}
}

// validateVendor names every fault of the vendor file with its place.
func validateVendor(f *command.Factory) error {
	path, _ := vendor.Path(f.Getenv)
	_, faults, err := vendor.Check(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.Fault(exitcode.Config, "vendor.missing", "path", safetext.FromRemote(path))
	case err != nil:
		return err
	}
	result := validationOf(f, path, faults)
	return result.end(f, func() {
		result.printFaults(f)
		if result.Valid {
			f.Println(f.T("common.pass") + " " + f.T("vendor.valid", "path", safetext.FromRemote(path)))
		}
	})
}
