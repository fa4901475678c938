package wizard

import (
	"fmt"
	"slices"

	"postier/config"
	"postier/internal/secret"
)

// logic holds the four functions that make up one step.
type logic struct {
	// condition reports whether the step applies; nil means always.
	condition func(*State) bool
	// enter runs on arrival; forward is false when the person came back to it. nil means that there is
	// nothing to do.
	enter  func(s *State, forward bool)
	screen func(*State, *Screen)
	answer func(*State, Answer)
}

func logicOf(step Step) logic {
	switch step {
	case StepAddress:
		return logic{screen: (*State).addressScreen, answer: (*State).answerAddress}
	case StepProvider:
		return logic{enter: (*State).enterProvider, screen: (*State).providerScreen, answer: (*State).answerProvider}
	case StepServer:
		return logic{
			condition: (*State).serverApplies, enter: (*State).enterServer,
			screen: (*State).serverScreen, answer: (*State).answerServer,
		}
	case StepPrepare:
		return logic{
			condition: (*State).prepareApplies, screen: (*State).prepareScreen,
			answer: (*State).answerPrepare,
		}
	case StepCredential:
		return logic{
			condition: (*State).credentialApplies, enter: (*State).enterCredential,
			screen: (*State).credentialScreen, answer: (*State).answerCredential,
		}
	case StepSubmission:
		return logic{
			enter: (*State).enterSubmission, screen: (*State).submissionScreen,
			answer: (*State).answerSubmission,
		}
	case StepSent:
		return logic{
			condition: (*State).sentApplies, enter: (*State).enterSent,
			screen: (*State).sentScreen, answer: (*State).answerSent,
		}
	case StepDNS:
		return logic{enter: (*State).enterDNS, screen: (*State).dnsScreen, answer: (*State).answerDNS}
	case StepTest:
		return logic{enter: (*State).enterTest, screen: (*State).testScreen, answer: (*State).answerTest}
	case StepOptions:
		return logic{enter: (*State).enterOptions, screen: (*State).optionsScreen, answer: (*State).answerOptions}
	case StepReview:
		return logic{screen: (*State).reviewScreen, answer: (*State).answerReview}
	default:
		return logic{screen: (*State).doneScreen, answer: (*State).answerDone}
	}
}

// applies reports whether a step is shown; forward and back skip a step that does not apply.
func (s *State) applies(step Step) bool {
	condition := logicOf(step).condition
	return condition == nil || condition(s)
}

// forward goes to the next step that applies and keeps the draft.
func (s *State) forward() {
	s.dropForeignSignIn()
	s.look()
	if s.changing {
		s.recent, s.row = s.row, ActSave // most people change one thing
		s.arrive(s.unsettled(), true)
		return
	}
	steps := Steps()
	from := s.draft.Step.Number()
	for i := from; i < len(steps); i++ {
		if s.applies(steps[i]) {
			s.arrive(steps[i], true)
			s.passedOver = steps[from:i]
			return
		}
	}
}

// back goes to the page or step before, without losing anything.
func (s *State) back() {
	if s.question != noQuestion {
		s.question, s.pending = noQuestion, secret.Value{}
		return
	}
	if s.suggested != "" {
		s.suggested = ""
		return
	}
	if s.rounds > 0 && (s.work[DoWait].id != 0 || s.work[s.stepKind()].id != 0) {
		s.cancelStep() // the way back from a wait leads to what it is for
		return
	}
	if s.draft.Step == StepProvider && s.backToFound() {
		return
	}
	switch {
	case s.page > 0 && s.wanted != "" && s.draft.Step == StepOptions && !s.changing:
		s.page, s.wanted = 0, ""
		return
	case s.page > 0 && s.wanted == "":
		s.page--
		return
	}
	switch {
	case s.draft.Step == StepDone, s.editPage():
		return // a saved profile is not undone by going back, and before the page with its settings there is none
	case s.changing:
		s.abandonStep()
		s.arrive(StepReview, false)
		return
	}
	steps := Steps()
	for i := s.draft.Step.Number() - 2; i >= 0; i-- {
		if s.applies(steps[i]) {
			s.abandonStep()
			s.arrive(steps[i], false)
			return
		}
	}
}

// backToFound goes back from the list of providers, or from a provider chosen from it, to what was found before.
func (s *State) backToFound() bool {
	switch {
	case s.choosing:
		s.choosing, s.services = false, false
		s.enterProvider(false)
	case s.prior != nil:
		s.draft.Candidates, s.draft.Chosen, s.prior = s.prior.candidates, s.prior.chosen, nil
		s.enterProvider(false)
	default:
		return false
	}
	return true
}

