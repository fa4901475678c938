package wizard

import (
	"slices"
	"testing"

	"postier/config"
	"postier/internal/check"
)

// TestFixLeadsToTheField (M-5): after a failure one key goes to the step and field where it can be fixed, and that
// field is marked.
func TestFixLeadsToTheField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause check.Cause
		check string
		fix   Step
		field FieldID
		at    Step
		mark  FieldID
	}{
		{"dns-nxdomain", "net.resolve", StepServer, FieldSMTPHost, StepServer, FieldSMTPHost},
		{"tls-wrong-mode", "smtp.tls", StepServer, FieldSMTPSecurity, StepServer, FieldSMTPSecurity},
		{"helo-refused", "smtp.ehlo", StepServer, FieldHelo, StepServer, FieldHelo},
		{"auth-not-offered", "smtp.auth-offered", StepServer, FieldAuth, StepServer, FieldAuth},
		{"app-password-required", "smtp.auth", StepPrepare, FieldSecret, StepPrepare, ""},
		{"wrong-password", "smtp.auth", StepCredential, FieldSecret, StepCredential, FieldSecret},
		{"sender-not-owned", "smtp.sender", StepAddress, FieldFrom, StepAddress, FieldAddress},
	} {
		k := known(t, Options{})
		if slices.Contains(addressFields, c.field) { // the provider's own server needs no correction
			k = byHand(t, Options{})
		}
		if c.cause == check.CauseSenderNotOwned { // with the account's own address it is the provider's to change
			k = byHand(t, Options{}, string(FieldUser), "konto")
		}
		k.password(appPassword)
		k.fails(DoSubmission, c.check, string(c.cause), c.fix, c.field)
		if f := k.s.Finding(); f == nil || f.Cause != c.cause {
			t.Fatalf("%s: finding %v", c.cause, f)
		}
		if first := k.s.Screen().Actions[0]; first.ID != ActFix {
			t.Errorf("%s: Enter does %s", c.cause, first.ID)
		}
		k.do(ActFix)
		k.at(c.at)
		for _, f := range k.s.Screen().Fields {
			if f.Fix != (f.ID == c.mark) {
				t.Errorf("%s: %s marked is %v", c.cause, f.ID, f.Fix)
			}
		}
		if c.mark != "" {
			k.field(c.mark)
		}
	}
}

// TestFixWithoutGuide: the fix leads to the password where the provider has no guide, and to the servers where the
// account has no password.
func TestFixWithoutGuide(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.password("geheim")
	k.fails(DoSubmission, "smtp.auth", "smtp-auth-disabled", StepPrepare, "")
	k.do(ActFix)
	k.at(StepCredential)
	k.enter()
	k.do(ActRetry)
	k.passes(DoSubmission)
	// A field of the mailbox opens the page of the IMAP server.
	k.fails(DoSent, "imap.connect", "connection-refused", StepServer, FieldIMAPPort)
	k.enter()
	k.at(StepSent)
	k.do(ActFix)
	k.at(StepServer)
	if !k.field(FieldIMAPPort).Fix {
		t.Error("the port of the mailbox is not marked")
	}
	k = byHand(t, Options{})
	k.password("geheim")
	k.fails(DoSubmission, "smtp.recipient", "mailbox-full", StepOptions, "")
	if k.offers(ActFix) {
		t.Error("a later step is offered as the fix")
	}
	k.do(ActFix)
	k.at(StepSubmission)
}

// TestMailboxWaitsForSending (docs/security.md T21): the mailbox is not signed in to before the submission server has
// accepted the password, so that a wrong one is refused only once.
func TestMailboxWaitsForSending(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	if k.requested(DoDNS) != 1 {
		t.Error("the domain's entries are not looked at at once")
	}
	if k.requested(DoSent) != 0 {
		t.Error("the mailbox is tried before sending works")
	}
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	if k.requested(DoSent) != 0 {
		t.Error("the mailbox is tried although sending failed")
	}
	k.do(ActFix)
	k.password("qrstuvwxyzabcdef")
	k.passes(DoSubmission)
	if k.requested(DoSent) != 1 {
		t.Error("the mailbox is not tried as soon as sending works")
	}
	if k.requested(DoDNS) != 1 {
		t.Error("the domain's entries are asked for twice")
	}
}

