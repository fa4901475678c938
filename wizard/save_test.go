package wizard

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
)

func TestOptionsPages(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.toReviewByHand()
	k.do(ActBack)
	k.at(StepOptions)
	if d := k.s.Draft(); !slices.Equal(d.Senders, []string{"durand.example"}) {
		t.Errorf("a domain of one's own sends as a whole: %v", d.Senders)
	}
	k.do(ActEdit)
	k.enter("from-name", "Cabinet Durand", "reply-to", "reception@durand", "bcc", "x, y@durand.example")
	k.refused(FieldBCC)
	if v := k.field(FieldBCC).Value; v != "x, y@durand.example" {
		t.Errorf("lost: %q", v)
	}
	k.enter("reply-to", "reception@durand.example", "bcc", "archive@durand.example; y@durand.example")
	k.enter("senders", "durand.example, marie@durand.example", "kinds-on", "invoice reminder", "kinds-off",
		"quote, invoice")
	k.refused(FieldKindsOff)
	k.enter("kinds-off", "quote")
	k.enter("per-hour", "100", "per-day", "x", "batch-messages", "12", "batch-wait", "15,5")
	k.refused(FieldPerDay)
	if d := k.s.Draft(); d.Limits.PerDay != 0 {
		t.Errorf("a wrong limit is taken: %+v", d.Limits)
	}
	k.enter("per-day", "500", "per-week", "2000", "recipients-per-message", "50")
	k.enter("test-mode", Yes)
	k.refused(FieldTestAddress)
	if k.s.Draft().TestMode.Enabled {
		t.Error("test mode is on without an address")
	}
	k.enter("test-mode", Yes, "test-address", "essai@durand.example")
	k.at(StepReview)
	d := k.s.Draft()
	want := config.Limits{
		PerHour: 100, PerDay: 500, PerWeek: 2000, RecipientsPerMessage: 50,
		Batch: config.Batch{Messages: 12, WaitSeconds: 15.5},
	}
	if d.Limits != want {
		t.Errorf("%+v", d.Limits)
	}
	if !reflect.DeepEqual(d.Kinds, map[string]bool{"invoice": true, "reminder": true, "quote": false}) {
		t.Errorf("D-4: %v", d.Kinds)
	}
	if d.From.Name != "Cabinet Durand" || d.ReplyTo != "reception@durand.example" || len(d.BCC) != 2 ||
		len(d.Senders) != 2 || d.TestMode.Address != "essai@durand.example" {
		t.Errorf("%+v", d)
	}
	if k.requested(DoSubmission) != 1 || !k.offers(ActSave) {
		t.Error("options make the proof out of date")
	}
	// All options are emptied again.
	k.do(gotoPrefix + ActionID(StepOptions))
	k.do(ActEdit)
	k.enter("reply-to", "", "bcc", "")
	k.enter("kinds-on", "", "kinds-off", "")
	k.enter("batch-messages", "0", "batch-wait", "0", "per-hour", "", "per-day", "0", "per-week", "",
		"recipients-per-message", "")
	k.enter("test-mode", No)
	if d := k.s.Draft(); d.ReplyTo != "" || len(d.BCC) != 0 || d.Kinds != nil || d.Limits != (config.Limits{}) ||
		d.TestMode.Enabled {
		t.Errorf("%+v", d)
	}
}

func (k *driver) toReviewByHand() {
	k.t.Helper()
	k.password("geheim")
	k.passes(DoSubmission)
	k.enter()
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.enter()
	k.at(StepReview)
}

// TestProfileNames: a profile's name is made from the address and differs from existing names.
func TestProfileNames(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{Names: []string{"durand", "durand-2"}})
	k.toReviewByHand()
	k.enter()
	if name := k.last(DoSave).Draft.Profile; name != "durand-3" {
		t.Errorf("name %q", name)
	}
	k = byHand(t, Options{
		Names: []string{"durand"},
		Draft: Draft{Version: DraftVersion, Step: StepAddress, Chosen: -1, Profile: "durand"},
	})
	k.toReviewByHand()
	k.enter()
	k.refused(FieldProfile)
	for _, bad := range []string{"Ä b", "", "../x", strings.Repeat("x", 200), "durand"} {
		k.enter("profile", bad)
		k.at(StepReview)
		k.refused(FieldProfile)
		if k.requested(DoSave) != 0 {
			t.Fatalf("saved as %q", bad)
		}
	}
	k.enter("profile", "cabinet")
	if name := k.last(DoSave).Draft.Profile; name != "cabinet" {
		t.Errorf("name %q", name)
	}
}

