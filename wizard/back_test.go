package wizard

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"postier/config"
	"postier/presets"
)

// TestBackLosesNothing goes back from every step and page and forward again: the same steps, the same draft.
func TestBackLosesNothing(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.password("geheim")
	k.passes(DoSubmission)
	k.enter()
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.at(StepOptions)
	k.do(ActEdit)
	k.enter("label", "Cabinet")
	k.do(ActBack)
	k.do(ActBack)
	k.enter()
	k.at(StepReview)
	before := k.s.Draft()
	steps := []Step{
		StepOptions, StepTest, StepDNS, StepSent, StepSubmission, StepCredential, StepServer, StepServer,
		StepProvider, StepAddress,
	}
	tests, ladders := k.requested(DoTest), k.requested(DoSubmission)
	for _, step := range steps {
		k.do(ActBack)
		k.at(step)
	}
	k.do(ActBack)
	k.at(StepAddress)
	for i := len(steps) - 2; i >= 0; i-- {
		if k.s.Step() == StepProvider {
			k.do(ActManual)
		} else {
			k.enter()
		}
		k.at(steps[i])
	}
	k.enter()
	k.at(StepReview)
	if after := k.s.Draft(); !reflect.DeepEqual(before, after) {
		t.Errorf("the draft changed:\n%+v\n%+v", before, after)
	}
	if k.requested(DoTest) != tests || k.requested(DoSubmission) != ladders {
		t.Errorf("%d tests and %d ladders more", k.requested(DoTest)-tests, k.requested(DoSubmission)-ladders)
	}
}

// TestTypedValuesStay: values that were typed but not accepted yet are shown again after going back.
func TestTypedValuesStay(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.do(ActBack)
	k.at(StepServer)
	k.do(ActBack, "imap-host", "imap.elsewhere.example", "imap-port", "14x")
	k.do(ActBack, "smtp-host", "not a host")
	k.at(StepProvider)
	k.do(ActManual)
	if v := k.field(FieldSMTPHost).Value; v != "not a host" {
		t.Errorf("host %q", v)
	}
	k.enter("smtp-host", "smtp.durand.example")
	if v, p := k.field(FieldIMAPHost).Value, k.field(FieldIMAPPort).Value; v != "imap.elsewhere.example" || p != "14x" {
		t.Errorf("mailbox %q %q", v, p)
	}
	k.enter()
	k.refused(FieldIMAPPort)
	if d := k.s.Draft(); d.IMAP.Host != "imap.durand.example" {
		t.Errorf("a wrong page changed the draft: %+v", d.IMAP)
	}
}

// TestEveryFieldRefusesBadInput: the field shows an error, nothing typed is lost and no work is requested.
func TestEveryFieldRefusesBadInput(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 400)
	for _, c := range []struct {
		page   string
		field  FieldID
		values []string
	}{
		{
			"address", FieldAddress,
			[]string{
				"", "marie", "marie@", "@x.example", "marie@x..example", "a b@x.example", "a\r\nb@x.example",
				"a\x00@x.example", long + "@x.example", "marie@" + long,
			},
		},
		{"out", FieldSMTPHost, []string{
			"", "a host", "smtp.x.example\r\nQUIT", "-x.example", long, "http://x.example",
			"user@x.example",
		}},
		{"out", FieldSMTPPort, []string{
			"0", "65536", "-1", "smtp", "587 AUTH:MAGIC", "587 CONN:MAYBE", "587 LIMITE:-1",
			"587 WAIT:x", "587\r\n25", "587 " + long,
		}},
		{"out", FieldSMTPSecurity, []string{"", "ssl", "none", "TLS\n"}},
		{"out", FieldAuth, []string{"", "magic", "plain\r\n"}},
		{"out", FieldUser, []string{"", "a\r\nb", "a\x00b", long}},
		{"in", FieldIMAPHost, []string{"a host", "x\n.example"}},
		{"in", FieldIMAPPort, []string{"0", "993 AUTH:PLAIN", "x"}},
		{"in", FieldIMAPSecurity, []string{"", "ssl", "none"}},
		{"in", FieldIMAPUser, []string{"a\nb", long}},
	} {
		for _, bad := range c.values {
			var k *driver
			switch c.page {
			case "address":
				k = begin(t, Options{})
			case "out":
				k = begin(t, Options{Address: "contact@durand.example"})
				k.enter()
				k.do(ActManual)
			case "in":
				k = begin(t, Options{Address: "contact@durand.example"})
				k.enter()
				k.do(ActManual)
				k.enter("smtp-host", "smtp.durand.example")
			}
			requests := len(k.requests)
			step, draft := k.s.Step(), k.s.Draft()
			values := []string{string(c.field), bad}
			if c.page == "in" && c.field != FieldIMAPHost {
				values = append(values, "imap-host", "imap.durand.example")
			}
			if c.field == FieldSMTPHost {
				values = append(values, "user", "")
			} else if c.page == "out" {
				values = append(values, "smtp-host", "smtp.durand.example")
			}
			k.enter(values...)
			k.at(step)
			k.refused(c.field)
			if f := k.field(c.field); f.Value != bad {
				t.Errorf("%s %q is lost: %q", c.field, bad, f.Value)
			}
			if len(k.requests) != requests || !reflect.DeepEqual(k.s.Draft(), draft) {
				t.Errorf("%s %q: something was asked for or taken", c.field, bad)
			}
		}
	}
}

