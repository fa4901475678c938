package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/share"
	"postier/wizard"
)

// sharing is what the person sees of a helper who looks on. It is empty where nothing can be shared.
type sharing struct {
	presenter *share.Presenter
	status    share.Status
	// ended says how it ended, until the next key.
	ended wizard.Words
	// revealing is true from a new point of the helper's until the next key: the window scrolls there.
	revealing bool
}

// shareMsg says that something about the sharing has changed.
type shareMsg struct{}

func newSharing(p *share.Presenter) sharing { return sharing{presenter: p, status: p.Status()} }

// wait waits for the next change.
func (s *sharing) wait() tea.Cmd {
	changed := s.status.Changed
	if changed == nil {
		return nil
	}
	return func() tea.Msg {
		<-changed
		return shareMsg{}
	}
}

// refresh takes the present status, and returns how the sharing ended when it has just done so.
func (s *sharing) refresh() wizard.Words {
	before := s.status
	s.status = s.presenter.Status()
	if s.status.Point != before.Point {
		s.revealing = s.status.Point != share.Target{}
	}
	if s.status.EndedSince(before) {
		s.ended = s.status.Ended
		return s.ended
	}
	return wizard.Words{}
}

// shareKeys are the key that begins and ends the sharing: the second one where no letter goes into a field.
const (
	shareKey       = "f6"
	shareKeyLetter = "+"
)

// takes reports whether a key is the one for sharing.
func (s *sharing) takes(name string, typing bool) bool {
	return s.presenter != nil && (name == shareKey || name == shareKeyLetter && !typing)
}

// rows are the lines below the header that say who looks, and what support wrote.
func (s *sharing) rows(width, height int, speech speech) []string {
	const least = 2 // on a window of one line nothing but the field can be seen
	column := newPage(width, density{}).width
	switch {
	case height < least:
		return nil
	case s.status.Phase == share.Off:
		return endedRows(speech.say(s.ended), column, height, speech)
	}
	text, short, style := "", "", speech.theme.styles.bold
	switch s.status.Phase {
	case share.Asking:
		text = speech.t("share-asking")
	case share.Waiting:
		text = speech.t("share-code", "code", s.status.Code.String())
		short = speech.t("share-code-short", "code", s.status.Code.String())
	case share.Watched:
		style = speech.theme.styles.warn
		text, short = speech.t("share-watched"), speech.t("share-watched-short")
		if !s.status.Guest.Empty() {
			text = speech.t("share-watched-by", "name", s.status.Guest)
			if typeset.Width(text) > column-2 { // who looks matters more than what everyone may know
				text = speech.t("share-watched-by-short", "name", s.status.Guest)
			}
		}
	}
	rows := []string{bar(style, text, short, column, speech)}
	return append(rows, remarkRows(s.status.Remark, column, height, speech)...)
}

// endedRows say how the sharing ended, in as many lines as it takes: what to do now is at the end.
func endedRows(text string, width, height int, speech speech) []string {
	if text == "" {
		return nil
	}
	var rows []string
	for _, l := range typeset.Wrap(text, max(1, width-2)) { // a space on both sides
		rows = append(rows, speech.theme.styles.bold.Render(" "+l+" "))
	}
	return rows[:min(len(rows), max(1, height/2))]
}

// bar is a line across the top; short says the same where there is no room.
func bar(style lipgloss.Style, text, short string, column int, speech speech) string {
	if short != "" && typeset.Width(text) > column-2 {
		text = short
	}
	return style.Render(" " + typeset.Shorten(text, column-2, speech.theme.glyphs.ellipsis) + " ")
}

// remarkRows show what support wrote, marked on every line so that it cannot pass for ours (docs/security.md T7).
func remarkRows(remark safetext.Remote, width, height int, speech speech) []string {
	const share = 6 // of the window
	if remark.Empty() || height < share {
		return nil
	}
	prefix := speech.t("share-support") + speech.theme.glyphs.bar + " "
	lines := typeset.Wrap(speech.escape(remark.Escaped()), max(1, width-typeset.Width(prefix)))
	var rows []string
	for _, l := range lines[:min(len(lines), max(1, height/share))] {
		rows = append(rows, typeset.Shorten(prefix+l, width, ""))
	}
	return rows
}

// mark says what is special about a field or an action: support points there, or, on the helper's side, the person is
// there.
func (m *model) mark(t share.Target) string {
	switch {
	case m.helper != nil && m.helper.pointed == t:
		return m.speech.t("watch-pointed")
	case m.helper != nil && m.helper.seen.View.Focus == t:
		return m.speech.t("watch-person")
	case m.helper == nil && m.sharing.status.Point == t:
		return m.speech.t("share-here")
	}
	return ""
}

// markLine adds the mark of a target, where it has one, and scrolls to one that is new.
func (m *model) markLine(p *page, t share.Target, of string) {
	text := m.mark(t)
	if text == "" {
		return
	}
	if of != "" {
		text = strings.TrimRight(m.speech.colon(text), " ") + " " + of
	}
	p.text(m.speech.theme.styles.warn, "", "", " "+text+" ")
	if m.sharing.revealing && (m.helper == nil || m.helper.pointed == t) {
		p.pointed = &span{p.height() - 1, p.height() + 1}
	}
}

// target is the field or the action that has the focus.
func (m *model) target() share.Target {
	if in := m.current(); in != nil {
		return share.Target{Field: in.field.ID}
	}
	if i := m.focus - len(m.inputs); i >= 0 && i < len(m.screen.Actions) {
		return share.Target{Action: m.screen.Actions[i].ID}
	}
	if row, ok := m.currentRow(); ok {
		return share.Target{Action: row.Change}
	}
	return share.Target{}
}

// publish hands what the person sees to the helper.
func (m *model) publish() {
	if m.sharing.presenter == nil {
		return
	}
	v := share.View{Screen: m.screen, Focus: m.target(), Mask: m.conversation.Masker()}
	if m.screen.Busy != nil {
		v.Waited = m.now().Sub(m.since)
	}
	m.sharing.presenter.Show(v)
}

// shareKeyName is the key as the footer names it.
func (m *model) shareKeyName() string {
	if m.typing() {
		return strings.ToUpper(shareKey)
	}
	return shareKeyLetter
}
