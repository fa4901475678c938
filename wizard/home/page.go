package home

import (
	"postier/internal/safetext"
	"postier/wizard"
)

// Page is one page of the home screen. It has the fields and actions of a step and no number, and stays open until an
// answer is good.
type Page struct {
	screen wizard.Screen
	values map[wizard.FieldID]string
	// take acts on an answer and reports whether the page is over.
	take func(*Page, wizard.Answer) bool
	// up goes back to what the page showed before; nil where going back ends it.
	up    func()
	ended bool
	saved bool
	tried bool
}

// Screen describes the page.
func (p *Page) Screen() wizard.Screen { return p.screen }

// Ended reports whether the page is over.
func (p *Page) Ended() bool { return p.ended }

// Saved reports whether the page ended with what it is for, and not by going back.
func (p *Page) Saved() bool { return p.saved }

// Values are the last answer's.
func (p *Page) Values() map[wizard.FieldID]string { return p.values }

// Answer takes what the person did.
func (p *Page) Answer(a wizard.Answer) {
	if a.Action == wizard.ActBack {
		if p.up == nil {
			p.ended = true
			return
		}
		p.up()
		return
	}
	p.values = a.Values
	fields := append([]wizard.Field(nil), p.screen.Fields...)
	for i := range fields {
		fields[i].Error = wizard.Words{}
		if value, ok := a.Values[fields[i].ID]; ok {
			fields[i].Value = value
		}
	}
	p.screen.Fields, p.screen.Notices = fields, nil
	if p.take(p, a) {
		p.ended, p.saved = true, true
	}
}

// refuse shows why values were not taken, and reports whether there were any. What belongs to no field of the page is
// shown above them.
func (p *Page) refuse(errors map[wizard.FieldID]wizard.Words) bool {
	for id, why := range errors {
		shown := false
		for i := range p.screen.Fields {
			if p.screen.Fields[i].ID == id {
				p.screen.Fields[i].Error, shown = why, true
			}
		}
		if !shown {
			p.screen.Notices = append(p.screen.Notices, wizard.Notice{Level: wizard.LevelFail, Text: why})
		}
	}
	return len(errors) > 0
}

func newPage(name, profile string, take func(*Page, wizard.Answer) bool) *Page {
	return &Page{
		screen: wizard.Screen{
			Title: wizard.Msg("home."+name+".title", "name", safetext.FromRemote(profile)),
			Intro: []wizard.Words{wizard.Msg("home." + name + ".intro")}, Help: "home." + name + ".help",
			Actions: []wizard.Action{{ID: wizard.ActNext, Label: wizard.Msg("home." + name + ".do")}},
		},
		take: take,
	}
}

// field is a field of the wizard, with its label and its help.
func field(id wizard.FieldID, kind wizard.FieldKind, value string) wizard.Field {
	return wizard.Field{
		ID: id, Kind: kind, Value: value, Optional: kind == wizard.KindText,
		Label: wizard.Msg("wizard.field." + string(id)), Help: wizard.Msg("wizard.field." + string(id) + ".help"),
	}
}