// TestAnotherAddress: another address drops everything that depends on the old one, above all the password.
func TestAnotherAddress(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toReview()
	k.do(gotoPrefix + ActionID(StepAddress))
	k.at(StepAddress)
	k.enter("address", "paul@yahoo.fr")
	k.at(StepProvider)
	d := k.s.Draft()
	if d.Provider != "" || d.Submission.Host != "" || len(d.Proven) != 0 || len(d.Senders) != 0 ||
		d.From.Address != "paul@yahoo.fr" || d.Label == "marie@gmail.com" {
		t.Errorf("%+v", d)
	}
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.at(StepCredential)
	if k.field(FieldSecret).Given {
		t.Error("the old password is still held")
	}
	k.do(ActNext)
	k.at(StepCredential)
	k.refused(FieldSecret)
}

// TestSameAddressKeeps: going through step 1 again with the same address changes nothing.
func TestSameAddressKeeps(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toReview()
	before := k.s.Draft()
	k.do(gotoPrefix + ActionID(StepAddress))
	k.enter()
	k.at(StepReview) // nothing has to be found or proven again
	after := k.s.Draft()
	before.Step, after.Step = "", ""
	if !reflect.DeepEqual(before, after) {
		t.Errorf("\n%+v\n%+v", before, after)
	}
}

// TestLookingAtAnotherProvider: going back restores the provider that was found, and servers that were entered by hand.
func TestLookingAtAnotherProvider(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "marie@gmail.com"})
	k.enter()
	k.do(ActChoose)
	if f := k.field(FieldProvider); f.Kind != KindSearch || len(f.Choices) < 80 {
		t.Errorf("%s with %d choices", f.Kind, len(f.Choices))
	}
	k.enter("provider", "")
	k.refused(FieldProvider)
	k.enter("provider", "no-such")
	k.refused(FieldProvider)
	k.enter("provider", "yahoo")
	if c := k.s.Draft().Candidates; len(c) != 1 || c[0].Provider != "yahoo" || c[0].Origin != "manual" {
		t.Fatalf("%v", c)
	}
	k.do(ActBack)
	k.at(StepProvider)
	if c := k.s.Draft().Candidates; len(c) != 1 || c[0].Provider != "gmail" {
		t.Errorf("what was found is lost: %v", c)
	}
	k.do(ActChoose)
	k.do(ActBack)
	k.at(StepProvider)
	k.do(ActBack)
	k.at(StepAddress)

	k = byHand(t, Options{})
	k.do(ActBack)
	k.do(ActBack)
	k.do(ActBack)
	k.at(StepProvider)
	k.do(ActChoose)
	k.enter("provider", "yahoo")
	k.enter()
	k.at(StepPrepare)
	k.do(ActBack)
	k.do(ActManual)
	k.at(StepServer)
	if f := k.field(FieldSMTPHost); f.Value != "smtp.durand.example" {
		t.Errorf("what was entered by hand is lost: %q", f.Value)
	}
}

