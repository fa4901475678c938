package wizard

import (
	"cmp"
	"maps"
	"net/mail"
	"strings"

	"postier/config"
)

// value returns what a field shows: the text typed last, else the draft's value.
func (s *State) value(id FieldID, current string) string {
	if v, ok := s.typed[id]; ok {
		return v
	}
	return current
}

// clearTyped forgets typed values once the draft holds them.
func (s *State) clearTyped(ids ...FieldID) {
	for _, id := range ids {
		delete(s.typed, id)
	}
}

func (s *State) field(id FieldID, kind FieldKind, current string) Field {
	return Field{
		ID: id, Kind: kind, Value: s.value(id, current), Error: s.errors[id], Fix: s.fixField == id,
		Focus: s.wanted == id,
		Label: Msg("wizard.field." + string(id)), Help: Msg("wizard.field." + string(id) + ".help"),
	}
}

func (s *State) addressScreen(v *Screen) {
	v.Intro = []Words{Msg("wizard.address.intro", "product", s.opts.Product)}
	f := s.field(FieldAddress, KindText, s.draft.Address)
	f.Placeholder = Msg("wizard.address.placeholder")
	name := s.field(FieldFromName, KindText, cmp.Or(s.draft.From.Name, s.opts.Name))
	name.Optional, name.Later = true, true
	v.Fields = []Field{f, name}
	if s.otherFrom() {
		author := s.field(FieldFrom, KindText, s.draft.From.Address)
		author.Optional = true
		v.Fields = append(v.Fields, author)
	}
	if s.suggested != "" {
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.address.typo", "suggestion", s.suggested)})
		v.Actions = []Action{
			{ID: ActSuggest, Label: Msg("wizard.action.suggest", "suggestion", s.suggested)},
			{ID: ActKeep, Label: Msg("wizard.action.keep-address"), Key: 'k'},
		}
		return
	}
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}}
	if s.offersFound() {
		found := s.opts.Found
		words := Msg("wizard.found", "program", found.Program, "address", found.Address)
		v.Notices = append(v.Notices, Notice{LevelInfo, words})
		v.addActions(Action{ID: ActTake, Label: Msg("wizard.action.take", "program", found.Program), Key: 'i'})
	}
}

// offersFound reports whether the settings of another program are still to be offered.
func (s *State) offersFound() bool {
	return s.opts.Found.Address != "" && s.draft.Address == "" && !s.opts.Rehearsal && len(s.opts.Values) == 0
}

// takeFound fills in what the other program has. Each field is shown when its step is reached, and checked like any
// other; the password stays there.
func (s *State) takeFound() {
	s.opts.Values = maps.Clone(s.opts.Found.Values)
	for id, value := range s.opts.Values {
		s.typed[id] = value
	}
	s.typed[FieldAddress] = s.opts.Found.Address
	delete(s.typed, FieldFrom)
}

// otherFrom reports whether the author's address differs from the account's, or was given beforehand. Few people need
// that, so the field is shown only then.
func (s *State) otherFrom() bool {
	_, typed := s.typed[FieldFrom]
	return typed || s.fixField == FieldFrom || s.draft.From.Address != s.draft.Address
}

func (s *State) answerAddress(a Answer) {
	take := a.Action == ActTake && s.offersFound()
	if take {
		s.takeFound()
		a.Action = ActNext
	}
	named, address := namedAddress(s.value(FieldAddress, s.draft.Address))
	asked := s.suggested != "" && address == s.judged // the person has not changed the address since it was judged
	if !asked {
		s.suggested = ""
	}
	switch a.Action {
	case ActSuggest:
		if asked {
			address = s.suggested
		}
	case ActKeep, ActNext:
	default:
		return
	}
	author := strings.TrimSpace(s.value(FieldFrom, ""))
	name := strings.TrimSpace(cmp.Or(named, s.value(FieldFromName, s.draft.From.Name)))
	if !s.judge(FieldAddress, address) || !s.judge(FieldFrom, author) || !s.judge(FieldFromName, name) {
		return
	}
	if better, slipped := s.opts.Book.Typo(config.AddressDomain(address)); slipped && !asked &&
		address != s.draft.Address {
		s.judged, s.suggested = address, address[:strings.LastIndexByte(address, '@')+1]+better
		return
	}
	_, typed := s.typed[FieldFrom]
	s.clearTyped(FieldAddress, FieldFrom, FieldFromName)
	s.setAddress(address)
	s.draft.From.Name = name
	switch {
	case author != "":
		s.draft.From.Address = author
	case typed:
		s.draft.From.Address = address
	}
	s.suggested = ""
	if take && len(s.draft.Candidates) == 0 { // a search would find less than the mail program has
		s.draft.Step = StepProvider
		s.enterByHand()
		defer func() { s.notices = []Notice{{LevelInfo, Msg("wizard.found.taken", "program", s.opts.Found.Program)}} }()
	}
	s.forward()
}

// namedAddress takes an address as mail programs copy it, with the name of its owner before it: "Marie <marie@…>".
func namedAddress(text string) (name, address string) {
	text = strings.TrimSpace(text)
	if parsed, err := mail.ParseAddress(text); err == nil && strings.HasSuffix(text, ">") &&
		config.ValidateSetting(string(FieldFromName), parsed.Name).Empty() {
		return parsed.Name, parsed.Address
	}
	return "", text
}

// setAddress starts a new draft when the address is another one. What does not depend on the address is kept.
func (s *State) setAddress(address string) {
	if address == s.draft.Address {
		return
	}
	s.dropSignIn()
	s.changing = false // all of it has to be found and proven again
	for _, kind := range []RequestKind{DoDiscover, DoSubmission, DoSent, DoDNS, DoTest} {
		s.abandon(kind)
		delete(s.work, kind)
	}
	old := s.draft
	s.draft = Draft{
		Version: DraftVersion, Lang: old.Lang, Step: old.Step, Chosen: -1, Default: old.Default,
		Profile: old.Profile, Editing: old.Editing, Credential: old.Credential, TLS: old.TLS, Off: old.Off,
		Disabled: old.Disabled,
		Address:  address, From: config.Address{Name: old.From.Name, Address: address}, AskEach: old.AskEach,
		ReplyTo: old.ReplyTo, BCC: old.BCC, Kinds: old.Kinds, TestMode: old.TestMode, Fallback: old.Fallback,
	}
	if old.Label != old.Address {
		s.draft.Label = old.Label
	}
	s.dropSecret()
	s.folders, s.prior, s.byHand = nil, nil, nil
	s.resetTyped(serverFields...)
	s.resetTyped(FieldSentCopy, FieldSentFolder, FieldProvider)
	if match, ok := s.opts.Book.Domain(config.AddressDomain(address)); ok {
		if p, ok := s.opts.Book.Get(match.ID); ok {
			s.draft.Candidates = []Candidate{CandidateOf(p, address, "preset", "", nil)}
		}
	}
}

// serverFields are the fields of the server step.
var serverFields = []FieldID{
	FieldSMTPHost, FieldSMTPPort, FieldSMTPSecurity, FieldAuth, FieldUser, FieldHelo,
	FieldIMAPHost, FieldIMAPPort, FieldIMAPSecurity, FieldIMAPUser,
}

// resetTyped clears what was typed for the previous settings and restores the values given beforehand.
func (s *State) resetTyped(ids ...FieldID) {
	for _, id := range ids {
		delete(s.typed, id)
		if value, ok := s.opts.Values[id]; ok {
			s.typed[id] = value
		}
	}
}
