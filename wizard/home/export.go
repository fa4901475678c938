package home

import (
	"postier/wizard"
)

// FieldFormat is the program whose configuration is shown.
const FieldFormat wizard.FieldID = "format"

// NewExport is the page on which a profile is shown as the configuration of another program.
func NewExport(name string, formats []wizard.Choice) *Page {
	page := newPage("export", name, func(page *Page, a wizard.Answer) bool { return a.Values[FieldFormat] != "" })
	page.screen.Fields = []wizard.Field{{
		ID: FieldFormat, Kind: wizard.KindSearch, Value: formats[0].Value, Choices: formats,
		Label: wizard.Msg("home.export.format"),
	}}
	return page
}
