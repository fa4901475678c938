package wizard

import (
	"testing"

	"postier/config"
)

// TestOneNameForBothServers: the mailbox follows the user name of the submission server, unless it was given one of its
// own, however the servers became known.
func TestOneNameForBothServers(t *testing.T) {
	t.Parallel()
	const address, name = "contact@durand.example", "camille"
	found := Candidate{
		Provider: "custom", Name: "durand.example", Origin: "srv", Confidence: "likely",
		Submission: config.Server{
			Host: "smtp.durand.example", Port: 465, Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: address,
		},
		IMAP: &config.Server{
			Host: "imap.durand.example", Port: 993, Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: address,
		},
		Credential: config.SecretPassword, SentMode: config.SentAppend,
	}
	apart := found
	apart.Submission.Username = "apikey"
	// start goes to the page of the submission server.
	start := func(t *testing.T, c *Candidate, values map[FieldID]string) *driver {
		t.Helper()
		k := begin(t, Options{Address: address, Values: values})
		k.enter()
		outcome := Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true}
		if c != nil {
			outcome.Candidates = []Candidate{*c}
		}
		k.tell(outcome)
		k.at(StepProvider)
		if c != nil {
			k.do(ActEdit)
		} else {
			k.do(ActManual)
		}
		k.at(StepServer)
		return k
	}
	hosts := map[FieldID]string{FieldSMTPHost: "smtp.durand.example", FieldIMAPHost: "imap.durand.example"}
	for what, row := range map[string]struct {
		candidate *Candidate
		values    map[FieldID]string
		typed     []string // on the page of the submission server
		mailbox   []string // on the page of the mailbox
		want      string
	}{
		"typed, found servers": {&found, nil, []string{"user", name}, nil, name},
		"typed, by hand":       {nil, hosts, []string{"user", name}, nil, name},
		"flag, found servers":  {&found, map[FieldID]string{FieldUser: name}, nil, nil, name},
		"flag, by hand": {
			nil,
			map[FieldID]string{FieldUser: name, FieldSMTPHost: "a.example", FieldIMAPHost: "b.example"},
			nil, nil, name,
		},
		"both flags": {&found, map[FieldID]string{FieldUser: name, FieldIMAPUser: "box"}, nil, nil, "box"},
		"both flags, one the address": {
			&found,
			map[FieldID]string{FieldUser: name, FieldIMAPUser: address},
			nil, nil,
			address,
		},
		"typed twice":          {&found, nil, []string{"user", name}, []string{"imap-user", "box"}, "box"},
		"two names were found": {&apart, nil, []string{"user", "apikey-2"}, nil, address},
		"nothing changed":      {&found, nil, nil, nil, address},
	} {
		t.Run(what, func(t *testing.T) {
			k := start(t, row.candidate, row.values)
			k.enter(row.typed...)
			if got := k.field(FieldIMAPUser).Value; len(row.mailbox) == 0 && got != row.want {
				t.Errorf("the page of the mailbox shows %q, want %q", got, row.want)
			}
			k.enter(row.mailbox...)
			k.at(StepCredential)
			if got := k.s.Draft().IMAP.Username; got != row.want {
				t.Errorf("the mailbox has %q, want %q", got, row.want)
			}
		})
	}
	// A name set separately stays when the other one changes later.
	k := start(t, &found, nil)
	k.enter("user", name)
	k.enter("imap-user", "box")
	k.do(ActBack)
	k.do(ActBack)
	k.at(StepServer)
	k.enter("user", "camille.doe")
	k.enter()
	if d := k.s.Draft(); d.IMAP.Username != "box" || d.Submission.Username != "camille.doe" {
		t.Errorf("the names are %q and %q", d.Submission.Username, d.IMAP.Username)
	}
}

// TestFormOfTheUserNameThatWorked: it is taken over, and the password need not be typed again for it.
func TestFormOfTheUserNameThatWorked(t *testing.T) {
	t.Parallel()
	k := byHand(t, Options{Address: "anna@bücher.example"})
	k.password("geheim-1234")
	k.at(StepSubmission)
	server := k.last(DoSubmission).Draft.Submission
	server.Username = "anna@xn--bcher-kva.example"
	k.passes(DoSubmission, func(o *Outcome) { o.Submission = &server })
	if got := k.s.Draft().Submission.Username; got != server.Username {
		t.Errorf("the user name is %q", got)
	}
	if k.last(DoSent).Secret.Empty() {
		t.Error("the password has to be typed again")
	}
	k.enter()
	k.at(StepSent)
	typed := k.s.Draft()
	typed.followName("camille") // the mailbox has the name in its other form
	if typed.IMAP.Username != "camille" {
		t.Errorf("the mailbox keeps %q", typed.IMAP.Username)
	}
	other := Draft{Submission: config.Server{Host: "smtp.durand.example", Username: "anna"}}.Submission
	adopt(&other, config.Server{Host: "smtp.durand.example", Username: "eve", Port: 465})
	if other.Username != "anna" || other.Port != 465 {
		t.Errorf("another account was taken over: %+v", other)
	}
}

// TestAGivenModeStays: the TLS mode of a preset belongs to the preset's port, one that was given does not.
func TestAGivenModeStays(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]config.Security{"": config.SecurityAuto, "tls": config.SecurityTLS} {
		values := map[FieldID]string{FieldSMTPPort: "587"}
		if mode != "" {
			values[FieldSMTPSecurity] = mode
		}
		k := begin(t, Options{Address: "marie@gmail.com", Values: values})
		for k.s.Draft().Step == StepServer || k.s.Draft().Step.Number() < StepPrepare.Number() {
			k.enter()
		}
		got, wanted := k.s.Draft().Submission, config.Server{Port: 587, Security: want}
		if got.Port != 587 || got.Settled() != wanted.Settled() {
			t.Errorf("%q given: %d, %s", mode, got.Port, got.Security)
		}
	}
}

// TestNamedAddress: an address as mail programs copy it brings the sender's name.
func TestNamedAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"Marie Durand <marie@gmail.com>":           {"Marie Durand", "marie@gmail.com"},
		` "Durand, Marie" <marie@gmail.com> `:      {"Durand, Marie", "marie@gmail.com"},
		"<marie@gmail.com>":                        {"", "marie@gmail.com"},
		"=?utf-8?q?Mar=C3=ADa?= <marie@gmail.com>": {"María", "marie@gmail.com"},
		"marie@gmail.com":                          {"", "marie@gmail.com"},
	} {
		k := begin(t, Options{})
		k.enter(string(FieldAddress), text)
		k.at(StepProvider)
		if d := k.s.Draft(); d.Address != want[1] || d.From.Name != want[0] || d.From.Address != want[1] {
			t.Errorf("%q: %+v at %s", text, d.From, d.Address)
		}
	}
	k := begin(t, Options{})
	k.enter(string(FieldAddress), "Marie <marie@gmail.com> and others")
	k.at(StepAddress)
	k.refused(FieldAddress)
}
