package wizard

import (
	"slices"
	"testing"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
)

// TestDefaults: a new profile has the product's defaults until the person changes them, and they never raise the
// provider's limits.
func TestDefaults(t *testing.T) {
	t.Parallel()
	options := Options{Defaults: Defaults{
		ReplyTo: "accueil@durand.example", BCC: []string{"archive@durand.example"}, Kinds: map[string]bool{"quote": false},
		Limits: config.Limits{
			PerDay: 200, PerHour: 50, RecipientsPerMessage: 1000,
			Batch: config.Batch{Messages: 12, WaitSeconds: 15.5},
		},
		TestMode: config.TestMode{Enabled: true, Address: "essai@durand.example"}, AskEach: true, SentCopy: config.SentAppend,
	}}
	k := known(t, options)
	d := k.s.Draft()
	if d.ReplyTo != "accueil@durand.example" || !slices.Equal(d.BCC, []string{"archive@durand.example"}) ||
		d.Kinds["quote"] || len(d.Kinds) != 1 || !d.TestMode.Enabled || !d.AskEach {
		t.Errorf("%+v", d)
	}
	provider, _ := presets.Default().Get("gmail")
	own := limitsOf(provider)
	if d.Limits.PerDay != 200 || d.Limits.PerHour != 50 || d.Limits.Batch.Messages != 12 ||
		own.RecipientsPerMessage == 0 || d.Limits.RecipientsPerMessage != own.RecipientsPerMessage {
		t.Errorf("limits %+v, the provider's own %+v", d.Limits, own)
	}
	if d.SentMode != config.SentServer {
		t.Errorf("Gmail files the copy itself, and the profile would file a second one: %s", d.SentMode)
	}
	k.toReview()
	k.enter()
	p := k.last(DoSave).Draft.ToProfile(config.Credential{Kind: config.CredentialAsk})
	if p.ReplyTo == "" || p.TestMode.Address == "" || p.Limits.PerDay != 200 {
		t.Errorf("%+v", p)
	}

	hand := byHand(t, Options{Defaults: Defaults{Limits: config.Limits{PerDay: 7}, SentCopy: config.SentNone}})
	if d := hand.s.Draft(); d.Limits.PerDay != 7 || d.SentMode != config.SentNone {
		t.Errorf("by hand: %+v, copy %s", d.Limits, d.SentMode)
	}

	// An edited profile keeps its own values.
	profile := &config.Profile{
		From: config.Address{Address: "marie@gmail.com"},
		Submission: config.Server{
			Host: "smtp.gmail.com", Port: 465, Security: config.SecurityTLS,
			Username: "marie@gmail.com",
		},
		SentCopy:   config.SentCopy{Mode: config.SentNone},
		Credential: config.Credential{Kind: config.CredentialFile, Path: "secrets/marie"},
	}
	options.Draft = DraftOf("marie", profile, true)
	if d := begin(t, options).s.Draft(); d.ReplyTo != "" || len(d.BCC) != 0 || d.TestMode.Enabled || d.AskEach ||
		d.Limits != (config.Limits{}) {
		t.Errorf("an edited profile is changed: %+v", d)
	}
}

// TestSupport: the support contact is shown with a failure and on the last screen, and nowhere else.
func TestSupport(t *testing.T) {
	t.Parallel()
	contact := presets.Text{
		locale.English: "ask Crésus", locale.French: "demandez à Crésus", locale.German: "fragen Sie Crésus",
	}
	named := func(k *driver) bool {
		contacts := func(w Words) bool { return w.Say(locale.French, "") == contact[locale.French] }
		v := k.s.Screen()
		return contacts(v.Support) || slices.ContainsFunc(v.Notices, func(n Notice) bool { return contacts(n.Text) })
	}
	k := known(t, Options{Support: contact})
	if named(k) {
		t.Error("named although nothing failed")
	}
	k.enter()
	k.at(StepCredential)
	k.password(appPassword)
	k.fails(DoSubmission, "net.connect", "connection-refused", StepServer, FieldSMTPPort)
	if !named(k) {
		t.Error("not named next to a failure")
	}
	k.do(ActRetry)
	if named(k) {
		t.Error("named while the check runs")
	}

	k = known(t, Options{Support: contact})
	k.toReview()
	k.enter()
	k.tellSaved()
	k.at(StepDone)
	if !named(k) {
		t.Error("not named at the end")
	}

	k = begin(t, Options{Support: contact, Address: "marie@tuta.com"})
	k.enter()
	k.says("wizard.provider.impossible")
	if !named(k) {
		t.Error("not named where the provider cannot do it")
	}
	if k = begin(t, Options{Address: "marie@tuta.com"}); named(k) {
		t.Error("named without a contact")
	}
}
