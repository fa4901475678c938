package wizard

import (
	"testing"
	"time"

	"postier/internal/check"
)

func later(f *Report) { f.Who, f.Retry = "provider", RetryLater }

func usually(pause time.Duration) func(*Report) { return func(f *Report) { f.UsualPause = pause } }

// TestWait: Enter on a failure that goes away with time waits and checks again by itself, until it works.
func TestWait(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.recipient", "greylisted", "", "", later, usually(5*time.Minute))
	if first := k.s.Screen().Actions[0]; first.ID != ActWait {
		t.Fatalf("Enter does %s", first.ID)
	}
	k.enter()
	wait := k.last(DoWait)
	v := k.s.Screen()
	if wait.Pause != 5*time.Minute || v.Busy == nil || !v.Busy.Countdown || v.Busy.GivesUp != wait.Pause ||
		v.Busy.Request != wait.ID || v.Finding == nil || v.Finding.Cause != "greylisted" || v.Actions[0].ID != ActWait {
		t.Fatalf("%s, %+v", wait.Pause, v)
	}
	k.enter() // once more: it goes on waiting
	if k.requested(DoWait) != 1 || k.s.Screen().Busy == nil || k.s.Screen().Busy.Request != wait.ID {
		t.Fatal("a second Enter does not wait")
	}
	for round := 2; round < 4; round++ {
		k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
		if n := k.requested(DoSubmission); n != round {
			t.Fatalf("checked %d times after %d waits", n, round-1)
		}
		k.fails(DoSubmission, "smtp.recipient", "greylisted", "", "", later)
		if n := k.requested(DoWait); n != round {
			t.Fatalf("%d waits after %d checks", n, round)
		}
	}
	k.do(ActRetry) // now
	k.passes(DoSubmission)
	if k.requested(DoSubmission) != 4 || !k.s.Passed() {
		t.Error("the check is not made at once")
	}
	k.enter()
	k.at(StepSent)
}

// TestWaitEnds: another failure, the person and another step end a wait.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	begun := func() *driver {
		k := known(t, Options{})
		k.password(appPassword)
		k.fails(DoSubmission, "smtp.ehlo", "server-busy", "", "", later)
		k.enter()
		return k
	}
	k := begun()
	k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	if k.requested(DoWait) != 1 || k.s.Screen().Actions[0].ID != ActFix {
		t.Error("a wrong password is waited for")
	}
	for _, end := range []ActionID{ActCancel, ActBack, gotoPrefix + ActionID(StepServer)} {
		k = begun()
		id := k.last(DoWait).ID
		k.do(end)
		if c := k.last(DoCancel); c.ID != id {
			t.Errorf("%s: cancelled %d, want %d", end, c.ID, id)
		}
		checked := k.requested(DoSubmission)
		k.tell(Outcome{ID: id, Kind: DoWait, Done: true})
		if k.requested(DoSubmission) != checked {
			t.Errorf("%s: checked after the end", end)
		}
	}
	for _, end := range []ActionID{ActCancel, ActBack} {
		k = begun()
		k.do(end)
		k.at(StepSubmission)
		k.says("wizard.wait.stopped")
		if v := k.s.Screen(); v.Busy != nil || v.Actions[0].ID != ActWait || v.Finding == nil {
			t.Errorf("%s: the card is gone: %+v", end, v)
		}
		k = begun()
		k.do(ActRetry) // the check under way belongs to the wait
		k.do(end)
		if v := k.s.Screen(); v.Step != StepSubmission || v.Busy != nil || v.Finding == nil {
			t.Errorf("%s of the check: the card is gone: %+v", end, v)
		}
		k.do(ActRetry)
		k.fails(DoSubmission, "smtp.ehlo", "server-busy", "", "", later)
		if v := k.s.Screen(); v.Busy != nil {
			t.Errorf("%s: it waits again by itself", end)
		}
	}
}

