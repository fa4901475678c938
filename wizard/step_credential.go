package wizard

import (
	"slices"
	"strings"
	"unicode"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/presets"
)

// maxSecret is the longest password that is accepted; API keys and tokens stay well below.
const maxSecret = 4096

func (s *State) prepareApplies() bool {
	p := s.preset()
	if p == nil || !s.draft.NeedsSecret() {
		return false
	}
	enable := p.EnableFirst != nil && p.EnableFirst.Needed != presets.NeedNo
	return enable || s.needsGuide(p) && !knowsPassword(p)
}

// guideAtHand reports whether the provider's steps are there to be read although step 4 is passed over: they only tell
// which password is meant, and where to set a new one.
func (s *State) guideAtHand() bool {
	p := s.preset()
	return p != nil && s.draft.NeedsSecret() && !s.prepareApplies() && s.needsGuide(p)
}

// knowsPassword reports whether people who use the mailbox have the password that is asked for.
func knowsPassword(p *presets.Provider) bool {
	return p.Credential.Type == config.SecretPassword && p.NeedsAppPassword == presets.NeedNo
}

// needsGuide reports whether the person has to follow the provider's steps to be able to sign in. Steps to an app
// password are not needed where the person signs in by browser.
func (s *State) needsGuide(p *presets.Provider) bool {
	switch p.Credential.Type {
	case config.SecretAppPassword, config.SecretDevicePassword, config.SecretAPIKey:
		return !s.byBrowser() && len(p.AppPasswordSteps) > 0
	}
	return len(p.AppPasswordSteps) > 0
}

func (s *State) prepareScreen(v *Screen) {
	p := s.preset()
	v.Intro = []Words{Msg("wizard.prepare.intro", "name", p.Name)}
	if s.guideAtHand() {
		v.Intro = []Words{Msg("wizard.prepare.at-hand", "name", p.Name)}
	}
	if !p.PasswordAuth.Fact.Empty() {
		v.Notices = append(v.Notices, Notice{LevelInfo, Translated(p.PasswordAuth.Fact)})
	}
	if e := p.EnableFirst; e != nil && e.Needed != presets.NeedNo && !e.Fact.Empty() {
		v.Notices = append(v.Notices, Notice{LevelWarn, Translated(e.Fact)})
		if e.URL != "" {
			v.Copy = append(v.Copy, Copyable{Label: Msg("wizard.prepare.enable-url"), Text: e.URL, QR: true})
		}
	}
	if s.needsGuide(p) {
		for _, step := range p.AppPasswordSteps.Steps() {
			v.Numbered = append(v.Numbered, Translated(step))
		}
	}
	if p.AppPasswordURL != "" && s.needsGuide(p) {
		label := Msg("wizard.prepare.url")
		if p.Credential.Type == config.SecretAPIKey {
			label = Msg("wizard.prepare.key-url")
		}
		v.Copy = append(v.Copy, Copyable{Label: label, Text: p.AppPasswordURL, QR: true})
	}
	if s.guideAtHand() && p.DocsURL != "" {
		v.Copy = append(v.Copy, Copyable{Label: Msg("wizard.prepare.docs"), Text: p.DocsURL, QR: true})
	}
	if len(v.Numbered) > 0 && !s.byBrowser() && !knowsPassword(p) {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.prepare.label", "product", s.opts.Product)})
	}
	v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.prepare.alert", "name", p.Name)}) // M-7
	if confidence, checked, _ := p.StepsKnown(); s.guideAtHand() && confidence == presets.Guess {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.prepare.from-memory", "date", checked)})
	}
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.have-it")}}
	if s.byBrowser() {
		v.Actions[0].Label = Msg("wizard.action.next")
		return
	}
	s.browserAction(v)
}

func (s *State) answerPrepare(a Answer) {
	switch a.Action {
	case ActNext:
		s.forward()
	case ActBrowser:
		s.useBrowser()
	}
}

