package home

import (
	"postier/internal/safetext"
	"postier/wizard"
)

// NewReading is a page to read what a command printed. What came of it is said first.
func NewReading(title wizard.Words, came wizard.Notice, text string) *Page {
	page := &Page{
		screen: wizard.Screen{
			Title: title, Text: safetext.FromRemote(text), Help: "home.reading.help",
			Actions: []wizard.Action{{ID: wizard.ActBack, Label: wizard.Msg("home.log.back")}},
		},
	}
	if !came.Text.Empty() {
		page.screen.Notices = []wizard.Notice{came}
	}
	return page
}

// NewReport shows the report for support in full before it is saved. The person has just asked for it, so Enter saves
// it. Without a path there is nowhere to save it, and it can only be read.
func NewReport(path string, content []byte) *Page {
	page := newPage("report", "", agreed)
	v := &page.screen
	v.Text = safetext.FromRemote(string(content))
	if path == "" {
		v.Actions = []wizard.Action{{ID: wizard.ActBack, Label: wizard.Msg("home.log.back")}}
		return page
	}
	v.Actions = []wizard.Action{
		{ID: wizard.ActNext, Label: wizard.Msg("home.report.save", "path", safetext.FromRemote(path))},
		{ID: wizard.ActBack, Label: wizard.Msg("home.report.leave"), Key: 'n'},
	}
	return page
}

// actSend sends the report.
const actSend wizard.ActionID = "send"

// NewLetter asks whether the report leaves the machine. Only a key of its own sends it.
func NewLetter(question wizard.Words) *Page {
	page := newPage("letter", "", agreed)
	page.screen.Intro = []wizard.Words{question}
	page.screen.Actions = []wizard.Action{
		{ID: wizard.ActBack, Label: wizard.Msg("home.letter.leave")},
		{ID: actSend, Label: wizard.Msg("home.letter.send"), Key: 's'},
	}
	return page
}

// agreed is a page of one question.
func agreed(*Page, wizard.Answer) bool { return true }