// TestOldStatesStayUsable: State is a value, so later answers do not change an older one.
func TestOldStatesStayUsable(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	var states []State
	var pictures []string
	keep := func() {
		states = append(states, k.s)
		pictures = append(pictures, snapshot(k.s))
	}
	keep()
	k.password(appPassword)
	keep()
	k.passes(DoSubmission)
	keep()
	k.enter()
	k.passes(DoSent)
	keep()
	k.enter()
	k.passes(DoDNS)
	k.enter()
	keep()
	k.passes(DoTest)
	k.enter()
	k.do(ActEdit, "label", "Cabinet", "bcc", "a@b.example")
	keep()
	k.enter("kinds-on", "invoice")
	k.enter("senders", "x.example, y.example")
	k.enter()
	k.enter("test-mode", Yes, "test-address", "t@x.example")
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter("smtp-host", "smtp.elsewhere.example")
	for i, s := range states {
		if got := snapshot(s); got != pictures[i] {
			t.Errorf("state %d changed:\n%s\n%s", i, pictures[i], got)
		}
		if v := s.Screen(); v.Number == 0 {
			t.Errorf("state %d cannot be shown", i)
		}
	}
}

// TestResume: the conversation goes on with a draft of every step, and nothing but the password is lost.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, step := range Steps() {
		k := known(t, Options{})
		k.toReview()
		d := k.s.Draft()
		d.Step = step
		if step == StepServer {
			d.Edited = true
		}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var read Draft
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		k = begin(t, Options{Draft: read})
		want := step
		if step.Number() > StepCredential.Number() {
			want = StepCredential
			k.says("wizard.resumed.secret")
		} else if step != StepAddress {
			k.says("wizard.resumed")
		}
		k.at(want)
		after := k.s.Draft()
		after.Step, d.Step, d.Proven = "", "", nil
		if !reflect.DeepEqual(after, d) {
			t.Errorf("from %s:\n%+v\n%+v", step, d, after)
		}
		for k.s.Step() != StepCredential {
			k.enter()
		}
		k.password(appPassword)
		k.at(StepSubmission)
		if k.requested(DoSubmission) != 1 || k.requested(DoTest) != 0 {
			t.Errorf("from %s: what was proven before is not proven again, or a message is sent", step)
		}
	}
}

// TestResumeWithoutPassword: where no password is needed, the conversation goes on with the checks of the submission
// server.
func TestResumeWithoutPassword(t *testing.T) {
	t.Parallel()
	d := Draft{
		Version: DraftVersion, Step: StepReview, Chosen: -1, Manual: true, Provider: custom, Address: "a@durand.example",
		From: config.Address{Address: "a@durand.example"},
		Submission: config.Server{
			Host: "mail.durand.example", Port: 587, Security: config.SecurityStartTLS,
			Auth: config.MechanismNone,
		},
	}
	k := begin(t, Options{Draft: d})
	k.at(StepSubmission)
	k.says("wizard.resumed")
}

