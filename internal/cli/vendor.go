package cli

import (
	"crypto/tls"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
	"postier/presets/vendor"
	"postier/wizard"
	"postier/wizard/worker"
)

// loadVendor reads the vendor file once. Commands that speak about the program or about that very file go without it.
func (a *app) loadVendor(cmd *cobra.Command) error {
	if cmd.Annotations[withoutVendor] != "" || cmd.Name() == "help" || cmd.Name() == "version" {
		return nil
	}
	file, _, err := vendor.Load(a.getenv)
	a.vendor, a.providers = file, file.Apply(presets.Default())
	return err
}

// withoutVendor marks a command that must work although the vendor file is broken.
const withoutVendor = "without-vendor"

// vendorToo gives a command on the configuration the flag that turns it to the vendor file.
func (a *app) vendorToo(cmd *cobra.Command, configuration, vendor func() error) *cobra.Command {
	turned := false
	cmd.Flags().BoolVar(&turned, "vendor", false, a.T("vendor.flag.vendor"))
	cmd.Annotations = map[string]string{withoutVendor: "yes"}
	cmd.RunE = func(*cobra.Command, []string) error {
		if turned {
			return vendor()
		}
		return configuration()
	}
	return cmd
}

// book are the providers that this run knows: the built-in ones, with and without what the vendor says.
func (a *app) book() *presets.Book {
	if a.providers == nil {
		return presets.Default()
	}
	return a.providers
}

// product is the name to type at the provider, unless a flag says otherwise.
func (a *app) product() string {
	if label := a.vendor.Label(); label != "" {
		return label
	}
	return "postier"
}

// policy is what the vendor forbids beyond the built-in rules.
func (a *app) policy() wire.Policy {
	if a.vendor == nil {
		return wire.Policy{}
	}
	t := a.vendor.TLS
	policy := wire.Policy{ImplicitOnly: t.ImplicitOnly, NoCleartext: t.ForbidCleartext, NoPins: t.ForbidPins}
	if t.Minimum == "1.3" {
		policy.MinVersion = tls.VersionTLS13
	}
	return policy
}

// vendorRoots is the vendor's file of further roots, or "".
func (a *app) vendorRoots() string {
	if a.vendor == nil {
		return ""
	}
	return a.vendor.TLS.CAFile
}

// vendorOptions gives a conversation what the vendor's profiles begin with, and whom to ask.
func (a *app) vendorOptions(o *wizard.Options) {
	if a.vendor == nil {
		return
	}
	d := a.vendor.Defaults
	o.Defaults = wizard.Defaults{
		ReplyTo: d.ReplyTo, BCC: d.BCC, Kinds: d.Kinds, Limits: d.Limits, TestMode: d.TestMode, SentCopy: d.SentCopy,
		AskEach: d.Keep == vendor.KeepAsk,
	}
	o.AllowCleartext = a.policy().Cleartext(o.AllowCleartext)
	a.vendorSupport(o)
}

// vendorSupport gives a conversation the contact in every language.
func (a *app) vendorSupport(o *wizard.Options) {
	o.Support = presets.Text{}
	for _, lang := range locale.All() {
		if contact := a.vendor.Contact(lang); contact != "" {
			o.Support[lang] = contact
		}
	}
}

// platform is the vendor's profile to fall back on, nil where there is none.
func (a *app) platform() *worker.Fallback {
	if a.vendor == nil || a.vendor.Fallback == nil {
		return nil
	}
	return &worker.Fallback{Name: a.vendor.Fallback.Name, Profile: a.vendor.Fallback.Profile}
}

// support names the vendor's contact after a failure. A slip on the command line and an end by the user are none.
func (a *app) support(code int) {
	switch code {
	case exitOK, exitUsage, exitInterrupted:
		return
	}
	if contact := a.vendor.Contact(a.lang()); contact != "" {
		a.note(contact)
	}
}

// validateVendor names every fault of the vendor file with its place.
func (a *app) validateVendor() error {
	path, _ := vendor.Path(a.getenv)
	_, faults, err := vendor.Check(path)
	switch {
	case missing(err):
		return &exitError{exitConfig, a.T("vendor.missing", "path", safetext.FromRemote(path))}
	case err != nil:
		return err
	}
	result := validation{
		Path: path, Valid: len(faults.Errors()) == 0, Faults: []validationFault{},
		Proven: map[string]bool{},
	}
	for _, f := range faults {
		result.Faults = append(result.Faults, validationFault{Path: f.Path, Message: a.Say(f.Text), Warning: f.Warning})
	}
	switch {
	case a.json:
		if err := a.printJSON(result); err != nil {
			return err
		}
	default:
		a.printValidation(config.New(path), validation{Path: path, Faults: result.Faults})
		if result.Valid {
			a.println(a.T("common.pass") + " " + a.T("vendor.valid", "path", safetext.FromRemote(path)))
		}
	}
	if !result.Valid {
		return quiet(exitConfig)
	}
	return nil
}
