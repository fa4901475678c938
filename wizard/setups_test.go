package wizard

import (
	"slices"
	"testing"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
)

// TestKnownProvider: the wizard goes from the address of a known provider to the saved configuration in at most ten
// answers besides the address and the password.
func TestKnownProvider(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	if got := k.requests; k.requested(DoDiscover) != 0 {
		t.Errorf("a known domain is looked up all the same: %v", got)
	}
	k.toReview()
	k.enter()
	if r := k.last(DoSave); r.Draft.Profile != "marie" || r.Secret.Reveal() != appPassword {
		t.Errorf("saved as %q", r.Draft.Profile)
	}
	k.tellSaved()
	k.at(StepDone)
	const most = 10 + 2 // the address and the password are among the answers here
	if k.answers > most {
		t.Errorf("%d answers, want at most %d", k.answers, most)
	}
	p := k.last(DoSave).Draft.ToProfile(config.Credential{
		Kind: config.CredentialFile, Path: "secrets/marie",
		Type: config.SecretAppPassword,
	})
	if faults := config.ValidateProfile(p).Errors(); len(faults) > 0 {
		t.Errorf("the profile is not valid: %v", faults)
	}
	if p.Submission.Host != "smtp.gmail.com" || p.Submission.Port != 465 || p.Provider != "gmail" ||
		p.From.Address != "marie@gmail.com" {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(p.Senders, []string{"marie@gmail.com"}) {
		t.Errorf("at a public provider only the address is the person's: %v", p.Senders)
	}
	if k.requested(DoForget) != 1 {
		t.Error("the draft is not forgotten")
	}
	if proven := k.last(DoSave).Draft.Proven; proven["smtp.auth"] != check.Pass || proven["imap.auth"] != check.Pass ||
		proven["dns.spf"] != check.Pass || proven["arrival.delivered"] != check.Pass {
		t.Errorf("proven: %v", proven)
	}
	k.enter()
	if !k.s.Ended() {
		t.Error("finish does not end")
	}
}

// TestStepNumbers: step numbers and names do not change, since people say them over the phone.
func TestStepNumbers(t *testing.T) {
	t.Parallel()
	want := []string{
		"address", "provider", "server", "prepare", "credential", "submission", "sent", "dns", "test",
		"options", "review", "done",
	}
	for i, step := range Steps() {
		if string(step) != want[i] || step.Number() != i+1 {
			t.Errorf("step %d is %s", step.Number(), step)
		}
	}
	if Step("nowhere").Number() != 0 {
		t.Error("an unknown step has a number")
	}
}

// TestProductsSharingAnMX: where several products share an MX, the person is asked which one it is.
func TestProductsSharingAnMX(t *testing.T) {
	t.Parallel()
	const address = "contact@durand.example"
	found := candidates(address, "mx1.mail.ovh.net")
	if len(found) < 2 {
		t.Fatalf("OVH has one product only: %v", found)
	}
	k := begin(t, Options{Address: address})
	k.enter()
	k.at(StepProvider)
	if k.s.Screen().Busy == nil || k.last(DoDiscover).Draft.Address != address {
		t.Error("no search")
	}
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Candidates: found})
	if f := k.field(FieldProvider); f.Kind != KindChoice || len(f.Choices) != len(found) {
		t.Fatalf("%+v", f)
	}
	k.enter()
	k.refused(FieldProvider) // no product is chosen beforehand
	k.enter("provider", "ovh-exchange")
	k.at(StepServer)
	if f := k.field("ask-number"); f.Value != "" {
		t.Errorf("the number is guessed: %q", f.Value)
	}
	k.enter()
	k.refused("ask-number")
	k.enter("ask-number", "5 6")
	k.at(StepServer)
	k.refused("ask-number")
	if f := k.field("ask-number"); f.Value != "5 6" {
		t.Errorf("what was typed is lost: %q", f.Value)
	}
	k.enter("ask-number", "5")
	k.at(StepCredential)
	if d := k.s.Draft(); d.Submission.Host != "ex5.mail.ovh.net" || d.SentMode != config.SentServer {
		t.Errorf("%+v, copy %s", d.Submission, d.SentMode)
	}
	// Choosing another product drops what depends on the first.
	k.do(ActBack)
	k.at(StepServer)
	k.do(ActBack)
	k.at(StepProvider)
	if f := k.field(FieldProvider); f.Value != "ovh-exchange" {
		t.Errorf("the choice is forgotten: %q", f.Value)
	}
	k.enter("provider", "ovh-mxplan")
	k.at(StepCredential)
	if d := k.s.Draft(); d.Submission.Host == "ex5.mail.ovh.net" || len(d.Asked) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestUnknownDomainByHand(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "contact@durand.example"})
	k.enter()
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Err: Msg("setup.no-dns")})
	k.says("setup.no-dns")
	k.do(ActRetry)
	if k.requested(DoDiscover) != 2 {
		t.Error("search again does not search")
	}
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true})
	if k.s.Screen().Intro[0].Msg.Key != "wizard.provider.unknown" {
		t.Errorf("%v", k.s.Screen().Intro)
	}
	k.do(ActManual)
	k.at(StepServer)
	if f := k.field(FieldUser); f.Value != "contact@durand.example" {
		t.Errorf("M-2: the user name is not filled in: %q", f.Value)
	}
	k.enter("smtp-host", "smtp.durand.example")
	k.enter() // no mailbox
	k.at(StepCredential)
	if d := k.s.Draft(); d.IMAP != nil || d.CopyMode() != config.SentNone || d.Provider != custom {
		t.Errorf("%+v", d)
	}
	k.password("geheim")
	k.passes(DoSubmission, func(o *Outcome) {
		o.Submission = &config.Server{Host: "smtp.durand.example", Port: 587, Security: config.SecurityStartTLS}
	})
	if d := k.s.Draft(); d.Submission.Port != 587 || d.Submission.Security != config.SecurityStartTLS ||
		d.Submission.Username != "contact@durand.example" {
		t.Errorf("what works is not taken over: %+v", d.Submission)
	}
	k.enter()
	k.at(StepDNS) // without a mailbox there is no step 7
	k.passes(DoDNS)
	k.enter()
	k.at(StepTest)
	if checks := k.s.Screen().Checks; len(checks) != 1 || checks[0].ID != check.SMTPData {
		t.Errorf("without a mailbox only sending can be proven: %v", checks)
	}
	k.passes(DoTest)
	k.says("wizard.test.accepted")
	k.do(ActBack)
	k.at(StepDNS)
	k.do(ActBack)
	k.at(StepSubmission) // step 7 is skipped backwards too
}

