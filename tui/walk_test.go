package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/secret"
	"postier/presets"
	"postier/wizard"
)

// stop is the state of the real wizard at one point of a setup.
type stop struct {
	name  string
	state wizard.State
}

// walker goes through the real wizard as a worker and a person would, and records the states whose screens are
// compared.
type walker struct {
	t     *testing.T
	state wizard.State
	asked []wizard.Request
	stops []stop
}

func (w *walker) keep(name string) { w.stops = append(w.stops, stop{name, w.state}) }

func (w *walker) answer(action wizard.ActionID, values ...string) {
	w.t.Helper()
	a := wizard.Answer{Action: action, Values: map[wizard.FieldID]string{}}
	for _, f := range w.state.Screen().Fields {
		if f.Kind != wizard.KindSecret {
			a.Values[f.ID] = f.Value
		}
	}
	for i := 0; i+1 < len(values); i += 2 {
		if wizard.FieldID(values[i]) == wizard.FieldSecret {
			a.Secret = secret.New(values[i+1])
			continue
		}
		a.Values[wizard.FieldID(values[i])] = values[i+1]
	}
	var asked []wizard.Request
	w.state, asked = w.state.Answer(a)
	w.asked = append(w.asked, asked...)
}

// at fails the test when the wizard is at another step.
func (w *walker) at(step wizard.Step) {
	w.t.Helper()
	if got := w.state.Screen().Step; got != step {
		w.t.Fatalf("the wizard is at %q, expected %q", got, step)
	}
}

// request returns the last request of a kind.
func (w *walker) request(kind wizard.RequestKind) wizard.Request {
	w.t.Helper()
	for _, r := range slices.Backward(w.asked) {
		if r.Kind == kind {
			return r
		}
	}
	w.t.Fatalf("the wizard never asked for %s", kind)
	return wizard.Request{}
}

func (w *walker) tell(o wizard.Outcome) {
	var asked []wizard.Request
	w.state, asked = w.state.Tell(o)
	w.asked = append(w.asked, asked...)
}

// evidence is a line of evidence for each check.
var evidence = map[string]string{
	"net.resolve": "203.0.113.25, 2001:db8::25", "net.connect": "203.0.113.25 port 465",
	"net.connect6":  "2001:db8::25 port 465",
	"smtp.greeting": "220 smtp.durand.example ESMTP", "smtp.tls": "TLS 1.3, TLS_AES_256_GCM_SHA384",
	"smtp.certificate": "smtp.durand.example, until 2027-01-31", "smtp.ehlo": "PIPELINING SIZE 26214400 AUTH PLAIN LOGIN",
	"smtp.auth": "PLAIN, contact@durand.example", "smtp.sender": "contact@durand.example",
}

// reports returns results for some checks: all pass but the one named.
func reports(ids []string, failed string) []wizard.Report {
	var out []wizard.Report
	for i, id := range ids {
		r := wizard.Report{
			ID: check.ID(id), Status: check.Pass, Took: time.Duration(20+i*37) * time.Millisecond,
			Brief: wizard.Remote(evidence[id]).Remote,
		}
		if failed != "" && len(out) > 0 && (out[len(out)-1].Status == check.Fail || out[len(out)-1].Status == check.Skip) {
			r = wizard.Report{ID: check.ID(id), Status: check.Skip, Cause: "needs-failed"}
		}
		if id == failed {
			r = refused(id)
		}
		out = append(out, r)
	}
	return out
}

func refused(id string) wizard.Report {
	return withWords(wizard.Report{
		ID: check.ID(id), Status: check.Fail, Cause: "wrong-password", Matched: "gmail-535-5.7.8",
		Took: 1200 * time.Millisecond,
		Reply: wizard.Remote("535-5.7.8 Username and Password not accepted. For more information, go to\r\n" +
			"535 5.7.8  https://support.example/?p=BadCredentials \x1b[2J\u202eevil").Remote,
		Step: wizard.StepCredential, Field: wizard.FieldSecret,
		Details: []string{
			"S: 220 smtp.durand.example ESMTP", "C: EHLO postier", "C: AUTH PLAIN ***",
			"S: 535-5.7.8 Username and Password not accepted.",
		},
	})
}

func ids(reports []wizard.Report) []string {
	var out []string
	for _, r := range reports {
		out = append(out, string(r.ID))
	}
	return out
}

// done tells the outcome of the last request of a kind: all of its checks passed, or all but one.
func (w *walker) done(kind wizard.RequestKind, failed string, change func(*wizard.Outcome)) {
	w.t.Helper()
	o := wizard.Outcome{ID: w.request(kind).ID, Kind: kind, Done: true}
	checks := ids(w.state.Screen().Checks)
	if len(checks) == 0 {
		checks = []string{string(kind) + ".check"}
	}
	o.Reports = reports(checks, failed)
	if change != nil {
		change(&o)
	}
	w.tell(o)
}

// shortBook knows a few providers only, so that a new one changes no screen.
func shortBook() *presets.Book {
	known := []string{
		"1blu", "ses", "aol", "fastmail", "free", "gandi", "gmail", "gmx-net", "infomaniak", "ionos-de", "laposte",
		"localhost", "mailjet", "microsoft365", "orange", "outlook", "ovh-mxplan", "smarthost", "yahoo",
	}
	var hidden []string
	for _, e := range presets.Default().All() {
		if !slices.Contains(known, e.ID) {
			hidden = append(hidden, e.ID)
		}
	}
	return presets.Default().Without(hidden...)
}

