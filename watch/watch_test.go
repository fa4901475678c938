package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/scripted"
)

// TestOneNoticeEach: what failed twice is told once, through the fallback, and once when it works again.
func TestOneNoticeEach(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", passed()...)
	if o := b.round(); o.State != StateWorking || o.exit != exitcode.OK {
		t.Fatalf("%+v", o)
	}
	b.find("durand", refused()...)
	if o := b.round(); o.State != StateDoubtful || o.exit != exitcode.NoPerm || len(o.Notices) > 0 {
		t.Errorf("after one failure: %+v", o)
	}
	if health, _ := b.health(); health != delivery.HealthWorking {
		t.Errorf("after one failure the profile is %s", health)
	}
	o := b.round()
	if o.State != StateFailing || o.Cause != check.CauseWrongPassword || o.Code != "A-14" || o.Since == nil ||
		len(o.Notices) != 1 || o.Notices[0] != (Sent{Kind: KindFailing, To: author, Result: SentTaken}) {
		t.Fatalf("after two failures: %+v", o)
	}
	letters := taken(t, b.fallback)
	if len(letters) != 1 || len(taken(t, b.own)) > 0 {
		t.Fatalf("%d through the fallback, %d by itself", len(letters), len(taken(t, b.own)))
	}
	for _, want := range []string{
		"User name or password not accepted (A-14)", "Support: +33 1 23 45 67 89", "postier setup --edit durand",
		"ne fonctionne plus", "funktioniert nicht mehr",
	} {
		if !strings.Contains(letters[0].text, want) {
			t.Errorf("the notice does not say %q: %s", want, letters[0].text)
		}
	}
	for _, want := range []string{
		`"Atelier Compta" <noreply@platform.example>`, "To: <" + author + ">", "Auto-Submitted: auto-generated",
	} {
		if !strings.Contains(letters[0].header, want) {
			t.Errorf("the notice does not say %q: %s", want, letters[0].header)
		}
	}
	if health, cause := b.health(); health != delivery.HealthFailing || cause != check.CauseWrongPassword {
		t.Errorf("the list says %s, %s", health, cause)
	}

	b.find("durand", refused()[0])
	if o := b.round(); o.State != StateFailing || o.exit != exitcode.NoPerm || len(o.Notices) > 0 {
		t.Errorf("while the sign-in rests: %+v", o)
	}
	if len(b.resting) != 1 || b.resting[0] != check.SMTPAuth {
		t.Errorf("%v rest after a refusal for good", b.resting)
	}
	b.find("durand", passed()...)
	if o := b.round(); o.State != StateWorking || len(o.Notices) != 1 || o.Notices[0].Kind != KindWorking {
		t.Errorf("when it works again: %+v", o)
	}
	if health, _ := b.health(); health != delivery.HealthWorking {
		t.Errorf("the list says %s", health)
	}
	b.round()
	if own, other := len(taken(t, b.own)), len(taken(t, b.fallback)); own != 1 || other != 1 {
		t.Errorf("in the end %d by itself and %d through the fallback", own, other)
	}
}