func (s *State) credentialApplies() bool { return s.draft.NeedsSecret() }

// secretServers lists the servers for which the person types the secret: it is sent to no others (docs/security.md T5).
func (s *State) secretServers() []string {
	name := func(server *config.Server) string {
		return strings.ToLower(server.Host) + " " + config.AddressASCIIDomain(server.Username)
	}
	list := []string{"smtp " + name(&s.draft.Submission)}
	if s.draft.IMAP != nil {
		list = append(list, "imap "+name(s.draft.IMAP))
	}
	return list
}

// secretFits reports whether the secret was typed for all of the present servers. Removing a server changes nothing.
func (s *State) secretFits() bool {
	if s.byBrowser() {
		return s.signedIn && s.signedFor == s.signInKey()
	}
	return !slices.ContainsFunc(s.secretServers(), func(server string) bool { return !slices.Contains(s.boundTo, server) })
}

// sameHosts reports whether the secret was typed for servers of the same names: then only who signs in has changed.
func (s *State) sameHosts() bool {
	host := func(server string) string { return server[:strings.LastIndexByte(server, ' ')] }
	return !slices.ContainsFunc(s.secretServers(), func(server string) bool {
		return !slices.ContainsFunc(s.boundTo, func(bound string) bool { return host(bound) == host(server) })
	})
}

func (s *State) dropSecret() { s.secret, s.stored, s.boundTo = secret.Value{}, false, nil }

func (s *State) enterCredential(bool) {
	if keep, given := s.typed[FieldKeep]; given {
		s.draft.AskEach = keep == KeepAsk
		s.clearTyped(FieldKeep)
	}
	if s.byBrowser() {
		s.enterSignIn()
		return
	}
	if !s.secret.Empty() && !s.secretFits() {
		why := "wizard.credential.other-server"
		if s.sameHosts() {
			why = "wizard.credential.other-name"
		}
		s.dropSecret()
		s.notices = append(s.notices, Notice{LevelInfo, Msg(why)})
	}
}

// givenSecret returns the secret that was given beforehand, until it was used. It is used once: for other servers the
// person has to enter it (docs/security.md T5).
func (s *State) givenSecret() secret.Value {
	if s.givenUsed {
		return secret.Value{}
	}
	return s.opts.Secret
}

func (s *State) credentialScreen(v *Screen) {
	if s.byBrowser() {
		s.signInScreen(v)
		return
	}
	d := &s.draft
	v.Intro = []Words{Msg("wizard.credential.intro." + string(s.secretType()))}
	v.Facts = []Fact{
		{Label: Msg("wizard.fact.user"), Value: Literal(config.AddressUnicode(d.Submission.Username))},
		{Label: Msg("wizard.fact.submission"), Value: serverWords(d.Submission)},
	}
	v.Notices = append(v.Notices, s.refusalNotices()...)
	f := Field{
		ID: FieldSecret, Kind: KindSecret, Label: Msg("wizard.credential.label." + string(s.secretType())),
		Help: Msg("wizard.field.secret.help"), Error: s.errors[FieldSecret], Fix: s.fixField == FieldSecret,
		Focus: s.wanted == FieldSecret,
		Given: !s.secret.Empty() && !s.secretRefused() || !s.givenSecret().Empty(),
	}
	if p := s.preset(); p != nil {
		if !p.Credential.Label.Empty() {
			f.Label = Translated(p.Credential.Label)
		}
		if p.Shape != nil && !p.Shape.Description.Empty() {
			v.Notices = append(v.Notices, Notice{LevelInfo, Translated(p.Shape.Description)})
		}
		if !s.prepareApplies() { // M-7: step 4 would have said it
			v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.credential.alert", "name", p.Name)})
		}
	}
	if !d.AskEach {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.credential.honest")})
	}
	next := Action{ID: ActNext, Label: Msg("wizard.action.check")}
	switch s.question {
	case questionBlanks:
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.credential.blanks")})
		v.Actions = []Action{
			{ID: ActClean, Label: Msg("wizard.action.clean"), Key: 's'},
			{ID: ActKeep, Label: Msg("wizard.action.keep"), Key: 'k'},
		}
		return
	case questionLines:
		v.Fields = []Field{f}
		v.Actions = []Action{next, {ID: ActClean, Label: Msg("wizard.action.first-line"), Key: 's'}}
		return
	case questionForm:
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.credential.letters")})
		v.Actions = []Action{
			{ID: ActClean, Label: Msg("wizard.action.compose"), Key: 's'},
			{ID: ActKeep, Label: Msg("wizard.action.keep"), Key: 'k'},
		}
		return
	case questionShape:
		v.Notices = append(v.Notices, Notice{LevelWarn, Words{Msg: s.shapeText()}})
		v.Fields = []Field{f}
		v.Actions = []Action{next, {ID: ActKeep, Label: Msg("wizard.action.keep"), Key: 'k'}}
		return
	}
	v.Fields = []Field{f}
	v.Actions = []Action{next, s.askEachAction()}
	if s.guideAtHand() {
		v.Actions = append(v.Actions, Action{
			ID: gotoPrefix + ActionID(StepPrepare), Label: Msg("wizard.action.guide"), Key: 'g',
		})
	}
	s.browserAction(v)
	s.clientNotice(v)
}

