package wizard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
)

// spoken returns all texts of a screen in one language.
func spoken(v Screen, lang locale.Lang, product string) string {
	var b strings.Builder
	say := func(list ...Words) {
		for _, w := range list {
			b.WriteString(w.Say(lang, product) + "\n")
		}
	}
	say(v.Title)
	say(v.Intro...)
	say(v.Numbered...)
	for _, n := range v.Notices {
		say(n.Text)
	}
	for _, f := range v.Facts {
		say(f.Label, f.Value, f.Detail)
	}
	for _, c := range v.Copy {
		say(c.Label)
	}
	for _, f := range v.Fields {
		say(f.Label, f.Help, f.Placeholder, f.Error)
		for _, c := range f.Choices {
			say(c.Label, c.Detail)
		}
	}
	for _, a := range v.Actions {
		say(a.Label, a.Disabled)
	}
	if v.Busy != nil {
		say(v.Busy.Text)
	}
	b.WriteString(locale.For(lang).T(v.Help))
	return b.String()
}

// TestM7TheAlertIsExpected: the person is told beforehand that the provider may send a security alert.
func TestM7TheAlertIsExpected(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.do(ActBack)
	k.at(StepPrepare)
	k.says("wizard.prepare.alert")
	for _, address := range []string{"marie@orange.fr", "marie@bluewin.ch", "marie@sfr.fr", "marie@bbox.fr"} {
		k := begin(t, Options{Address: address})
		for k.s.Step() != StepCredential {
			k.enter()
		}
		k.says("wizard.credential.alert")
	}
}

// TestGuideAtHand (I-1): where step 4 is passed over because the password is the one that people have, its steps are
// one key away from step 5, with the provider's page, and lead back to it.
func TestGuideAtHand(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"marie@orange.fr", "marie@sfr.fr", "marie@proximus.be", "marie@shaw.ca"} {
		k := begin(t, Options{Address: address})
		for k.s.Step() != StepCredential {
			if k.s.Step() == StepPrepare {
				t.Errorf("%s: step 4 was not passed over", address)
			}
			k.enter()
		}
		k.do(gotoPrefix + ActionID(StepPrepare))
		k.at(StepPrepare)
		if v := k.s.Screen(); len(v.Numbered) < 2 || len(v.Copy) == 0 {
			t.Errorf("%s: %+v, %+v", address, v.Numbered, v.Copy)
		}
		k.enter()
		k.at(StepCredential)
	}
	for _, address := range []string{"marie@gmail.com", "marie@free.fr"} { // step 4 was shown
		k := begin(t, Options{Address: address})
		for k.s.Step() != StepCredential {
			k.enter()
		}
		if k.offers(gotoPrefix + ActionID(StepPrepare)) {
			t.Errorf("%s: the guide is offered twice", address)
		}
	}
	orange, shaw := begin(t, Options{Address: "marie@orange.fr"}), begin(t, Options{Address: "marie@shaw.ca"})
	for _, k := range []*driver{orange, shaw} {
		for k.s.Step() != StepCredential {
			k.enter()
		}
		k.do(gotoPrefix + ActionID(StepPrepare))
	}
	orange.says("wizard.prepare.from-memory")
	if intro := fmt.Sprint(shaw.s.Screen().Intro); !strings.Contains(intro, "wizard.prepare.at-hand") {
		t.Errorf("%s", intro)
	}
	if text := spoken(shaw.s.Screen(), locale.English, "postier"); strings.Contains(text, "from memory") {
		t.Errorf("steps that were read are called remembered:\n%s", text)
	}
}

// TestI2TheProductIsTheLabel: the label to type at the provider is the calling program's name.
func TestI2TheProductIsTheLabel(t *testing.T) {
	t.Parallel()
	k := known(t, Options{Product: "Dayboard"})
	k.do(ActBack)
	for _, lang := range locale.All() {
		if text := spoken(k.s.Screen(), lang, "Dayboard"); !strings.Contains(text, "Dayboard") ||
			strings.Contains(text, "{product}") {
			t.Errorf("%s: the product is not named:\n%s", lang, text)
		}
	}
}

// TestD4KindsOfMessage: kinds of message are switched on and off one by one.
func TestD4KindsOfMessage(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{
		Address: "marie@gmail.com",
		Values:  map[FieldID]string{FieldKindsOn: "invoice", FieldKindsOff: "quote"},
	})
	for k.s.Step() != StepReview {
		k.onward()
	}
	p := k.s.Draft().ToProfile(config.Credential{})
	if !p.Kinds["invoice"] || p.Kinds["quote"] || len(p.Kinds) != 2 {
		t.Errorf("%v", p.Kinds)
	}
}

// TestP3Filter: a profile lists the domains and addresses whose messages it sends.
func TestP3Filter(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{
		Address: "marie@gmail.com",
		Values:  map[FieldID]string{FieldSenders: "durand.example, marie@gmail.com"},
	})
	for k.s.Step() != StepReview {
		k.onward()
	}
	p := k.s.Draft().ToProfile(config.Credential{})
	f := &config.File{Profiles: map[string]*config.Profile{"a": p}, Default: "b"}
	if name, _ := config.Route(f, "any@durand.example"); name != "a" {
		t.Errorf("routed to %q", name)
	}
}

