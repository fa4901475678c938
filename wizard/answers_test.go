package wizard

import (
	"encoding/json"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/secret"
)

// replay goes through the steps as an unattended run does: with the first action of each screen, and the ways that its
// answers ask for.
func replay(t *testing.T, answers map[FieldID]string, password string) *driver {
	t.Helper()
	k := begin(t, Options{
		Values: answers, Address: answers[FieldAddress], Secret: secret.New(password),
		Draft: Draft{
			Version: DraftVersion, Step: StepAddress, Chosen: -1, Profile: answers[FieldProfile], Default: true,
		},
	})
	for range 30 {
		v := k.s.Screen()
		switch {
		case v.Step == StepReview:
			k.enter()
			return k
		case v.Busy != nil:
			kind := map[Step]RequestKind{
				StepProvider: DoDiscover, StepSubmission: DoSubmission, StepSent: DoSent, StepDNS: DoDNS, StepTest: DoTest,
			}[v.Step]
			k.passes(kind)
		case v.Step == StepProvider && k.s.Given().Server && k.offers(ActEdit):
			k.do(ActEdit)
		case v.Step == StepProvider && k.s.Given().Server && k.offers(ActManual) && !k.offers(ActNext):
			k.do(ActManual)
		default:
			k.do(v.Actions[0].ID)
		}
	}
	t.Fatalf("stopped at %s: %+v", k.s.Step(), k.s.errors)
	return nil
}

// saved is the profile as it is written.
func (k *driver) saved() string {
	k.t.Helper()
	d := k.last(DoSave).Draft
	data, err := json.Marshal(d.ToProfile(config.Credential{Kind: config.CredentialFile, Path: "secrets/x"}))
	if err != nil {
		k.t.Fatal(err)
	}
	return d.Profile + " " + string(data)
}

// TestRecordedAnswersReplay: what a conversation came to, its answers come to again.
func TestRecordedAnswersReplay(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(t *testing.T) *driver{
		"a known provider": func(t *testing.T) *driver { k := known(t, Options{}); k.toReview(); return k },
		"its servers edited": func(t *testing.T) *driver {
			k := known(t, Options{})
			k.do(gotoPrefix + ActionID(StepServer))
			k.enter("smtp-port", "587")
			k.enter()
			k.enter()
			k.toReview()
			return k
		},
		"by hand, with every option": func(t *testing.T) *driver {
			k := byHand(t, Options{}, "smtp-port", "2525", "smtp-security", "starttls", "auth", "login", "user", "durand")
			k.toSent()
			k.enter()
			k.passes(DoDNS)
			k.enter()
			k.passes(DoTest)
			k.enter()
			k.do(ActEdit)
			k.enter("label", "Cabinet Durand", "from-name", "M. Durand", "reply-to", "r@durand.example",
				"bcc", "a@durand.example, b@durand.example")
			k.enter("senders", "durand.example, x@y.example", "kinds-on", "invoice", "kinds-off", "quote")
			k.enter("per-hour", "5", "per-day", "50", "batch-messages", "12", "batch-wait", "15.5")
			k.enter("test-mode", "yes", "test-address", "t@durand.example")
			k.at(StepReview)
			return k
		},
		"without a mailbox, asked each time": func(t *testing.T) *driver {
			k := begin(t, Options{Address: "contact@durand.example"})
			k.enter()
			k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true})
			k.do(ActManual)
			k.enter("smtp-host", "smtp.durand.example")
			k.enter("imap-host", "")
			k.do(ActAskEach)
			k.password(appPassword)
			k.passes(DoSubmission)
			k.enter()
			for k.s.Step() != StepReview {
				if v := k.s.Screen(); v.Busy != nil {
					k.passes(map[Step]RequestKind{StepDNS: DoDNS, StepTest: DoTest}[v.Step])
				}
				k.enter()
			}
			return k
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := play(t)
			first.enter()
			answers := first.s.Answers()
			for id, value := range answers {
				if strings.Contains(value, appPassword) || id == FieldSecret {
					t.Errorf("%s holds the secret: %q", id, value)
				}
			}
			second := replay(t, answers, appPassword)
			if got, want := second.saved(), first.saved(); got != want {
				t.Errorf("replayed\n%s\nrecorded\n%s\nanswers %v", got, want, answers)
			}
		})
	}
}
