package home

import (
	"strings"

	"postier/config"
	"postier/internal/safetext"
	"postier/wizard"
)

// FieldRecipient is who gets the message.
const FieldRecipient wizard.FieldID = "recipient"

// NewTest asks where to send a test message (C-8); the proposal is the profile's own address. Without one only the
// checks run.
func NewTest(name string, p *config.Profile) *Page {
	page := newPage("test", name, func(page *Page, a wizard.Answer) bool {
		address := strings.TrimSpace(a.Values[FieldRecipient])
		if text := config.ValidateAddress(address); address != "" && !text.Empty() {
			return !page.refuse(map[wizard.FieldID]wizard.Words{FieldRecipient: {Msg: text}})
		}
		page.values[FieldRecipient] = address
		return true
	})
	page.screen.Fields = []wizard.Field{{
		ID: FieldRecipient, Kind: wizard.KindText, Value: p.From.Address, Replaced: true, Optional: true,
		Label: wizard.Msg("home.test.recipient"), Help: wizard.Msg("home.test.recipient-help"),
	}}
	if !p.Enabled {
		off := wizard.Msg("diagnose.off-at-home", "name", safetext.FromRemote(name))
		page.screen.Notices = []wizard.Notice{{Level: wizard.LevelWarn, Text: off}}
	}
	return page
}
