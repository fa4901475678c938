package wizard

import (
	"fmt"
	"slices"

	"postier/config"
	"postier/internal/secret"
)

// logic is how one step behaves.
type logic struct {
	// applies reports whether the step is shown; a step that does not apply is passed over both ways.
	applies func(*State) bool
	// enter runs on arrival; forward is false when the person came back to it.
	enter  func(s *State, forward bool)
	screen func(*State, *Screen)
	answer func(*State, Answer)
}

func always(*State) bool { return true }

func nothing(*State, bool) {}

func (s *State) logic() logic { return logicOf(s.draft.Step) }

func logicOf(step Step) logic {
	switch step {
	case StepAddress:
		return logic{always, nothing, (*State).addressScreen, (*State).answerAddress}
	case StepProvider:
		return logic{always, (*State).enterProvider, (*State).providerScreen, (*State).answerProvider}
	case StepServer:
		return logic{(*State).serverApplies, (*State).enterServer, (*State).serverScreen, (*State).answerServer}
	case StepPrepare:
		return logic{(*State).prepareApplies, nothing, (*State).prepareScreen, (*State).answerPrepare}
	case StepCredential:
		return logic{
			(*State).credentialApplies, (*State).enterCredential, (*State).credentialScreen,
			(*State).answerCredential,
		}
	case StepSubmission:
		return logic{always, (*State).enterSubmission, (*State).submissionScreen, (*State).answerSubmission}
	case StepSent:
		return logic{(*State).sentApplies, (*State).enterSent, (*State).sentScreen, (*State).answerSent}
	case StepDNS:
		return logic{always, (*State).enterDNS, (*State).dnsScreen, (*State).answerDNS}
	case StepTest:
		return logic{always, (*State).enterTest, (*State).testScreen, (*State).answerTest}
	case StepOptions:
		return logic{always, (*State).enterOptions, (*State).optionsScreen, (*State).answerOptions}
	case StepReview:
		return logic{always, nothing, (*State).reviewScreen, (*State).answerReview}
	default:
		return logic{always, nothing, (*State).doneScreen, (*State).answerDone}
	}
}

// forward goes to the next step that applies and keeps the draft.
func (s *State) forward() {
	s.dropForeignSignIn()
	steps := Steps()
	for i := s.draft.Step.Number(); i < len(steps); i++ {
		if logicOf(steps[i]).applies(s) {
			s.arrive(steps[i], true)
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
	if s.draft.Step == StepProvider && s.backToFound() {
		return
	}
	if s.page > 0 {
		s.page--
		return
	}
	if s.draft.Step == StepDone {
		return // a saved profile is not undone by going back
	}
	steps := Steps()
	for i := s.draft.Step.Number() - 2; i >= 0; i-- {
		if logicOf(steps[i]).applies(s) {
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
		s.choosing = false
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
	if !logicOf(step).applies(s) {
		return
	}
	if step == StepAddress && field == FieldFrom && s.draft.From.Address == s.draft.Address {
		field = FieldAddress
	}
	s.abandonStep()
	s.arrive(step, false)
	s.fixField = field
	if step == StepServer {
		s.page = s.serverPageOf(field)
	}
}

func (s *State) arrive(step Step, forward bool) {
	s.draft.Step = step
	s.page, s.fixField, s.question, s.suggested, s.choosing = 0, "", noQuestion, "", false
	s.enter(forward)
	if step != StepDone {
		s.requests = append(s.requests, Request{Kind: DoDraft, Draft: s.Draft()})
	}
}

func (s *State) enter(forward bool) { s.logic().enter(s, forward) }

// stepWork is the work that a step shows.
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

// stepKind is the work that the current step shows. The credential step has some only where the person signs in by
// browser.
func (s *State) stepKind() RequestKind {
	if s.draft.Step != StepCredential || !s.byBrowser() {
		return stepWork(s.draft.Step)
	}
	if len(s.work[DoSignInBegin].reports) > 0 {
		return DoSignInBegin
	}
	return DoSignIn
}

// abandonStep ends the work of the step that is left. DNS goes on: it needs no
// secret, and key makes its results out of date when the settings change on which they depend.
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
	kind := stepWork(s.draft.Step)
	t, ok := s.work[kind]
	if !ok || t.id == 0 || kind == DoSave {
		return
	}
	reports := slices.DeleteFunc(slices.Clone(t.reports), func(r Report) bool { return r.Status == "" })
	s.abandon(kind)
	// The key stays, so that arriving here again does not start the work again.
	s.work[kind] = task{done: true, key: t.key, err: cancelled, reports: reports}
}

// cancelled is what a step says of work that the person stopped.
var cancelled = M("wizard.cancelled")

// key is made of the settings that work of one kind depends on. When it changes, the results are out of date.
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
