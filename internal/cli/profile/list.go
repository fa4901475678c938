package profile

import (
	"context"
	"time"

	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// line is one profile of `profile list --json`.
type line struct {
	Name     string     `json:"name"`
	Label    string     `json:"label,omitempty"`
	Address  string     `json:"address"`
	Default  bool       `json:"default"`
	Fallback bool       `json:"fallback"`
	Platform bool       `json:"platform"`
	Enabled  bool       `json:"enabled"`
	Proven   bool       `json:"proven"`
	At       *time.Time `json:"proven_at,omitempty"`
	Status
}

// List prints the profiles, one a line.
func List(ctx context.Context, f *command.Factory) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	if len(doc.Validate().Errors()) > 0 {
		// reading goes on: the list is how to find the fault
		f.Note(f.T("common.warn") + " " + f.T("cli.profile.invalid"))
	}
	statuses, err := StatusesOf(ctx, f, doc)
	if err != nil {
		f.Note(f.T("common.warn") + " " + f.Sentence(err).Error())
	}
	lines := []line{}
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		l := line{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Fallback: name == doc.File.Fallback, Platform: f.IsPlatform(name, p), Enabled: p.Enabled, Proven: p.Proven(),
			Status: statuses.Profiles[name],
		}
		if p.Validated != nil {
			l.At = &p.Validated.At
		}
		lines = append(lines, l)
	}
	if err := command.List(&f.Printer, lines, func(l line) { l.print(f) }); err != nil {
		return err
	}
	if statuses.Unkept && !f.JSON {
		f.Note(f.T("sendcli.unkept", "command", f.Program()+" service install"))
	}
	return nil
}

func (l line) print(f *command.Factory) {
	star, state := " ", f.T("cli.profile.on")
	if l.Default {
		star = "*"
	}
	if !l.Enabled {
		state = f.T("cli.profile.off")
	}
	if l.Platform {
		state = f.T("cli.profile.platform", "product", f.Product()) + ", " + state
	}
	if l.Fallback {
		state = f.T("cli.profile.fallback") + ", " + state
	}
	proven := f.T("cli.profile.unproven")
	if l.Platform {
		proven = f.T("home.provided")
	}
	trouble := l.Trouble().Say(f.Lang(), f.Product())
	switch {
	case trouble != "":
		proven = trouble
	case l.Proven:
		proven = f.T("cli.profile.proven", "date", l.At.Local().Format(time.DateOnly))
	case l.At != nil:
		proven = f.T("cli.profile.edited")
	}
	f.Println(star + " " + l.Name + "  " + safetext.Escape(l.Address) + "  " + state + "  " + proven)
	for _, words := range l.Traffic() {
		f.Println("    " + words.Say(f.Lang(), f.Product()))
	}
}