// TestPassingFaultsAreNoAlarm: what comes from this machine or passes by itself says nothing, however often.
func TestPassingFaultsAreNoAlarm(t *testing.T) {
	t.Parallel()
	temporary := result(check.SMTPAuth, check.Fail, check.CauseAuthTemporaryFailure)
	temporary.Code = &diagnostics.ReplyCode{Reply: 454, Enhanced: "4.7.0"}
	unclear := result(check.SMTPSender, check.Fail, check.CauseUnknown)
	unclear.Code = &diagnostics.ReplyCode{Reply: 451}
	rows := map[string][]diagnostics.Result{
		"no network": {
			result(check.NetLocal, check.Fail, check.CauseNoNetwork),
			result(check.SMTPAuth, check.Fail, check.CauseConnectionRefused),
		},
		"the name service": {
			result(check.NetResolver, check.Fail, check.CauseDNSFailure),
			result(check.NetResolve, check.Skip, check.CauseNeedsFailed),
		},
		"a captive portal":       {result(check.NetLocal, check.Fail, check.CauseCaptivePortal)},
		"unreachable":            {result(check.NetConnect, check.Fail, check.CauseNetworkUnreachable)},
		"later":                  {temporary},
		"later, in other words":  {unclear},
		"records not answered":   {result(check.DNSSPF, check.Skip, check.CauseDNSFailure)},
		"the zone does not":      {result(check.DNSSPF, check.Skip, check.CauseZoneUnanswered)},
		"stopped":                {result(check.IMAPAppend, check.Skip, check.CauseCancelled)},
		"a remark that was seen": {result(check.DNSDMARC, check.Warn, check.CauseDMARCNonePolicy)},
		"a remark of no weight":  {result(check.IMAPCleanup, check.Warn, check.CauseCleanupFailed)},
	}
	for name, results := range rows {
		b := newBench(t, nil, nil)
		b.find("durand", passed()...)
		b.round()
		b.find("durand", results...)
		for range 3 {
			if o := b.round(); len(o.Notices) > 0 || o.State == StateFailing || o.State == StateDoubtful {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if len(taken(t, b.own))+len(taken(t, b.fallback)) > 0 {
			t.Errorf("%s: somebody was told", name)
		}
	}
}

// TestFailuresCloseTogether: a restart of the server breaks two rounds at once, and is one failure.
func TestFailuresCloseTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", result(check.NetConnect, check.Fail, check.CauseConnectionRefused))
	b.round()
	b.wait(apart/2 - time.Hour)
	if o := b.round(); o.State != StateDoubtful {
		t.Errorf("%+v", o)
	}
	b.wait(apart - time.Hour)
	if o := b.round(); o.State != StateFailing || o.exit != exitcode.Unavailable {
		t.Errorf("%+v", o)
	}
}

// TestWhatNeverWorkedIsNoNotice: the state says so, but nothing stopped working.
func TestWhatNeverWorkedIsNoNotice(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Profiles["durand"].Validated = nil })
	b.find("durand", refused()...)
	b.round()
	if o := b.round(); o.State != StateFailing || len(o.Notices) > 0 {
		t.Errorf("%+v", o)
	}
	b.find("durand", passed()...)
	if o := b.round(); o.State != StateWorking || len(o.Notices) > 0 {
		t.Errorf("%+v", o)
	}
}

// TestUntrueNoticesAreNotSent: what could not be told is forgotten when it is no longer true, and so is its all-clear.
func TestUntrueNoticesAreNotSent(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, scripted.Script{"MAIL": scripted.Reply("451 4.3.0 later")})
	b.find("durand", refused()...)
	b.round()
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting {
		t.Fatalf("%+v", o.Notices)
	}
	b.find("durand", passed()...)
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("%+v", o.Notices)
	}
	b.round()
	if len(taken(t, b.own))+len(taken(t, b.fallback)) > 0 {
		t.Error("somebody was told")
	}
	items := 0
	b.must(b.watcher.Queue.Store.Each(t.Context(), false, func(*delivery.Item) error { items++; return nil }))
	if items > 0 {
		t.Errorf("%d messages wait in the queue", items)
	}
}