func TestLateOutcomes(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	old := k.last(DoSubmission)
	k.do(ActBack)
	k.at(StepCredential)
	if c := k.last(DoCancel); c.ID != old.ID {
		t.Errorf("cancelled %d, want %d", c.ID, old.ID)
	}
	before := snapshot(k.s)
	k.tell(Outcome{ID: old.ID, Kind: DoSubmission, Done: true, Reports: all(DoSubmission, old.Draft)})
	k.tell(Outcome{ID: old.ID, Kind: DoSubmission, Report: &Report{ID: "smtp.auth", Status: check.Pass}})
	k.tell(Outcome{ID: 0, Kind: DoSubmission, Done: true, Reports: all(DoSubmission, old.Draft)})
	k.tell(Outcome{ID: 999, Kind: DoSave, Done: true, Saved: &Saved{}})
	if snapshot(k.s) != before {
		t.Error("a late outcome changed the conversation")
	}
	k.enter()
	if k.requested(DoSubmission) != 2 || k.s.Passed() {
		t.Error("the late outcome counts")
	}
	// A late result for the first password says nothing about the second.
	k.passes(DoSubmission)
	k.do(ActBack)
	k.password("qrstuvwxyzabcdef")
	if k.s.Passed() {
		t.Error("the proof of another password counts")
	}
}

func TestLadderAsItGoes(t *testing.T) {
	t.Parallel()
	k := known(t, Options{CheckName: func(id check.ID) Words { return Literal("check " + string(id)) }})
	k.password(appPassword)
	v := k.s.Screen()
	if v.Checks[0].Name.Literal != "check net.resolve" {
		t.Errorf("called %+v", v.Checks[0].Name)
	}
	if v.Busy == nil || v.Busy.GivesUp == 0 || len(v.Checks) < 10 || v.Checks[0].ID != "net.resolve" {
		t.Fatalf("%+v", v)
	}
	id := v.Busy.Request
	k.tell(Outcome{ID: id, Kind: DoSubmission, Report: &Report{ID: "net.resolve", Running: true}})
	if c := k.s.Screen().Checks[0]; !c.Running {
		t.Errorf("%+v", c)
	}
	k.tell(Outcome{ID: id, Kind: DoSubmission, Report: &Report{ID: "net.resolve", Status: check.Pass}})
	if c := k.s.Screen().Checks[0]; c.Running || c.Status != check.Pass {
		t.Errorf("%+v", c)
	}
	k.do(ActNext)
	k.at(StepSubmission) // not before it is proven
	k.do(ActCancel)
	k.at(StepSubmission)
	k.says("wizard.cancelled")
	if c := k.last(DoCancel); c.ID != id || k.s.work[DoSubmission].id != 0 {
		t.Error("the work was not cancelled")
	}
	for _, n := range k.s.Screen().Notices {
		if n.Level == LevelFail {
			t.Error("the person's own stop is shown as a failure")
		}
	}
	k.do(ActBack)
	k.enter()
	k.at(StepSubmission)
	if k.requested(DoSubmission) != 1 {
		t.Error("what was stopped begins again by itself")
	}
	k.do(ActRetry)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
}

// TestSkippedProvesNothing: a run that was stopped has no failed check, but proves nothing either.
func TestSkippedProvesNothing(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.passes(DoSubmission, func(o *Outcome) {
		for i := range o.Reports {
			o.Reports[i].Status, o.Reports[i].Cause = check.Skip, "cancelled"
		}
	})
	k.do(ActNext)
	k.at(StepSubmission)
	if k.s.Passed() || k.requested(DoSent) != 0 {
		t.Error("skipped checks count as a proof")
	}
	k.do(ActRetry)
	k.tell(Outcome{ID: k.last(DoSubmission).ID, Kind: DoSubmission, Done: true, Err: Msg("setup.no-dns")})
	k.says("setup.no-dns")
	k.do(ActNext)
	k.at(StepSubmission)
}

