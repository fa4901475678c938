package wizard

import (
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
)

func offer(host, origin string, reasons ...string) Candidate {
	return Candidate{
		Provider: custom, Name: "durand.example", Origin: origin, Confidence: "likely", Confirm: len(reasons) > 0,
		Reasons:    reasons,
		Credential: config.SecretPassword,
		Submission: config.Server{
			Host: host, Port: 465, Security: config.SecurityTLS, Auth: config.MechanismAuto,
			Username: "contact@durand.example",
		},
	}
}

// shows fails unless the provider step shows these servers.
func (k *driver) shows(hosts ...string) {
	k.t.Helper()
	k.at(StepProvider)
	var shown []string
	for _, c := range k.s.Draft().Candidates {
		shown = append(shown, c.Submission.Host)
	}
	if len(shown) != len(hosts) {
		k.t.Fatalf("shown %v, want %v", shown, hosts)
	}
	for i := range hosts {
		if shown[i] != hosts[i] {
			k.t.Errorf("shown %v, want %v", shown, hosts)
		}
	}
}

// TestSearchShowsWhatItKnows: the first good candidate is shown at once, and a better one replaces it until the person
// has accepted.
func TestSearchShowsWhatItKnows(t *testing.T) {
	t.Parallel()
	const weak, good, better = "mail.durand.example", "smtp.durand.example", "submit.durand.example"
	so := func(c ...Candidate) func(*driver) {
		return func(k *driver) { k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Candidates: c}) }
	}
	ends := func(err Words, c ...Candidate) func(*driver) {
		return func(k *driver) {
			k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Err: err, Candidates: c})
		}
	}
	does := func(a ActionID) func(*driver) { return func(k *driver) { k.do(a) } }
	shows := func(hosts ...string) func(*driver) { return func(k *driver) { k.shows(hosts...) } }
	searches := func(want bool) func(*driver) {
		return func(k *driver) {
			k.t.Helper()
			if busy := k.s.Screen().Busy; (busy != nil) != want || want && busy.GivesUp == 0 {
				k.t.Errorf("busy %+v, want %v", busy, want)
			}
		}
	}
	enter := func(k *driver) { k.enter() }
	taken := func(host string) func(*driver) {
		return func(k *driver) {
			k.t.Helper()
			k.at(StepCredential)
			if got := k.s.Draft().Submission.Host; got != host {
				k.t.Errorf("took %s, want %s", got, host)
			}
		}
	}
	asked := func(n int) func(*driver) {
		return func(k *driver) {
			k.t.Helper()
			if got := k.requested(DoDiscover); got != n {
				k.t.Errorf("%d searches, want %d", got, n)
			}
		}
	}
	for name, steps := range map[string][]func(*driver){
		"nothing yet": {searches(true), shows(), does(ActNext), shows()},
		"first answer at once, the search goes on": {
			so(offer(good, "srv")), shows(good), searches(true), func(k *driver) {
				k.t.Helper()
				if v := k.s.Screen(); v.Busy.Text.Msg.Key != "wizard.provider.busy-better" || v.Actions[0].ID != ActNext ||
					!k.offers(ActCancel) {
					k.t.Errorf("%+v %+v", v.Busy, v.Actions)
				}
			},
		},
		"better replaces it": {so(offer(good, "srv")), so(offer(better, "mx")), shows(better), searches(true)},
		"the end replaces it": {
			so(offer(good, "srv")), ends(Words{}, offer(better, "mx")), shows(better),
			searches(false),
		},
		"enter takes it and ends": {so(offer(good, "srv")), enter, taken(good), func(k *driver) { k.last(DoCancel) }},
		"nothing replaces an accepted": {
			so(offer(good, "srv")), enter, so(offer(better, "mx")),
			ends(Words{}, offer(better, "mx")), taken(good),
		},
		"stopping keeps it": {
			so(offer(good, "srv")), does(ActCancel), shows(good), searches(false),
			ends(Words{}, offer(better, "mx")), shows(good), enter, taken(good),
		},
		"stopped, and searched again": {
			so(offer(good, "srv")), does(ActCancel), does(ActRetry), asked(2), searches(true),
			shows(), so(offer(better, "mx")), shows(better),
		},
		"a failing end keeps it": {so(offer(good, "srv")), ends(Msg("setup.no-dns")), shows(good), searches(false)},
		"by hand ends it": {
			so(offer(good, "srv")), does(ActManual),
			func(k *driver) { k.at(StepServer); k.last(DoCancel) },
		},
		"editing ends it": {
			so(offer(good, "srv")), does(ActEdit),
			func(k *driver) { k.at(StepServer); k.last(DoCancel) },
		},
		"back and here again": {
			so(offer(good, "srv")), does(ActBack), func(k *driver) { k.at(StepAddress) }, enter,
			asked(2), shows(),
		},
		"a doubt is no answer to enter": {
			so(offer(weak, "probe", "guess")), enter, func(k *driver) { k.at(StepProvider) },
		},
		"a doubt is confirmed while it searches": {so(offer(weak, "probe", "guess")), does(ActNext), taken(weak)},
		"several are a list": {
			so(candidates("contact@durand.example", "mx1.mail.ovh.net")...), func(k *driver) {
				k.t.Helper()
				if f := k.field(FieldProvider); f.Kind != KindChoice {
					k.t.Errorf("%+v", f)
				}
			}, enter, func(k *driver) { k.at(StepProvider) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := begin(t, Options{Address: "contact@durand.example"})
			k.enter()
			for _, step := range steps {
				step(k)
			}
		})
	}
}

