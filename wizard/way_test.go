package wizard

import (
	"testing"

	"postier/config"
	"postier/internal/check"
)

// otherPort is what the worker found in place of a port that does not answer.
func otherPort(server config.Server, works bool) Outcome {
	server.Port, server.Security = config.PortSubmission, config.SecurityStartTLS
	w := Way{Server: server, Name: Literal("587"), Result: Literal("works"), Works: works, Advice: Literal("Use 587.")}
	if works {
		w.Reports = all(DoSubmission, Draft{})
	} else {
		w.Cause = check.CausePortBlocked
	}
	return Outcome{Ways: []Way{w}}
}

// TestWayThatWorks: Enter takes a way that works, whose proof counts, and the card advises nothing else.
func TestWayThatWorks(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	r := k.last(DoSubmission)
	k.failsWith(DoSubmission, "net.connect", otherPort(r.Draft.Submission, true))
	v := k.s.Screen()
	if v.Actions[0].ID != ActWay || len(v.Finding.Remedy) != 1 || v.Finding.Remedy[0].Literal != "Use 587." ||
		!v.Finding.WhoWords.Empty() || len(v.Facts) != 1 || k.s.Passed() {
		t.Fatalf("%+v", v)
	}
	k.enter()
	if d := k.s.Draft(); d.Submission.Port != config.PortSubmission || d.Submission.Security != config.SecurityStartTLS {
		t.Errorf("the draft has %+v", d.Submission)
	}
	v = k.s.Screen()
	if !k.s.Passed() || v.Finding != nil || len(v.Facts) != 0 || v.Actions[0].ID != ActNext {
		t.Fatalf("after taking it: %+v", v)
	}
	if k.requested(DoSubmission) != 1 || k.requested(DoSent) != 1 || k.last(DoSent).Secret.Empty() {
		t.Error("the proof does not count, or the mailbox is not looked at")
	}
	k.enter()
	k.at(StepSent)
}

// TestNoWayWorks: what was tried is shown, and the card and its keys stay as they are.
func TestNoWayWorks(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.failsWith(DoSubmission, "net.connect", otherPort(k.last(DoSubmission).Draft.Submission, false),
		func(r *Report) { r.Step, r.Field = StepServer, FieldSMTPPort })
	v := k.s.Screen()
	if v.Actions[0].ID == ActWay || len(v.Facts) != 1 || v.Finding == nil {
		t.Fatalf("%+v", v)
	}
	if v.Actions[0].ID != ActFix {
		t.Errorf("Enter does %s", v.Actions[0].ID)
	}
	before := k.s.Draft().Submission
	k.do(ActWay)
	if k.s.Draft().Submission != before || k.s.Passed() {
		t.Error("a way that does not work was taken")
	}
}

// TestNetworkBlocksAll: where the network lets no port through, another port is not what Enter leads to.
func TestNetworkBlocksAll(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.failsWith(DoSubmission, "net.connect", otherPort(k.last(DoSubmission).Draft.Submission, false),
		func(r *Report) { r.Who, r.Step, r.Field = "network", StepServer, FieldSMTPPort })
	if first := k.s.Screen().Actions[0].ID; first != ActLeave {
		t.Errorf("Enter does %s", first)
	}
	k.action(gotoPrefix + ActionID(StepServer)) // still offered
}

// TestWayToAnotherHost: the person's yes to the host also lets the password be sent there, and to no other.
func TestWayToAnotherHost(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	o := otherPort(k.last(DoSubmission).Draft.Submission, true)
	o.Ways[0].Server.Host, o.Ways[0].Server.Username = "mx.gmail.com", "marie"
	k.failsWith(DoSubmission, "smtp.certificate", o)
	k.enter()
	d := k.s.Draft()
	if d.Submission.Host != "mx.gmail.com" || d.IMAP == nil || d.IMAP.Username != "marie" || !k.s.secretFits() {
		t.Errorf("%+v, %+v", d.Submission, d.IMAP)
	}
}

// TestWayToTheMailbox: the copy is filed by the way that works; a connection alone does not prove it.
func TestWayToTheMailbox(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	server := *k.last(DoSent).Draft.IMAP
	server.Port, server.Security = config.PortIMAP, config.SecurityStartTLS
	k.failsWith(DoSent, "imap.connect", Outcome{Ways: []Way{{Server: server, Works: true, Advice: Literal("Use 143.")}}})
	k.enter()
	if got := k.s.Draft().IMAP; got.Port != config.PortIMAP || k.requested(DoSent) != 2 || k.s.Passed() {
		t.Errorf("%+v, asked %d times", got, k.requested(DoSent))
	}
	k.passes(DoSent)
	if !k.s.Passed() {
		t.Error("the step does not pass")
	}
}

// TestOtherNames: a refused password is shown under another form of the user name once, where the form is not known.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	if k.last(DoSubmission).OtherNames {
		t.Error("Gmail's form of the user name is known")
	}
	k.s.draft.Provider = ""
	if !k.s.otherNames(DoSubmission) || k.s.otherNames(DoSent) {
		t.Error("no other name at a provider that nobody knows")
	}
	ways := []Way{{Server: k.s.draft.Submission, Cause: check.CauseWrongPassword}}
	k.failsWith(DoSubmission, "smtp.auth", Outcome{Ways: ways}, func(r *Report) { r.Cause = check.CauseWrongPassword })
	if k.s.refused.n != 2 || k.s.otherNames(DoSubmission) {
		t.Errorf("%d refusals are counted", k.s.refused.n)
	}
}
