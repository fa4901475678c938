package wizard

import (
	"slices"

	"postier/config"
	"postier/internal/safetext"
)

// The pages of the Sent step.
const (
	sentResults = iota
	sentChange  // who files the copy, and where
)

// sentApplies reports whether the step is shown: there is a mailbox, or a copy was asked for beforehand and the step
// has to say that it cannot be filed without a mailbox.
func (s *State) sentApplies() bool {
	return s.draft.IMAP != nil || s.typed[FieldSentCopy] == string(config.SentAppend)
}

func (s *State) enterSent(forward bool) {
	if !forward {
		// The person who comes back to a step that was skipped may try it again; a failure is still shown.
		s.draft.Skipped = slices.DeleteFunc(s.draft.Skipped, func(step Step) bool { return step == StepSent })
	} else if !s.takeSent() {
		s.page = sentChange
		return
	}
	s.want(DoSent)
}

// takeSent puts into the draft what was typed or given beforehand about the copy.
func (s *State) takeSent() bool {
	mode := config.SentMode(s.value(FieldSentCopy, string(s.sentMode())))
	folder := s.value(FieldSentFolder, s.draft.SentFolder)
	switch {
	case !slices.Contains(config.SentModes(), mode):
		s.errors[FieldSentCopy] = Msg("wizard.sent.mode-unknown")
	case mode == config.SentAppend && s.draft.IMAP == nil:
		s.errors[FieldSentCopy] = Msg("wizard.sent.needs-imap")
	}
	s.judge(FieldSentFolder, folder)
	if len(s.errors) > 0 {
		return false
	}
	s.clearTyped(FieldSentCopy, FieldSentFolder)
	s.draft.SentMode, s.draft.SentFolder = mode, folder
	return true
}

func (s *State) sentMode() config.SentMode {
	if s.draft.SentMode == "" {
		return config.SentAppend
	}
	return s.draft.SentMode
}

func (s *State) sentScreen(v *Screen) {
	if s.page == sentChange {
		s.sentChangeScreen(v)
		return
	}
	v.Intro = []Words{Msg("wizard.sent.intro." + string(s.sentMode()))}
	if s.ladder(v, DoSent, sentLimit) {
		return
	}
	change := Action{ID: ActEdit, Label: Msg("wizard.action.change-copy"), Key: 'e'}
	if s.passed(DoSent) {
		switch s.sentMode() {
		case config.SentServer:
			conclude(v, Msg("wizard.sent.server"))
		case config.SentAppend:
			conclude(v, Msg("wizard.sent.good", "folder", s.draft.SentFolder))
		}
		v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}, change}
		return
	}
	skip := Action{ID: ActSkip, Label: Msg("wizard.action.skip-sent"), Key: 's'}
	if s.wantsFolder() {
		v.Fields = []Field{s.folderField()}
		use := Action{ID: ActNext, Label: Msg("wizard.action.use-folder")}
		create := Action{ID: ActCreate, Label: Msg("wizard.action.create"), Key: 'n'}
		if v.Fields[0].Value == newFolder {
			use.Label, create = create.Label, Action{} // Enter creates it
		}
		v.addActions(use, create, s.retryAction(DoSent, v.Finding), skip)
		return
	}
	s.failureActions(v, s.retryAction(DoSent, v.Finding), skip)
	if s.mayChangeCopy() {
		v.addActions(change)
	} else if step, _ := s.fixPlace(v.Finding); step != StepServer && v.Finding != nil {
		v.addActions(serverAction())
	}
}

// mayChangeCopy reports whether the person may choose who files the copy, and where: it works, or the folder failed.
func (s *State) mayChangeCopy() bool {
	f := s.finding()
	return s.passed(DoSent) || f != nil && f.Field == FieldSentFolder
}

// newFolder is the choice of a folder that is yet to be created; no folder has this name. It stands first where none of
// the folders looks like the one for sent mail, so that no customer's mail is filed among the drafts by an Enter.
const newFolder = "\x00"

// wantsFolder reports whether the failure is about the folder, which the person can choose on this step.
func (s *State) wantsFolder() bool {
	f := s.finding()
	return f != nil && f.Field == FieldSentFolder && f.Who == WhoUser && !s.passed(DoSent)
}

func (s *State) folderField() Field {
	folder := s.field(FieldSentFolder, KindText, s.draft.SentFolder)
	if len(s.folders) == 0 {
		return folder
	}
	folder.Kind = KindChoice
	if !s.likely {
		folder.Choices = []Choice{{Value: newFolder, Label: Msg("wizard.action.create")}}
	}
	for _, name := range s.folders {
		folder.Choices = append(folder.Choices, Choice{Value: name, Label: folderWords(safetext.FromRemote(name))})
	}
	if !slices.Contains(s.folders, folder.Value) {
		folder.Value = folder.Choices[0].Value
	}
	return folder
}

func (s *State) sentChangeScreen(v *Screen) {
	v.Intro = []Words{Msg("wizard.sent.change")}
	v.Fields = []Field{s.choices(FieldSentCopy, string(s.sentMode()), "wizard.sent-copy.", "append", "server", "none")}
	folder := s.field(FieldSentFolder, KindText, s.draft.SentFolder)
	folder.Optional = true
	v.Fields = append(v.Fields, folder)
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}}
}

func (s *State) answerSent(a Answer) {
	if s.page == sentChange {
		s.answerSentChange(a)
		return
	}
	switch {
	case a.Action == ActNext && s.passed(DoSent):
		s.forward()
	case a.Action == ActEdit && s.mayChangeCopy():
		s.page = sentChange
	case a.Action == ActNext && s.wantsFolder():
		s.useFolder()
	case a.Action == ActCreate && s.wantsFolder():
		s.clearTyped(FieldSentFolder)
		s.ask(DoSent, func(r *Request) { r.Create = true })
	case a.Action == ActRetry && s.mayRetry(DoSent):
		s.ask(DoSent, nil)
	case a.Action == ActSkip && s.work[DoSent].id == 0 && !s.passed(DoSent):
		s.skip(StepSent)
		s.forward()
	}
}

func (s *State) useFolder() {
	folder, typed := s.typed[FieldSentFolder]
	if !typed {
		folder = s.folderField().Value
	}
	if folder == newFolder {
		s.clearTyped(FieldSentFolder)
		s.ask(DoSent, func(r *Request) { r.Create = true })
		return
	}
	if text := config.ValidateFolder(folder); !text.Empty() {
		s.errors[FieldSentFolder] = Words{Msg: text}
		return
	}
	s.clearTyped(FieldSentFolder)
	s.draft.SentFolder = folder
	s.ask(DoSent, nil)
}

func (s *State) answerSentChange(a Answer) {
	if a.Action != ActNext || !s.takeSent() {
		return
	}
	if s.draft.IMAP == nil {
		s.forward()
		return
	}
	s.page = sentResults
	s.want(DoSent)
}

func (s *State) skip(step Step) {
	if !slices.Contains(s.draft.Skipped, step) {
		s.draft.Skipped = append(s.draft.Skipped, step)
	}
}