// TestC7PortField: the port field accepts what Crésus users type, and its options win over the fields below.
func TestC7PortField(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{}, "smtp-port", "587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5", "auth", "plain",
		"smtp-security", "tls")
	d := k.s.Draft()
	want := config.Server{
		Host: "smtp.durand.example", Port: 587, Security: config.SecurityStartTLS,
		Auth: config.MechanismLogin, Username: "contact@durand.example",
	}
	if d.Submission != want {
		t.Errorf("%+v", d.Submission)
	}
	// C-6: the batch goes into the limits.
	if d.Limits.Batch != (config.Batch{Messages: 12, WaitSeconds: 15.5}) {
		t.Errorf("%+v", d.Limits.Batch)
	}
	k.do(gotoPrefix + ActionID(StepServer))
	if f := k.field(FieldSMTPPort); f.Value != "587" {
		t.Errorf("shown as %q", f.Value)
	}
	k.enter()
	if d := k.s.Draft(); d.Submission != want || d.Limits.Batch.Messages != 12 {
		t.Errorf("going through again changes %+v", d.Submission)
	}
}

// TestC1EmptyPort: an empty port is 25, on the screen, with the words that may follow the number, and by flag.
func TestC1EmptyPort(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		typed []string
		flags map[FieldID]string
		want  config.Server
	}{
		{[]string{"smtp-port", ""}, nil, config.Server{Port: 25, Security: config.SecurityAuto}},
		{[]string{"smtp-port", " ", "smtp-security", "tls"}, nil, config.Server{Port: 465, Security: config.SecurityTLS}},
		{
			[]string{"smtp-port", "CONN:STARTTLS LIMITE:12"},
			nil,
			config.Server{Port: 25, Security: config.SecurityStartTLS},
		},
		{nil, map[FieldID]string{FieldSMTPPort: ""}, config.Server{Port: 25, Security: config.SecurityAuto}},
	} {
		k := byHand(t, Options{Values: row.flags}, row.typed...)
		got := k.s.Draft().Submission
		if got.Port != row.want.Port || got.Settled() != row.want.Settled() {
			t.Errorf("%q, %q: port %d, %s", row.typed, row.flags, got.Port, got.Security)
		}
	}
}

