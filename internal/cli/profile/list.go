package profile

import (
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
	Enabled  bool       `json:"enabled"`
	Proven   bool       `json:"proven"`
	At       *time.Time `json:"proven_at,omitempty"`
}

// List prints the profiles, one a line.
func List(f *command.Factory) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	if len(doc.Validate().Errors()) > 0 {
		// reading goes on: the list is how to find the fault
		f.Note(f.T("common.warn") + " " + f.T("cli.profile.invalid"))
	}
	lines := []line{}
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		l := line{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Fallback: name == doc.File.Fallback, Enabled: p.Enabled, Proven: p.Proven(),
		}
		if p.Validated != nil {
			l.At = &p.Validated.At
		}
		lines = append(lines, l)
	}
	return command.List(&f.Printer, lines, func(l line) {
		star, state := " ", f.T("cli.profile.on")
		if l.Default {
			star = "*"
		}
		if !l.Enabled {
			state = f.T("cli.profile.off")
		}
		if l.Fallback {
			state = f.T("cli.profile.fallback") + ", " + state
		}
		proven := f.T("cli.profile.unproven")
		switch {
		case l.Proven:
			proven = f.T("cli.profile.proven", "date", l.At.Local().Format(time.DateOnly))
		case l.At != nil:
			proven = f.T("cli.profile.edited")
		}
		f.Println(star + " " + l.Name + "  " + safetext.Escape(l.Address) + "  " + state + "  " + proven)
	})
}
