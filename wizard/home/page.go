package home

import (
	"maps"

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
	// pressed is the action with which the page ended.
	pressed wizard.ActionID
}

// Screen describes the page.
func (p *Page) Screen() wizard.Screen { return p.screen }

// Ended reports whether the page is over.
func (p *Page) Ended() bool { return p.ended }

// Saved reports whether the page ended with what it is for, and not by going back.
func (p *Page) Saved() bool { return p.saved }

// Tried reports whether what the page saved is to be tried at once.
func (p *Page) Tried() bool { return p.pressed == actTry || p.pressed == actNow }

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
	a.Values = maps.Clone(a.Values)
	if a.Values == nil {
		a.Values = map[wizard.FieldID]string{}
	}
	fields := append([]wizard.Field(nil), p.screen.Fields...)
	for i, f := range fields {
		fields[i].Error = wizard.Words{}
		switch value, answered := a.Values[f.ID]; {
		case answered:
			fields[i].Value = value
		case f.Kind != wizard.KindSecret: // a front end that asks line by line may not have come to it
			a.Values[f.ID] = f.Value
		}
	}
	p.values = a.Values
	p.screen.Fields, p.screen.Notices = fields, nil
	if p.take(p, a) {
		p.ended, p.saved, p.pressed = true, true, a.Action
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