// TestM4UnprovenIsNotSaved: nothing is written that was not proven with these very settings.
func TestM4UnprovenIsNotSaved(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toReview()
	k.s.work[DoSubmission] = task{} // as if the checks had never run
	if !k.action(ActSave).Disabled.Msg.Empty() == k.offers(ActSave) {
		t.Error("save is offered")
	}
	k.do(ActSave)
	if k.requested(DoSave) != 0 {
		t.Fatal("saved")
	}
	k.enter() // the first action leads to the proof
	k.at(StepSubmission)
	if k.s.work[DoSubmission].id == 0 {
		t.Error("nothing is proven there")
	}
}

func TestSaveFails(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toReview()
	k.enter()
	if k.s.Screen().Busy == nil {
		t.Error("saving does not show")
	}
	before := snapshot(k.s)
	for _, action := range []ActionID{ActBack, ActCancel, ActNext, gotoPrefix + ActionID(StepAddress)} {
		k.do(action)
	}
	if snapshot(k.s) != before || k.requested(DoCancel) != 0 {
		t.Error("a save can be torn apart")
	}
	k.tell(Outcome{ID: k.last(DoSave).ID, Kind: DoSave, Done: true, Err: Msg("setup.no-dns")})
	k.at(StepReview)
	k.says("setup.no-dns")
	k.says("wizard.review.draft-kept")
	if k.requested(DoForget) != 0 {
		t.Error("the draft is gone")
	}
	k.enter()
	k.tellSaved()
	k.at(StepDone)
	k.do(ActBack)
	k.at(StepDone) // a saved profile is not undone by going back
}

// TestAnotherAddressAfterDone starts a new setup and knows what has just been saved.
func TestAnotherAddressAfterDone(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{
		Secret: secret.New("geheim"), Values: map[FieldID]string{FieldLabel: "Cabinet"},
		CheckName: func(id check.ID) Words { return Literal("check " + string(id)) },
	})
	k.toReviewByHand()
	k.enter()
	k.tellSaved()
	if !k.last(DoSave).Draft.Default {
		t.Error("the first profile is the default")
	}
	last := k.s.nextID
	k.do(ActAgain)
	k.at(StepAddress)
	if d := k.s.Draft(); d.Address != "" || d.Label != "" || d.Default || k.s.nextID < last || k.s.Saved() != nil ||
		!k.s.secret.Empty() || len(k.s.typed) != 0 || k.s.opts.CheckName == nil {
		t.Errorf("%+v", d)
	}
	k.do(ActNext, "address", "contact@durand.example")
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true})
	k.do(ActManual)
	k.enter("smtp-host", "smtp.durand.example")
	k.enter("imap-host", "imap.durand.example")
	k.toReviewByHand()
	k.enter()
	if name := k.last(DoSave).Draft.Profile; name != "durand-2" {
		t.Errorf("name %q", name)
	}
}

// full returns a profile with every field set.
func full() *config.Profile {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return &config.Profile{
		Label: "Cabinet Durand", Enabled: false, Provider: "gmail",
		From:    config.Address{Name: "Cabinet", Address: "contact@durand.example"},
		ReplyTo: "r@durand.example", BCC: []string{"b@durand.example"}, Senders: []string{"durand.example"},
		Kinds: map[string]bool{"quote": false, "invoice": true},
		Submission: config.Server{
			Host: "smtp.gmail.com", Port: 587, Security: config.SecurityNone,
			Auth: config.MechanismPlain, Username: "c", Helo: "pc.durand.example",
		},
		Insecure: true, Credential: config.Credential{
			Kind: config.CredentialCommand, Type: config.SecretAppPassword,
			Command: []string{"pass", "mail"},
		},
		SentCopy: config.SentCopy{
			Mode: config.SentAppend, Folder: "Envoyés",
			IMAP: &config.Server{
				Host: "imap.gmail.com", Port: 993, Security: config.SecurityTLS, Auth: config.MechanismAuto,
				Username: "c",
			},
		},
		Limits: config.Limits{
			PerHour: 1, PerDay: 2, PerWeek: 3, RecipientsPerMessage: 4,
			Batch: config.Batch{Messages: 5, WaitSeconds: 6.5},
		},
		TestMode:  config.TestMode{Enabled: true, Address: "t@durand.example"},
		TLS:       config.TLS{PinSHA256: []string{strings.Repeat("ab", 32)}, CAFile: "ca.pem"},
		Disabled:  &config.Disabled{At: at, Cause: "wrong-password"},
		Validated: &config.Validated{At: at, Digest: "sha256:x"},
	}
}