// jump goes straight to a step, to fix a field there.
func (s *State) jump(step Step, field FieldID) {
	if step.Number() == 0 || step.Number() > s.draft.Step.Number() || s.draft.Step == StepDone {
		return
	}
	if step == StepServer {
		s.draft.Edited = true
	}
	if !s.applies(step) && !(step == StepPrepare && s.guideAtHand()) {
		return
	}
	if step == StepAddress && field == FieldFrom && s.draft.From.Address == s.draft.Address {
		field = FieldAddress
	}
	s.abandonStep()
	s.expectSwitch(step)
	s.arrive(step, false)
	s.fixField = field
	if step == StepServer {
		s.page = s.serverPageOf(field)
	}
}

// expectSwitch forgets a failure when the person goes to read what to switch on at the provider: the check is made
// again when they come back, where that is allowed.
func (s *State) expectSwitch(step Step) {
	if kind := s.stepKind(); step == StepPrepare && s.finding() != nil && s.mayRetry(kind) {
		delete(s.work, kind)
	}
}

func (s *State) arrive(step Step, forward bool) {
	s.abandon(DoWait)
	s.rounds, s.passedOver = 0, nil
	s.draft.Step = step
	s.page, s.fixField, s.question, s.suggested, s.choosing, s.services = 0, "", noQuestion, "", false, false
	if s.wanted = ""; step == StepReview {
		s.changing = false
	}
	s.enter(forward)
	if step != StepDone {
		s.keepDraft()
	}
}

func (s *State) enter(forward bool) {
	if enter := logicOf(s.draft.Step).enter; enter != nil {
		enter(s, forward)
	}
}

// stepWork returns the kind of work whose checks a step shows, or "".
func stepWork(step Step) RequestKind {
	switch step {
	case StepProvider:
		return DoDiscover
	case StepSubmission:
		return DoSubmission
	case StepSent:
		return DoSent
	case StepDNS:
		return DoDNS
	case StepTest:
		return DoTest
	case StepReview:
		return DoSave
	}
	return ""
}

// stepKind returns the kind of work that the current step shows. The credential step shows work only where the person
// signs in by browser.
func (s *State) stepKind() RequestKind {
	if s.draft.Step != StepCredential || !s.byBrowser() {
		return stepWork(s.draft.Step)
	}
	if len(s.work[DoSignInBegin].reports) > 0 {
		return DoSignInBegin
	}
	return DoSignIn
}

// abandonStep cancels the work of the step that the person leaves. The DNS checks go on: they need no secret, and when
// the settings that they depend on change, key tells that their results are out of date.
func (s *State) abandonStep() {
	s.dropCandidates()
	if kind := stepWork(s.draft.Step); kind != "" && kind != DoDNS {
		s.abandon(kind)
	}
}

// cancelStep stops the work of the step because the person asked for it. The screen stays and says so.
func (s *State) cancelStep() {
	if s.draft.Step == StepCredential && s.byBrowser() {
		s.cancelSignIn()
		return
	}
	if s.work[DoWait].id != 0 {
		s.stopWait()
		return
	}
	kind := stepWork(s.draft.Step)
	t, ok := s.work[kind]
	if !ok || t.id == 0 || kind == DoSave {
		return
	}
	s.abandon(kind)
	s.rounds = 0
	if t.before != nil { // what was found before still stands
		s.work[kind] = *t.before
		s.notices = []Notice{{LevelInfo, cancelled}}
		return
	}
	reports := slices.DeleteFunc(slices.Clone(t.reports), func(r Report) bool { return r.Status == "" })
	// The key stays, so that arriving here again does not start the work again.
	s.work[kind] = task{done: true, key: t.key, err: cancelled, reports: reports}
}

// cancelled is shown when the person stopped the work of a step.
var cancelled = Msg("wizard.cancelled")

// key identifies the settings that one kind of work depends on. When it changes, the results are out of date.
func (s *State) key(kind RequestKind) string {
	d := &s.draft
	imap := config.Server{}
	if d.IMAP != nil {
		imap = *d.IMAP
	}
	submission := fmt.Sprint(d.Submission, d.From.Address, s.secretGen, s.byBrowser())
	switch kind {
	case DoDiscover:
		return d.Address
	case DoSubmission:
		return submission
	case DoSent:
		return fmt.Sprint(imap, d.SentMode, d.SentFolder, s.secretGen, s.byBrowser())
	case DoDNS:
		return fmt.Sprint(d.From.Address, d.Provider, d.Submission.Host)
	case DoSignInFind, DoSignInBegin, DoSignIn:
		return s.signInKey()
	case DoTest:
		return submission + fmt.Sprint(imap) // another Sent folder is no reason to send once more
	}
	return ""
}
