package wizard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/presets"
)

func (s *State) enterProvider(bool) {
	if len(s.draft.Candidates) == 0 && !s.draft.Manual {
		s.want(DoDiscover)
	}
	if wanted, given := s.opts.Values[FieldProvider]; given {
		s.chooseGiven(wanted)
	}
}

// chooseGiven shows the provider that was given beforehand instead of the candidates that a search would find. It does
// so once.
func (s *State) chooseGiven(wanted string) {
	p, known := s.opts.Book.Get(wanted)
	if _, typed := s.typed[FieldProvider]; !typed || s.draft.Provider != "" {
		return
	}
	if !known {
		s.choosing = true
		s.errors[FieldProvider] = Msg("wizard.provider.pick")
		return
	}
	if slices.ContainsFunc(s.draft.Candidates, func(c Candidate) bool { return c.Provider == wanted }) {
		return // it was found as well, and is preselected
	}
	s.abandon(DoDiscover)
	s.clearTyped(FieldProvider)
	s.show(CandidateOf(p, s.draft.Address, "manual", "", nil))
}

// preset returns the preset of the draft's provider, nil for servers entered by hand.
func (s *State) preset() *presets.Provider {
	p, ok := s.opts.Book.Get(s.draft.Provider)
	if !ok {
		return nil
	}
	return p
}

// Misspelt is the key of the sentence that the address's domain does not exist.
const Misspelt = "setup.no-domain"

// foundScreen shows the result of the search: one candidate with its facts, several to choose from, the list of all
// providers, or that nothing was found.
func (s *State) foundScreen(v *Screen) {
	choose := Action{ID: ActChoose, Label: Msg("wizard.action.choose"), Key: 'o'}
	manual := Action{ID: ActManual, Label: Msg("wizard.action.manual"), Key: 'm'}
	next := Action{ID: ActNext, Label: Msg("wizard.action.next")}
	switch {
	case s.services:
		s.servicesScreen(v)
		v.Actions = []Action{next, choose, manual}
	case s.choosing:
		v.Intro = []Words{Msg("wizard.provider.choose")}
		v.Fields = []Field{s.providerList()}
		v.Actions = []Action{next, manual}
	case len(s.draft.Candidates) == 0:
		v.Intro = []Words{Msg("wizard.provider.unknown", "domain", config.AddressDomain(s.draft.Address))}
		t := s.work[DoDiscover]
		if !t.err.Empty() {
			v.Notices = append(v.Notices, Notice{levelOf(t.err), t.err})
		}
		if t.err.Msg.Key == Misspelt { // the way on is the way back
			v.addActions(Action{ID: ActBack, Label: Msg("wizard.action.fix-address")})
		}
		v.addActions(manual, choose, Action{ID: ActRetry, Label: Msg("wizard.action.search-again"), Key: 'r'})
	case len(s.draft.Candidates) > 1:
		v.Intro = []Words{Msg("wizard.provider.several", "domain", config.AddressDomain(s.draft.Address), "via",
			s.draft.Candidates[0].Via)}
		v.Fields = []Field{s.candidateList()}
		v.Notices = append(v.Notices, s.sharedTraps()...)
		v.Actions = []Action{next, choose, manual}
	default:
		s.candidateScreen(v, s.draft.Candidates[0])
		edit := Action{ID: ActEdit, Label: Msg("wizard.action.edit"), Key: 'e'}
		if c := s.draft.Candidates[0]; !s.reachable(c.Submission.Host) {
			next.Disabled = Msg("wizard.provider.rehearsal", "name", c.Name)
			v.Notices = append(v.Notices, Notice{LevelInfo, next.Disabled})
			v.addActions(Action{ID: ActOwn, Label: Msg("wizard.action.rehearsal-back")}, choose, next)
			return
		}
		if s.blocked(s.draft.Candidates[0]) {
			next.Disabled = Msg("wizard.provider.blocked")
			v.Facts = v.Facts[:1] // servers that cannot be used would push the ways out off the screen
			v.addActions(s.blockedActions()...)
			v.addActions(choose, manual, next)
			return
		}
		if c := s.draft.Candidates[0]; c.Confirm && s.draft.Chosen < 0 {
			// docs/security.md T5: the default answer is no, and both domains are named.
			v.Notices = append(v.Notices, s.confirmReasons(c)...)
			next.Label, next.Key = Msg("wizard.action.trust"), 'y'
			v.Actions = []Action{choose, manual, next, edit}
			return
		}
		v.Actions = []Action{next, edit, choose, manual}
	}
}

