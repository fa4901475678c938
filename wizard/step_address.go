package wizard

import (
	"strings"

	"postier/config"
	"postier/internal/secret"
	"postier/presets"
)

func (s *State) none() secret.Value { return secret.Value{} }

// value is what a field shows: what was typed last, else what the draft holds.
func (s *State) value(id FieldID, held string) string {
	if v, ok := s.typed[id]; ok {
		return v
	}
	return held
}

// take forgets what was typed once it stands in the draft.
func (s *State) take(ids ...FieldID) {
	for _, id := range ids {
		delete(s.typed, id)
	}
}

func (s *State) field(id FieldID, kind FieldKind, held string) Field {
	return Field{
		ID: id, Kind: kind, Value: s.value(id, held), Error: s.errors[id], Mend: s.mend == id,
		Label: M("wizard.field." + string(id)), Help: M("wizard.field." + string(id) + ".help"),
	}
}

func (s *State) addressScreen(v *Screen) {
	v.Intro = []Words{M("wizard.address.intro", "product", s.opts.Product)}
	f := s.field(FieldAddress, KindText, s.draft.Address)
	f.Placeholder = M("wizard.address.placeholder")
	v.Fields = []Field{f}
	if s.suggested != "" {
		v.Notices = append(v.Notices, Notice{LevelWarn, M("wizard.address.typo", "suggestion", s.suggested)})
		v.Actions = []Action{
			{ID: ActSuggest, Label: M("wizard.action.suggest", "suggestion", s.suggested)},
			{ID: ActKeep, Label: M("wizard.action.keep-address"), Key: 'k'},
		}
		return
	}
	v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.next")}}
}

func (s *State) answerAddress(a Answer) {
	address := strings.TrimSpace(s.typed[FieldAddress])
	if a.Action == ActSuggest && s.suggested != "" {
		address = s.suggested
	}
	if _, typed := s.typed[FieldAddress]; !typed {
		address = s.draft.Address
	}
	if text := config.ValidateAddress(address); !text.Empty() {
		s.errors[FieldAddress] = Words{Msg: text}
		s.suggested = ""
		return
	}
	local, domain := address[:strings.LastIndexByte(address, '@')], config.AddressDomain(address)
	if a.Action == ActNext && s.suggested == "" {
		if better, ok := presets.Typo(domain); ok {
			s.suggested = local + "@" + better
			return
		}
	}
	s.take(FieldAddress)
	s.setAddress(address)
	s.forward()
}

// setAddress makes everything that hangs on the address anew when it is another one.
func (s *State) setAddress(address string) {
	if address == s.draft.Address {
		return
	}
	for _, kind := range []RequestKind{DoDiscover, DoSubmission, DoSent, DoDNS, DoTest} {
		s.abandon(kind)
		delete(s.work, kind)
	}
	old := s.draft
	s.draft = Draft{
		Version: DraftVersion, Lang: old.Lang, Step: old.Step, Chosen: -1, Default: old.Default,
		Profile: old.Profile, Editing: old.Editing,
		Address: address, From: config.Address{Name: old.From.Name, Address: address},
		ReplyTo: old.ReplyTo, BCC: old.BCC, Kinds: old.Kinds, TestMode: old.TestMode,
	}
	s.secret, s.boundTo, s.folders = s.none(), "", nil
	if match, ok := s.opts.Book.Domain(config.AddressDomain(address)); ok {
		if p, ok := s.opts.Book.Get(match.ID); ok {
			s.draft.Candidates = []Candidate{CandidateOf(p, address, "preset", "", nil)}
		}
	}
}

// CandidateOf is a preset as a candidate for an address. via is the name that led here, asked what the person filled in
// for the preset's placeholders.
func CandidateOf(p *presets.Provider, address, origin, via string, asked map[string]string) Candidate {
	smtp, imap := p.ServersWith(address, asked)
	confidence, checked := p.Confidence()
	c := Candidate{
		Provider: p.ID, Name: p.Name, Origin: origin, Via: via, Confidence: string(confidence), Checked: checked,
		Credential: p.Credential.Type, SentMode: p.SentCopy.Mode,
	}
	if origin == "mx" && confidence == presets.Certain {
		c.Confidence = string(presets.Likely) // the domain's owner may send elsewhere than it receives
	}
	if len(smtp) > 0 {
		c.Submission = smtp[0].Server
	}
	if len(imap) > 0 && !imap[0].Cleartext {
		server := imap[0].Server
		c.IMAP = &server
	}
	return c
}