// TestP5TestMode: in test mode all messages go to one address.
func TestP5TestMode(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{
		Address: "marie@gmail.com",
		Values:  map[FieldID]string{FieldTestMode: Yes, FieldTestAddress: "t@durand.example"},
	})
	for k.s.Step() != StepReview {
		k.onward()
	}
	if p := k.s.Draft().ToProfile(config.Credential{}); p.TestMode != (config.TestMode{
		Enabled: true,
		Address: "t@durand.example",
	}) {
		t.Errorf("%+v", p.TestMode)
	}
	if !slices.ContainsFunc(k.s.Screen().Facts, func(f Fact) bool { return f.Label.Msg.Key == "wizard.fact.test-mode" }) {
		t.Error("the review does not show test mode")
	}
}

// TestC6Batches: a batch is a number of messages and a pause that may have fractions of a second.
func TestC6Batches(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "marie@gmail.com", Values: map[FieldID]string{FieldBatch: "12", FieldWait: "15.5"}})
	for k.s.Step() != StepReview {
		k.onward()
	}
	if b := k.s.Draft().Limits.Batch; b != (config.Batch{Messages: 12, WaitSeconds: 15.5}) {
		t.Errorf("%+v", b)
	}
}

// TestEveryProviderCanBeShown goes to the password step of every provider and looks for unfilled placeholders and
// missing translations.
func TestEveryProviderCanBeShown(t *testing.T) {
	t.Parallel()
	for _, e := range presets.Default().All() {
		if e.Source != presets.SourceFlagship {
			continue
		}
		k := begin(t, Options{Address: "marie@durand.example", Values: map[FieldID]string{FieldProvider: e.ID}})
		for range 6 {
			v := k.s.Screen()
			for _, lang := range locale.All() {
				text := spoken(v, lang, "postier")
				if strings.Contains(text, "<wizard.") || strings.Contains(text, "<presets.") ||
					strings.Contains(text, "{product}") {
					t.Errorf("%s, step %s, %s:\n%s", e.ID, v.Step, lang, text)
				}
			}
			if v.Step == StepCredential || v.Step == StepProvider && !k.offers(ActNext) {
				break
			}
			var values []string
			for _, f := range v.Fields {
				switch {
				case f.ID == FieldProvider || f.Value != "" && f.Error.Empty():
				case len(f.Choices) > 0:
					values = append(values, string(f.ID), f.Choices[0].Value)
				default:
					values = append(values, string(f.ID), "abc5")
					if f.Error.Msg.Key == "wizard.server.ask.digits" {
						values[len(values)-1] = "5"
					}
				}
			}
			k.enter(values...)
		}
		if step := k.s.Step(); step != StepCredential && step != StepSubmission &&
			!(step == StepProvider && !k.offers(ActNext)) {
			t.Errorf("%s ends at step %s: %v", e.ID, step, k.s.errors)
		}
	}
}

// TestM10TheNumberInTheServersName: what stands in the customer's papers is taken as it stands; nothing is no number.
func TestM10TheNumberInTheServersName(t *testing.T) {
	t.Parallel()
	const number = FieldAsk + "number"
	begun := func() *driver {
		k := begin(t, Options{Address: "marie@durand.example", Values: map[FieldID]string{FieldProvider: "ovh-exchange"}})
		k.enter()
		k.at(StepProvider)
		if text := spoken(k.s.Screen(), locale.French, "postier"); strings.Contains(text, "{") ||
			!strings.Contains(text, "exN.mail.ovh.net") {
			t.Errorf("shown as\n%s", text)
		}
		k.enter()
		k.at(StepServer)
		return k
	}
	for _, typed := range []string{"ex4.mail.ovh.net", "ex4", "4"} {
		k := begun()
		k.enter(string(number), typed)
		if d := k.s.Draft(); d.Submission.Host != "ex4.mail.ovh.net" || d.IMAP == nil || d.IMAP.Host != "ex4.mail.ovh.net" {
			t.Errorf("%q: %s", typed, d.Submission.Host)
		}
	}
	for _, typed := range []string{"", " ", "exN", "mail"} {
		k := begun()
		k.enter(string(number), typed)
		k.at(StepServer)
		k.refused(number)
	}
}

// TestM10WhichProduct: where several products share their MX, the list says where the customer finds which one it is.
func TestM10WhichProduct(t *testing.T) {
	t.Parallel()
	var found []Candidate
	for _, id := range []string{"ovh-mxplan", "ovh-emailpro", "ovh-zimbra", "ovh-exchange"} {
		p, _ := presets.Default().Get(id)
		found = append(found, CandidateOf(p, "marie@durand.example", "mx", "mx1.mail.ovh.net", nil))
	}
	k := begin(t, Options{Address: "marie@durand.example"})
	k.enter()
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Candidates: found})
	if text := spoken(k.s.Screen(), locale.French, "postier"); !strings.Contains(text, "E-mail Pro, Exchange ou Zimbra") ||
		strings.Contains(text, "{number}") {
		t.Errorf("%s", text)
	}
}

// TestP9PlansWithoutSMTP: that a plan leaves programs out is said before a password is asked for, with the ways out.
func TestP9PlansWithoutSMTP(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"microsoft365", "proton-bridge", "proton-smtp", "mailfence", "zoho-eu"} {
		k := begin(t, Options{Address: "marie@durand.example", Values: map[FieldID]string{FieldProvider: id}})
		k.enter()
		k.at(StepProvider)
		p, _ := presets.Default().Get(id)
		for _, lang := range locale.All() {
			text := strings.Join(strings.Fields(spoken(k.s.Screen(), lang, "postier")), " ")
			if !strings.Contains(text, p.Plans.Fact.In(lang)) || !strings.Contains(text, "Brevo") {
				t.Errorf("%s, %s:\n%s", id, lang, text)
			}
		}
	}
}