// TestAllClearThatBecameUntrue: it fails again before anyone heard that it works; the owner still takes it for broken.
func TestAllClearThatBecameUntrue(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", refused()...)
	b.round()
	b.round() // told through the fallback
	b.change(func(f *config.File) { f.Watch.Notify = []string{"boss@durand.example"} })
	b.sql(`CREATE TRIGGER full BEFORE INSERT ON postier_sent BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
	b.find("durand", passed()...)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting {
		t.Fatalf("%+v", o.Notices)
	}
	b.find("durand", refused()...)
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("the all-clear is tried while it is in doubt: %+v", o.Notices)
	}
	b.sql(`DROP TRIGGER full`)
	if o := b.round(); o.State != StateFailing || len(o.Notices) > 0 {
		t.Errorf("%+v", o)
	}
	b.find("durand", passed()...)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Kind != KindWorking {
		t.Errorf("%+v", o.Notices)
	}
}

// TestNoticesAreFresh: what could not be told leaves only in a round that has just found the same again.
func TestNoticesAreFresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	full := `CREATE TRIGGER full BEFORE INSERT ON postier_sent BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`
	broken := result(check.IMAPAppend, check.Fail, check.CauseMailboxFull)
	b.find("durand", append(passed(), broken)...)
	b.round()
	b.sql(full)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting {
		t.Fatalf("%+v", o.Notices)
	}
	b.sql(`DROP TRIGGER full`)
	b.find("durand", append(passed(), result(check.IMAPAppend, check.Fail, check.CauseServerBusy))...)
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("told although the server said that it is busy: %+v", o.Notices)
	}
	b.find("durand", append(passed(), broken)...)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentTaken {
		t.Errorf("%+v", o.Notices)
	}
}

// TestFromOneTroubleIntoAnother: there is no all-clear while it is open whether all is clear.
func TestFromOneTroubleIntoAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", refused()...)
	b.round()
	b.round()
	b.find("durand", append(passed(), result(check.IMAPAppend, check.Fail, check.CauseMailboxFull))...)
	if o := b.round(); o.State != StateDoubtful || len(o.Notices) > 0 {
		t.Errorf("%+v", o)
	}
	b.find("durand", append(passed(), result(check.IMAPAppend, check.Pass, ""))...)
	if o := b.round(); o.State != StateWorking || len(o.Notices) != 1 || o.Notices[0].Kind != KindWorking {
		t.Errorf("%+v", o)
	}
}

// TestAddressThatBounces: an address that refuses the notice is named, and the owner is told instead.
func TestAddressThatBounces(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, scripted.Script{"RCPT TO:<GONE@DURAND.EXAMPLE>": scripted.Reply("550 5.1.1 no such user")})
	b.change(func(f *config.File) { f.Watch.Notify = []string{"gone@durand.example"} })
	b.find("durand", refused()...)
	b.round()
	o := b.round()
	if len(o.Notices) != 1 || o.Notices[0].Result != SentRefused || o.Notices[0].Cause != check.CauseRecipientUnknown {
		t.Fatalf("%+v", o.Notices)
	}
	o = b.round()
	if len(o.Notices) != 2 || o.Notices[1] != (Sent{Kind: KindFailing, To: author, Result: SentTaken}) {
		t.Errorf("%+v", o.Notices)
	}
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("told once more: %+v", o.Notices)
	}
}

// TestBrokenFallback: the fallback's own failure is told through the default, and what only the broken fallback could
// carry is kept.
func TestBrokenFallback(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")})
	b.find("durand", passed()...)
	b.find("platform", refused()...)
	b.round()
	b.round()
	if letters := taken(t, b.own); len(letters) != 1 || !strings.Contains(letters[0].header, "To: <"+platform+">") {
		t.Fatalf("%+v", letters)
	}
	b.find("durand", refused()...)
	b.round()
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting {
		t.Errorf("%+v", o.Notices)
	}
	if n := said(b.fallback, "AUTH"); n != 1 {
		t.Errorf("the fallback was tried %d times", n)
	}
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result == SentTaken {
		t.Errorf("it is kept: %+v", o.Notices)
	}
	if n := said(b.fallback, "AUTH"); n != 1 {
		t.Errorf("the refused password of the fallback was tried %d times", n)
	}
}

// TestNoWay: where no profile can carry the notice, it is kept while it is true, and the outcome says so.
func TestNoWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Fallback = ""; delete(f.Profiles, "platform") })
	b.find("durand", refused()...)
	b.round()
	for range 2 {
		if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentNoWay {
			t.Fatalf("%+v", o.Notices)
		}
	}
	b.find("durand", result(check.SMTPAuth, check.Pass, ""), result(check.IMAPAppend, check.Fail, check.CauseMailboxFull))
	b.round()
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentTaken {
		t.Errorf("it can send again: %+v", o.Notices)
	}
	if letters := taken(t, b.own); len(letters) != 1 || strings.Contains(letters[0].text, "A-14") {
		t.Errorf("what was mended is told as well: %+v", letters)
	}
}

// TestChangedMeanwhile: what was found of settings that are gone says nothing, and a profile that was removed is
// forgotten.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", refused()...)
	b.round()
	try := b.watcher.try
	meanwhile := func(edit func(*config.File)) {
		b.watcher.try = func(name string, p *config.Profile, resting []check.ID) []diagnostics.Result {
			if name == "durand" {
				b.change(edit)
			}
			return try(name, p, resting)
		}
	}
	meanwhile(func(f *config.File) { f.Profiles["durand"].Submission.Username = "other" })
	if o := b.round(); o.State != StateUnjudged || len(o.Notices) > 0 || o.exit != exitcode.OK {
		t.Errorf("edited meanwhile: %+v", o)
	}
	meanwhile(func(f *config.File) { delete(f.Profiles, "durand"); f.Default = "platform" })
	if o := b.round(); o.Profile != "" {
		t.Errorf("removed meanwhile: %+v", o)
	}
	b.watcher.try = try
	b.round()
	known, err := b.watcher.Queue.Store.Watched(t.Context())
	b.must(err)
	if _, kept := known["durand"]; kept || len(taken(t, b.own))+len(taken(t, b.fallback)) > 0 {
		t.Errorf("kept %t", kept)
	}
}

// TestKilledBeforeItIsNoted: a process that dies after the server took a notice, and before that is written, has it
// sent again; both have the same Message-ID, so that mailboxes can drop one. Another trouble has another one.
func TestKilledBeforeItIsNoted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", refused()...)
	b.round()
	before, err := b.watcher.Queue.Store.Watched(t.Context())
	b.must(err)
	b.round()
	kept, at := before["durand"], b.clock()
	r := decodeRecord(kept.Detail)
	doc, err := b.watcher.Queue.Load()
	b.must(err)
	read := reading{now: at, profile: doc.File.Profiles["durand"], results: refused()}
	r.judge(read)
	r.announce(at) // what the round had written before it told anyone
	kept.Detail = r.encode()
	b.must(b.watcher.Queue.Store.SetWatched(t.Context(), "durand", kept))
	b.round()
	letters := taken(t, b.fallback)
	if len(letters) != 2 {
		t.Fatalf("%d notices", len(letters))
	}
	first, second := identity(letters[0].header), identity(letters[1].header)
	if first == "" || first != second || !strings.Contains(first, "@durand.example>") {
		t.Errorf("%q and %q", first, second)
	}
	b.find("durand", passed()...)
	b.round()
	if clear := taken(t, b.own); len(clear) != 1 || identity(clear[0].header) == first {
		t.Errorf("the all-clear: %+v", clear)
	}
}

// identity is the Message-ID in a header.
func identity(header string) string {
	for line := range strings.Lines(header) {
		if id, ok := strings.CutPrefix(line, "Message-ID: "); ok {
			return strings.TrimSpace(id)
		}
	}
	return ""
}

// TestTwoWatches: one round at a time.
func TestTwoWatches(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	try := b.watcher.try
	b.watcher.try = func(name string, p *config.Profile, resting []check.ID) []diagnostics.Result {
		if name == "durand" {
			if _, err := b.watcher.Round(t.Context()); !errors.Is(err, ErrUnderWay) {
				t.Errorf("a second round: %v", err)
			}
		}
		return try(name, p, resting)
	}
	b.find("durand", passed()...)
	b.round()
	b.watcher.try = try
	b.round()
}

// TestFullDisk: nobody is told what cannot be noted, and everything is told once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.find("durand", refused()...)
	b.round()
	b.sql(`CREATE TRIGGER full BEFORE INSERT ON postier_watch BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
	b.wait(time.Hour)
	var state *delivery.StateError
	if _, err := b.watcher.Round(t.Context()); !errors.As(err, &state) {
		t.Errorf("%v", err)
	}
	if len(taken(t, b.fallback)) > 0 {
		t.Error("somebody was told")
	}
	b.sql(`DROP TRIGGER full`)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentTaken {
		t.Errorf("%+v", o.Notices)
	}
}

func spf(record string) dns.SPF { return dns.SPF{Record: safetext.FromRemote(record)} }

// TestRecordGotWorse: the notice shows what was published and what is; a record that changed and is still good is only
// named in the outcome.
func TestRecordGotWorse(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	published := func(record string, status check.Status, cause check.Cause) {
		b.find("durand", append(passed()[:3], result(check.DNSSPF, status, cause, spf(record)))...)
	}
	published("v=spf1 include:a.example -all", check.Pass, "")
	b.round()
	published("v=spf1 include:b.example -all", check.Pass, "")
	o := b.round()
	if len(o.Notices) > 0 || len(o.Changes) != 1 || o.Changes[0].Was.Raw() != "v=spf1 include:a.example -all" {
		t.Errorf("%+v", o)
	}
	published("v=spf1 -all", check.Warn, check.CauseSPFNotAuthorised)
	b.round()
	o = b.round()
	if len(o.Notices) != 1 || o.State != StateWorking || o.exit != exitcode.OK || o.Verdict != check.Warn {
		t.Fatalf("%+v", o)
	}
	letters := taken(t, b.own) // it can send by itself
	if len(letters) != 1 || !strings.Contains(letters[0].text, "v=spf1 include:b.example -all") ||
		!strings.Contains(letters[0].text, "v=spf1 -all") {
		t.Fatalf("%+v", letters)
	}
	published("v=spf1 include:b.example -all", check.Pass, "")
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Kind != KindWorking {
		t.Errorf("%+v", o)
	}
}

// TestKeyIsGone: a DKIM key whose selector is known is missed; one of several that is exchanged is not.
func TestKeyIsGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	key := func(selector string) dns.DKIMKey {
		return dns.DKIMKey{Selector: safetext.FromRemote(selector), Record: safetext.FromRemote("v=DKIM1; p=x"), Usable: true}
	}
	with := func(r diagnostics.Result) { b.find("durand", append(passed(), r)...) }
	with(result(check.DNSDKIM, check.Pass, "", key("one"), key("two")))
	b.round()
	with(result(check.DNSDKIM, check.Warn, check.CauseDKIMMissing, key("two")))
	b.round()
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("one of two keys: %+v", o.Notices)
	}
	with(result(check.DNSDKIM, check.Skip, check.CauseDKIMSelectorUnknown))
	b.round()
	if o := b.round(); len(o.Notices) != 1 {
		t.Errorf("no key is left: %+v", o)
	}
}

