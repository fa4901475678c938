package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/credential"
	"postier/internal/safetext"
)

func (a *app) profileCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "profile", Short: a.T("cli.short.profile"), Args: a.noArgs, RunE: a.needSubcommand}
	change := func(use string, least, most int, work func(*config.Document, []string) error) *cobra.Command {
		name, _, _ := strings.Cut(use, " ")
		return &cobra.Command{
			Use: use, Short: a.T("cli.short.profile-" + name), Args: a.args(least, most),
			RunE: func(_ *cobra.Command, args []string) error {
				doc, err := a.document()
				if err != nil {
					return err
				}
				if err := work(doc, args); err != nil {
					return err
				}
				return doc.Save()
			},
		}
	}
	remove := &cobra.Command{
		Use: "remove PROFILE", Short: a.T("cli.short.profile-remove"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.removeProfile(cmd.Context(), args[0])
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: a.T("cli.short.profile-list"), Args: a.noArgs,
			RunE: func(*cobra.Command, []string) error { return a.listProfiles() },
		},
		&cobra.Command{
			Use: "show [PROFILE]", Short: a.T("cli.short.profile-show"), Args: a.args(0, 1),
			RunE: func(_ *cobra.Command, args []string) error { return a.showProfile(args) },
		},
		&cobra.Command{
			Use: "route ADDRESS", Short: a.T("cli.short.profile-route"), Args: a.args(1, 1),
			RunE: func(_ *cobra.Command, args []string) error { return a.route(args[0]) },
		},
		change("rename PROFILE NEW", 2, 2,
			func(d *config.Document, args []string) error { return d.Rename(args[0], args[1]) }),
		change("default PROFILE", 1, 1, func(d *config.Document, args []string) error { return d.SetDefault(args[0]) }),
		a.profileEnableCommand(),
		change("disable PROFILE", 1, 1,
			func(d *config.Document, args []string) error { return d.Disable(args[0], "", time.Now()) }),
		remove,
	)
	return cmd
}

// profileLine is one profile of `profile list --json`.
type profileLine struct {
	Name     string     `json:"name"`
	Label    string     `json:"label,omitempty"`
	Address  string     `json:"address"`
	Default  bool       `json:"default"`
	Fallback bool       `json:"fallback"`
	Enabled  bool       `json:"enabled"`
	Proven   bool       `json:"proven"`
	At       *time.Time `json:"proven_at,omitempty"`
}

func (a *app) listProfiles() error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	if len(doc.Validate().Errors()) > 0 {
		// reading goes on: the list is how to find the fault
		a.note(a.T("common.warn") + " " + a.T("cli.profile.invalid"))
	}
	lines := []profileLine{}
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		line := profileLine{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Fallback: name == doc.File.Fallback, Enabled: p.Enabled, Proven: p.Proven(),
		}
		if p.Validated != nil {
			line.At = &p.Validated.At
		}
		lines = append(lines, line)
	}
	if a.json {
		return a.printJSON(lines)
	}
	for _, l := range lines {
		star, state := " ", a.T("cli.profile.on")
		if l.Default {
			star = "*"
		}
		if !l.Enabled {
			state = a.T("cli.profile.off")
		}
		proven := a.T("cli.profile.unproven")
		switch {
		case l.Proven:
			proven = a.T("cli.profile.proven", "date", l.At.Local().Format(time.DateOnly))
		case l.At != nil:
			proven = a.T("cli.profile.edited")
		}
		a.println(star + " " + l.Name + "  " + safetext.Escape(l.Address) + "  " + state + "  " + proven)
	}
	return nil
}

// profileNamed is the profile of an argument, or the default.
func (a *app) profileNamed(doc *config.Document, args []string) (string, *config.Profile, error) {
	name := doc.File.Default
	if len(args) > 0 {
		name = args[0]
	}
	if name == "" {
		return "", nil, a.Fault(exitData, "cli.error.no-default")
	}
	p, err := doc.Profile(name)
	if err != nil {
		return "", nil, err
	}
	return name, p, nil
}

func (a *app) showProfile(args []string) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	_, p, err := a.profileNamed(doc, args)
	if err != nil {
		return err
	}
	shown := *p
	if shown.Credential.Value != "" {
		shown.Credential.Value = "***"
	}
	return a.printJSON(shown)
}

func (a *app) route(address string) error {
	if text := config.ValidateAddress(address); !text.Empty() {
		return &exitError{exitData, a.Say(text)}
	}
	doc, err := a.document()
	if err != nil {
		return err
	}
	name, reason := config.Route(&doc.File, address)
	if a.json {
		if err := a.printJSON(map[string]string{"address": address, "profile": name, "reason": string(reason)}); err != nil {
			return err
		}
	} else if name != "" {
		a.println(name + "  " + a.T("cli.route."+string(reason)))
	}
	if name == "" {
		return a.Fault(exitFailed, "cli.route.none")
	}
	return nil
}

// removeProfile takes the profile out of the file and then its secret away.
func (a *app) removeProfile(ctx context.Context, name string) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	p, err := doc.Profile(name)
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