// browserAction offers the sign-in by browser as an alternative to a password.
func (s *State) browserAction(v *Screen) {
	if _, _, ok := s.browserSignIn(); ok {
		v.Actions = append(v.Actions, Action{ID: ActBrowser, Label: Msg("wizard.action.browser"), Key: 'b'})
	}
}

// clientNotice says what is missing for the sign-in by browser where passwords are about to be switched off.
func (s *State) clientNotice(v *Screen) {
	p := s.preset()
	if _, _, ok := s.browserSignIn(); ok || flowOf(p) == nil || p.PasswordAuth.Status != presets.PasswordRetiring ||
		!s.ownServers() {
		return
	}
	v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.signin.no-client", "name", p.Name)})
}

func (s *State) askEachAction() Action {
	label := Msg("wizard.action.ask-each")
	if s.draft.AskEach {
		label = Msg("wizard.action.store")
	}
	return Action{ID: ActAskEach, Label: label, Key: 'a'}
}

func (s *State) secretType() config.SecretType {
	if s.draft.SecretType == "" || s.draft.SecretType == config.SecretOAuth {
		return config.SecretPassword
	}
	return s.draft.SecretType
}

func (s *State) answerCredential(a Answer) {
	switch {
	case a.Action == ActBrowser:
		s.useBrowser()
		return
	case a.Action == ActPassword:
		s.usePassword()
		return
	case s.byBrowser():
		s.answerSignIn(a)
		return
	}
	switch a.Action {
	case ActAskEach:
		s.draft.AskEach = !s.draft.AskEach
		message := "wizard.credential.stored"
		if s.draft.AskEach {
			message = "wizard.credential.asked-each-time"
		}
		s.notices = []Notice{{LevelInfo, Msg(message)}}
		return
	case ActKeep:
		if !s.pending.Empty() && s.question != questionLines {
			s.acceptSecret(s.pending)
		}
		return
	case ActClean:
		s.cleanSecret()
		return
	case ActNext:
	default:
		return
	}
	typed := a.Secret
	if typed.Empty() {
		typed = s.givenSecret()
	}
	if !s.pending.Empty() && (typed.Empty() || s.question == questionShape && typed.Equal(s.pending)) {
		s.errors[FieldSecret] = Msg("wizard.credential.unanswered")
		return
	}
	if typed.Empty() {
		switch {
		case s.secret.Empty():
			s.errors[FieldSecret] = Msg("wizard.credential.empty")
		case s.secretRefused():
			s.errors[FieldSecret] = Msg("wizard.credential.refused")
		default:
			s.forward()
		}
		return
	}
	if s.secretRefused() && typed.Equal(s.secret) {
		s.errors[FieldSecret] = Msg("wizard.credential.refused")
		return
	}
	s.judgeSecret(typed)
}