func (s *State) candidateScreen(v *Screen, c Candidate) {
	if s.draft.Chosen >= 0 && s.draft.Provider == c.Provider && s.draft.Submission.Host != "" {
		c.Submission, c.IMAP = s.draft.Submission, s.draft.IMAP // with the changes that were made since
	}
	v.Intro = []Words{Msg("wizard.provider.found", "name", c.Name)}
	if p, ok := s.opts.Book.Get(c.Provider); ok && p.Kind == presets.KindTransactional {
		v.Intro = []Words{Msg("wizard.provider.service", "name", c.Name)}
	}
	via := Msg("wizard.origin." + c.Origin)
	if c.Via != "" {
		via = Msg("wizard.origin."+c.Origin+".via", "via", c.Via)
	}
	v.Facts = []Fact{
		{Label: Msg("wizard.fact.provider"), Value: Literal(c.Name), Detail: via},
		{Label: Msg("wizard.fact.confidence"), Value: Msg("wizard.confidence." + c.Confidence), Detail: checkedOn(c.Checked)},
		{Label: Msg("wizard.fact.submission"), Value: serverWords(c.Submission)},
	}
	if c.IMAP != nil {
		v.Facts = append(v.Facts, Fact{Label: Msg("wizard.fact.imap"), Value: serverWords(*c.IMAP)})
	} else {
		v.Facts = append(v.Facts, Fact{Label: Msg("wizard.fact.imap"), Value: Msg("wizard.fact.no-imap")})
	}
	if c.Submission.Username != "" && !strings.Contains(c.Submission.Username, "{") { // what the person is asked for later
		user := Literal(config.AddressUnicode(c.Submission.Username))
		v.Facts = append(v.Facts, Fact{Label: Msg("wizard.fact.user"), Value: user})
	}
	if c.Submission.Cleartext() {
		v.Notices = append(v.Notices, Notice{LevelFail, Msg("wizard.provider.cleartext")})
	}
	p, ok := s.opts.Book.Get(c.Provider)
	if !ok {
		return
	}
	if wayOut, impossible := p.Impossible(); impossible {
		v.Notices = append(v.Notices, Notice{LevelFail, Msg("wizard.provider.impossible", "name", p.Name)},
			Notice{LevelInfo, Translated(wayOut)})
	} else if s.passwordless(p) && s.browserFor(p) {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.provider.browser", "name", p.Name)})
	} else if p.PasswordAuth.Status == presets.PasswordOAuthOnly && flowOf(p) == nil {
		v.Notices = append(v.Notices, Notice{LevelFail, Msg("wizard.provider.oauth-closed", "name", p.Name)})
	} else if p.PasswordAuth.Status == presets.PasswordOAuthOnly {
		v.Notices = append(v.Notices, Notice{LevelFail, Msg("wizard.provider.oauth-only", "name", p.Name)})
	}
	if p.Plans != nil {
		v.Notices = append(v.Notices, Notice{LevelWarn, Translated(p.Plans.Fact)},
			Notice{LevelInfo, Msg("wizard.provider.plan-ways")})
	}
	v.Notices = append(v.Notices, s.datedNotices(p)...)
}

// datedNotices returns the preset's facts that take effect on a certain day, worded for today.
func (s *State) datedNotices(p *presets.Provider) []Notice {
	today, err := time.Parse(time.DateOnly, s.opts.Today)
	if err != nil {
		return nil
	}
	var out []Notice
	for _, d := range p.Dated {
		level := LevelWarn
		if day, err := time.Parse(time.DateOnly, d.Date); err == nil && !today.Before(day) && d.Blocks {
			level = LevelFail
			if s.browserFor(p) {
				level = LevelInfo
			}
		}
		if text := d.On(today); !text.Empty() {
			out = append(out, Notice{level, Translated(text)})
		}
	}
	return out
}

