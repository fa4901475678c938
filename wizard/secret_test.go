package wizard

import (
	"encoding/json"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/secret"
)

// TestDraftsNeverHoldTheSecret marshals every draft and state of a whole conversation and searches all encoded forms.
func TestDraftsNeverHoldTheSecret(t *testing.T) {
	t.Parallel()
	const canary = "kanarien-vogel-4711 "
	k := byHand(t, Options{Secret: secret.New("other-canary-99")})
	k.password(canary)
	k.do(ActKeep)
	k.at(StepSubmission)
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	k.do(ActFix)
	k.password(canary + "x")
	k.passes(DoSubmission)
	k.enter()
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.enter()
	k.enter()
	k.tellSaved()
	var all strings.Builder
	for _, r := range k.requests {
		data, err := json.Marshal(r.Draft)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	data, err := json.Marshal(k.s.Screen())
	if err != nil {
		t.Fatal(err)
	}
	all.Write(data)
	for _, value := range []string{canary, canary + "x", "other-canary-99"} {
		for _, form := range secret.New(value).Forms("contact@durand.example") {
			if strings.Contains(all.String(), form) {
				t.Errorf("a draft holds a form of the secret: %q", form)
			}
		}
	}
}

// TestOnlyWhatSignsInGetsTheSecret: requests for the search, the DNS checks and the draft never hold the secret.
func TestOnlyWhatSignsInGetsTheSecret(t *testing.T) {
	t.Parallel()
	k := known(t, Options{Secret: secret.New(appPassword)})
	if !k.field(FieldSecret).Given {
		t.Error("the secret that was given is not shown as held")
	}
	k.enter()
	k.at(StepSubmission)
	k.passes(DoSubmission)
	for _, r := range k.requests {
		signsIn := r.Kind == DoSubmission || r.Kind == DoSent || r.Kind == DoTest || r.Kind == DoSave
		if signsIn == r.Secret.Empty() {
			t.Errorf("%s: secret given is %v", r.Kind, !r.Secret.Empty())
		}
	}
}

// TestAnotherServer: the secret was typed for one host and is asked again for another (docs/security.md T5).
func TestAnotherServer(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.passes(DoSubmission)
	k.do(gotoPrefix + ActionID(StepServer))
	k.at(StepServer)
	k.enter("smtp-host", "smtp.elsewhere.example")
	k.enter()
	k.at(StepPrepare)
	before := len(k.requests)
	k.enter()
	k.at(StepCredential)
	k.says("wizard.credential.other-server")
	if k.field(FieldSecret).Given {
		t.Error("the secret is still held")
	}
	for _, r := range k.requests[before:] {
		if !r.Secret.Empty() {
			t.Errorf("%s carries the secret to another server", r.Kind)
		}
	}
	k.password(appPassword)
	k.at(StepSubmission)
	if r := k.last(DoSubmission); r.Draft.Submission.Host != "smtp.elsewhere.example" || r.Secret.Empty() {
		t.Errorf("%+v", r.Draft.Submission)
	}
	// Another user name needs the secret again, as it is another account. Removing a server does not.
	k.passes(DoSubmission)
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter()
	k.enter("imap-host", "")
	k.enter()
	if !k.field(FieldSecret).Given {
		t.Error("doing without the mailbox takes the secret away")
	}
	k.enter()
	k.at(StepSubmission)
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter("user", "somebody@gmail.com")
	k.enter()
	k.enter()
	if k.field(FieldSecret).Given {
		t.Error("another account gets the secret")
	}
}

// TestRefusedSecret: a refused secret is not tried again, neither by the retry key nor by typing it once more.
func TestRefusedSecret(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	retry := k.action(ActRetry)
	if retry.Disabled.Msg.Key != "wizard.retry.same-secret" {
		t.Errorf("retry: %v", retry)
	}
	k.do(ActRetry)
	k.do(ActFix)
	k.at(StepCredential)
	if f := k.field(FieldSecret); !f.Fix || f.Given {
		t.Errorf("M-5: the field to fix is not marked, or the refused secret is offered again: %+v", f)
	}
	for _, again := range []func(){func() { k.password(appPassword) }, func() { k.enter() }} {
		again()
		k.at(StepCredential)
		k.refused(FieldSecret)
	}
	if k.requested(DoSubmission) != 1 {
		t.Fatal("the refused secret was tried again")
	}
	k.password("qrstuvwxyzabcdef")
	k.at(StepSubmission)
	if k.requested(DoSubmission) != 2 {
		t.Error("another secret was not tried")
	}
	k.passes(DoSubmission)
	// IMAP refuses the secret that SMTP accepted: it is tried there once more, when the person says so, and not again.
	k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret)
	k.enter()
	k.at(StepSent)
	k.do(ActRetry)
	k.fails(DoSent, "imap.auth", "wrong-password", StepCredential, FieldSecret)
	sent := k.requested(DoSent)
	k.do(ActRetry)
	if k.requested(DoSent) != sent {
		t.Error("the refused secret was tried again at the mailbox")
	}
	k.do(ActSkip)
	k.at(StepDNS)
	k.passes(DoDNS)
	k.enter()
	k.at(StepTest)
	if k.last(DoTest).Draft.ReadsMailbox() {
		t.Error("the test would sign in to the mailbox once more (docs/security.md T21)")
	}
}

