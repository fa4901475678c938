package wizard

import (
	"strconv"
	"time"

	"postier/config"
	"postier/presets"
)

func (s *State) enterProvider(bool) {
	if len(s.draft.Candidates) == 0 && !s.draft.Manual {
		s.want(DoDiscover)
	}
}

// preset is the provider that the draft stands on, nil for servers entered by hand.
func (s *State) preset() *presets.Provider {
	p, ok := s.opts.Book.Get(s.draft.Provider)
	if !ok {
		return nil
	}
	return p
}

func (s *State) providerScreen(v *Screen) {
	if t := s.work[DoDiscover]; t.id != 0 {
		v.Intro = []Words{M("wizard.provider.searching", "domain", config.AddressDomain(s.draft.Address))}
		v.Busy = &Busy{Request: t.id, Text: M("wizard.provider.busy"), GivesUp: discoverLimit}
		v.Actions = []Action{
			{ID: ActCancel, Label: M("wizard.action.cancel"), Key: 'x'},
			{ID: ActChoose, Label: M("wizard.action.choose"), Key: 'o'},
			{ID: ActManual, Label: M("wizard.action.manual"), Key: 'm'},
		}
		return
	}
	choose := Action{ID: ActChoose, Label: M("wizard.action.choose"), Key: 'o'}
	manual := Action{ID: ActManual, Label: M("wizard.action.manual"), Key: 'm'}
	next := Action{ID: ActNext, Label: M("wizard.action.next")}
	switch {
	case s.choosing:
		v.Intro = []Words{M("wizard.provider.choose")}
		v.Fields = []Field{s.providerList()}
		v.Actions = []Action{next, manual}
	case len(s.draft.Candidates) == 0:
		v.Intro = []Words{M("wizard.provider.unknown", "domain", config.AddressDomain(s.draft.Address))}
		if t := s.work[DoDiscover]; !t.err.Empty() {
			v.Notices = append(v.Notices, Notice{LevelWarn, t.err})
		}
		v.Actions = []Action{manual, choose, {ID: ActRetry, Label: M("wizard.action.search-again"), Key: 'r'}}
	case len(s.draft.Candidates) > 1:
		v.Intro = []Words{M("wizard.provider.several", "domain", config.AddressDomain(s.draft.Address), "via", s.draft.Candidates[0].Via)}
		v.Fields = []Field{s.candidateList()}
		v.Actions = []Action{next, choose, manual}
	default:
		s.candidateScreen(v, s.draft.Candidates[0])
		edit := Action{ID: ActEdit, Label: M("wizard.action.edit"), Key: 'e'}
		if s.blocked(s.draft.Candidates[0]) {
			next.Disabled = M("wizard.provider.blocked")
			v.Actions = []Action{choose, manual, next}
			return
		}
		v.Actions = []Action{next, edit, choose, manual}
	}
}

func (s *State) candidateScreen(v *Screen, c Candidate) {
	v.Intro = []Words{M("wizard.provider.found", "name", c.Name)}
	via := M("wizard.origin." + c.Origin)
	if c.Via != "" {
		via = M("wizard.origin."+c.Origin+".via", "via", c.Via)
	}
	v.Facts = []Fact{
		{Label: M("wizard.fact.provider"), Value: L(c.Name), Detail: via},
		{Label: M("wizard.fact.confidence"), Value: M("wizard.confidence." + c.Confidence), Detail: checkedOn(c.Checked)},
		{Label: M("wizard.fact.submission"), Value: serverWords(c.Submission)},
	}
	if c.IMAP != nil {
		v.Facts = append(v.Facts, Fact{Label: M("wizard.fact.imap"), Value: serverWords(*c.IMAP)})
	} else {
		v.Facts = append(v.Facts, Fact{Label: M("wizard.fact.imap"), Value: M("wizard.fact.no-imap")})
	}
	if c.Submission.Username != "" {
		v.Facts = append(v.Facts, Fact{Label: M("wizard.fact.user"), Value: L(c.Submission.Username)})
	}
	p, ok := s.opts.Book.Get(c.Provider)
	if !ok {
		return
	}
	if wayOut, impossible := p.Impossible(); impossible {
		v.Notices = append(v.Notices, Notice{LevelFail, M("wizard.provider.impossible", "name", p.Name)}, Notice{LevelInfo, P(wayOut)})
	} else if p.PasswordAuth.Status == presets.PasswordOAuthOnly {
		v.Notices = append(v.Notices, Notice{LevelFail, M("wizard.provider.oauth-only", "name", p.Name)})
	}
	v.Notices = append(v.Notices, s.dated(p)...)
	if c.Submission.Security == config.SecurityNone && !local(c.Submission.Host) {
		v.Notices = append(v.Notices, Notice{LevelFail, M("wizard.provider.cleartext")})
	}
}

// dated are the preset's facts with a day on which they bite, as they stand today.
func (s *State) dated(p *presets.Provider) []Notice {
	today, err := time.Parse(time.DateOnly, s.opts.Today)
	if err != nil {
		return nil
	}
	var out []Notice
	for _, d := range p.Dated {
		day, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue
		}
		text, level := d.Before, LevelWarn
		if !today.Before(day) {
			text = d.After
			if d.Blocks {
				level = LevelFail
			}
		}
		if !text.Empty() {
			out = append(out, Notice{level, P(text)})
		}
	}
	return out
}

// blocked reports whether a password can never work here, so that asking for one would only waste the person's time.
func (s *State) blocked(c Candidate) bool {
	p, ok := s.opts.Book.Get(c.Provider)
	if !ok {
		return c.Submission.Security == config.SecurityNone && !local(c.Submission.Host) && !s.opts.AllowCleartext
	}
	_, impossible := p.Impossible()
	return impossible || p.PasswordAuth.Status == presets.PasswordOAuthOnly ||
		c.Submission.Security == config.SecurityNone && !local(c.Submission.Host) && !s.opts.AllowCleartext
}

