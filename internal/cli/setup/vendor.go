package setup

import (
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/presets"
	"postier/presets/vendor"
	"postier/wizard"
	"postier/wizard/worker"
)

// vendorOptions gives a conversation what the vendor's profiles begin with, and whom to ask.
func vendorOptions(f *command.Factory, o *wizard.Options) {
	if f.Vendor == nil {
		return
	}
	d := f.Vendor.Defaults
	o.Defaults = wizard.Defaults{
		ReplyTo: d.ReplyTo, BCC: d.BCC, Kinds: d.Kinds, Limits: d.Limits, TestMode: d.TestMode, SentCopy: d.SentCopy,
		AskEach: d.Keep == vendor.KeepAsk,
	}
	o.AllowCleartext = f.Policy().Cleartext(o.AllowCleartext)
	vendorSupport(f, o)
}

// vendorSupport gives a conversation the contact in every language.
func vendorSupport(f *command.Factory, o *wizard.Options) {
	o.Support = presets.Text{}
	for _, lang := range locale.All() {
		if contact := f.Vendor.Contact(lang); contact != "" {
			o.Support[lang] = contact
		}
	}
}

// platform is the vendor's profile to fall back on, nil where there is none.
func platform(f *command.Factory) *worker.Fallback {
	if f.Vendor == nil || f.Vendor.Fallback == nil {
		return nil
	}
	return &worker.Fallback{Name: f.Vendor.Fallback.Name, Profile: f.Vendor.Fallback.Profile}
}
