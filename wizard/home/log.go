package home

import (
	"strings"

	"postier/config"
	"postier/wizard"
)

// Sent is one message of the log.
type Sent struct {
	ID string
	// Line is the message in one line, Detail what else is known of it.
	Line  wizard.Words
	Facts []wizard.Fact
}

// The fields of the log.
const (
	FieldMessage wizard.FieldID = "message"
	FieldResend  wizard.FieldID = "resend-to"
)

// actResend sends the message again.
const actResend wizard.ActionID = "resend"

// NewLog is the page of what was sent (I-6): a message is chosen, looked at and, where the person says so, sent again.
// Enter never sends: a list is opened to be read.
func NewLog(name string, messages []Sent) *Page {
	page := newPage("log", name, func(page *Page, a wizard.Answer) bool {
		id := a.Values[FieldMessage]
		for _, m := range messages {
			if m.ID == id {
				page.open(m)
			}
		}
		return false
	})
	if len(messages) == 0 {
		page.screen.Intro = []wizard.Words{wizard.Msg("home.log.empty")}
		page.screen.Actions = []wizard.Action{{ID: wizard.ActBack, Label: wizard.Msg("home.log.back")}}
		return page
	}
	list := make([]wizard.Choice, 0, len(messages))
	for _, m := range messages {
		list = append(list, wizard.Choice{Value: m.ID, Label: m.Line})
	}
	page.screen.Fields = []wizard.Field{{
		ID: FieldMessage, Kind: wizard.KindSearch, Value: messages[0].ID, Choices: list,
		Label: wizard.Msg("home.log.message"),
	}}
	return page
}

// open shows one message. The page goes back to the list, and ends when the message is to be sent again.
func (p *Page) open(m Sent) {
	list, take := p.screen, p.take
	p.screen = wizard.Screen{
		Title: wizard.Msg("home.log.one"), Facts: m.Facts, Help: list.Help,
		Fields: []wizard.Field{{
			ID: FieldResend, Kind: wizard.KindText, Optional: true, Label: wizard.Msg("home.log.to"),
			Help: wizard.Msg("home.log.to-help"),
		}},
		Actions: []wizard.Action{
			{ID: wizard.ActNext, Label: wizard.Msg("home.log.list")},
			{ID: actResend, Label: wizard.Msg("home.log.resend"), Key: 'r'},
		},
	}
	p.up = func() { p.screen, p.take, p.up = list, take, nil }
	p.take = func(p *Page, a wizard.Answer) bool {
		if a.Action != actResend {
			p.up()
			return false
		}
		to := strings.TrimSpace(a.Values[FieldResend])
		if text := config.ValidateAddress(to); to != "" && !text.Empty() {
			return !p.refuse(map[wizard.FieldID]wizard.Words{FieldResend: {Msg: text}})
		}
		p.values = map[wizard.FieldID]string{FieldMessage: m.ID, FieldResend: to}
		return true
	}
}
