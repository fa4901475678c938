package wizard

import (
	"cmp"
	"slices"
)

// Who must act on a cause. The words are those of `explain --json`.
type Who string

// WhoUser is the person at the wizard. Every other party has to be asked.
const (
	WhoUser     Who = "user"
	whoServer   Who = "server"
	whoProvider Who = "provider"
)

// Retry says whether trying again helps. The words are those of `explain --json`.
type Retry string

// The answers to "does trying again help?".
const (
	RetryNo          Retry = "no"
	RetryLater       Retry = "later"
	RetryAfterChange Retry = "after-change"
	RetryAutomatic   Retry = "automatic"
)

// wayOn returns what Enter does on the card of a failure. It follows from who must act and whether trying again helps,
// so that Enter never repeats what the card advises against. fix is the step where the cause can be fixed, and without
// the action that goes on without what failed; either is empty where there is none.
func wayOn(f Report, fix Step, without ActionID) ActionID {
	switch f.Retry {
	case RetryLater, RetryAutomatic:
		return ActWait
	case RetryNo:
		switch {
		case fix == StepAddress || fix == StepProvider:
			return ActFix // another account or another provider
		case without != "":
			return without
		case f.Who == WhoUser:
			return gotoPrefix + ActionID(StepAddress)
		}
		return ActLeave
	default:
		switch {
		case fix != "":
			return ActFix
		case without != "":
			return without
		case f.Who == WhoUser:
			return ActRetry // after a change that is made outside the wizard
		}
		return ActLeave
	}
}

// failureActions adds the actions after a failure: first what wayOn says, then the others that may help. retry makes
// the check once more, and without goes on without it; the zero Action where the step cannot be left out.
func (s *State) failureActions(v *Screen, retry, without Action) {
	if v.Finding == nil { // the work could not be done at all, or was stopped
		v.addActions(retry, without, serverAction())
		return
	}
	if s.wayThatWorks() != nil {
		v.addActions(wayAction())
	}
	f := *v.Finding
	fixStep, _ := s.fixPlace(&f)
	if fixStep == StepCredential && f.Who != WhoUser {
		fixStep = "" // someone else has to allow the sign-in: another password changes nothing
	}
	if fixStep == StepServer && f.Who != WhoUser && s.noWayWorks() {
		fixStep = "" // the usual servers were tried
	}
	first := wayOn(f, fixStep, without.ID)
	if first == ActWait && s.pause(f) > longestWait {
		first = cmp.Or(without.ID, ActLeave)
	}
	switch again := s.failure.times > 1 && s.failure.cause == f.Cause; {
	case s.switched(&f):
		first = ActWait
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.wait.switch")})
	case again && (first == ActRetry || s.passwordRight(&f)): // it was tried again already
		first = cmp.Or(without.ID, ActLeave)
	}
	var others []Action
	all := []Action{
		s.waitAction(f), s.fixAction(fixStep), without, retry, addressAction(), s.leaveAction(),
	}
	if s.draft.Step == StepSubmission {
		if action := s.browserInstead(f); action.ID != "" {
			first = action.ID
			all = slices.Insert(all, 0, action)
		}
		if slices.Contains(accountCauses, f.Cause) || s.accountRefused(&f) {
			all = append(all, s.serviceAction())
		}
	}
	for _, a := range all {
		switch {
		case a.ID == first:
			v.addActions(a)
		case a.ID == ActWait,
			(a.ID == ActFix || a.ID == ActRetry) && f.Retry == RetryNo,
			a.ID == addressAction().ID && (f.Retry != RetryNo && first != ActLeave || without.ID != ""),
			a.ID == ActLeave && (f.Retry == RetryAfterChange || without.ID != ""):
		default:
			others = append(others, a)
		}
	}
	v.addActions(others...)
	if fixStep != StepServer && s.draft.Step == StepSubmission {
		v.addActions(serverAction())
	}
	v.addActions(s.reportAction())
}

// addActions adds actions, leaving out empty ones.
func (v *Screen) addActions(actions ...Action) {
	for _, a := range actions {
		if a.ID != "" {
			v.Actions = append(v.Actions, a)
		}
	}
}

func serverAction() Action {
	return Action{
		ID: gotoPrefix + ActionID(StepServer), Label: Msg("wizard.action.fix.server", "number", StepServer.Number()),
		Key: 'e',
	}
}

func addressAction() Action {
	return Action{
		ID: gotoPrefix + ActionID(StepAddress), Label: Msg("wizard.action.fix.address", "number", StepAddress.Number()),
		Key: 'a',
	}
}

// leaveAction ends the program. The draft of the current step is stored already, except in a rehearsal.
func (s *State) leaveAction() Action {
	if s.opts.Rehearsal {
		return Action{ID: ActLeave, Label: Msg("wizard.action.leave-rehearsal"), Key: 'l'}
	}
	return Action{ID: ActLeave, Label: Msg("wizard.action.leave"), Key: 'l'}
}
