package wizard

import (
	"cmp"

	"postier/config"
	"postier/presets"
)

// enterSignIn arrives at the credential step where the person signs in by browser.
func (s *State) enterSignIn() {
	s.draft.AskEach = false
	if s.draft.SignIn != nil && s.signedFor != "" && s.signedFor != s.signInKey() {
		s.dropSignIn()
		s.notices = append(s.notices, Notice{LevelInfo, Msg("wizard.signin.other-account")})
	}
	for _, kind := range signInKinds() {
		if s.work[kind].id != 0 && s.work[kind].key != s.key(kind) {
			s.abandon(kind)
			s.prompt = nil
		}
	}
	if !s.signedIn && !s.searched && s.prompt == nil {
		s.want(DoSignInFind) // after a lost connection, or for a profile that is edited
	}
}

func (s *State) signInScreen(v *Screen) {
	v.Title, v.Help = Msg("wizard.signin.title"), "wizard.help.signin"
	switch {
	case s.work[DoSignInFind].id != 0:
		v.Busy = &Busy{Request: s.work[DoSignInFind].id, Text: Msg("wizard.busy.signin-find")}
	case s.work[DoSignInBegin].id != 0:
		v.Intro = []Words{Msg("wizard.signin.intro", "name", s.providerName())}
		v.Busy = &Busy{Request: s.work[DoSignInBegin].id, Text: Msg("wizard.busy.signin-begin")}
		v.Actions = []Action{cancelAction()}
	case s.work[DoSignIn].id != 0:
		s.promptScreen(v)
	case s.prompt != nil && !s.approved && s.prompt.Flow == presets.FlowCode:
		s.pasteScreen(v)
	case s.approved:
		s.signInFailure(v)
		v.Actions = []Action{{ID: ActRetry, Label: Msg("wizard.signin.save-again"), Key: 'r'}}
	case s.signedIn:
		s.signedInScreen(v)
	default:
		s.offerScreen(v)
	}
}

func cancelAction() Action {
	return Action{ID: ActCancel, Label: Msg("wizard.action.cancel"), Key: 'x'}
}

// providerName returns the name of the provider at which the person signs in.
func (s *State) providerName() string {
	if p := s.preset(); p != nil {
		return p.Name
	}
	return s.draft.Credential.Provider
}

// offerScreen explains the sign-in and starts nothing: a code is requested only when the person asks for it
// (docs/security.md T16).
func (s *State) offerScreen(v *Screen) {
	o, _, _ := s.browserSignIn()
	v.Intro = []Words{Msg("wizard.signin.intro", "name", s.providerName())}
	start := Action{ID: ActSignIn, Label: Msg("wizard.signin.start")}
	if o != nil && o.Flow == presets.FlowCode {
		start.Label = Msg("wizard.signin.start-paste")
	}
	s.signInFailure(v)
	if v.Finding == nil {
		v.Facts = s.signInFacts()
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.signin.no-password")})
		if !s.prepareApplies() { // otherwise step 4 has said so (M-7)
			v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.prepare.alert", "name", s.providerName())})
		}
	} else {
		start.Label, start.Key = Msg("wizard.signin.again"), 'r'
	}
	v.Actions = []Action{start}
	if o != nil && o.Flow == presets.FlowDevice && o.AuthURL != "" {
		v.Actions = append(v.Actions, Action{ID: ActPaste, Label: Msg("wizard.signin.by-paste"), Key: 'w'})
	}
	s.otherMethods(v)
}

// signInFacts lists what the sign-in is for.
func (s *State) signInFacts() []Fact {
	return []Fact{
		{Label: Msg("wizard.fact.user"), Value: Literal(config.AddressUnicode(s.draft.Submission.Username))},
		{Label: Msg("wizard.fact.submission"), Value: serverWords(s.draft.Submission)},
	}
}

// otherMethods offers a password where one works, and another provider where none does.
func (s *State) otherMethods(v *Screen) {
	if !s.passwordless(s.preset()) {
		v.Actions = append(v.Actions, Action{ID: ActPassword, Label: Msg("wizard.signin.use-password"), Key: 'p'})
		return
	}
	if v.Finding != nil {
		v.Actions = append(v.Actions, Action{
			ID: gotoPrefix + ActionID(StepProvider), Label: Msg("wizard.signin.other-provider", "number", StepProvider.Number()),
			Key: 'o',
		})
	}
}

// signInFailure shows how the last sign-in ended: the card of the cause, with the sentence that names what happened.
func (s *State) signInFailure(v *Screen) {
	t := s.work[s.stepKind()]
	v.Finding = s.finding()
	switch {
	case t.err.Empty():
	case v.Finding == nil:
		v.Notices = append(v.Notices, Notice{levelOf(t.err), t.err})
	default:
		f := *v.Finding
		f.Meaning = t.err
		v.Finding = &f
	}
}

