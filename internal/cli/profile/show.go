package profile

import (
	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
)

// show prints a profile, its secret masked.
func show(f *command.Factory, args []string) error {
	_, _, p, err := f.ProfileNamed(args)
	if err != nil {
		return err
	}
	return f.PrintJSON(masked(p))
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
	found := map[string]string{"address": address, "profile": name, "reason": string(reason)}
	err = f.Result(found, func() {
		if name != "" {
			f.Println(name + "  " + f.T("cli.route."+string(reason)))
		}
	})
	if err != nil {
		return err
	}
	if name == "" {
		return f.Fault(exitcode.Failed, "cli.route.none")
	}
	return nil
}
