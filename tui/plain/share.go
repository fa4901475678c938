package plain

import (
	"io"
	"time"

	"postier/internal/locale"
	"postier/share"
	"postier/wizard"
)

// shareSign is the line that begins and ends the sharing, the same key as on the full screen.
const shareSign = "+"

// sharing is what the person is told of a helper who looks on, in lines between the questions.
type sharing struct {
	*printer
	presenter *share.Presenter
	told      share.Status
	screen    wizard.Screen // that is shown, for the labels
}

func newSharing(p *printer, presenter *share.Presenter) *sharing {
	return &sharing{printer: p, presenter: presenter, told: presenter.Status()}
}

// changed is closed when there is something to tell; nil where nothing is shared.
func (s *sharing) changed() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.told.Changed
}

// tell prints what has changed since the last time, and reports whether there was anything.
func (s *sharing) tell() bool {
	before, now := s.told, s.presenter.Status()
	s.told = now
	said := false
	say := func(key string, args ...any) { s.note(s.t(key, args...)); said = true }
	switch {
	case now.EndedSince(before):
		s.note(s.words(now.Ended))
		said = true
	case now.Phase == before.Phase:
	case now.Phase == share.Waiting:
		say("plain.share-code", "code", now.Code.String())
	case now.Phase == share.Watched:
		s.sayWatched()
		said = true
	}
	if now.Point != before.Point && now.Point != (share.Target{}) {
		say("plain.share-here", "what", s.labelOf(now.Point))
	}
	if now.Remark.Raw() != before.Remark.Raw() && !now.Remark.Empty() {
		s.paragraph(s.t("tui.share-support")+"│ ", now.Remark.Escaped())
		said = true
	}
	return said
}

func (s *sharing) note(text string) {
	s.printLine("")
	s.paragraph("", text)
}

func (s *sharing) sayWatched() {
	if s.told.Guest.Empty() {
		s.note(s.t("plain.share-watched"))
		return
	}
	s.note(s.t("plain.share-watched-by", "name", s.told.Guest))
}

// remind says with every new step that somebody looks.
func (s *sharing) remind() {
	if s != nil && s.told.Phase == share.Watched {
		s.sayWatched()
	}
}

// toggle begins or ends the sharing, when the line is the sign for it.
func (s *sharing) toggle(line string) bool {
	if s == nil || s.presenter == nil || line != shareSign {
		return false
	}
	s.presenter.Toggle()
	if now := s.presenter.Status(); now.Phase == share.Asking {
		select { // a code of this machine is there at once; the question then comes after it
		case <-now.Changed:
		case <-time.After(askingTime):
		}
	}
	s.tell()
	return true
}

// askingTime is how long the next question waits for a code.
const askingTime = time.Second

// show hands what the person sees to the helper.
func (s *sharing) show(v share.View) {
	if s != nil {
		s.screen = v.Screen
		s.presenter.Show(v)
	}
}

// labelOf is what a field or an action is called on the screen.
func (s *sharing) labelOf(t share.Target) string {
	for _, f := range s.screen.Fields {
		if f.ID == t.Field {
			return s.words(f.Label)
		}
	}
	for _, a := range s.screen.Actions {
		if a.ID == t.Action {
			return s.words(a.Label)
		}
	}
	return ""
}

// Sharing tells a person in lines of a helper who looks on while a command runs that asks nothing.
type Sharing struct{ sharing *sharing }

// NewSharing prints to out.
func NewSharing(out io.Writer, lang locale.Lang, product string, presenter *share.Presenter) *Sharing {
	return &Sharing{newSharing(&printer{out: out, lang: lang, product: product}, presenter)}
}

// Changed is closed when there is something to tell.
func (s *Sharing) Changed() <-chan struct{} { return s.sharing.changed() }

// Tell prints what has changed since the last time.
func (s *Sharing) Tell() { s.sharing.tell() }

// Say prints a sentence of the catalogue.
func (s *Sharing) Say(key string) { s.sharing.say(key) }

// Toggle begins or ends the sharing, when the line is the sign for it.
func (s *Sharing) Toggle(line string) { s.sharing.toggle(line) }