// TestPauses: a wait lasts as long as the server asks, or the provider is known to lock an account; else longer each
// time.
func TestPauses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		f       Report
		rounds  int
		want    time.Duration
	}{
		{"marie@gmail.com", Report{Cause: check.CauseGreylisted, RetryAfter: time.Minute}, 0, time.Minute + retryMargin},
		{"marie@gmail.com", Report{Cause: check.CauseServerBusy, RetryAfter: 1000 * time.Hour}, 0, longestPause},
		{"marie@gmail.com", Report{Cause: check.CauseTooManyLoginAttempts, UsualPause: time.Hour}, 3, time.Hour},
		{"marie@yahoo.com", Report{Cause: check.CauseTooManyLoginAttempts}, 0, 30 * time.Minute},
		{"marie@gmail.com", Report{Cause: check.CauseServerBusy}, 0, time.Minute},
		{"marie@gmail.com", Report{Cause: check.CauseServerBusy}, 2, 4 * time.Minute},
		{"marie@gmail.com", Report{Cause: check.CauseServerBusy}, 100, 15 * time.Minute},
	} {
		k := known(t, Options{Address: c.address})
		k.s.rounds = c.rounds
		if got := k.s.pause(c.f); got != c.want {
			t.Errorf("%s, %s, round %d: %s", c.address, c.f.Cause, c.rounds, got)
		}
	}
}

// TestNoSignInBeforeItsTime: while sign-ins are refused, no key tries another one.
func TestNoSignInBeforeItsTime(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.auth", "too-many-login-attempts", StepCredential, FieldSecret, later)
	k.enter()
	if k.action(ActRetry).Disabled.Empty() {
		t.Error("the check can be made at once")
	}
	k.do(ActRetry)
	if k.requested(DoSubmission) != 1 {
		t.Error("the check was made at once")
	}
}

// TestLookAgain: after a wait, a submitted test message is looked for; a refused one is sent again.
func TestLookAgain(t *testing.T) {
	t.Parallel()
	toTest := func() *driver {
		k := known(t, Options{})
		k.toSent()
		k.enter()
		k.passes(DoDNS)
		k.enter()
		k.at(StepTest)
		return k
	}
	k := toTest()
	r := k.last(DoTest)
	reports := all(DoTest, r.Draft)
	reports[1].Status, reports[1].Cause, reports[1].Retry = check.Fail, check.CauseNotArrived, RetryLater
	k.tell(Outcome{ID: r.ID, Kind: DoTest, Done: true, Reports: reports, Sent: "<postier-1@gmail.com>"})
	k.enter()
	k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
	if k.last(DoTest).Sent != "<postier-1@gmail.com>" {
		t.Error("a second message is sent")
	}
	k.do(ActCancel)
	if f := k.s.Screen().Finding; f == nil || f.Cause != check.CauseNotArrived {
		t.Errorf("what the first look found is forgotten: %+v", f)
	}
	k.do(ActRetry)
	if k.last(DoTest).Sent != "" {
		t.Error("the person's own wish sends none")
	}

	k = toTest()
	k.fails(DoTest, "smtp.data", "greylisted", "", "", later)
	k.enter()
	k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
	if k.requested(DoTest) != 2 || k.last(DoTest).Sent != "" {
		t.Error("the refused message is not sent again")
	}
}

// TestSwitchTakesTime: a failure whose remedy is a switch at the provider leads there first, and to a wait when it
// comes again, so that no one goes in circles.
func TestSwitchTakesTime(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	off := func() {
		k.fails(DoSubmission, "smtp.auth", "smtp-auth-disabled", StepPrepare, "",
			func(r *Report) { r.Who, r.Retry = "admin", RetryAfterChange })
	}
	off()
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.enter()
	k.at(StepSubmission)
	if k.requested(DoSubmission) != 2 {
		t.Fatal("who comes back from the provider's page is shown the old failure")
	}
	off()
	k.says("wizard.wait.switch")
	k.enter()
	if k.at(StepSubmission); k.requested(DoWait) != 1 {
		t.Fatal("Enter does not wait")
	}
	k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
	off()
	if k.requested(DoWait) != 2 {
		t.Error("it does not go on waiting")
	}
	k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
	k.passes(DoSubmission)
	if !k.s.Passed() {
		t.Error("it has not passed")
	}
}
