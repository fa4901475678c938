package wizard

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/presets"
)

// driver plays a conversation: it gives answers, tells outcomes and records the requests.
type driver struct {
	t        *testing.T
	s        State
	requests []Request
	answers  int
}

func begin(t *testing.T, o Options) *driver {
	t.Helper()
	if o.Today == "" {
		o.Today = "2026-11-21"
	}
	if o.ConfigPath == "" {
		o.ConfigPath = "/home/marie/.config/postier/config.json"
	}
	k := &driver{t: t}
	s, requests := New(o)
	k.s, k.requests = s, requests
	return k
}

// do answers the present screen; values are field, value pairs.
func (k *driver) do(action ActionID, values ...string) {
	k.t.Helper()
	a := Answer{Action: action, Values: map[FieldID]string{}}
	for i := 0; i+1 < len(values); i += 2 {
		a.Values[FieldID(values[i])] = values[i+1]
	}
	k.answer(a)
}

// enter answers with the values that the screen shows, changed by values, and the first action, as front ends do.
func (k *driver) enter(values ...string) {
	k.t.Helper()
	v := k.s.Screen()
	if len(v.Actions) == 0 {
		k.t.Fatalf("step %s has no action", v.Step)
	}
	a := Answer{Action: v.Actions[0].ID, Values: map[FieldID]string{}}
	for _, f := range v.Fields {
		if f.Kind != KindSecret {
			a.Values[f.ID] = f.Value
		}
	}
	for i := 0; i+1 < len(values); i += 2 {
		a.Values[FieldID(values[i])] = values[i+1]
	}
	k.answer(a)
}

func (k *driver) password(p string) {
	k.t.Helper()
	k.answer(Answer{Action: ActNext, Secret: secret.New(p)})
}

func (k *driver) answer(a Answer) {
	k.t.Helper()
	k.answers++
	s, requests := k.s.Answer(a)
	k.s, k.requests = s, append(k.requests, requests...)
}

func (k *driver) tell(o Outcome) {
	k.t.Helper()
	s, requests := k.s.Tell(o)
	k.s, k.requests = s, append(k.requests, requests...)
}