func TestSentFolder(t *testing.T) {
	t.Parallel()
	missing := func() *driver {
		k := known(t, Options{})
		k.password(appPassword)
		k.passes(DoSubmission)
		k.fails(DoSent, "imap.folder", "folder-missing", StepSent, FieldSentFolder)
		k.enter()
		k.at(StepSent)
		return k
	}
	k := missing()
	if f := k.field(FieldSentFolder); f.Kind != KindChoice || len(f.Choices) != 4 || f.Value != newFolder ||
		f.Choices[0].Value != newFolder {
		t.Errorf("%+v", f)
	}
	k.enter("sent-folder", "Archives")
	if r := k.last(DoSent); r.Draft.SentFolder != "Archives" || r.Create {
		t.Errorf("%+v", r)
	}
	k.passes(DoSent, func(o *Outcome) { o.Folder = "Archives" })
	k.enter()
	k.at(StepDNS)
	if f := k.s.Draft().SentFolder; f != "Archives" {
		t.Errorf("folder %q", f)
	}

	k = missing()
	k.enter()
	if !k.last(DoSent).Create {
		t.Error("Enter files the copies somewhere")
	}

	k = missing()
	k.do(ActCreate)
	if !k.last(DoSent).Create {
		t.Error("create does not create")
	}
	k.passes(DoSent)
	k.do(ActCreate)
	if k.requested(DoSent) != 2 {
		t.Error("a folder would be created although there is one")
	}

	k = missing()
	k.do(ActSkip)
	k.at(StepDNS)
	if d := k.s.Draft(); d.CopyMode() != config.SentNone || d.Proven["imap.folder"] != "" ||
		d.Proven["imap.auth"] != check.Pass || !d.ReadsMailbox() {
		t.Errorf("%+v", d.Proven)
	}
	k.do(ActBack)
	k.at(StepSent)
	if k.s.Finding() == nil || k.requested(DoSent) != 1 {
		t.Error("what failed is forgotten, or tried again by itself")
	}
	k.enter("sent-folder", "Archives")
	k.passes(DoSent)
	k.enter()
	if k.s.Draft().CopyMode() == config.SentNone {
		t.Error("the copy is still done without")
	}

	k = missing()
	k.enter("sent-folder", "a\nb")
	k.refused(FieldSentFolder)
}

// TestWhoFilesTheCopy: the person may change who files the copy even where everything works.
func TestWhoFilesTheCopy(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toSent()
	sent := k.requested(DoSent)
	k.do(ActEdit)
	k.at(StepSent)
	k.enter("sent-copy", "perhaps")
	k.refused(FieldSentCopy)
	k.do(ActBack)
	k.at(StepSent)
	k.do(ActEdit)
	k.enter("sent-copy", "append", "sent-folder", "Archives")
	if k.requested(DoSent) != sent+1 || k.last(DoSent).Draft.SentMode != config.SentAppend {
		t.Error("the change is not tried")
	}
	k.passes(DoSent, func(o *Outcome) { o.Folder = "Archives" })
	k.says("wizard.sent.good")
}

// TestProviderFilesTheCopy: when the test message shows that the provider files copies itself, postier files none.
func TestProviderFilesTheCopy(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.password("geheim")
	k.passes(DoSubmission)
	k.enter()
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest, func(o *Outcome) { o.FiledByProvider = true })
	k.says("wizard.test.filed")
	d := k.s.Draft()
	if d.CopyMode() != config.SentServer || d.Proven["imap.append"] != check.Pass ||
		d.Proven["arrival.delivered"] != check.Pass {
		t.Errorf("%s %v", d.CopyMode(), d.Proven)
	}
	k.enter()
	k.at(StepOptions)
	k.do(ActBack)
	if k.requested(DoTest) != 1 || k.requested(DoSent) != 1 {
		t.Error("something is tried again")
	}
}