// TestEditKeepsEveryField: a field of the profile that the draft does not know would be lost by editing.
func TestEditKeepsEveryField(t *testing.T) {
	t.Parallel()
	p := full()
	fields := reflect.ValueOf(*p)
	for i := range fields.NumField() {
		if name := fields.Type().Field(i).Name; fields.Field(i).IsZero() && name != "Enabled" {
			t.Errorf("full() leaves %s empty, so it is not tested", name)
		}
	}
	got := DraftOf("durand", p, true).ToProfile(p.Credential)
	p.Validated, p.Enabled, p.Disabled = nil, true, nil // made again by each save, which proves the profile
	if !reflect.DeepEqual(got, p) {
		t.Errorf("\n%+v\n%+v", got, p)
	}
	p = full()
	p.Credential = config.Credential{Kind: config.CredentialInline, Value: "canary"}
	if d := DraftOf("durand", p, false); d.Credential.Value != "" {
		t.Error("a secret that stands in the file gets into a draft")
	}
}

// edit begins with a saved profile whose secret can be read.
func edit(t *testing.T, p *config.Profile) *driver {
	t.Helper()
	return begin(t, Options{
		Draft: DraftOf("durand", p, true), Names: []string{"durand"}, HasDefault: true, Stored: secret.New("stored-password"),
		AllowCleartext: true,
	})
}

// TestEdit goes through a saved profile without typing anything: it is proven again and comes out as it was.
func TestEdit(t *testing.T) {
	t.Parallel()
	p := full()
	p.Submission.Security, p.Insecure = config.SecurityStartTLS, false
	k := edit(t, p)
	k.at(StepProvider)
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.at(StepCredential)
	if !k.field(FieldSecret).Given {
		t.Error("the password is asked for again")
	}
	k.enter()
	k.at(StepSubmission)
	if r := k.last(DoSubmission); r.Secret.Reveal() != "stored-password" || !r.Stored {
		t.Error("the stored password is not used")
	}
	k.passes(DoSubmission)
	k.enter()
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.enter()
	k.at(StepReview)
	k.says("wizard.review.on-again")
	k.enter()
	r := k.last(DoSave)
	if r.Draft.Profile != "durand" || !r.Draft.Editing || !r.Stored || !r.Draft.Default {
		t.Errorf("%+v", r)
	}
	got := r.Draft.ToProfile(r.Draft.Credential)
	p.Validated, p.Enabled, p.Disabled = nil, true, nil // what a failure switched off is on once it is proven
	if !reflect.DeepEqual(got, p) {
		t.Errorf("\n%+v\n%+v", got, p)
	}
}

// TestEditOtherServer: the stored secret belongs to the stored servers (docs/security.md T5).
func TestEditOtherServer(t *testing.T) {
	t.Parallel()
	p := full()
	p.Provider, p.Submission.Security, p.Insecure = custom, config.SecurityStartTLS, false
	k := edit(t, p)
	k.enter()
	k.at(StepServer)
	if f := k.field(FieldSMTPHost); f.Value != "smtp.gmail.com" {
		t.Errorf("host %q", f.Value)
	}
	k.enter("smtp-host", "smtp.elsewhere.example")
	k.enter()
	k.at(StepCredential)
	if k.field(FieldSecret).Given {
		t.Error("the stored secret would go to another server")
	}
	k.password("neu")
	if r := k.last(DoSubmission); r.Stored || r.Secret.Reveal() != "neu" {
		t.Error("another password passes for the stored one")
	}
	// Limits and the rest are unchanged.
	if d := k.s.Draft(); d.Limits.PerDay != 2 || d.SentFolder != "Envoyés" ||
		!slices.Equal(d.TLS.PinSHA256, p.TLS.PinSHA256) {
		t.Errorf("%+v", d)
	}
}

// TestEditAskedEachTime: the secret of the profile is not stored, so the wizard asks for it.
func TestEditAskedEachTime(t *testing.T) {
	t.Parallel()
	p := full()
	p.Submission.Security, p.Insecure, p.Credential = config.SecurityTLS, false,
		config.Credential{Kind: config.CredentialAsk}
	k := begin(t, Options{Draft: DraftOf("durand", p, false), Names: []string{"durand"}})
	k.enter()
	k.enter()
	k.at(StepCredential)
	if k.field(FieldSecret).Given || !k.s.Draft().AskEach {
		t.Error("a password out of nowhere")
	}
}

