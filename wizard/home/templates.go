package home

import (
	"postier/internal/safetext"
	"postier/wizard"
)

// Template is a template of messages with the values of its header, by field.
type Template struct {
	Name   string
	Values map[wizard.FieldID]string
	// Text is the beginning of its text.
	Text string
}

// The fields of a template: which one it is, and its header lines.
const (
	FieldTemplate        wizard.FieldID = "template"
	FieldTemplateFrom    wizard.FieldID = "template-from"
	FieldTemplateReplyTo wizard.FieldID = "template-reply-to"
	FieldTemplateSubject wizard.FieldID = "template-subject"
	FieldTemplateProfile wizard.FieldID = "template-profile"
	FieldTemplateKind    wizard.FieldID = "template-kind"
)

// TemplateFields are the header lines in their order.
func TemplateFields() []wizard.FieldID {
	return []wizard.FieldID{
		FieldTemplateSubject, FieldTemplateFrom, FieldTemplateReplyTo, FieldTemplateProfile, FieldTemplateKind,
	}
}

// actTry saves the template and sends a test with it.
const actTry wizard.ActionID = "try"

// NewTemplates is the page of the templates (P-8, P-12): one is chosen, its header lines are changed, and a test is
// sent with it. save writes them; the words are what to say about an error. Where there is none, empty says so.
func NewTemplates(templates []Template, empty wizard.Words,
	save func(name string, values map[wizard.FieldID]string) wizard.Words,
) *Page {
	page := newPage("templates", "", func(page *Page, a wizard.Answer) bool {
		for _, t := range templates {
			if t.Name == a.Values[FieldTemplate] {
				page.openTemplate(t, save)
			}
		}
		return false
	})
	if len(templates) == 0 {
		page.screen.Intro = []wizard.Words{empty}
		page.screen.Actions = []wizard.Action{{ID: wizard.ActBack, Label: wizard.Msg("home.log.back")}}
		return page
	}
	list := make([]wizard.Choice, 0, len(templates))
	for _, t := range templates {
		list = append(list, wizard.Choice{
			Value: t.Name, Label: wizard.Remote(t.Name), Detail: wizard.Remote(t.Values[FieldTemplateSubject]),
		})
	}
	page.screen.Fields = []wizard.Field{{
		ID: FieldTemplate, Kind: wizard.KindSearch, Value: templates[0].Name, Choices: list,
		Label: wizard.Msg("home.templates.one"),
	}}
	return page
}

// openTemplate shows one template.
func (p *Page) openTemplate(t Template, save func(string, map[wizard.FieldID]string) wizard.Words) {
	list, take := p.screen, p.take
	p.screen = wizard.Screen{
		Title: wizard.Msg("home.templates.title-one", "name", safetext.FromRemote(t.Name)), Help: list.Help,
		Facts: []wizard.Fact{{Label: wizard.Msg("home.templates.text"), Value: wizard.Remote(t.Text)}},
		Actions: []wizard.Action{
			{ID: wizard.ActNext, Label: wizard.Msg("home.templates.save")},
			{ID: actTry, Label: wizard.Msg("home.templates.try"), Key: 't'},
		},
	}
	for _, id := range TemplateFields() {
		p.screen.Fields = append(p.screen.Fields, wizard.Field{
			ID: id, Kind: wizard.KindText, Value: t.Values[id], Optional: true, Label: wizard.Msg("home." + string(id)),
		})
	}
	p.up = func() { p.screen, p.take, p.up = list, take, nil }
	p.take = func(p *Page, a wizard.Answer) bool {
		if why := save(t.Name, a.Values); !why.Empty() {
			return !p.refuse(map[wizard.FieldID]wizard.Words{"": why})
		}
		p.values = map[wizard.FieldID]string{FieldTemplate: t.Name}
		return true
	}
}