func (s *State) candidateList() Field {
	f := s.field(FieldProvider, KindChoice, "")
	if f.Value == "" && s.draft.Chosen >= 0 {
		f.Value = s.draft.Candidates[s.draft.Chosen].Provider
	}
	for _, c := range s.draft.Candidates {
		f.Choices = append(f.Choices, Choice{Value: c.Provider, Label: L(c.Name), Detail: serverWords(c.Submission)})
	}
	return f
}

// providerList offers all presets; the front end narrows it down as the person types.
func (s *State) providerList() Field {
	f := s.field(FieldProvider, KindSearch, s.draft.Provider)
	for _, e := range s.opts.Book.All() {
		f.Choices = append(f.Choices, Choice{Value: e.ID, Label: L(e.Name), Detail: M("wizard.kind." + string(e.Kind))})
	}
	return f
}

func (s *State) answerProvider(a Answer) {
	switch a.Action {
	case ActChoose:
		s.abandon(DoDiscover)
		s.choosing = true
		s.take(FieldProvider)
	case ActRetry:
		s.ask(DoDiscover, nil)
	case ActManual:
		s.abandon(DoDiscover)
		s.enterByHand()
		s.forward()
	case ActEdit:
		if len(s.draft.Candidates) > 0 {
			s.chooseCandidate(0)
			s.editing = true
			s.forward()
		}
	case ActNext:
		s.acceptProvider()
	}
}

func (s *State) acceptProvider() {
	wanted := s.typed[FieldProvider]
	if s.choosing || (len(s.draft.Candidates) == 0 && wanted != "") {
		p, ok := s.opts.Book.Get(wanted)
		if !ok {
			s.errors[FieldProvider] = M("wizard.provider.pick")
			return
		}
		s.choosing = false
		s.take(FieldProvider)
		s.draft.Candidates = []Candidate{CandidateOf(p, s.draft.Address, "manual", "", s.draft.Asked)}
		s.draft.Chosen = -1
		return // the facts are shown before anything is done with them
	}
	if len(s.draft.Candidates) == 0 {
		s.errors[FieldProvider] = M("wizard.provider.pick")
		return
	}
	index := 0
	if len(s.draft.Candidates) > 1 {
		index = -1
		for i, c := range s.draft.Candidates {
			if c.Provider == wanted || (wanted == "" && i == s.draft.Chosen) {
				index = i
			}
		}
		if index < 0 {
			s.errors[FieldProvider] = M("wizard.provider.pick")
			return
		}
	}
	if s.blocked(s.draft.Candidates[index]) {
		s.notices = []Notice{{LevelWarn, M("wizard.provider.blocked")}}
		s.draft.Candidates = []Candidate{s.draft.Candidates[index]}
		return
	}
	s.take(FieldProvider)
	s.chooseCandidate(index)
	s.forward()
}

// chooseCandidate fills the draft with a candidate's settings, unless it is chosen already: what the person changed in
// them since stays.
func (s *State) chooseCandidate(index int) {
	c := s.draft.Candidates[index]
	if s.draft.Chosen == index && s.draft.Provider == c.Provider && !s.draft.Manual {
		return
	}
	d := &s.draft
	d.Chosen, d.Manual, s.editing = index, false, false
	d.Provider, d.Submission, d.SecretType, d.SentMode = c.Provider, c.Submission, c.Credential, c.SentMode
	d.IMAP = nil
	if c.IMAP != nil {
		imap := *c.IMAP
		d.IMAP = &imap
	}
	if d.IMAP == nil && d.SentMode == config.SentAppend {
		d.SentMode = config.SentNone
	}
	d.SentFolder = ""
	d.Limits = config.Limits{}
	if p := s.preset(); p != nil {
		d.Limits = limitsOf(p)
	}
}

// limitsOf takes over the provider's own limits that hold for everybody, as a starting value.
func limitsOf(p *presets.Provider) config.Limits {
	var l config.Limits
	for _, limit := range p.Limits {
		var to *int
		switch limit.What {
		case "messages_per_hour":
			to = &l.PerHour
		case "messages_per_day":
			to = &l.PerDay
		case "recipients_per_message", "recipients_per_message_smtp":
			to = &l.RecipientsPerMessage
		}
		// Where plans differ, the smallest figure is the one that is safe for all.
		if to != nil && limit.Value > 0 && (*to == 0 || limit.Value < *to) {
			*to = limit.Value
		}
	}
	return l
}

// enterByHand starts from an empty form in which only what follows from the address is filled in.
func (s *State) enterByHand() {
	d := &s.draft
	if d.Manual {
		return
	}
	d.Manual, d.Provider, d.Chosen = true, "custom", -1
	d.Submission = config.Server{Port: 465, Security: config.SecurityAuto, Auth: config.MechanismAuto, Username: d.Address}
	d.IMAP = &config.Server{Port: 993, Security: config.SecurityAuto, Username: d.Address}
	d.SecretType, d.SentMode, d.SentFolder = config.SecretPassword, config.SentAppend, ""
	d.Limits = config.Limits{}
}

// discoverLimit is when the search gives up with what it knows.
const discoverLimit = 10 * time.Second

func serverWords(server config.Server) Words {
	return M("wizard.server."+string(server.Security), "host", server.Host, "port", strconv.Itoa(server.Port))
}

func checkedOn(date string) Words {
	if date == "" {
		return Words{}
	}
	return M("wizard.fact.checked", "date", date)
}
