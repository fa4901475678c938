package wizard

import (
	"slices"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/secret"
)

// proven is a saved profile that was proven in every part.
func proven() *config.Profile {
	p := full()
	p.Enabled, p.Disabled, p.Provider = true, nil, custom
	p.Submission.Security, p.Insecure = config.SecurityStartTLS, false
	return p
}

// page opens the page with all settings of a saved profile.
func page(t *testing.T, p *config.Profile, change ...func(*Options)) *driver {
	t.Helper()
	draft := DraftOf("durand", p, true)
	o := Options{
		Draft: draft, Names: []string{"durand", "platform"}, Stored: secret.New("stored-password"),
		Edited: &Edited{Draft: draft, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Proof: map[check.ID]check.Status{}},
	}
	for _, kind := range []RequestKind{DoSubmission, DoSent, DoDNS, DoTest} {
		for _, id := range Checks(kind) {
			o.Edited.Proof[id] = check.Pass
		}
	}
	o.Draft.Step = StepReview
	for _, c := range change {
		c(&o)
	}
	k := begin(t, o)
	k.at(StepReview)
	return k
}

// row returns where the row of a label is changed.
func (k *driver) row(label string) ActionID {
	k.t.Helper()
	for _, f := range k.s.Screen().Facts {
		if f.Label.Msg.Key == label {
			return f.Change
		}
	}
	k.t.Fatalf("no row %s", label)
	return ""
}

// TestEveryRow: each row of the page leads to where it is changed, with the focus on its field; Esc leads back, nothing
// is changed or asked of a submission server, and the row has the focus again.
func TestEveryRow(t *testing.T) {
	t.Parallel()
	rows := 0
	for _, f := range page(t, proven()).s.Screen().Facts {
		if f.Change == "" {
			t.Errorf("%v cannot be changed", f.Label)
			continue
		}
		rows++
		k := page(t, proven())
		before := k.s.Draft()
		k.do(f.Change)
		v := k.s.Screen()
		if v.Step == StepReview {
			t.Errorf("%s leads nowhere", f.Change)
			continue
		}
		if field := (&k.s).wanted; field != "" && !k.field(field).Focus {
			t.Errorf("%s: the field does not have the focus", f.Change)
		}
		k.do(ActBack)
		k.at(StepReview)
		after := k.s.Draft()
		before.Edited, after.Edited = false, false // the servers were shown
		if !same(before, after) || k.requested(DoSubmission) > 0 {
			t.Errorf("%s changes\n%+v\n%+v", f.Change, before, after)
		}
		for _, other := range k.s.Screen().Facts {
			if other.Focus != (other.Change == f.Change) {
				t.Errorf("from %s the focus comes to %s", f.Change, other.Change)
			}
		}
	}
	if rows < 18 {
		t.Errorf("%d rows", rows)
	}
}

func same(a, b Draft) bool {
	x, y := a.ToProfile(a.Credential), b.ToProfile(b.Credential)
	return x.Digest() == y.Digest() && slices.Equal(x.BCC, y.BCC) && x.Limits == y.Limits && a.Kept == b.Kept
}

// TestNoServerAsked: what no server knows is changed and saved without asking one, and the proof stays with its date.
func TestNoServerAsked(t *testing.T) {
	t.Parallel()
	for label, value := range map[string][2]string{
		"wizard.field.from-name": {"from-name", "Praxis"}, "wizard.field.test-mode": {"test-mode", No},
		"wizard.field.kinds-on": {"kinds-on", "invoice, reminder"}, "wizard.field.fallback": {"fallback", Yes},
		"wizard.fact.limits": {"per-hour", "77"}, "wizard.field.reply-to": {"reply-to", "x@durand.example"},
	} {
		k := page(t, proven())
		k.do(k.row(label))
		k.at(StepOptions)
		k.enter(value[0], value[1])
		k.at(StepReview)
		k.enter()
		r := k.last(DoSave)
		if !r.Draft.Kept || len(r.Draft.Proven) == 0 || k.requested(DoSubmission)+k.requested(DoSent) > 0 {
			t.Errorf("%s: %+v", label, r.Draft)
		}
		k.tellSaved()
		k.says("wizard.done.changed")
	}
}

// TestDependsIsChecked: a change that a server must prove leads through the checks that depend on it, and through no
// other step, before it can be saved.
func TestDependsIsChecked(t *testing.T) {
	t.Parallel()
	k := page(t, proven())
	k.do(k.row("wizard.fact.secret"))
	k.password("a new one")
	k.at(StepSubmission)
	if r := k.last(DoSubmission); r.Secret.Reveal() != "a new one" || r.Stored {
		t.Error("the new password is not tried")
	}
	k.do(ActBack)
	k.at(StepReview)
	if save := k.action(ActSave); save.Disabled.Empty() {
		t.Error("a password that was not tried can be saved")
	}
	k.enter()
	k.at(StepSubmission)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	k.passes(DoSent)
	k.enter() // the records do not depend on the password
	k.at(StepTest)
	k.passes(DoTest)
	k.enter()
	k.at(StepReview)
	k.enter()
	if r := k.last(DoSave); r.Draft.Kept || r.Secret.Reveal() != "a new one" {
		t.Errorf("%+v", r.Draft)
	}

	k = page(t, proven())
	k.do(k.row("wizard.fact.user"))
	k.enter("user", "other")
	k.at(StepCredential) // the stored password belongs to another account
}

