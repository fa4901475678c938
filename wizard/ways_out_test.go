package wizard

import (
	"strings"
	"testing"

	"postier/internal/check"
	"postier/internal/locale"
)

// TestServiceInstead: where the account itself stands in the way, a service can be chosen on the spot; the address is
// kept, and Back leads to what was found before.
func TestServiceInstead(t *testing.T) {
	t.Parallel()
	for _, cause := range accountCauses {
		k := known(t, Options{})
		k.password(appPassword)
		k.fails(DoSubmission, "smtp.auth", string(cause), "", "", func(r *Report) { r.Who, r.Retry = "provider", RetryNo })
		k.do(ActService)
		k.at(StepProvider)
		list := k.field(FieldProvider)
		if list.Kind != KindSearch || list.Value != "" || len(list.Choices) < 10 {
			t.Fatalf("%s: %+v", cause, list)
		}
		for _, c := range list.Choices {
			if p, ok := k.s.opts.Book.Get(c.Value); !ok || p.Kind != "transactional" {
				t.Errorf("%s is no service", c.Value)
			}
		}
		if first := list.Choices[0].Detail.Say(locale.French, ""); !strings.Contains(first, "messages par") {
			t.Errorf("the first one says %q", first)
		}
		k.enter(string(FieldProvider), "brevo")
		k.enter()
		if d := k.s.Draft(); d.Provider != "brevo" || d.From.Address != "marie@gmail.com" ||
			!strings.Contains(d.Submission.Host, "brevo") {
			t.Errorf("%+v", d)
		}
	}
	k := known(t, Options{})
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	if k.offers(ActService) {
		t.Error("a wrong password is no reason for a service")
	}
}

// TestRehearsalServers: a rehearsal has no servers but its own, and says so where another one is chosen or typed.
func TestRehearsalServers(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.s.opts.Rehearsal = true
	k.password(appPassword)
	k.fails(DoSubmission, "smtp.auth", string(check.CauseAccountSuspended), "", "",
		func(r *Report) { r.Who, r.Retry = "provider", RetryNo })
	k.do(ActService)
	k.enter(string(FieldProvider), "brevo")
	k.says("wizard.provider.rehearsal")
	k.at(StepProvider)
	if next := k.action(ActNext); next.Disabled.Empty() || k.offers(ActEdit) {
		t.Errorf("it can be taken: %+v", k.s.Screen().Actions)
	}
	k.do(ActNext)
	k.at(StepProvider)
	k.do(k.s.Screen().Actions[0].ID) // back to what can be reached
	if c := k.s.draft.Candidates; len(c) != 1 || c[0].Provider != "gmail" {
		t.Errorf("back to %+v", c)
	}

	for host, reachable := range map[string]bool{
		"smtp.poste-demo.example": true, "localhost": true, "127.0.0.1": true, "smtp-relay.brevo.com": false,
		"192.0.2.1": false,
	} {
		k := byHand(t, Options{})
		k.s.opts.Rehearsal = true
		k.do(ActBack)
		k.do(ActBack)
		k.enter(string(FieldSMTPHost), host)
		if _, refused := k.s.errors[FieldSMTPHost]; refused == reachable {
			t.Errorf("%s: refused %v", host, refused)
		}
	}
}

// TestServiceDomain: no service vouches for an address in a provider's domain, which is said; one's own domain is fine.
func TestServiceDomain(t *testing.T) {
	t.Parallel()
	for domain, warns := range map[string]bool{"gmail.com": true, "durand.example": false} {
		k := known(t, Options{})
		k.s.draft.From.Address = "marie@" + domain
		k.do(ActBack)
		k.do(ActBack)
		k.do(ActService)
		if got := len(k.s.Screen().Notices) > 0; got != warns {
			t.Errorf("%s: warned %v", domain, got)
		}
		k.do(ActChoose)
		if k.s.services || !k.s.choosing {
			t.Error("the list of all providers cannot be reached")
		}
		k.do(ActBack)
		if k.s.choosing || len(k.s.draft.Candidates) == 0 {
			t.Error("what was found is gone")
		}
	}
}

// TestBrowserInstead: where passwords are refused as such, Enter signs in by browser if that can be done.
func TestBrowserInstead(t *testing.T) {
	t.Parallel()
	refuse := func(o Options) *driver {
		k := known(t, o)
		k.password(appPassword)
		k.fails(DoSubmission, "smtp.auth", string(check.CauseBasicAuthDisabled), "", "",
			func(r *Report) { r.Who, r.Retry = "admin", RetryAfterChange })
		return k
	}
	k := refuse(Options{Clients: map[string]Client{"google": {ID: "client"}}})
	if first := k.s.Screen().Actions[0].ID; first != ActBrowser {
		t.Fatalf("Enter does %s", first)
	}
	k.enter()
	k.at(StepCredential)
	if !k.s.byBrowser() || k.requested(DoSignInFind) != 1 {
		t.Error("no sign-in by browser")
	}
	if k = refuse(Options{}); k.offers(ActBrowser) || k.s.Screen().Actions[0].ID != ActLeave {
		t.Error("a sign-in by browser is offered without a client")
	}
}