// TestDamagedDrafts: no content of a draft keeps the program from starting.
func TestDamagedDrafts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"version":1,"step":"review","chosen":7}`,
		`{"version":1,"step":"server","address":"a@b.example","chosen":-9}`,
		`{"version":1,"step":"sent","address":"a@b.example","chosen":3,"candidates":[]}`,
		`{"version":1,"step":"test","address":"not an address","chosen":0}`,
		`{"version":1,"step":"done","address":"a@b.example","chosen":-1,"submission":{"host":"x.example"}}`,
		`{"version":1,"step":"options","address":"a@b.example","provider":"no-such","chosen":-1,"submission":{"host":"x.example","auth":"none"}}`,
		`{"version":1,"step":"credential","address":"a@b.example","chosen":0,"manual":true}`,
		`{"version":1,"step":"nowhere","address":"a@b.example","chosen":0}`,
		`{"version":99,"step":"review","address":"a@b.example"}`,
	} {
		var d Draft
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		k := begin(t, Options{Draft: d})
		if v := k.s.Screen(); v.Number == 0 || v.Number > StepSubmission.Number() {
			t.Errorf("%s begins at step %d", text, v.Number)
		}
		k.enter()
		k.do(ActBack)
		k.do(ActBack)
	}
}

// TestDraftsAreKept: the draft is stored after each step. When that fails, the person is told and can go on.
func TestDraftsAreKept(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	if n := k.requested(DoDraft); n != 3 {
		t.Errorf("%d drafts after three steps", n)
	}
	if d := k.last(DoDraft).Draft; d.Step != StepCredential || d.Address != "marie@gmail.com" {
		t.Errorf("%+v", d)
	}
	k.tell(Outcome{Kind: DoDraft, Done: true, Err: Msg("wizard.provider.pick")})
	k.says("wizard.draft-failed")
	k.at(StepCredential)
}

// TestGivenBeforehand: values from flags or an answers file are shown in their fields and reach the draft.
func TestGivenBeforehand(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "marie@gmail.com", Values: map[FieldID]string{
		FieldFrom: "cabinet@durand.example", FieldHelo: "pc.durand.example", FieldSMTPPort: "587 CONN:STARTTLS",
		FieldSentCopy:   "append",
		FieldSentFolder: "Archives", FieldKeep: KeepAsk, FieldLabel: "Cabinet", FieldFromName: "Marie",
		FieldReplyTo: "r@durand.example", FieldBCC: "b@durand.example",
		FieldSenders: "durand.example", FieldKindsOn: "invoice", FieldKindsOff: "quote", FieldDefault: No, FieldPerHour: "7",
		FieldPerDay:  "8",
		FieldPerWeek: "9", FieldRecipients: "10", FieldBatch: "11", FieldWait: "1.5", FieldTestMode: Yes,
		FieldTestAddress: "t@durand.example",
	}})
	k.enter()
	k.at(StepProvider)
	k.enter()
	k.at(StepServer) // the servers were changed, so they are shown
	if f := k.field(FieldHelo); f.Value != "pc.durand.example" {
		t.Errorf("EHLO %q", f.Value)
	}
	k.enter()
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.toReview()
	k.enter()
	d := k.last(DoSave).Draft
	p := d.ToProfile(config.Credential{Kind: config.CredentialAsk})
	want := &config.Profile{
		Label: "Cabinet", Enabled: true, Provider: "gmail",
		From: config.Address{Name: "Marie", Address: "cabinet@durand.example"}, ReplyTo: "r@durand.example",
		BCC: []string{"b@durand.example"}, Senders: []string{"durand.example"},
		Kinds: map[string]bool{"invoice": true, "quote": false},
		Submission: config.Server{
			Host: "smtp.gmail.com", Port: 587, Security: config.SecurityStartTLS,
			Auth: config.MechanismAuto, Username: "marie@gmail.com", Helo: "pc.durand.example",
		},
		Credential: config.Credential{Kind: config.CredentialAsk},
		SentCopy: config.SentCopy{Mode: config.SentAppend, Folder: "Envoyés", IMAP: &config.Server{
			Host: "imap.gmail.com", Port: 993, Security: config.SecurityTLS, Auth: config.MechanismAuto,
			Username: "marie@gmail.com",
		}},
		Limits: config.Limits{
			PerHour: 7, PerDay: 8, PerWeek: 9, RecipientsPerMessage: 10,
			Batch: config.Batch{Messages: 11, WaitSeconds: 1.5},
		},
		TestMode: config.TestMode{Enabled: true, Address: "t@durand.example"},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("\n%+v\n%+v", p, want)
	}
	if d.Default || !d.AskEach {
		t.Errorf("default %v, ask %v", d.Default, d.AskEach)
	}
	if folder := k.last(DoSent).Draft.SentFolder; folder != "Archives" {
		t.Errorf("the rehearsal looked for %q", folder)
	}
}

// TestGivenAndWrong: an invalid value given beforehand is reported at its step.
func TestGivenAndWrong(t *testing.T) {
	t.Parallel()
	for id, value := range map[FieldID]string{
		FieldFrom: "nobody", FieldSentFolder: "a\nb", FieldSentCopy: "perhaps", FieldLabel: "a\nb", FieldReplyTo: "x",
		FieldBCC: "a@b.example, y", FieldSenders: "@", FieldKindsOn: "ä ö",
		FieldPerHour: "many", FieldPerDay: "-1", FieldPerWeek: "x", FieldRecipients: "1.5", FieldBatch: "x",
		FieldWait: "soon", FieldDefault: "perhaps",
		FieldTestMode: "perhaps", FieldTestAddress: "x", FieldProvider: "no-such",
	} {
		k := begin(t, Options{Address: "marie@gmail.com", Values: map[FieldID]string{id: value}})
		for range 20 {
			if k.s.Step() == StepReview {
				t.Fatalf("%s = %q was taken", id, value)
			}
			if wrong := firstError(k.s.Screen()); wrong != "" {
				if wrong != id {
					t.Errorf("%s = %q: %s is named", id, value, wrong)
				}
				k.refused(id)
				break
			}
			k.onward()
		}
	}
	// Test mode without an address would send to no address.
	k := begin(t, Options{Address: "marie@gmail.com", Values: map[FieldID]string{FieldTestMode: Yes}})
	for range 20 {
		if firstError(k.s.Screen()) == FieldTestAddress {
			return
		}
		k.onward()
	}
	t.Error("test mode was taken without an address")
}

func firstError(v Screen) FieldID {
	for _, f := range v.Fields {
		if !f.Error.Empty() {
			return f.ID
		}
	}
	return ""
}

// onward takes whichever action leads to the next step.
func (k *driver) onward() {
	k.t.Helper()
	switch kind := stepWork(k.s.Step()); {
	case k.s.Step() == StepCredential:
		k.password(appPassword)
	case kind != "" && k.s.work[kind].id != 0:
		k.passes(kind)
	default:
		k.do(k.s.Screen().Actions[0].ID)
	}
}

// TestGivenProvider: the provider that was given beforehand is shown instead of search results.
func TestGivenProvider(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "contact@durand.example", Values: map[FieldID]string{FieldProvider: "gandi"}})
	if _, ok := presets.Default().Get("gandi"); !ok {
		t.Fatal("gandi is gone")
	}
	k.enter()
	k.at(StepProvider)
	if c := k.s.Draft().Candidates; len(c) != 1 || c[0].Provider != "gandi" {
		t.Errorf("%v", c)
	}
	if !k.s.Chosen() {
		t.Error("the given provider is not the one shown")
	}
}

// TestSentCopyWithoutMailbox: where a copy was asked for, step 7 says that it cannot be filed without a mailbox.
func TestSentCopyWithoutMailbox(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{
		Address: "a@durand.example",
		Values:  map[FieldID]string{FieldSMTPHost: "smtp.durand.example", FieldIMAPHost: "", FieldSentCopy: "append"},
	})
	k.enter()
	k.do(ActManual)
	k.enter()
	k.enter()
	k.password("geheim")
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	k.refused(FieldSentCopy)
	k.enter("sent-copy", "none")
	k.at(StepDNS)
}

// TestPassedOver: a gap in the numbers of the steps is explained on the way forward, until the next step.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.do(ActBack)
	k.do(ActBack)
	k.at(StepProvider)
	k.enter()
	if v := k.s.Screen(); v.Step != StepPrepare || v.PassedOverNumbers() != "3" {
		t.Fatalf("step %s passed over %q", v.Step, v.PassedOverNumbers())
	}
	k.do(ActBack)
	k.enter()
	if got := k.s.Screen().PassedOverNumbers(); got != "3" {
		t.Errorf("again it passed over %q", got)
	}
	k.enter()
	if got := k.s.Screen().PassedOverNumbers(); got != "" {
		t.Errorf("the next step passed over %q", got)
	}
}
