package home

import (
	"postier/config"
	"postier/wizard"
)

// fieldMode is how messages are delivered.
const fieldMode wizard.FieldID = "queue-mode"

// actInstall installs the background service.
const actInstall wizard.ActionID = "install"

// Queued is what the page of the queue shows and changes.
type Queued struct {
	// Facts are what waits and whether anything sends it, Notice is what is wrong with that; it may be empty.
	Facts  []wizard.Fact
	Notice wizard.Words
	// Waiting is how many messages wait.
	Waiting int
	Mode    config.QueueMode
	// Install is true where the person can install the service and it is not there.
	Install bool
	// Save writes the mode. The words are what to say about an error.
	Save func(config.QueueMode) wizard.Words
}

// NewQueue is the page of the queue (P-6, P-13): what waits, since when and why, whether anything sends it, and whether
// a message that does not leave at once is kept at all.
func NewQueue(q Queued) *Page {
	page := newPage("queue", "", func(page *Page, a wizard.Answer) bool {
		why := q.Save(config.QueueMode(a.Values[fieldMode]))
		return why.Empty() || !page.refuse(map[wizard.FieldID]wizard.Words{"": why})
	})
	v := &page.screen
	v.Facts = q.Facts
	if !q.Notice.Empty() {
		v.Notices = []wizard.Notice{{Level: wizard.LevelWarn, Text: q.Notice}}
	}
	mode := wizard.Field{
		ID: fieldMode, Kind: wizard.KindChoice, Value: string(q.Mode), Label: wizard.Msg("home.queue-mode"),
	}
	for _, m := range config.QueueModes() {
		mode.Choices = append(mode.Choices, wizard.Choice{
			Value: string(m), Label: wizard.Msg("home.queue-mode." + string(m)),
		})
	}
	v.Fields = []wizard.Field{mode}
	if q.Waiting > 0 {
		v.Actions = append(v.Actions, wizard.Action{ID: actNow, Label: wizard.Msg("home.queue.now"), Key: 't'})
	}
	if q.Install {
		v.Actions = append(v.Actions, wizard.Action{ID: actInstall, Label: wizard.Msg("home.queue.install"), Key: 'i'})
	}
	return page
}

// Installs reports whether the service is to be installed.
func (p *Page) Installs() bool { return p.pressed == actInstall }