func TestEdgeBlanks(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"geheim ", "\tgeheim", "geheim\u00a0", "\u200bgeheim"} {
		k := byHand(t, Options{})
		k.password(raw)
		k.at(StepCredential)
		k.says("wizard.credential.blanks")
		k.do(ActBack)
		k.at(StepCredential)
		k.password(raw)
		k.do(ActKeep)
		k.at(StepSubmission)
		if got := k.last(DoSubmission).Secret.Reveal(); got != raw {
			t.Errorf("kept %q as %q", raw, got)
		}
		k = byHand(t, Options{})
		k.password(raw)
		k.do(ActClean)
		k.at(StepSubmission)
		if got := k.last(DoSubmission).Secret.Reveal(); got != "geheim" {
			t.Errorf("cleaned %q to %q", raw, got)
		}
	}
	k := byHand(t, Options{})
	k.password("ge heim")
	k.at(StepSubmission)
	if got := k.last(DoSubmission).Secret.Reveal(); got != "ge heim" {
		t.Errorf("a blank inside is touched: %q", got)
	}
}

// TestSeveralLines: lines are never joined to one password. The first one is taken when the person says so.
func TestSeveralLines(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{})
	k.password("geheim-1234\r\nzweite zeile")
	k.refused(FieldSecret)
	k.do(ActKeep)
	k.at(StepCredential)
	k.do(ActClean)
	k.at(StepSubmission)
	if got := k.last(DoSubmission).Secret.Reveal(); got != "geheim-1234" {
		t.Errorf("took %q", got)
	}
	k = byHand(t, Options{})
	k.password("geheim-1234\n")
	k.at(StepSubmission)
	if got := k.last(DoSubmission).Secret.Reveal(); got != "geheim-1234" {
		t.Errorf("the end of the line is kept: %q", got)
	}
}

// TestDecomposedLetters: they are composed once, with the person's consent (RFC 8265 §4.2.2).
func TestDecomposedLetters(t *testing.T) {
	t.Parallel()
	const typed = "cafe\u0301-99"
	for action, want := range map[ActionID]string{ActClean: "café-99", ActKeep: typed} {
		k := byHand(t, Options{})
		k.password(typed)
		k.at(StepCredential)
		k.says("wizard.credential.letters")
		if k.requested(DoSubmission) != 0 {
			t.Error("something was tried without a question")
		}
		k.do(action)
		k.at(StepSubmission)
		if got := k.last(DoSubmission).Secret.Reveal(); got != want {
			t.Errorf("%s took %q", action, got)
		}
	}
	k := byHand(t, Options{})
	k.password(" " + typed)
	k.says("wizard.credential.blanks")
	k.do(ActClean)
	k.says("wizard.credential.letters")
	k.do(ActClean)
	if got := k.last(DoSubmission).Secret.Reveal(); got != "café-99" {
		t.Errorf("took %q", got)
	}
}

// TestProviderRule: the spaces of a pasted app password are removed where the provider's rule allows it, and the person
// is told.
func TestProviderRule(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password("abcd efgh ijkl mnop ")
	k.at(StepSubmission)
	k.says("presets.change.spaces")
	if got := k.last(DoSubmission).Secret.Reveal(); got != appPassword {
		t.Errorf("got %q", got)
	}
	k = known(t, Options{})
	k.password("Sommer2026!")
	k.at(StepCredential)
	if k.s.Screen().Actions[0].ID != ActNext || k.requested(DoSubmission) != 0 {
		t.Error("an account password is tried without a question")
	}
	for _, typed := range []string{"", "Sommer2026!"} { // Enter does not answer the question, and says so
		k.password(typed)
		k.at(StepCredential)
		if got := k.field(FieldSecret).Error.Msg.Key; got != "wizard.credential.unanswered" {
			t.Errorf("with %d octets in the field Enter says %q", len(typed), got)
		}
	}
	k.do(ActKeep)
	k.at(StepSubmission)
	if got := k.last(DoSubmission).Secret.Reveal(); got != "Sommer2026!" {
		t.Errorf("got %q", got)
	}
}

func TestBadSecrets(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "   ", "a\nb", "a\x00b", "a\x1b[200~b", strings.Repeat("x", maxSecret+1)} {
		k := byHand(t, Options{})
		k.password(raw)
		k.at(StepCredential)
		k.refused(FieldSecret)
		if v := k.field(FieldSecret); v.Value != "" {
			t.Errorf("the field shows %q", v.Value)
		}
		if k.requested(DoSubmission) != 0 {
			t.Error("something was tried")
		}
	}
}

// TestC2AskAtEachSend: the password need not be stored; it is still needed for the proof.
func TestC2AskAtEachSend(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.do(ActAskEach)
	k.at(StepCredential)
	k.says("wizard.credential.asked-each-time")
	if k.said("wizard.credential.honest") {
		t.Error("nothing will be stored, and the screen says so all the same")
	}
	k.do(ActNext)
	k.refused(FieldSecret)
	k.toReview()
	k.enter()
	if !k.last(DoSave).Draft.AskEach {
		t.Error("the password would be stored")
	}
	k = known(t, Options{})
	k.do(ActAskEach)
	k.do(ActAskEach)
	k.says("wizard.credential.stored")
	if k.s.Draft().AskEach {
		t.Error("changing one's mind does nothing")
	}
}

// TestNoSignIn: steps 4 and 5 are skipped in both directions.
func TestNoSignIn(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "contact@durand.example"})
	k.enter()
	k.do(ActManual)
	k.enter("smtp-host", "relay.durand.example", "auth", "none")
	k.enter()
	k.at(StepSubmission)
	if !k.last(DoSubmission).Secret.Empty() {
		t.Error("a secret out of nowhere")
	}
	k.do(ActBack)
	k.at(StepServer)
	k.enter()
	k.at(StepSubmission)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepDNS)
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.enter()
	k.at(StepReview)
	p := k.s.Draft().ToProfile(config.Credential{})
	if faults := config.ValidateProfile(p).Errors(); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	// A mailbox that requires a sign-in makes the password step apply again.
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter()
	k.enter("imap-host", "imap.durand.example")
	k.at(StepCredential)
}