// cleanSecret takes the pending secret without what the question is about.
func (s *State) cleanSecret() {
	switch raw := s.pending.Reveal(); {
	case raw == "":
	case s.question == questionLines:
		s.judgeSecret(secret.New(lines(raw)[0]))
	case s.question == questionBlanks:
		s.judgeLetters(secret.New(strings.TrimFunc(raw, blank)))
	case s.question == questionForm:
		s.judgeShape(s.pending.Composed())
	}
}

// lines are those that are not empty. Line ends at the ends of a paste belong to the selection and not to the secret.
func lines(raw string) []string {
	return strings.FieldsFunc(raw, func(r rune) bool { return r == '\r' || r == '\n' })
}

// judgeSecret removes spaces only where the provider's rule allows it, and says so. It asks about spaces at the ends,
// since a password may really end in one. No password has a line break: of several lines only the first may be meant.
func (s *State) judgeSecret(typed secret.Value) {
	raw := typed.Reveal()
	s.question, s.pending = noQuestion, secret.Value{}
	switch list := lines(raw); {
	case len(raw) > maxSecret:
		s.errors[FieldSecret] = Msg("wizard.credential.long")
		return
	case len(list) > 1:
		s.pending, s.question = typed, questionLines
		s.errors[FieldSecret] = Msg("wizard.credential.lines")
		return
	case len(list) == 1:
		raw, typed = list[0], secret.New(list[0])
	}
	switch {
	case strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
		s.errors[FieldSecret] = Msg("wizard.credential.control")
		return
	}
	if p := s.preset(); p != nil {
		if cleaned, changes := p.CleanSecret(raw); len(changes) > 0 {
			for _, c := range changes {
				s.notices = append(s.notices, Notice{LevelInfo, Words{Msg: c.Text()}})
			}
			s.judgeShape(secret.New(cleaned))
			return
		}
	}
	trimmed := strings.TrimFunc(raw, blank)
	if trimmed == "" {
		s.errors[FieldSecret] = Msg("wizard.credential.empty")
		return
	}
	if trimmed != raw {
		s.pending, s.question = typed, questionBlanks
		return
	}
	s.judgeLetters(typed)
}

// judgeLetters asks about letters whose accents are characters of their own, as text from a Mac often has them: servers
// compare passwords in the composed form (RFC 8265 §4.2.2), if they know any.
func (s *State) judgeLetters(v secret.Value) {
	if v.Letters() == secret.LettersDecomposed {
		s.pending, s.question = v, questionForm
		return
	}
	s.judgeShape(v)
}

func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
}

// judgeShape asks once when the secret does not look like what the provider hands out.
func (s *State) judgeShape(v secret.Value) {
	p := s.preset()
	if p == nil {
		s.acceptSecret(v)
		return
	}
	switch p.CheckShape(v.Reveal()) {
	case presets.ShapeUnknown, presets.ShapeFits:
		s.acceptSecret(v)
	default:
		s.pending, s.question = v, questionShape
	}
}

func (s *State) shapeText() (text locale.Text) {
	if p := s.preset(); p != nil && !s.pending.Empty() {
		return p.CheckShape(s.pending.Reveal()).Text()
	}
	return text
}

func (s *State) acceptSecret(v secret.Value) {
	s.pending, s.question = secret.Value{}, noQuestion
	if !v.Equal(s.secret) || s.secret.Empty() {
		s.secretGen++
	}
	if !v.Equal(s.secret) {
		s.stored = false
	}
	s.secret, s.boundTo, s.givenUsed = v, s.secretServers(), true
	s.forward()
}