// TestProvidersWithoutPasswords: where no password can work the person is not asked for one, and is told what to do
// instead.
func TestProvidersWithoutPasswords(t *testing.T) {
	t.Parallel()
	blocked := 0
	for _, e := range presets.Default().All() {
		p, _ := presets.Default().Get(e.ID)
		wayOut, impossible := p.Impossible()
		if !impossible && p.PasswordAuth.Status != presets.PasswordOAuthOnly || len(p.Domains) == 0 {
			continue
		}
		if m, _ := presets.Default().Domain(p.Domains[0]); m.ID != p.ID {
			continue // the domain is in two presets, and the better known one wins
		}
		blocked++
		k := begin(t, Options{Address: "marie@" + p.Domains[0]})
		k.enter()
		k.at(StepProvider)
		if k.action(ActNext).Disabled.Empty() {
			t.Errorf("%s: the password would be asked for", p.ID)
		}
		if first := k.s.Screen().Actions[0].ID; first != addressAction().ID || !k.offers(ActService) {
			t.Errorf("%s: Enter does %s, which is no way out", p.ID, first)
		}
		k.do(ActNext)
		k.at(StepProvider)
		k.do(ActEdit)
		k.at(StepProvider)
		k.do(ActManual)
		k.at(StepServer) // whoever knows better enters the servers
		k.do(ActBack)
		k.at(StepProvider)
		if impossible {
			k.says("wizard.provider.impossible")
			if wayOut.Empty() {
				t.Errorf("%s: no way out is named", p.ID)
			}
			continue
		}
		k.says("wizard.provider.oauth-only")
	}
	if blocked < 2 {
		t.Errorf("only %d such providers", blocked)
	}
}

// TestDatedFacts: a change that takes effect on a certain day is announced before and mentioned afterwards; the end of
// passwords blocks from that day on.
func TestDatedFacts(t *testing.T) {
	t.Parallel()
	p := &presets.Provider{
		ID: "dated", Name: "Dated", Kind: presets.KindMailbox, Domains: []string{"dated.example"},
		SMTP:     []presets.Server{{Host: "smtp.dated.example", Port: 465, Security: config.SecurityTLS}},
		UserRule: presets.UserRule{Rule: "{address}"},
		Dated: []presets.Dated{{
			ID: "end", Date: "2026-12-31", Before: presets.Text{locale.English: "ends soon"},
			After: presets.Text{locale.English: "has ended"}, Blocks: true,
		}},
	}
	for today, want := range map[string]struct {
		text    string
		level   Level
		blocked bool
	}{
		"2026-12-30": {"ends soon", LevelWarn, false},
		"2026-12-31": {"has ended", LevelFail, true},
		"2027-02-01": {"has ended", LevelFail, true},
	} {
		k := begin(t, Options{Book: presets.Default().With(p), Address: "a@dated.example", Today: today})
		k.enter()
		notices := k.s.Screen().Notices
		if len(notices) != 1 || notices[0].Level != want.level || notices[0].Text.Say(locale.English, "") != want.text {
			t.Errorf("%s: %v", today, notices)
		}
		if k.action(ActNext).Disabled.Empty() == want.blocked {
			t.Errorf("%s: blocked is not %v", today, want.blocked)
		}
	}
}

// TestElsewhere: servers outside the domains of the address and of the presets have to be confirmed, and the default
// answer is no (docs/security.md T5).
func TestElsewhere(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "contact@durand.example"})
	k.enter()
	c := Candidate{
		Provider: custom, Name: "hoster.example", Origin: "mx", Confidence: "guess", Confirm: true,
		Submission: config.Server{
			Host: "smtp.hoster.example", Port: 465, Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: "contact@durand.example",
		},
	}
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Candidates: []Candidate{c}})
	k.says("wizard.provider.elsewhere")
	if first := k.s.Screen().Actions[0].ID; first == ActNext {
		t.Error("Enter would confirm")
	}
	k.do(ActNext)
	k.at(StepCredential)
}

// TestSlips: a probable typing mistake in a well-known domain leads to a question and is never corrected by itself.
func TestSlips(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{})
	k.do(ActNext, "address", "marie@gmial.com")
	k.says("wizard.address.typo")
	if k.s.Screen().Actions[0].ID != ActSuggest {
		t.Errorf("%v", k.s.Screen().Actions)
	}
	k.do(ActBack)
	k.at(StepAddress)
	if k.said("wizard.address.typo") || k.field(FieldAddress).Value != "marie@gmial.com" {
		t.Error("back does not take the question away, or loses the address")
	}
	k.enter()
	k.do(ActSuggest, "address", "paul@gmial.com") // typed again before the question was answered: a new address
	k.at(StepAddress)
	k.enter()
	k.at(StepProvider)
	if k.s.Draft().Address != "paul@gmail.com" {
		t.Errorf("address %s", k.s.Draft().Address)
	}
	k = begin(t, Options{})
	k.do(ActNext, "address", "marie@gmial.com")
	k.do(ActKeep, "address", "marie@gmial.com")
	k.at(StepProvider)
	if k.s.Draft().Address != "marie@gmial.com" {
		t.Errorf("address %s", k.s.Draft().Address)
	}
	k.do(ActBack)
	k.enter()
	k.at(StepProvider) // asked once
}
