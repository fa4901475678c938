package wizard

import (
	"cmp"
	"time"

	"postier/internal/check"
)

// Pauses before a check is made again by itself.
const (
	// A server that named a time is asked a moment after it.
	retryMargin = 5 * time.Second
	// longestPause bounds what a server asks for: its limits are counted in days at most.
	longestPause = 24 * time.Hour
	// longestWait bounds what a person waits for at the screen. What takes longer is gone on with another time.
	longestWait = 2 * time.Hour
)

// pause is how long to wait before the check that found f is made again: what the server asked for, the provider's
// known time, the cause's usual time, or a time that doubles with each wait.
func (s *State) pause(f Report) time.Duration {
	if f.RetryAfter > 0 {
		return min(f.RetryAfter+retryMargin, longestPause)
	}
	if f.Cause == check.CauseTooManyLoginAttempts {
		if p := s.preset(); p != nil && p.Lockout != nil {
			return time.Duration(p.Lockout.ToMinutes) * time.Minute
		}
	}
	if f.UsualPause > 0 {
		return f.UsualPause
	}
	first, longest := time.Minute, 15*time.Minute
	if s.draft.Step == StepDNS {
		longest = 5 * time.Minute
	}
	return min(first<<min(s.rounds, 4), longest)
}

func (s *State) waitAction(f Report) Action {
	if s.draft.Step == StepDNS {
		return Action{ID: ActWait, Label: Msg("wizard.action.watch"), Key: 'w'}
	}
	const half = 30 * time.Second
	minutes := int((s.pause(f) + half).Truncate(time.Minute).Minutes())
	return Action{ID: ActWait, Label: Msg("wizard.action.wait", "minutes", max(1, minutes)), Key: 'w'}
}

// waits reports whether a failure goes away with time.
func (f *Report) waits() bool {
	return f != nil && (f.Retry == RetryLater || f.Retry == RetryAutomatic)
}

// awaited is what the current step can wait for: a failure that goes away with time, or what was found about the
// domain's records, because a record is visible only some time after it was published.
func (s *State) awaited() *Report {
	if s.draft.Step == StepDNS && s.work[DoDNS].done {
		reports := s.work[DoDNS].reports
		return cmp.Or(firstOf(reports, check.Fail), firstOf(reports, check.Warn))
	}
	if f := s.finding(); (f.waits() || s.switched(f)) && !s.passed(s.stepKind()) {
		return f
	}
	return nil
}

// startWait lets the pause pass for the failure that is shown. It is the person's consent to be checked again, and for
// the test message to a second one where the first was refused.
func (s *State) startWait() {
	f := s.awaited()
	if f == nil || s.work[s.stepKind()].id != 0 || s.work[DoWait].id != 0 {
		return
	}
	s.waitFor = s.pause(*f)
	s.rounds++
	s.ask(DoWait, func(r *Request) { r.Pause = s.waitFor })
}

// checkAgain makes the current step's check once more. A test message that was submitted is looked for, not sent again.
func (s *State) checkAgain() {
	delete(s.work, DoWait)
	kind := s.stepKind()
	looked := s.sent
	s.ask(kind, func(r *Request) {
		if kind == DoTest {
			r.Sent = looked
		}
	})
}

// waitOn waits again when a check that followed a wait failed for a cause that goes away with time.
func (s *State) waitOn(kind RequestKind) {
	if s.rounds == 0 || kind != s.stepKind() {
		return
	}
	if s.awaited() == nil {
		s.rounds = 0
		if kind == DoDNS && s.passed(kind) {
			s.notices = []Notice{{LevelGood, Msg("wizard.dns.visible")}}
		}
		return
	}
	s.startWait()
}

// waiting adds the wait that is under way, with the failure that it is for. Its first action goes on waiting.
func (s *State) waiting(v *Screen) bool {
	t := s.work[DoWait]
	f := s.awaited()
	if t.id == 0 || f == nil {
		return false
	}
	v.Finding = f
	v.Busy = &Busy{Request: t.id, Text: Msg("wizard.wait.next"), GivesUp: s.waitFor, Countdown: true}
	if s.draft.Step == StepDNS {
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.wait.dns")})
	}
	v.Notices = append(v.Notices, Notice{LevelInfo, s.waitWords()})
	now := Action{ID: ActRetry, Label: Msg("wizard.action.check-now"), Key: 'r', Disabled: s.mustWait()}
	// Enter was pressed to wait: pressed once more, it waits.
	v.Actions = []Action{
		{ID: ActWait, Label: Msg("wizard.action.go-on-waiting")},
		now, s.leaveAction(),
		{ID: ActCancel, Label: Msg("wizard.action.cancel"), Key: 'x'},
	}
	return true
}

// stopWait ends the wait under way because the person asked for it. The screen stays and says so.
func (s *State) stopWait() {
	s.abandon(DoWait)
	s.rounds = 0
	s.notices = []Notice{{LevelInfo, Msg("wizard.wait.stopped")}}
}

// mustWait says why the check must not be made before the time is over; empty where it may.
func (s *State) mustWait() Words {
	if f := s.finding(); f != nil && f.Cause == check.CauseTooManyLoginAttempts {
		return Msg("wizard.wait.locked")
	}
	return Words{}
}

// checkNow ends the wait under way and makes its check.
func (s *State) checkNow() {
	if s.mustWait().Empty() {
		s.abandon(DoWait)
		s.checkAgain()
	}
}

func (s *State) waitWords() Words {
	if s.opts.Rehearsal {
		return Msg("wizard.wait.rehearsal")
	}
	return Msg("wizard.wait.close")
}
