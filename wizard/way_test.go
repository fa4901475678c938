package wizard

import (
	"slices"
	"testing"
	"time"

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
	k := byHand(t, Options{})
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

// TestTriedIsNotAdvised: once no other way works, no card advises another port. At the provider's own server Enter
// waits, since nothing in the settings is wrong; at a server that was typed it leads to the server's name.
func TestTriedIsNotAdvised(t *testing.T) {
	t.Parallel()
	for _, cause := range connectionCauses {
		refused := func(r *Report) {
			r.Cause, r.Who, r.Retry = cause, WhoUser, RetryAfterChange
			r.Step, r.Field, r.Remedy = StepServer, FieldSMTPPort, []Words{Literal("Try port 587.")}
		}
		k := known(t, Options{})
		k.password(appPassword)
		k.failsWith(DoSubmission, "net.connect", otherPort(k.last(DoSubmission).Draft.Submission, false), refused)
		v := k.s.Screen()
		if v.Actions[0].ID != ActWait || v.Finding.Step != "" {
			t.Errorf("%s at the provider's server: %+v", cause, v.Finding)
		}
		if advisesHoster(v.Finding) != (cause == check.CausePortBlocked) {
			t.Errorf("%s: a hoster is asked to open ports that answered: %+v", cause, v.Finding.Remedy)
		}
		k.enter()
		if k.requested(DoWait) != 1 {
			t.Errorf("%s: Enter does not wait", cause)
		}

		k = byHand(t, Options{})
		k.password(appPassword)
		k.failsWith(DoSubmission, "net.connect", otherPort(k.last(DoSubmission).Draft.Submission, false), refused)
		v = k.s.Screen()
		if advisesHoster(v.Finding) != (cause == check.CausePortBlocked) {
			t.Errorf("%s at a typed server: %+v", cause, v.Finding.Remedy)
		}
		if v.Actions[0].ID != ActFix || v.Finding.Remedy[0].Msg.Key != "wizard.ways.name" {
			t.Errorf("%s at a typed server: %+v", cause, v.Finding)
		}
		k.enter()
		if !k.field(FieldSMTPHost).Fix {
			t.Errorf("%s: the name is not the field to fix", cause)
		}
	}
}

func advisesHoster(f *Report) bool {
	return slices.ContainsFunc(f.Remedy, func(w Words) bool { return w.Msg.Key == "wizard.ways.hoster" })
}

// TestWrongNameIsNoOutage: a certificate for another name at the provider's own server is nothing that time repairs.
func TestWrongNameIsNoOutage(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.certificate", "cert-name-mismatch", StepServer, FieldSMTPHost,
		func(r *Report) { r.Who, r.Retry = WhoUser, RetryAfterChange })
	v := k.s.Screen()
	if v.Actions[0].ID == ActWait || v.Finding.waits() || v.Finding.Remedy[1].Msg.Key != "wizard.ways.other-name" {
		t.Errorf("%+v", v)
	}
}

// TestOwnMailboxFull: the mailbox is the person's own, so she makes room and checks again; there is no wait.
func TestOwnMailboxFull(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.recipient", "mailbox-full", "", "",
		func(r *Report) { r.Who, r.Retry = WhoUser, RetryAfterChange })
	if v := k.s.Screen(); v.Actions[0].ID != ActRetry || v.Finding.Remedy[0].Msg.Key != "wizard.full.delete" {
		t.Errorf("%+v", v)
	}
}

// TestTomorrowIsNotWaitedFor: what lasts longer than a person waits ends the set-up for now.
func TestTomorrowIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.recipient", "sending-quota-exceeded", "", "", later, usually(24*time.Hour))
	if v := k.s.Screen(); v.Actions[0].ID != ActLeave || k.offers(ActWait) {
		t.Errorf("%+v", v.Actions)
	}
}

// TestMailboxSwitchedOff: sending works, so the card names IMAP alone, and leads to the guide only where that names it.
func TestMailboxSwitchedOff(t *testing.T) {
	t.Parallel()
	for address, first := range map[string]ActionID{"marie@gmail.com": ActSkip, "marie@gmx.de": ActFix} {
		k := known(t, Options{Address: address})
		k.password(appPassword)
		k.passes(DoSubmission)
		k.enter()
		k.fails(DoSent, "imap.auth", "client-access-disabled", StepPrepare, FieldSecret,
			func(r *Report) { r.Who, r.Retry = WhoUser, RetryAfterChange })
		v := k.s.Screen()
		if v.Actions[0].ID != first || v.Finding.Title.Msg.Key != "wizard.mailbox.off-title" {
			t.Errorf("%s: %s, %+v", address, v.Actions[0].ID, v.Finding)
		}
	}
}

// TestAccountRefused: signed in and with the account's own address, nothing in the wizard helps; the provider has to be
// asked, or another service sends.
func TestAccountRefused(t *testing.T) {
	t.Parallel()
	for cause, id := range map[check.Cause]string{
		check.CauseRelayDenied: "smtp.recipient", check.CauseSenderNotOwned: "smtp.sender",
	} {
		k := byHand(t, Options{})
		k.password(appPassword)
		k.fails(DoSubmission, id, string(cause), StepServer, FieldAuth,
			func(r *Report) { r.Who, r.Retry = WhoUser, RetryAfterChange })
		if v := k.s.Screen(); v.Actions[0].ID != ActLeave || !k.offers(ActService) || len(v.Finding.Remedy) != 1 {
			t.Errorf("%s: %+v", cause, v.Actions)
		}
	}
}

// TestPasswordRight: a password that sending accepted is not asked for again when the mailbox refuses it.
func TestPasswordRight(t *testing.T) {
	t.Parallel()
	refused := func(r *Report) { r.Who, r.Retry = WhoUser, RetryAfterChange }
	k := known(t, Options{Address: "marie@gmx.de"}) // whose guide says how to switch IMAP on
	k.password(appPassword)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret, refused)
	v := k.s.Screen()
	if v.Actions[0].ID != ActFix || v.Finding.Step != StepPrepare || v.Finding.Title.Msg.Key != "wizard.mailbox.title" {
		t.Errorf("%+v", v)
	}
	if !k.action(ActRetry).Disabled.Empty() || !k.offers(ActSkip) {
		t.Error("it cannot be tried again, or gone on without")
	}

	k.do(ActRetry)
	k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret, refused)
	if first := k.s.Screen().Actions[0].ID; first != ActSkip || k.action(ActRetry).Disabled.Empty() {
		t.Errorf("refused twice, Enter does %s", first)
	}

	k = known(t, Options{})
	k.password(appPassword)
	k.passes(DoSubmission)
	k.enter()
	k.s.draft.IMAP.Username = "another"
	k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret, refused)
	if f := k.s.Finding(); f.Step != StepCredential {
		t.Errorf("another account may have another password: %+v", f)
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
