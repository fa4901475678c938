package command

import (
	"cmp"
	"crypto/tls"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/exitcode"
	"postier/internal/safetext"
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

// IsPlatform reports whether a profile is the one that the vendor file brings. One of that name which sends from
// another address is the customer's own.
func (f *Factory) IsPlatform(name string, p *config.Profile) bool {
	if f.Vendor == nil || f.Vendor.Fallback == nil || f.Vendor.Fallback.Name != name {
		return false
	}
	theirs := f.Vendor.Fallback.Profile.From.Address
	return p == nil || strings.EqualFold(config.AddressASCIIDomain(p.From.Address), config.AddressASCIIDomain(theirs))
}

// Own refuses the platform's profile: it is the vendor's, and not the customer's to change or to read out. Whoever may
// write the configuration could do both by hand; this keeps a customer from doing it by mistake.
func (f *Factory) Own(name string, p *config.Profile) error {
	if !f.IsPlatform(name, p) {
		return nil
	}
	return f.Fault(exitcode.NoPerm, "cli.error.platform", "name", safetext.FromRemote(name), "product",
		safetext.FromRemote(cmp.Or(f.Vendor.Product.Name, f.Product())), "command", f.Program()+" setup")
}

// OwnProfile is Profile for a command that changes a profile or gives its secret away.
func (f *Factory) OwnProfile(name string) (*config.Document, *config.Profile, error) {
	doc, p, err := f.Profile(name)
	if err == nil {
		err = f.Own(cmp.Or(name, doc.File.Default), p)
	}
	return doc, p, err
}

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