// TestDoubts (docs/security.md T5): each reason names both domains, Enter does not confirm, and no secret is asked for
// before.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"other-domain", "redirected", "alias", "guess", "mx-derived", "cleartext"} {
		k := begin(t, Options{Address: "contact@durand.example"})
		k.enter()
		k.tell(Outcome{
			ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true,
			Candidates: []Candidate{offer("smtp.hoster.example", "autoconfig", reason)},
		})
		k.says("wizard.doubt." + reason)
		v := k.s.Screen()
		for _, n := range v.Notices {
			for _, lang := range locale.All() {
				if text := n.Text.Say(lang, ""); n.Level == LevelWarn &&
					!(strings.Contains(text, "smtp.hoster.example") && strings.Contains(text, "durand.example")) {
					t.Errorf("%s in %s does not name both: %s", reason, lang, text)
				}
			}
		}
		for _, f := range v.Fields {
			if f.Kind == KindSecret {
				t.Errorf("%s: a secret is asked for", reason)
			}
		}
		k.enter()
		k.at(StepProvider)
		if k.s.Draft().Submission.Host != "" {
			t.Errorf("%s: Enter took the server", reason)
		}
		k.do(ActBack)
		k.do(ActNext)
		k.at(StepCredential)
	}
}

// TestDoubtsInAList: a candidate that was chosen from a list has to be confirmed like any other.
func TestDoubtsInAList(t *testing.T) {
	t.Parallel()
	k := begin(t, Options{Address: "contact@durand.example"})
	k.enter()
	list := candidates("contact@durand.example", "mx1.mail.ovh.net")
	for i := range list {
		list[i].Confirm, list[i].Reasons = true, []string{"guess"}
	}
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Candidates: list})
	k.do(ActNext, "provider", "ovh-mxplan")
	k.at(StepProvider)
	k.says("wizard.doubt.guess")
	k.do(ActNext)
	k.at(StepCredential)
}

// TestForeignHost: of several servers the one outside the address's domain is named.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	c := offer("smtp.durand.example", "srv", "other-domain")
	c.IMAP = &config.Server{Host: "imap.hoster.example"}
	for domain, want := range map[string]string{
		"durand.example": "imap.hoster.example",
		"hoster.example": "smtp.durand.example", "Durand.Example": "imap.hoster.example",
	} {
		if got := foreignHost(c, domain); got != want {
			t.Errorf("%s: %s", domain, got)
		}
	}
}
