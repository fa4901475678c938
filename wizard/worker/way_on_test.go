package worker

import (
	"slices"
	"strings"
	"testing"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/secret"
	"postier/presets"
	"postier/wizard"
)

// failing drives the wizard to a step whose check fails for a cause.
type failing struct {
	t        *testing.T
	state    wizard.State
	requests []wizard.Request
}

// failAt returns the wizard at a step where the check id failed for a cause; everything before it passed.
func failAt(t *testing.T, step wizard.Step, id check.ID, cause check.Cause) *failing {
	t.Helper()
	f := &failing{t: t}
	f.state, f.requests = wizard.New(wizard.Options{
		Book: presets.Default(), Today: "2026-11-21", Address: "marie@gmail.com", ConfigPath: "/config.json",
	})
	f.enter(wizard.StepProvider)
	f.enter(wizard.StepPrepare)
	f.enter(wizard.StepCredential)
	f.answer(wizard.Answer{Action: wizard.ActNext, Secret: secret.New("abcdefghijklmnop")})
	for _, s := range []struct {
		step wizard.Step
		kind wizard.RequestKind
	}{
		{wizard.StepSubmission, wizard.DoSubmission},
		{wizard.StepSent, wizard.DoSent},
		{wizard.StepDNS, wizard.DoDNS},
		{wizard.StepTest, wizard.DoTest},
	} {
		if f.state.Step() != s.step {
			t.Fatalf("at %s, want %s", f.state.Step(), s.step)
		}
		if s.step == step {
			f.finish(s.kind, id, cause)
			return f
		}
		f.finish(s.kind, "", "")
		f.answer(wizard.Answer{Action: wizard.ActNext})
	}
	t.Fatalf("no step %s", step)
	return nil
}

func (f *failing) answer(a wizard.Answer) {
	var requests []wizard.Request
	f.state, requests = f.state.Answer(a)
	f.requests = append(f.requests, requests...)
}

// enter presses Enter, which has to lead to a step.
func (f *failing) enter(to wizard.Step) {
	f.t.Helper()
	f.answer(wizard.Answer{Action: f.state.Screen().Actions[0].ID})
	if f.state.Step() != to {
		f.t.Fatalf("at %s, want %s", f.state.Step(), to)
	}
}

// finish ends the latest work of a kind. The check id fails for the cause, and those after it are skipped.
func (f *failing) finish(kind wizard.RequestKind, id check.ID, cause check.Cause) {
	var request wizard.Request
	for _, r := range f.requests {
		if r.Kind == kind {
			request = r
		}
	}
	o := wizard.Outcome{ID: request.ID, Kind: kind, Done: true, Folder: "Sent", Folders: []string{"INBOX", "Sent"}}
	status := check.Pass
	for _, each := range wizard.Checks(kind) {
		r := diagnostics.Result{ID: each, Status: status}
		if each == id {
			r.Status, r.Cause, status = check.Fail, cause, check.Skip
		}
		o.Reports = append(o.Reports, ReportOf(r))
	}
	var requests []wizard.Request
	f.state, requests = f.state.Tell(o)
	f.requests = append(f.requests, requests...)
}