// TestCertificateEndsSoon is told once, with the days that are left.
func TestCertificateEndsSoon(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	until := b.clock().Add(10*24*time.Hour + 2*time.Hour)
	b.find("durand", append(passed(), result(check.SMTPCertificate, check.Warn, check.CauseCertSoonExpiring,
		diagnostics.Certificate{NotAfter: until.Format(time.RFC3339)}))...)
	b.round()
	o := b.round()
	if len(o.Notices) != 1 || len(o.Certificates) != 1 || o.Certificates[0].Days != 10 || o.exit != exitcode.OK {
		t.Errorf("%+v", o)
	}
	if o := b.round(); len(o.Notices) > 0 {
		t.Errorf("%+v", o.Notices)
	}
}

// TestFactAhead: what the provider announced is told once, and only to those who sign in with a password.
func TestFactAhead(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Profiles["durand"].Provider = "microsoft365" })
	b.find("durand", passed()...)
	o := b.round()
	if len(o.Facts) != 1 || o.Facts[0].Date != "2026-12-31" || o.Facts[0].Days != 32 || len(o.Notices) != 1 ||
		o.Notices[0].Kind != KindAhead {
		t.Fatalf("%+v", o)
	}
	if letters := taken(t, b.own); len(letters) != 1 || !strings.Contains(letters[0].text, "Microsoft") {
		t.Errorf("%+v", letters)
	}
	if o := b.round(); len(o.Facts) != 1 || len(o.Notices) > 0 {
		t.Errorf("%+v", o)
	}
	other := newBench(t, nil, nil)
	other.change(func(f *config.File) {
		f.Profiles["durand"].Provider, f.Profiles["durand"].Credential.Type = "microsoft365", config.SecretOAuth
	})
	other.find("durand", passed()...)
	if o := other.round(); len(o.Facts) > 0 {
		t.Errorf("%+v", o)
	}
}