func TestDNSNeverBlocks(t *testing.T) {
	t.Parallel()
	for _, end := range []func(*driver){
		func(*driver) {}, // still running
		func(k *driver) { k.fails(DoDNS, "dns.mx", "dns-nxdomain", StepServer, FieldSMTPHost) },
		func(k *driver) { k.fails(DoDNS, "dns.spf", "spf-missing", StepDNS, "") },
		func(k *driver) { k.do(ActCancel) },
		func(k *driver) {
			k.tell(Outcome{ID: k.last(DoDNS).ID, Kind: DoDNS, Done: true, Err: Msg("setup.no-dns")})
		},
	} {
		k := known(t, Options{})
		k.toSent()
		k.enter()
		k.at(StepDNS)
		end(k)
		k.do(ActNext)
		k.at(StepTest)
	}
	k := known(t, Options{})
	k.toSent()
	k.enter()
	k.passes(DoDNS, func(o *Outcome) {
		o.Reports[1].Status, o.Reports[1].Cause = check.Warn, "spf-weak"
		o.Reports[1].Fixes = []check.Fix{
			{Kind: "txt", Name: "durand.example", Value: "v=spf1 include:x -all", Old: "v=spf1 ?all"},
			{Kind: "txt", Value: "bare"},
		}
	})
	if c := k.s.Screen().Copy; len(c) != 3 || c[1].Text != "v=spf1 include:x -all" ||
		c[1].Label.Msg.Key != "wizard.dns.replaces" {
		t.Errorf("%+v", c)
	}
	k.says("wizard.dns.later")
	// DNS results that arrive after the person went on are still used.
	k = known(t, Options{})
	k.toSent()
	k.enter()
	k.do(ActNext)
	k.fails(DoDNS, "dns.dkim", "dkim-revoked", StepDNS, "")
	k.at(StepTest)
	if step, r := k.s.Remaining(); step != StepDNS || r == nil || r.Cause != "dkim-revoked" {
		t.Errorf("%s %v", step, r)
	}
}

// TestOneTestMessage: going back and forth never sends a second test message by itself.
func TestOneTestMessage(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toSent()
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.at(StepTest)
	around := func() {
		t.Helper()
		k.do(ActBack)
		k.at(StepDNS)
		k.enter()
		k.at(StepTest)
		if n := k.requested(DoTest); n != 1 {
			t.Fatalf("%d messages", n)
		}
	}
	k.do(ActCancel)
	around()
	k.do(ActRetry)
	if k.requested(DoTest) != 2 {
		t.Error("the person's own wish sends none")
	}
	k.requests = nil
	k.do(ActRetry) // while one is under way
	k.do(ActSkip)
	k.at(StepOptions)
	k.do(ActBack)
	k.at(StepTest)
	k.do(ActBack)
	k.enter()
	k.at(StepTest)
	if k.requested(DoTest) != 0 {
		t.Error("what was done without is sent after all")
	}
	k.do(ActRetry)
	k.fails(DoTest, "arrival.delivered", "not-arrived", StepTest, "")
	around2 := k.requested(DoTest)
	k.do(ActBack)
	k.enter()
	if k.requested(DoTest) != around2 || k.s.Finding() == nil {
		t.Error("a lost message is sent again by itself")
	}
	k.do(ActSkip)
	k.at(StepOptions)
}

// TestVerdictOfTheReceiver: a failed SPF verdict of the receiver does not count against the test, since the message
// arrived.
func TestVerdictOfTheReceiver(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toSent()
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.fails(DoTest, "arrival.spf", "spf-fail", StepDNS, "")
	if !k.s.Passed() || !k.offers(ActNext) || !k.offers(ActFix) || k.s.Finding() == nil {
		t.Error("the message arrived")
	}
	if step, r := k.s.Remaining(); step != StepTest || r.Cause != "spf-fail" {
		t.Errorf("%s %v", step, r)
	}
	k.enter()
	k.at(StepOptions)
	// When the reply after the message was lost, the test fails even if the message arrives: every later send would end
	// the same way.
	k.do(ActBack)
	k.do(ActRetry)
	k.passes(DoTest, func(o *Outcome) { o.Reports[0].Status, o.Reports[0].Cause = check.Fail, "delivery-unknown" })
	if k.s.Passed() {
		t.Error("delivery-unknown counts as a proof")
	}
}

// TestFoundHostStays: an outcome cannot replace the host that the person confirmed.
func TestFoundHostStays(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.password("geheim")
	k.passes(DoSubmission, func(o *Outcome) { o.Submission = &config.Server{Host: "evil.example", Port: 25} })
	if d := k.s.Draft(); d.Submission.Host != "smtp.durand.example" || d.Submission.Port == 25 {
		t.Errorf("%+v", d.Submission)
	}
}
