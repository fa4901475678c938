package wizard

import (
	"reflect"
	"testing"

	"postier/config"
	"postier/internal/secret"
)

// TestSetOptions: options of a saved profile change by the rules of step 10, all of them or none, and nothing else
// does.
func TestSetOptions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		values  map[FieldID]string
		change  func(*config.Profile)
		refused FieldID
	}{
		{
			"a limit",
			map[FieldID]string{FieldPerDay: "90", FieldWait: "2,5"},
			func(p *config.Profile) { p.Limits.PerDay, p.Limits.Batch.WaitSeconds = 90, 2.5 }, "",
		},
		{
			"no limit", map[FieldID]string{FieldPerDay: ""}, func(p *config.Profile) { p.Limits.PerDay = 0 }, "",
		},
		{
			"test mode off", map[FieldID]string{FieldTestMode: No}, func(p *config.Profile) { p.TestMode.Enabled = false }, "",
		},
		{
			"kinds",
			map[FieldID]string{FieldKindsOn: "quote", FieldKindsOff: ""},
			func(p *config.Profile) { p.Kinds = map[string]bool{"quote": true} }, "",
		},
		{"test mode to nobody", map[FieldID]string{FieldTestAddress: "", FieldPerDay: "7"}, nil, FieldTestAddress},
		{"no number", map[FieldID]string{FieldPerHour: "many", FieldLabel: "x"}, nil, FieldPerHour},
		{"twice", map[FieldID]string{FieldKindsOff: "invoice"}, nil, FieldKindsOff},
	} {
		got, want := full(), full()
		if row.change != nil {
			row.change(want)
		}
		refused := SetOptions(got, row.values)
		if _, ok := refused[row.refused]; ok != (row.refused != "") || len(refused) > 1 {
			t.Errorf("%s: refused %v", row.name, refused)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\n%+v", row.name, got, want)
		}
	}
}

// TestOptionValuesRoundTrip: what a page shows is what it saves when nothing is typed.
func TestOptionValuesRoundTrip(t *testing.T) {
	t.Parallel()
	p := full()
	if refused := SetOptions(p, OptionValues(p)); len(refused) > 0 || !reflect.DeepEqual(p, full()) {
		t.Errorf("%v\n%+v", refused, p)
	}
}

// TestFixFromHome (M-5): a profile that does not send any more is opened at the field that its cause is about, with
// everything else filled in; the check follows at once.
func TestFixFromHome(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fix  Place
		step Step
		want FieldID
	}{
		{Place{StepCredential, FieldSecret}, StepCredential, FieldSecret},
		{Place{StepServer, FieldSMTPPort}, StepServer, FieldSMTPPort},
		{Place{}, StepProvider, ""},
		{Place{StepSubmission, ""}, StepSubmission, ""},
	} {
		p := full()
		p.Submission.Security, p.Insecure = config.SecurityStartTLS, false
		k := begin(t, Options{
			Draft: DraftOf("durand", p, true), Names: []string{"durand"}, Stored: secret.New("stored-password"), Fix: row.fix,
		})
		k.at(row.step)
		if row.want != "" && !k.field(row.want).Fix {
			t.Errorf("%v: the field is not marked", row.fix)
		}
	}
}

// TestFallbackIsAnOption: the profile that takes over is chosen in the wizard where there is another one, and only
// there.
func TestFallbackIsAnOption(t *testing.T) {
	t.Parallel()
	for others, shown := range map[string]bool{"durand": false, "platform": true} {
		s := State{opts: Options{Names: []string{others}}, draft: DraftOf("durand", full(), true)}
		s.draft.Step, s.page = StepOptions, 2
		found := false
		for _, f := range s.Screen().Fields {
			found = found || f.ID == FieldFallback && f.Kind == KindConfirm
		}
		if found != shown {
			t.Errorf("with %s: shown %v", others, found)
		}
		s.typed = map[FieldID]string{FieldFallback: Yes}
		s.errors = map[FieldID]Words{}
		if s.takeOptions(optionPages[2]); !s.draft.Fallback {
			t.Error("not taken")
		}
	}
}

// TestTakeOver (C-9): what a mail program of this computer has is offered at the first step, and taken only by a key of
// its own; every field that it fills in is shown later.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	found := Found{Program: "Thunderbird", Address: "contact@durand.example", Values: map[FieldID]string{
		FieldFrom: "contact@durand.example", FieldFromName: "Cabinet Durand", FieldSMTPHost: "smtp.durand.example",
		FieldSMTPPort: "465", FieldSMTPSecurity: "tls", FieldUser: "durand", FieldIMAPHost: "imap.durand.example",
	}}
	k := begin(t, Options{Found: found})
	k.says("wizard.found")
	if first := k.s.Screen().Actions[0].ID; first != ActNext {
		t.Errorf("Enter does %s", first)
	}
	k.do(ActTake)
	k.at(StepServer)
	k.says("wizard.found.taken")
	if k.requested(DoDiscover) != 0 {
		t.Error("what is there is searched for")
	}
	for id, want := range map[FieldID]string{
		FieldSMTPHost: "smtp.durand.example", FieldSMTPPort: "465", FieldUser: "durand",
	} {
		if got := k.field(id).Value; got != want {
			t.Errorf("%s is %q", id, got)
		}
	}
	if d := k.s.Draft(); d.Address != "contact@durand.example" || d.From.Name != "Cabinet Durand" {
		t.Errorf("%+v", d)
	}
	for name, o := range map[string]Options{
		"a rehearsal":         {Found: found, Rehearsal: true},
		"settings were given": {Found: found, Values: map[FieldID]string{FieldSMTPHost: "smtp.example"}},
		"nothing was found":   {},
	} {
		if k := begin(t, o); k.offers(ActTake) {
			t.Errorf("offered although %s", name)
		}
	}
}

// TestNameAskedEarly: the sender's name can be given with the address; the one of the computer's user is proposed,
// and a name that was pasted with the address wins.
func TestNameAskedEarly(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Name: "Marie Durand"})
	if f := k.field(FieldFromName); f.Value != "Marie Durand" || !f.Optional || !f.Later {
		t.Fatalf("%+v", f)
	}
	k.enter(string(FieldAddress), "marie@gmail.com", string(FieldFromName), "Cabinet\r\nBcc: x@y.example")
	k.at(StepAddress)
	k.refused(FieldFromName)
	k.enter(string(FieldAddress), "marie@gmail.com", string(FieldFromName), " Cabinet Durand ")
	k.at(StepProvider)
	if from := k.s.Draft().From; from.Name != "Cabinet Durand" || from.Address != "marie@gmail.com" {
		t.Errorf("%+v", from)
	}

	k = begin(t, Options{Name: "Marie Durand"})
	k.enter(string(FieldAddress), "Atelier <marie@gmail.com>", string(FieldFromName), "Marie Durand")
	if name := k.s.Draft().From.Name; name != "Atelier" {
		t.Errorf("the name is %q", name)
	}

	k = begin(t, Options{Name: "Marie Durand"})
	k.answer(Answer{Action: ActNext, Values: map[FieldID]string{FieldAddress: "marie@gmail.com"}}) // no field was shown
	if name := k.s.Draft().From.Name; name != "" {
		t.Errorf("the name is %q", name)
	}
}
