package wizard

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"postier/internal/check"
)

// Edited is a profile as it was saved, while the person changes it.
type Edited struct {
	Draft Draft
	// Proof holds the verdicts of the checks with which the profile was last proven; nil where it is not, or was edited
	// since. At is when that was.
	Proof map[check.ID]check.Status
	At    time.Time
}

// place is the action that goes to one field of a step.
func place(step Step, field FieldID) ActionID {
	if field == "" {
		return gotoPrefix + ActionID(step)
	}
	return gotoPrefix + ActionID(step) + "#" + ActionID(field)
}

// goTo goes where an action of place leads. From the page with all settings the person comes back to it as soon as what
// depends on the change is checked again.
func (s *State) goTo(target string) {
	step, field, _ := strings.Cut(target, "#")
	from := s.draft.Step
	s.jump(Step(step), FieldID(field))
	if from == StepReview && s.draft.Step != StepReview {
		s.changing, s.row = true, ActionID(gotoPrefix+target)
	}
	if field != "" { // nothing is wrong with it
		s.fixField, s.wanted = "", FieldID(field)
	}
	if s.draft.Step.Number() > StepCredential.Number() && s.draft.Step.Number() < StepOptions.Number() && s.needsSecret() {
		s.arrive(StepCredential, false)
	}
	if s.draft.Step == StepOptions && field != "" {
		s.page = optionPageOf(s.wanted)
	}
}

// unsettled returns the next step after the current one whose checks have to be made again before the change can be
// saved, or the page with all settings.
func (s *State) unsettled() Step {
	steps := Steps()
	if s.draft.Step == StepOptions {
		return StepReview
	}
	for _, step := range steps[s.draft.Step.Number():] {
		if step == StepReview || s.applies(step) && !s.settled(step) {
			return step
		}
	}
	return StepReview
}

// settled reports whether a step has nothing to ask and nothing to check: its checks were made with the settings as
// they are now, or those settings are as they were saved.
func (s *State) settled(step Step) bool {
	kind := stepWork(step)
	switch step {
	case StepCredential:
		return !s.needsSecret() && s.secretFits() || s.asSaved(DoSubmission) && s.asSaved(DoSent)
	case StepSubmission:
		return s.passed(kind) && s.wasSeen(kind) || s.asSaved(kind) && s.provenBefore(kind)
	case StepSent, StepDNS, StepTest:
		t := s.work[kind]
		failed := t.done && firstFailure(t.reports) != nil
		return slices.Contains(s.draft.Skipped, step) || s.wasSeen(kind) || s.asSaved(kind) && !failed
	}
	return true
}

// look notes that the person has seen what came of the current step's work.
func (s *State) look() {
	kind := stepWork(s.draft.Step)
	if s.work[kind].done {
		s.seen[kind] = s.key(kind)
	}
}

// wasSeen reports whether the person has seen what came of work with the settings as they are now.
func (s *State) wasSeen(kind RequestKind) bool {
	return s.work[kind].done && s.seen[kind] == s.key(kind)
}

// asSaved reports whether what one kind of work depends on is as it was saved.
func (s *State) asSaved(kind RequestKind) bool {
	e := s.opts.Edited
	return e != nil && s.draft.AskEach == e.Draft.AskEach && s.draft.SecretType == e.Draft.SecretType &&
		s.savedKeys[kind] == s.key(kind)
}

// provenBefore reports whether the saved profile was proven by work of this kind, and not switched off since.
func (s *State) provenBefore(kind RequestKind) bool {
	return s.draft.Disabled == nil && s.opts.Edited != nil && len(s.earlier(kind)) > 0
}

// earlier returns the verdicts of one kind of work with which the profile was saved.
func (s *State) earlier(kind RequestKind) map[check.ID]check.Status {
	out := map[check.ID]check.Status{}
	for _, id := range Checks(kind) {
		if status, ok := s.opts.Edited.Proof[id]; ok {
			out[id] = status
		}
	}
	return out
}

// kept reports whether nothing of an edited profile has changed that its submission server would have to prove, so that
// it can be saved as it is: proven or not, on or off.
func (s *State) kept() bool { return !s.passed(DoSubmission) && s.asSaved(DoSubmission) }

// saveable reports whether what was changed is proven, with the mailbox where a copy is filed by it.
func (s *State) saveable() bool {
	sent := !s.sentApplies() || slices.Contains(s.draft.Skipped, StepSent) || s.passed(DoSent) || s.asSaved(DoSent)
	return sent && (s.passed(DoSubmission) || s.asSaved(DoSubmission))
}

// Unchanged reports whether a profile that is edited is as it was saved: leaving loses nothing then.
func (s State) Unchanged() bool {
	if !s.editPage() {
		return false
	}
	now, saved := s.draft, s.opts.Edited.Draft
	now.Step, saved.Step = StepReview, StepReview
	now.Product, saved.Product = "", "" // no setting of the profile
	a, errA := json.Marshal(now)
	b, errB := json.Marshal(saved)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// editPage reports whether the page with all settings is where the conversation began.
func (s *State) editPage() bool { return s.opts.Edited != nil && s.draft.Step == StepReview }

// earlierVerdict says how the checks of one kind ended when the profile was last proven, and when that was.
func (s *State) earlierVerdict(kind RequestKind) Words {
	statuses := slices.Collect(maps.Values(s.earlier(kind)))
	date := s.opts.Edited.At.Local().Format(time.DateOnly)
	switch {
	case len(statuses) == 0:
		return Msg("wizard.verdict.skip")
	case slices.Contains(statuses, check.Fail):
		return Msg("wizard.verdict.fail-on", "date", date)
	case slices.Contains(statuses, check.Warn):
		return Msg("wizard.verdict.warn-on", "date", date)
	}
	return Msg("wizard.verdict.pass-on", "date", date)
}

// rememberSaved notes what the work that proved the saved profile depended on.
func (s *State) rememberSaved() {
	if s.opts.Edited == nil {
		return
	}
	if s.row = ActSave; s.draft.Disabled == nil { // a profile that is off begins with what switches it on
		s.row = place(StepAddress, FieldAddress)
	}
	before := *s
	before.draft = s.opts.Edited.Draft
	s.savedKeys = map[RequestKind]string{}
	for _, kind := range []RequestKind{DoSubmission, DoSent, DoDNS, DoTest} {
		s.savedKeys[kind] = before.key(kind)
	}
}