// browserFor reports whether a provider's sign-in by browser can be used: any program may use it, and there is a
// client.
func (s *State) browserFor(p *presets.Provider) bool {
	o := flowOf(p)
	return o != nil && s.client(o).ID != ""
}

// blocked reports whether no way of signing in can work here, so that asking for a password would only waste time.
func (s *State) blocked(c Candidate) bool {
	if c.Submission.Host == "" || c.Submission.Cleartext() && !s.opts.AllowCleartext {
		return true
	}
	p, ok := s.opts.Book.Get(c.Provider)
	if !ok {
		return false
	}
	if _, impossible := p.Impossible(); impossible {
		return true
	}
	return s.passwordless(p) && !s.browserFor(p)
}

// passwordsEnded reports whether a dated fact says that passwords have ended.
func (s *State) passwordsEnded(p *presets.Provider) bool {
	today, err := time.Parse(time.DateOnly, s.opts.Today)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(p.Warnings(today, locale.English), func(w presets.Warning) bool { return w.Blocks })
}

// sharedTraps are what all products among the candidates warn of: where they share their MX, how to tell them apart.
func (s *State) sharedTraps() []Notice {
	shared := map[string]int{}
	var out []Notice
	for _, c := range s.draft.Candidates {
		p, ok := s.opts.Book.Get(c.Provider)
		if !ok {
			return nil
		}
		for _, trap := range p.Traps {
			if shared[trap[locale.English]]++; shared[trap[locale.English]] == len(s.draft.Candidates) {
				out = append(out, Notice{LevelInfo, Translated(trap)})
			}
		}
	}
	return out
}

func (s *State) candidateList() Field {
	f := s.field(FieldProvider, KindChoice, "")
	if f.Value == "" && s.draft.Chosen >= 0 {
		f.Value = s.draft.Candidates[s.draft.Chosen].Provider
	}
	for _, c := range s.draft.Candidates {
		f.Choices = append(f.Choices, Choice{Value: c.Provider, Label: Literal(c.Name), Detail: serverWords(c.Submission)})
	}
	return f
}

// providerList offers all presets; the front end narrows it down as the person types.
func (s *State) providerList() Field {
	f := s.field(FieldProvider, KindSearch, s.draft.Provider)
	for _, e := range s.opts.Book.All() {
		f.Choices = append(f.Choices, Choice{Value: e.ID, Label: entryName(e), Detail: Msg("wizard.kind." + string(e.Kind))})
	}
	return f
}

func (s *State) answerProvider(a Answer) {
	switch a.Action {
	case ActChoose:
		s.abandon(DoDiscover)
		s.choosing, s.services = true, false
	case ActOwn:
		s.useOwn()
	case ActRetry:
		if len(s.draft.Candidates) == 0 || s.searchStopped() {
			s.draft.Candidates, s.draft.Chosen = nil, -1
			s.ask(DoDiscover, nil)
		}
	case ActManual:
		s.changing = false
		s.abandon(DoDiscover)
		s.enterByHand()
		s.forward()
	case ActEdit:
		if len(s.draft.Candidates) == 1 && !s.choosing && !s.blocked(s.draft.Candidates[0]) {
			s.changing = false
			s.abandon(DoDiscover)
			s.chooseCandidate(0)
			s.draft.Edited = true
			s.forward()
		}
	case ActNext:
		s.acceptProvider()
	}
}

// useOwn goes back from a provider that a rehearsal does not have to its own: to what was found before, or to the
// address that it began with.
func (s *State) useOwn() {
	if s.opts.Rehearsal && !s.backToFound() {
		s.setAddress(s.opts.Address)
		s.enterProvider(true)
	}
}

