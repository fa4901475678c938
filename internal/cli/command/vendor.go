package command

import (
	"cmp"
	"crypto/tls"

	"github.com/spf13/cobra"

	"postier/internal/wire"
	"postier/presets"
	"postier/presets/vendor"
)

// WithoutVendor is the annotation of a command that must work although the vendor file is broken.
const WithoutVendor = "without-vendor"

// LoadVendor reads the vendor file once. Commands about the program or about that file itself run without it.
func (f *Factory) LoadVendor(cmd *cobra.Command) error {
	if cmd.Annotations[WithoutVendor] != "" || cmd.Name() == "help" || cmd.Name() == "version" {
		return nil
	}
	file, _, err := vendor.Load(f.Getenv)
	f.Vendor, f.Providers = file, file.Apply(presets.Default())
	return err
}

// Book holds the providers that this run knows.
func (f *Factory) Book() *presets.Book {
	if f.Providers == nil {
		return presets.Default()
	}
	return f.Providers
}

// Product is the default name to enter at the provider.
func (f *Factory) Product() string { return cmp.Or(f.Vendor.Label(), "postier") }

// Policy is what the vendor forbids beyond the built-in rules.
func (f *Factory) Policy() wire.Policy {
	if f.Vendor == nil {
		return wire.Policy{}
	}
	t := f.Vendor.TLS
	policy := wire.Policy{ImplicitOnly: t.ImplicitOnly, NoCleartext: t.ForbidCleartext, NoPins: t.ForbidPins}
	if t.Minimum == "1.3" {
		policy.MinVersion = tls.VersionTLS13
	}
	return policy
}

// vendorRoots is the vendor's file of further roots, or "".
func (f *Factory) vendorRoots() string {
	if f.Vendor == nil {
		return ""
	}
	return f.Vendor.TLS.CAFile
}