// TestSecretGivenToEdit: a password given by flag replaces the stored one.
func TestSecretGivenToEdit(t *testing.T) {
	t.Parallel()
	p := full()
	p.Submission.Security, p.Insecure = config.SecurityTLS, false
	k := begin(t, Options{
		Draft: DraftOf("durand", p, true), Names: []string{"durand"}, Stored: secret.New("alt"),
		Secret: secret.New(appPassword),
	})
	k.enter()
	k.enter()
	k.enter()
	if r := k.last(DoSubmission); r.Stored || r.Secret.Reveal() != appPassword {
		t.Error("the given password is not used")
	}
}

// TestRehearsalEndsWithoutPromises: the last screen of a rehearsal names neither file nor next command, since
// everything is deleted, and does not praise what did not happen.
func TestRehearsalEndsWithoutPromises(t *testing.T) {
	t.Parallel()
	s, _ := New(Options{Rehearsal: true, Product: "Dayboard"})
	s.draft.Step, s.saved = StepDone,
		&Saved{Path: "/tmp/postier-demo-1/config.json", Profile: "atelier", Secret: "/tmp/postier-demo-1/secrets/atelier"}
	v := s.Screen()
	if len(v.Numbered) != 1 || v.Numbered[0].Msg.Key != "wizard.done.real" || len(v.Actions) != 1 {
		t.Errorf("%+v", v)
	}
	for _, f := range v.Facts {
		if strings.Contains(f.Value.Literal, "/tmp") {
			t.Errorf("a file that is gone: %+v", f)
		}
	}
	if len(v.Notices) != 1 || v.Notices[0].Level == LevelGood {
		t.Errorf("nothing was tested: %+v", v.Notices)
	}
	if s.Draft().Product != "Dayboard" {
		t.Errorf("the draft forgets the product: %+v", s.Draft())
	}
}

// TestNextCommands: what the last screen says to type names the configuration that was written, and in a rehearsal
// whose files are kept nothing that takes its servers.
func TestNextCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options  Options
		programs []string
		want     string
	}{
		{
			Options{},
			[]string{"php"},
			"postier export php atelier|postier export --list|postier diagnose atelier|postier setup --edit atelier",
		},
		{
			Options{Program: "postier --config /x"},
			nil,
			"postier --config /x export --list|postier --config /x diagnose atelier|postier --config /x setup --edit atelier",
		},
		{
			Options{Program: "postier --config /x", Rehearsal: true, Kept: true},
			nil,
			"postier --config /x export --list|postier setup",
		},
	} {
		s, _ := New(c.options)
		s.draft.Step, s.saved = StepDone, &Saved{Path: "/x", Profile: "atelier", Programs: c.programs}
		var commands []string
		for _, words := range s.Screen().Numbered {
			_, command, _ := strings.Cut(locale.For(locale.English).Say(words.Msg), ": ")
			commands = append(commands, command)
		}
		if got := strings.Join(commands, "|"); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// TestArrivalUnchecked: without a mailbox that can be read, the last steps claim no more than that the message was
// sent.
func TestArrivalUnchecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refused      bool
		fact, notice string
	}{
		{true, "wizard.verdict.sent", "wizard.done.sent"},
		{false, "wizard.verdict.pass", "wizard.done.good"},
	} {
		k := byHand(t, Options{})
		k.password("geheim")
		k.passes(DoSubmission)
		k.enter()
		if c.refused {
			k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret)
			k.do(ActSkip)
		} else {
			k.passes(DoSent)
			k.enter()
		}
		k.passes(DoDNS)
		k.enter()
		k.passes(DoTest)
		k.enter()
		k.enter()
		k.at(StepReview)
		told := false
		for _, f := range k.s.Screen().Facts {
			told = told || f.Label.Msg.Key == "wizard.fact.test" && f.Value.Msg.Key == c.fact
		}
		if !told {
			t.Errorf("the review does not say %s", c.fact)
		}
		k.enter()
		k.tell(Outcome{ID: k.last(DoSave).ID, Kind: DoSave, Done: true, Saved: &Saved{Profile: "durand", Path: "/x"}})
		k.at(StepDone)
		k.says(c.notice)
	}
}