// TestSwitchedOff: saving alone leaves a profile off that a failure switched off; the first key checks it.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	p := proven()
	p.Enabled, p.Disabled = false, &config.Disabled{Cause: "wrong-password"}
	k := page(t, p)
	k.says("wizard.review.disabled")
	k.s.draft.Label = "another"
	k.do(ActSave)
	if !k.last(DoSave).Draft.Kept {
		t.Error("an unproven profile is switched on")
	}
	k = page(t, p)
	k.enter()
	k.at(StepSubmission)
	k.passes(DoSubmission)
	k.passes(DoSent)
	k.passes(DoDNS)
	k.enter()
	k.at(StepReview)
	k.says("wizard.review.on-again")
	k.enter()
	if got := k.last(DoSave).Draft; got.Kept || !got.ToProfile(got.Credential).Enabled {
		t.Error("a proven profile stays off")
	}
}

// TestUnchangedIsNotSaved: where nothing was changed nothing is written, and the last page says so; a proof that was
// made once more is written.
func TestUnchangedIsNotSaved(t *testing.T) {
	t.Parallel()
	k := page(t, proven(), func(o *Options) { o.Product = "Dayboard" })
	k.do(ActSave)
	k.at(StepDone)
	if v := k.s.Screen(); k.requested(DoSave) != 0 || v.Intro[0].Msg.Key != "wizard.done.unchanged" || len(v.Notices) > 0 {
		t.Errorf("%d saves, %+v", k.requested(DoSave), v)
	}
	k = page(t, proven())
	k.do(place(StepSubmission, ""))
	k.passes(DoSubmission)
	k.enter()
	k.at(StepReview)
	k.do(ActSave)
	if k.requested(DoSave) != 1 {
		t.Error("the new proof is not written")
	}
}

// TestFixComesBack: the field that a failure is about is corrected, its checks are made, and the page follows.
func TestFixComesBack(t *testing.T) {
	t.Parallel()
	p := proven()
	p.Enabled, p.Disabled = false, &config.Disabled{Cause: "wrong-password"}
	draft := DraftOf("durand", p, true)
	k := begin(t, Options{
		Draft: draft, Names: []string{"durand"}, Stored: secret.New("stored-password"), Edited: &Edited{Draft: draft},
		Fix: Place{StepCredential, FieldSecret},
	})
	k.at(StepCredential)
	k.password("a new one")
	k.at(StepSubmission)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	k.passes(DoSent)
	k.enter() // the records do not depend on the password
	k.at(StepTest)
	k.passes(DoTest)
	k.enter()
	k.at(StepReview)
}

// TestOptionRows: a row of the summary is changed by itself.
func TestOptionRows(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toReview()
	k.do(gotoPrefix + ActionID(StepOptions))
	k.do(k.row("wizard.field.reply-to"))
	if !k.field(FieldReplyTo).Focus {
		t.Error("the field does not have the focus")
	}
	k.enter("reply-to", "x@durand.example")
	if k.s.Draft().ReplyTo != "x@durand.example" {
		t.Errorf("%+v", k.s.Draft())
	}
	k.at(StepReview)
}

// TestMailboxMustBeProven: another mailbox cannot be saved before a copy was filed there, or the person has gone on
// without one. Coming back from the failed check is not enough, in a new set-up as little as in an edited profile.
func TestMailboxMustBeProven(t *testing.T) {
	t.Parallel()
	fresh := byHand(t, Options{})
	fresh.toReviewByHand()
	for _, k := range []*driver{page(t, proven()), fresh} {
		k.do(place(StepServer, FieldIMAPHost))
		k.enter("imap-host", "elsewhere.example")
		k.password("typed for both servers")
		k.at(StepSubmission)
		k.passes(DoSubmission)
		k.enter()
		k.at(StepSent)
		k.fails(DoSent, "imap.connect", "connection-refused", StepServer, FieldIMAPHost)
		k.do(ActBack)
		k.at(StepReview)
		if k.action(ActSave).Disabled.Empty() {
			t.Error("a mailbox that cannot be reached is saved")
		}
		k.do(ActSave)
		if k.requested(DoSave) > 0 {
			t.Error("it is saved all the same")
		}
		k.do(k.s.Screen().Actions[0].ID)
		k.enter()
		k.at(StepSent)
		k.do(ActSkip)
	}
}

// TestFailedTryKeepsTheProof: a check that the person makes again and that fails, or is stopped, takes nothing from
// what was proven for the same settings.
func TestFailedTryKeepsTheProof(t *testing.T) {
	t.Parallel()
	for _, end := range []func(k *driver){
		func(k *driver) {
			k.fails(DoSubmission, "net.connect", "connection-refused", StepServer, FieldSMTPPort)
		},
		func(k *driver) { k.do(ActCancel) },
	} {
		k := page(t, proven())
		k.do(place(StepSubmission, ""))
		end(k)
		k.do(ActBack)
		k.at(StepReview)
		k.do(ActSave)
		if d := k.last(DoSave).Draft; !d.Kept || d.Proven[check.SMTPAuth] != check.Pass || len(d.Proven) < 10 {
			t.Errorf("%v %v", d.Kept, d.Proven)
		}
	}
}

// TestSameProviderIsNoChange: the provider that was looked at and taken again has nothing proven again.
func TestSameProviderIsNoChange(t *testing.T) {
	t.Parallel()
	k := page(t, proven())
	k.do(place(StepProvider, ""))
	k.at(StepProvider)
	k.enter()
	k.at(StepReview)
	if k.requested(DoSubmission) > 0 || !k.s.Draft().Kept {
		t.Errorf("%+v", k.s.Draft())
	}
}