func (f *failing) requested(kind wizard.RequestKind) int {
	n := 0
	for _, r := range f.requests {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

// TestWayOnOfEveryCause: on the card of every cause, at every step that can fail for it, Enter does what the card
// advises: it waits where time helps, leads to the place of the change, or away from what does not work. It is never
// disabled, and never makes a check once more that the card says not to repeat. Only a change of settings that are the
// provider's own becomes a wait.
func TestWayOnOfEveryCause(t *testing.T) {
	t.Parallel()
	steps := map[wizard.Step]struct {
		id   check.ID
		kind wizard.RequestKind
	}{
		wizard.StepSubmission: {check.SMTPAuth, wizard.DoSubmission},
		wizard.StepSent:       {check.IMAPAppend, wizard.DoSent},
		wizard.StepTest:       {check.ArrivalDelivered, wizard.DoTest},
	}
	for _, cause := range explain.Causes() {
		for step, at := range steps {
			f := failAt(t, step, at.id, cause.Slug)
			v := f.state.Screen()
			if v.Finding == nil || v.Finding.Cause != cause.Slug || len(v.Actions) == 0 {
				t.Fatalf("%s at %s: %+v", cause.Slug, step, v)
			}
			first := v.Actions[0]
			if !first.Disabled.Empty() || first.Label.Empty() {
				t.Errorf("%s at %s: Enter is disabled: %+v", cause.Slug, step, first)
			}
			checked := f.requested(at.kind)
			f.answer(wizard.Answer{Action: first.ID})
			repeated := f.requested(at.kind) != checked
			waits, moved := f.requested(wizard.DoWait) == 1, f.state.Step() != step
			var fits bool
			retry := explain.Retry(v.Finding.Retry)
			if retry != cause.Retry && (cause.Who != explain.WhoUser || cause.Step != string(wizard.StepServer)) {
				t.Errorf("%s at %s: the card says %s, the cause %s", cause.Slug, step, retry, cause.Retry)
			}
			switch retry {
			case explain.RetryLater, explain.RetryAutomatic:
				patient := cause.PauseMinutes <= 60 // what takes until tomorrow is not waited for at the screen
				fits = waits == patient && !repeated && (!moved && patient || leadsAway(first.ID, f.state.Step()))
			case explain.RetryNo:
				fits = !waits && !repeated && leadsAway(first.ID, f.state.Step())
			case explain.RetryAfterChange:
				fits = !waits && (moved || first.ID == wizard.ActLeave || byTheReader(cause, step, first.ID))
			}
			if f.state.Step() == wizard.StepCredential && cause.Who != explain.WhoUser {
				t.Errorf("%s at %s: another password is asked for, but %s has to act", cause.Slug, step, cause.Who)
			}
			if !fits {
				t.Errorf("%s (%s, %s) at %s: Enter does %s; waits %v, repeats the check %v, goes to %s",
					cause.Slug, cause.Who, cause.Retry, step, first.ID, waits, repeated, f.state.Step())
			}
		}
	}
}

// leadsAway reports whether an action leaves what cannot work: the program, the step, or the account.
func leadsAway(id wizard.ActionID, to wizard.Step) bool {
	return id == wizard.ActLeave || id == wizard.ActSkip || to == wizard.StepAddress || to == wizard.StepProvider
}

// byTheReader reports whether trying again is right: the reader makes the change, outside the wizard or by the choice
// of a folder on this screen.
func byTheReader(cause explain.CauseInfo, step wizard.Step, id wizard.ActionID) bool {
	folder := step == wizard.StepSent && cause.Field == string(wizard.FieldSentFolder) && id == wizard.ActNext
	return cause.Who == explain.WhoUser && (folder || id == wizard.ActRetry)
}

// TestKnownCards pins the first key of cards whose key once contradicted their text, and the keys beside it.
func TestKnownCards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step  wizard.Step
		id    check.ID
		cause check.Cause
		enter wizard.ActionID
	}{
		{wizard.StepSubmission, check.SMTPAuth, check.CauseTooManyLoginAttempts, wizard.ActWait},
		{wizard.StepSubmission, check.SMTPAuth, check.CauseAccountSuspended, wizard.ActLeave},
		{wizard.StepSubmission, check.SMTPAuth, check.CauseWrongPassword, wizard.ActFix},
		{wizard.StepSubmission, check.SMTPAuth, check.CauseBasicAuthDisabled, wizard.ActLeave},
		{wizard.StepSubmission, check.SMTPRecipient, check.CauseRecipientUnknown, "goto:address"},
		{wizard.StepSubmission, check.SMTPRecipient, check.CauseGreylisted, wizard.ActWait},
		{wizard.StepSubmission, check.SMTPRecipient, check.CauseRateLimited, wizard.ActWait},
		{wizard.StepSubmission, check.SMTPCertificate, check.CauseCertExpired, wizard.ActLeave},
		{wizard.StepSubmission, check.SMTPCertificate, check.CauseClockWrong, wizard.ActRetry},
		{wizard.StepSent, check.IMAPFolder, check.CauseFolderMissing, wizard.ActNext},
		{wizard.StepSent, check.IMAPAppend, check.CauseAppendRefused, wizard.ActSkip},
		{wizard.StepSent, check.IMAPAuth, check.CauseMailboxRefusesPassword, wizard.ActSkip},
		{wizard.StepTest, check.SMTPData, check.CauseDeliveryUnknown, wizard.ActSkip},
		{wizard.StepTest, check.SMTPData, check.CauseContentRejected, wizard.ActSkip},
		{wizard.StepTest, check.ArrivalDelivered, check.CauseNotArrived, wizard.ActWait},
	} {
		f := failAt(t, c.step, c.id, c.cause)
		actions := f.state.Screen().Actions
		if actions[0].ID != c.enter {
			t.Errorf("%s: Enter does %s, want %s", c.cause, actions[0].ID, c.enter)
		}
		keys := map[string]bool{}
		for _, a := range actions {
			if key := string(a.Key); a.Key != 0 && keys[key] || strings.ContainsAny(key, "qct?") {
				t.Errorf("%s: the key %q twice, or one of the front ends'", c.cause, key)
			} else {
				keys[key] = true
			}
		}
		if slices.ContainsFunc(actions[1:], func(a wizard.Action) bool { return a.ID == c.enter }) {
			t.Errorf("%s: %s is offered twice", c.cause, c.enter)
		}
	}
}