// walk sets up an address at a provider with app passwords, with one refusal on the way.
func walk(t *testing.T) []stop {
	t.Helper()
	w := &walker{t: t}
	w.state, w.asked = wizard.New(wizard.Options{
		Today:      "2026-11-21",
		ConfigPath: "/home/marie/.config/postier/config.json",
		Book:       shortBook(), CheckName: checkName,
	})
	w.keep("address")
	w.answer(wizard.ActNext, "address", "marie.durand.example")
	w.keep("address-refused")
	w.answer(wizard.ActNext, "address", "contact@gmail.com")
	w.at(wizard.StepProvider)
	w.keep("provider")
	w.answer(wizard.ActChoose)
	w.keep("provider-list")
	w.answer(wizard.ActBack)
	if w.state.Screen().Step == wizard.StepAddress {
		w.answer(wizard.ActNext, "address", "contact@gmail.com")
	}
	w.answer(wizard.ActEdit)
	w.at(wizard.StepServer)
	w.keep("server")
	w.answer(wizard.ActNext)
	w.keep("server-imap")
	w.answer(wizard.ActNext)
	w.at(wizard.StepPrepare)
	w.keep("prepare")
	w.answer(wizard.ActNext)
	w.at(wizard.StepCredential)
	w.keep("credential")
	w.answer(wizard.ActNext, "secret", "abcd efgh ijkl mnop")
	w.at(wizard.StepSubmission)
	w.rungs()
	w.keep("submission-running")
	w.done(wizard.DoSubmission, "smtp.auth", nil)
	w.keep("submission-refused")
	w.answer(wizard.ActFix)
	w.at(wizard.StepCredential)
	w.keep("credential-mend")
	w.answer(wizard.ActNext, "secret", "bcde fghi jklm nopq")
	w.done(wizard.DoSubmission, "", nil)
	w.keep("submission")
	w.answer(wizard.ActNext)
	w.at(wizard.StepSent)
	w.done(wizard.DoSent, "", func(o *wizard.Outcome) { o.Folder, o.Folders = "Envoyés", []string{"INBOX", "Envoyés"} })
	w.keep("sent")
	w.answer(wizard.ActNext)
	w.at(wizard.StepDNS)
	w.done(wizard.DoDNS, "", missingDKIM)
	w.keep("dns")
	w.answer(wizard.ActNext)
	w.at(wizard.StepTest)
	w.done(wizard.DoTest, "", nil)
	w.keep("test")
	w.answer(wizard.ActNext)
	w.at(wizard.StepOptions)
	w.keep("options")
	w.answer(wizard.ActEdit)
	w.keep("options-edit")
	for page := 2; page < 10 && w.state.Screen().Step == wizard.StepOptions; page++ {
		w.answer(wizard.ActNext)
	}
	w.at(wizard.StepReview)
	w.keep("review")
	w.answer(wizard.ActSave)
	w.tell(wizard.Outcome{ID: w.request(wizard.DoSave).ID, Kind: wizard.DoSave, Done: true, Saved: &wizard.Saved{
		Path: "/home/marie/.config/postier/config.json", Profile: "gmail",
		Secret: "/home/marie/.config/postier/secrets/gmail", Default: true,
	}})
	w.at(wizard.StepDone)
	w.keep("done")
	w.edit(w.request(wizard.DoSave).Draft)
	return w.stops
}

// edit opens the page with all settings of the profile that was saved.
func (w *walker) edit(saved wizard.Draft) {
	w.t.Helper()
	saved.Editing, saved.Step = true, wizard.StepReview
	w.state, _ = wizard.New(wizard.Options{
		Today: "2026-11-21", ConfigPath: "/home/marie/.config/postier/config.json", Book: shortBook(), CheckName: checkName,
		Draft: saved, Names: []string{"gmail", "platform"},
		Edited: &wizard.Edited{Draft: saved, Proof: saved.Proven, At: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)},
	})
	w.at(wizard.StepReview)
	w.keep("edit")
	for _, f := range w.state.Screen().Facts {
		if strings.HasSuffix(string(f.Change), "#"+string(wizard.FieldReplyTo)) {
			w.answer(f.Change)
			w.keep("edit-row")
			return
		}
	}
	w.t.Fatal("no row for the reply address")
}

// rungs lets the first checks of the ladder pass and the next one run.
func (w *walker) rungs() {
	id := w.request(wizard.DoSubmission).ID
	for i, r := range reports(ids(w.state.Screen().Checks), "") {
		if i == 4 {
			w.tell(wizard.Outcome{ID: id, Kind: wizard.DoSubmission, Report: &wizard.Report{ID: r.ID, Running: true}})
			return
		}
		w.tell(wizard.Outcome{ID: id, Kind: wizard.DoSubmission, Report: &r})
	}
}

func missingDKIM(o *wizard.Outcome) {
	for i := range o.Reports {
		if o.Reports[i].ID == "dns.dkim" {
			o.Reports[i].Status, o.Reports[i].Cause = check.Warn, "dkim-missing"
			o.Reports[i].Code, o.Reports[i].Title = "D-1", wizard.Literal("No DKIM key")
			o.Reports[i].Meaning = wizard.Literal("The mail is not signed.")
			o.Reports[i].Fixes = []check.Fix{{
				Kind: "TXT", Name: "google._domainkey.durand.example", TTLSeconds: 3600,
				Value: "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQ" +
					"EAxvV0pQ8b5jY7hZ0nWm2tYH3cQ1uJk9sRr4EoGxL7iMZ8dTnBqA6vPfUy5CwKe2Xs",
			}}
		}
	}
}