// requested returns how often work of a kind was requested.
func (k *driver) requested(kind RequestKind) int {
	n := 0
	for _, r := range k.requests {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

// last returns the latest request of a kind.
func (k *driver) last(kind RequestKind) Request {
	k.t.Helper()
	for i := len(k.requests) - 1; i >= 0; i-- {
		if k.requests[i].Kind == kind {
			return k.requests[i]
		}
	}
	k.t.Fatalf("no request for %s", kind)
	return Request{}
}

// all returns the reports of a kind of work when every check passes.
func all(kind RequestKind, d Draft) []Report {
	reports := pendingReports(kind, d)
	for i := range reports {
		reports[i].Status = check.Pass
	}
	return reports
}

// passes tells the wizard that every check of the latest request of a kind passed.
func (k *driver) passes(kind RequestKind, change ...func(*Outcome)) {
	k.t.Helper()
	r := k.last(kind)
	o := Outcome{ID: r.ID, Kind: kind, Done: true, Reports: all(kind, r.Draft)}
	if kind == DoSent {
		o.Folder, o.Folders = "Envoyés", []string{"INBOX", "Envoyés", "Archives"}
	}
	for _, c := range change {
		c(&o)
	}
	k.tell(o)
}

// fails tells the wizard that one check failed, for a cause that the person can change, and those that need it were
// skipped.
func (k *driver) fails(kind RequestKind, id, cause string, fix Step, field FieldID, change ...func(*Report)) {
	k.t.Helper()
	k.failsWith(kind, id, Outcome{}, append([]func(*Report){func(r *Report) {
		r.Cause, r.Step, r.Field = check.Cause(cause), fix, field
	}}, change...)...)
}

// failsWith is fails with more in the outcome.
func (k *driver) failsWith(kind RequestKind, id string, o Outcome, change ...func(*Report)) {
	k.t.Helper()
	r := k.last(kind)
	reports := all(kind, r.Draft)
	for i := range reports {
		if string(reports[i].ID) == id {
			reports[i].Status, reports[i].Who, reports[i].Retry = check.Fail, WhoUser, RetryAfterChange
			for _, c := range change {
				c(&reports[i])
			}
			for j := i + 1; j < len(reports); j++ {
				reports[j].Status, reports[j].Cause = check.Skip, "needs-failed"
			}
			break
		}
	}
	o.ID, o.Kind, o.Done, o.Reports = r.ID, kind, true, reports
	if kind == DoSent {
		o.Folders = []string{"INBOX", "Envoyés", "Archives"}
	}
	k.tell(o)
}

func (k *driver) at(step Step) {
	k.t.Helper()
	if k.s.Step() != step {
		k.t.Fatalf("at step %d (%s), want %d (%s); errors %v, notices %v", k.s.Step().Number(), k.s.Step(), step.Number(),
			step, k.s.errors, k.s.notices)
	}
	if v := k.s.Screen(); v.Step != step || v.Number != step.Number() {
		k.t.Fatalf("the screen says %d %s at step %s", v.Number, v.Step, step)
	}
}

func (k *driver) field(id FieldID) Field {
	k.t.Helper()
	for _, f := range k.s.Screen().Fields {
		if f.ID == id {
			return f
		}
	}
	k.t.Fatalf("step %s shows no field %s", k.s.Step(), id)
	return Field{}
}

// refused checks that the present screen shows an error at a field, in words of every language.
func (k *driver) refused(id FieldID) {
	k.t.Helper()
	f := k.field(id)
	if f.Error.Empty() {
		k.t.Fatalf("%s shows no error", id)
	}
	for _, lang := range locale.All() {
		if text := f.Error.Say(lang, "postier"); text == "" || text[0] == '<' {
			k.t.Errorf("%s: %s: %q", id, lang, text)
		}
	}
}

func (k *driver) action(id ActionID) Action {
	k.t.Helper()
	for _, a := range k.s.Screen().Actions {
		if a.ID == id {
			return a
		}
	}
	k.t.Fatalf("step %s offers no %s", k.s.Step(), id)
	return Action{}
}

func (k *driver) offers(id ActionID) bool {
	return slices.ContainsFunc(k.s.Screen().Actions, func(a Action) bool { return a.ID == id && a.Disabled.Empty() })
}

// says checks that the screen has a notice with this key.
func (k *driver) says(key string) {
	k.t.Helper()
	if !k.said(key) {
		k.t.Errorf("step %s does not say %s: %v", k.s.Step(), key, k.s.Screen().Notices)
	}
}

func (k *driver) said(key string) bool {
	return slices.ContainsFunc(k.s.Screen().Notices, func(n Notice) bool { return n.Text.Msg.Key == key })
}

// known answers up to the password step for an address of a known provider.
func known(t *testing.T, o Options) *driver {
	t.Helper()
	if o.Address == "" {
		o.Address = "marie@gmail.com"
	}
	k := begin(t, o)
	k.enter()
	k.at(StepProvider)
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.at(StepCredential)
	return k
}

// appPassword fits the shape of Gmail's.
const appPassword = "abcdefghijklmnop"

// toReview goes on from the password to the review, with everything passing.
func (k *driver) toReview() {
	k.t.Helper()
	k.toSent()
	k.enter()
	k.at(StepDNS)
	k.passes(DoDNS)
	k.enter()
	k.at(StepTest)
	k.passes(DoTest)
	k.enter()
	k.at(StepOptions)
	k.enter()
	k.at(StepReview)
}

// toSent goes on from the password to the Sent step, with everything passing.
func (k *driver) toSent() {
	k.t.Helper()
	k.password(appPassword)
	k.at(StepSubmission)
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	k.passes(DoSent)
}

// byHand goes to the password with servers entered by hand.
func byHand(t *testing.T, o Options, values ...string) *driver {
	t.Helper()
	if o.Address == "" {
		o.Address = "contact@durand.example"
	}
	k := begin(t, o)
	k.enter()
	k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true})
	k.at(StepProvider)
	k.do(ActManual)
	k.at(StepServer)
	k.enter(append([]string{"smtp-host", "smtp.durand.example"}, values...)...)
	k.at(StepServer)
	k.enter("imap-host", "imap.durand.example")
	k.at(StepCredential)
	return k
}

// candidates returns what discovery finds for a domain with these MX hosts.
func candidates(address string, hosts ...string) []Candidate {
	book := presets.Default()
	var out []Candidate
	for _, m := range book.MX(hosts) {
		p, _ := book.Get(m.ID)
		out = append(out, CandidateOf(p, address, "mx", m.On, nil))
	}
	return out
}

// tellSaved tells the wizard that DoSave succeeded.
func (k *driver) tellSaved() {
	k.t.Helper()
	r := k.last(DoSave)
	k.tell(Outcome{
		ID: r.ID, Kind: DoSave, Done: true,
		Saved: &Saved{Path: "/c/config.json", Profile: r.Draft.Profile, Secret: "/c/secrets/" + r.Draft.Profile},
	})
}

func snapshot(s State) string {
	values := slices.Sorted(maps.Keys(s.typed))
	return fmt.Sprint(s.draft, values, s.page, s.secretGen, s.boundTo, len(s.work), s.question, s.choosing)
}

var _ = config.MechanismNone
