// Package profile holds the commands on what is saved: the profiles, their secrets and sign-ins, and the configuration
// file itself.
package profile

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/wizard"
)

// New is `postier profile`.
func New(f *command.Factory) *cobra.Command {
	return f.Group("profile", "cli.short.profile",
		f.Leaf("list", "cli.short.profile-list", 0, 0, func(ctx context.Context, _ []string) error { return List(ctx, f) }),
		f.Leaf("show [PROFILE]", "cli.short.profile-show", 0, 1,
			func(_ context.Context, args []string) error { return show(f, args) }),
		f.Leaf("route ADDRESS", "cli.short.profile-route", 1, 1,
			func(_ context.Context, args []string) error { return route(f, args[0]) }),
		f.Leaf("rename PROFILE NEW", "cli.short.profile-rename", 2, 2, own(f, change(f,
			func(d *config.Document, args []string) error { return d.Rename(args[0], args[1]) }))),
		f.Leaf("default PROFILE", "cli.short.profile-default", 1, 1, change(f,
			func(d *config.Document, args []string) error { return d.SetDefault(args[0]) })),
		NewFallback(f, nil),
		SetCommand(f, "set PROFILE", "cli.short.profile-set", wizard.OptionFields()),
		newTestMode(f), newKind(f),
		NewEnable(f, nil),
		f.Leaf("disable PROFILE", "cli.short.profile-disable", 1, 1, own(f, change(f,
			func(d *config.Document, args []string) error { return d.Disable(args[0], "", time.Now()) }))),
		f.Leaf("remove PROFILE", "cli.short.profile-remove", 1, 1,
			func(ctx context.Context, args []string) error { return Remove(ctx, f, args[0]) }))
}

// own lets a command run on a profile that is the customer's.
func own(f *command.Factory, run command.Run[[]string]) command.Run[[]string] {
	return func(ctx context.Context, args []string) error {
		if _, _, err := f.OwnProfile(args[0]); err != nil {
			return err
		}
		return run(ctx, args)
	}
}

// change changes the configuration and saves it.
func change(f *command.Factory, work func(*config.Document, []string) error) command.Run[[]string] {
	return func(_ context.Context, args []string) error {
		doc, err := f.Document()
		if err != nil {
			return err
		}
		if err := work(doc, args); err != nil {
			return err
		}
		return doc.Save()
	}
}

// Remove takes the profile out of the file and then its secret away.
func Remove(ctx context.Context, f *command.Factory, name string) error {
	doc, p, err := f.OwnProfile(name)
	if err != nil {
		return err
	}
	reference := p.Credential
	if err := doc.Remove(name); err != nil {
		return err
	}
	if err := doc.Save(); err != nil {
		return err
	}
	err = credential.For(doc.Path).Remove(ctx, name, reference)
	var failed *credential.Error
	if errors.As(err, &failed) && failed.Problem == credential.Missing {
		return nil
	}
	return err
}

// mask returns a profile without the secret that an old file may hold.
func mask(p *config.Profile) *config.Profile {
	shown := *p
	if shown.Credential.Value != "" {
		shown.Credential.Value = "***"
	}
	return &shown
}

// show prints a profile, its secret masked.
func show(f *command.Factory, args []string) error {
	doc, name, p, err := f.ProfileNamed(args)
	if err != nil {
		return err
	}
	if !f.JSON {
		if name == doc.File.Fallback {
			f.Note(f.T("cli.profile.fallback-set", "name", name))
		}
		if f.IsPlatform(name, p) {
			f.Note(f.T("cli.profile.of-platform", "name", name, "product", f.Product()))
		}
	}
	return f.PrintJSON(mask(p))
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