func (s *State) acceptProvider() {
	wanted := s.typed[FieldProvider]
	if s.choosing || (len(s.draft.Candidates) == 0 && wanted != "") {
		p, ok := s.opts.Book.Get(wanted)
		if !ok {
			s.errors[FieldProvider] = Msg("wizard.provider.pick")
			return
		}
		s.choosing, s.services = false, false
		s.clearTyped(FieldProvider)
		s.show(CandidateOf(p, s.draft.Address, "manual", "", s.draft.Asked))
		return // the person sees the facts before they are used
	}
	if len(s.draft.Candidates) == 0 {
		s.errors[FieldProvider] = Msg("wizard.provider.pick")
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
			s.errors[FieldProvider] = Msg("wizard.provider.pick")
			return
		}
	}
	if c := s.draft.Candidates[index]; !s.reachable(c.Submission.Host) {
		s.notices = []Notice{{LevelWarn, Msg("wizard.provider.rehearsal", "name", c.Name)}}
		return
	}
	if s.blocked(s.draft.Candidates[index]) {
		s.notices = []Notice{{LevelWarn, Msg("wizard.provider.blocked")}}
		if len(s.draft.Candidates) > 1 {
			s.show(s.draft.Candidates[index])
		}
		return
	}
	s.abandon(DoDiscover) // accepting a candidate ends the search
	s.clearTyped(FieldProvider)
	if c := s.draft.Candidates[index]; c.Confirm && len(s.draft.Candidates) > 1 && s.draft.Chosen != index {
		s.show(c) // chosen from a list: the reasons to confirm it are shown first
		return
	}
	s.chooseCandidate(index)
	s.forward()
}

// show replaces the candidates by one that the person picked; Back restores them.
func (s *State) show(c Candidate) {
	if s.prior == nil {
		s.prior = &prior{candidates: s.draft.Candidates, chosen: s.draft.Chosen}
	}
	s.draft.Candidates, s.draft.Chosen = []Candidate{c}, -1
}

// chooseCandidate fills the draft with a candidate's settings. A candidate that is chosen already is left alone, so
// that the person's changes to its settings stay.
func (s *State) chooseCandidate(index int) {
	c := s.draft.Candidates[index]
	d := &s.draft
	s.prior = nil
	d.Edited = d.Edited || s.serverGiven()
	if d.Chosen == index && d.Provider == c.Provider {
		return
	}
	s.changing = false // all of it has to be proven again
	if d.Manual {
		s.byHand = &manualServers{d.Submission, d.IMAP, d.SentMode}
	}
	s.resetTyped(serverFields...)
	d.Chosen, d.Manual, d.Edited = index, false, s.serverGiven()
	d.Asked = nil
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
		s.chooseSignIn()
	}
	s.startLimits()
	s.startSentCopy()
}

// limitsOf returns the provider's own limits that apply to every customer.
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
		// Where plans differ, the smallest figure is safe for all of them.
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
	d.Manual, d.Provider, d.Chosen, d.SecretType = true, custom, -1, config.SecretPassword
	d.Limits, d.SentFolder, s.prior = config.Limits{}, "", nil
	s.startLimits()
	s.resetTyped(serverFields...)
	if s.byHand != nil {
		d.Submission, d.IMAP, d.SentMode = s.byHand.submission, s.byHand.imap, s.byHand.sentMode
		return
	}
	d.Submission = config.Server{
		Port: config.PortSubmissions, Security: config.SecurityAuto, Auth: config.MechanismAuto,
		Username: d.Address,
	}
	d.IMAP = &config.Server{Port: config.PortIMAPS, Security: config.SecurityAuto, Username: d.Address}
	d.SentMode = config.SentAppend
	s.startSentCopy()
}

// serverGiven reports whether a field of the server step was given beforehand and not taken yet.
func (s *State) serverGiven() bool {
	return slices.ContainsFunc(serverFields, func(id FieldID) bool {
		_, typed := s.typed[id]
		_, given := s.opts.Values[id]
		return typed && given
	})
}

// discoverLimit is how long the search may take; it then ends with what it has found.
const discoverLimit = 10 * time.Second

// placeholder is what only the person can fill in; ex{number}.mail.ovh.net is shown as exN.mail.ovh.net.
var placeholder = pattern.Of(`\{[a-z-]+\}`)

func serverWords(server config.Server) Words {
	if server.Host == "" {
		return Msg("wizard.fact.no-server")
	}
	host := placeholder().ReplaceAllString(server.Host, "N")
	return Msg("wizard.server."+string(server.Security), "host", host, "port", strconv.Itoa(server.Port))
}

func checkedOn(date string) Words {
	if date == "" {
		return Words{}
	}
	return Msg("wizard.fact.checked", "date", date)
}