// promptScreen shows what to do in the browser, while the worker polls the provider for the approval.
func (s *State) promptScreen(v *Screen) {
	busy := &Busy{Request: s.work[DoSignIn].id, Text: Msg("wizard.busy.signin-saving")}
	v.Busy, v.Actions = busy, []Action{cancelAction()}
	p := s.prompt
	if p == nil || p.Flow != presets.FlowDevice {
		return
	}
	busy.Text = Msg("wizard.busy.signin-" + cmp.Or(s.work[DoSignIn].phase, "waiting"))
	busy.GivesUp, busy.Countdown = p.Lasts, true
	v.Intro = []Words{Msg("oauth.prompt.account", "account", s.draft.Address)}
	v.Notices = append(v.Notices, Notice{LevelWarn, Msg("oauth.prompt.warning")})
	if p.Complete {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("oauth.prompt.compare")})
	}
	page := Copyable{Label: Msg("wizard.signin.url"), Text: p.URL, QR: p.QR != "", Picture: p.QR}
	v.Copy = []Copyable{page, {Label: Msg("wizard.signin.code"), Text: p.Code}}
}

// pasteScreen asks for the address that the browser shows at the end.
func (s *State) pasteScreen(v *Screen) {
	v.Intro = []Words{Msg("oauth.prompt.account", "account", s.draft.Address)}
	v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.signin.paste-warning")})
	v.Copy = []Copyable{{Label: Msg("wizard.signin.url"), Text: s.prompt.URL}}
	v.Fields = []Field{{
		ID: FieldSecret, Kind: KindSecret, Label: Msg("wizard.signin.pasted"), Error: s.errors[FieldSecret],
		Help: Msg("oauth.prompt.paste", "redirect", s.prompt.Redirect),
	}}
	v.Actions = []Action{
		{ID: ActNext, Label: Msg("wizard.action.check")},
		{ID: ActRetry, Label: Msg("wizard.signin.new-address"), Key: 'r'},
		cancelAction(),
	}
}

func (s *State) signedInScreen(v *Screen) {
	v.Intro = []Words{s.accountWords()}
	v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.signin.honest")})
	v.Facts = s.signInFacts()
	next := Action{ID: ActNext, Label: Msg("wizard.action.next")}
	again := Action{ID: ActSignIn, Label: Msg("wizard.signin.again"), Key: 'r'}
	v.Actions = []Action{next, again}
	if s.fixField == FieldSecret {
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.signin.refused")})
		v.Actions = []Action{again, next}
	}
	s.otherMethods(v)
}

// useBrowser and usePassword change how the person signs in. What was given for the other method is kept.
func (s *State) useBrowser() {
	if _, _, ok := s.browserSignIn(); ok {
		s.draft.SecretType = config.SecretOAuth
		s.question, s.fixField = noQuestion, ""
		switch at := s.draft.Step.Number() - StepCredential.Number(); {
		case at == 0:
			s.enterSignIn()
		case at > 0: // a password was refused
			s.jump(StepCredential, "")
		default:
			s.forward()
		}
	}
}

func (s *State) usePassword() {
	if s.passwordless(s.preset()) {
		return
	}
	for _, kind := range signInKinds() {
		s.abandon(kind)
	}
	s.prompt, s.approved = nil, false
	s.draft.SecretType = s.passwordType()
	if s.prepareApplies() && s.draft.Step == StepCredential && s.secret.Empty() {
		s.arrive(StepPrepare, true) // the steps to an app password were not shown before
		return
	}
	s.enter(true)
}

func (s *State) answerSignIn(a Answer) {
	if s.work[DoSignInFind].id != 0 || s.work[DoSignInBegin].id != 0 || s.work[DoSignIn].id != 0 {
		return
	}
	o, _, ok := s.browserSignIn()
	if !ok {
		return
	}
	pasting := s.prompt != nil && s.prompt.Flow == presets.FlowCode
	switch {
	case s.approved:
		if a.Action == ActRetry || a.Action == ActNext {
			s.ask(DoSignIn, nil)
		}
	case a.Action == ActSignIn && !pasting:
		s.beginSignIn(o.Flow)
	case a.Action == ActPaste && o.AuthURL != "", a.Action == ActRetry && pasting:
		s.beginSignIn(presets.FlowCode)
	case a.Action == ActNext && pasting:
		if a.Secret.Empty() {
			s.errors[FieldSecret] = Msg("oauth.problem.no_code")
			return
		}
		s.ask(DoSignIn, func(r *Request) { r.Secret = a.Secret })
	case a.Action == ActNext && s.signedIn:
		s.forward()
	}
}

func (s *State) beginSignIn(flow presets.OAuthFlow) {
	delete(s.work, DoSignIn)
	s.prompt, s.approved, s.fixField = nil, false, ""
	s.ask(DoSignInBegin, func(r *Request) { r.Flow = flow })
}

// cancelSignIn stops the sign-in because the person asked for it.
func (s *State) cancelSignIn() {
	for _, kind := range signInKinds() {
		s.abandon(kind)
	}
	s.prompt, s.promptRequest, s.approved, s.searched = nil, 0, false, true
	s.notices = []Notice{{LevelInfo, cancelled}}
}
