package profile

import (
	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
)

// show prints a profile, its secret masked.
func show(f *command.Factory, args []string) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	_, p, err := f.ProfileNamed(doc, args)
	if err != nil {
		return err
	}
	return f.PrintJSON(masked(p))
}

// masked is a profile without the secret that an old file may hold.
func masked(p *config.Profile) *config.Profile {
	shown := *p
	if shown.Credential.Value != "" {
		shown.Credential.Value = "***"
	}
	return &shown
}

// route says which profile sends for an address.
func route(f *command.Factory, address string) error {
	if err := f.CheckAddress(address); err != nil {
		return err
	}
	doc, err := f.Document()
	if err != nil {
		return err
	}
	name, reason := config.Route(&doc.File, address)
	if f.JSON {
		if err := f.PrintJSON(map[string]string{"address": address, "profile": name, "reason": string(reason)}); err != nil {
			return err
		}
	} else if name != "" {
		f.Println(name + "  " + f.T("cli.route."+string(reason)))
	}
	if name == "" {
		return f.Fault(exitcode.Failed, "cli.route.none")
	}
	return nil
}
