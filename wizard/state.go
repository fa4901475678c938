package wizard

import (
	"maps"
	"slices"

	"postier/config"
	"postier/internal/secret"
	"postier/presets"
)

// Options are what a wizard needs to know before it begins.
type Options struct {
	Book *presets.Book
	// Product is the calling program's name, the label to type at the provider (I-2); empty means postier.
	Product string
	// Today is the date for dated facts, YYYY-MM-DD; the wizard has no clock.
	Today string
	// Draft to go on with; the zero Draft begins anew.
	Draft Draft
	// Address starts a new conversation; it is shown, not yet accepted.
	Address string
	// Values are field values given beforehand: flags or an answers file. They stand in the fields of their steps.
	Values map[FieldID]string
	// Secret given beforehand, by file, command or standard input.
	Secret secret.Value
	// Names are the profiles that exist already.
	Names []string
	// HasDefault is true when another profile is the default already.
	HasDefault bool
	// ConfigPath is shown on the review.
	ConfigPath string
	// AllowCleartext lets a technician choose no encryption (security.md T1).
	AllowCleartext bool
}

// State is the whole conversation at one moment. It is a value: Answer and Tell return a new one and leave the old as
// it was.
type State struct {
	opts  Options
	draft Draft
	page  int

	secret    secret.Value
	secretGen int          // counts the secrets typed, so that a check knows whether it ran with this one
	boundTo   string       // the servers that the secret was typed for (security.md T5)
	pending   secret.Value // typed, waiting for an answer about blanks or shape
	question  question
	suggested string // a corrected address, waiting for an answer
	choosing  bool   // the list of providers is shown
	editing   bool   // the servers are shown although the preset is complete
	mend      FieldID
	notices   []Notice
	errors    map[FieldID]Words
	typed     map[FieldID]string // what was typed and not taken yet, so that nothing is lost

	nextID  int
	work    map[RequestKind]task
	folders []string
	saved   *Saved
	ended   bool

	requests []Request // what this motion asks for
}

// task is one kind of work: under way, ended, or out of date.
type task struct {
	id      int // of the request under way, 0 when none is
	key     string
	done    bool
	reports []Report
	err     Words
}

// question is what the credential step waits for.
type question string

const (
	noQuestion     question = ""
	questionBlanks question = "blanks"
	questionShape  question = "shape"
)

// New begins a conversation, or goes on with a draft. The requests must be carried out like those of Answer.
func New(o Options) (State, []Request) {
	if o.Book == nil {
		o.Book = presets.Default()
	}
	if o.Product == "" {
		o.Product = "postier"
	}
	s := State{opts: o, typed: maps.Clone(o.Values), work: map[RequestKind]task{}, errors: map[FieldID]Words{}}
	if s.typed == nil {
		s.typed = map[FieldID]string{}
	}
	s.draft = o.Draft
	if s.draft.Version != DraftVersion {
		s.draft = Draft{Version: DraftVersion, Step: StepAddress, Chosen: -1, Default: !o.HasDefault}
		if o.Address != "" {
			s.typed[FieldAddress] = o.Address
		}
		return s, nil
	}
	s = s.clone()
	if s.draft.Step.Number() > StepCredential.Number() && s.needsSecret() {
		// The secret was never written down, so the step that asks for it is where a dropped line leads back to.
		s.draft.Step = StepCredential
		s.notices = []Notice{{LevelInfo, M("wizard.resumed")}}
	}
	s.enter(true)
	return s.settle()
}

// Answer takes what a person did on the current screen.
func (s State) Answer(a Answer) (State, []Request) {
	s = s.clone()
	s.errors = map[FieldID]Words{}
	s.notices = nil
	for id, value := range a.Values {
		s.typed[id] = value
	}
	switch {
	case a.Action == ActQuit:
		s.ended = true
	case a.Action == ActBack:
		s.back()
	case a.Action == ActCancel:
		s.cancelStep()
	case len(a.Action) > len(GotoPrefix) && a.Action[:len(GotoPrefix)] == GotoPrefix:
		s.jump(Step(a.Action[len(GotoPrefix):]), "")
	case a.Action == ActMend:
		if f := s.finding(); f != nil && f.Mend != "" {
			s.jump(f.Mend, f.Field)
		}
	default:
		s.logic().answer(&s, a)
	}
	return s.settle()
}

// Tell takes the outcome of a request. Outcomes of abandoned requests change nothing.
func (s State) Tell(o Outcome) (State, []Request) {
	t, ok := s.work[o.Kind]
	if !ok || t.id != o.ID || o.ID == 0 {
		return s, nil
	}
	s = s.clone()
	if !o.Done {
		if o.Report != nil {
			t.reports = mergeReport(t.reports, *o.Report)
			s.work[o.Kind] = t
		}
		return s.settle()
	}
	t.id, t.done, t.err = 0, true, o.Err
	if len(o.Reports) > 0 {
		t.reports = o.Reports
	}
	t.reports = slices.DeleteFunc(slices.Clone(t.reports), func(r Report) bool { return r.Status == "" })
	s.work[o.Kind] = t
	s.told(o)
	return s.settle()
}

// Draft is what was said so far, fit to be written down.
func (s State) Draft() Draft {
	d := s.draft
	d.Proven = s.proven()
	return d
}

// Step is the current step.
func (s State) Step() Step { return s.draft.Step }

// Ended reports whether the conversation is over.
func (s State) Ended() bool { return s.ended }

// Saved is what was written, nil before.
func (s State) Saved() *Saved { return s.saved }

// Finding is the failure that the current screen explains, nil when there is none.
func (s State) Finding() *Report { return s.finding() }

// Working reports whether a request is under way.
func (s State) Working() bool {
	for _, t := range s.work {
		if t.id != 0 {
			return true
		}
	}
	return false
}

func (s State) clone() State {
	s.errors = maps.Clone(s.errors)
	s.typed = maps.Clone(s.typed)
	s.work = maps.Clone(s.work)
	for kind, t := range s.work {
		t.reports = slices.Clone(t.reports)
		s.work[kind] = t
	}
	s.notices = slices.Clone(s.notices)
	s.requests = nil
	d := &s.draft
	d.Candidates = slices.Clone(d.Candidates)
	d.Asked = maps.Clone(d.Asked)
	d.Kinds = maps.Clone(d.Kinds)
	d.BCC = slices.Clone(d.BCC)
	d.Senders = slices.Clone(d.Senders)
	d.Skipped = slices.Clone(d.Skipped)
	if d.IMAP != nil {
		imap := *d.IMAP
		d.IMAP = &imap
	}
	return s
}

// settle hands out the requests of this motion.
func (s State) settle() (State, []Request) {
	requests := s.requests
	s.requests = nil
	return s, requests
}

// ask starts a request of one kind; one of the same kind that is still under way is abandoned.
func (s *State) ask(kind RequestKind, change func(*Request)) {
	s.abandon(kind)
	s.nextID++
	r := Request{ID: s.nextID, Kind: kind, Draft: s.Draft(), Secret: s.secret}
	if change != nil {
		change(&r)
	}
	s.work[kind] = task{id: r.ID, key: s.key(kind), reports: pendingReports(kind, s.draft)}
	s.requests = append(s.requests, r)
}

// abandon cancels the request of one kind that is under way.
func (s *State) abandon(kind RequestKind) {
	if t, ok := s.work[kind]; ok && t.id != 0 {
		s.requests = append(s.requests, Request{ID: t.id, Kind: DoCancel})
		delete(s.work, kind)
	}
}

// fresh reports whether work of this kind was done, or is being done, with the settings as they are now.
func (s *State) fresh(kind RequestKind) bool {
	t, ok := s.work[kind]
	return ok && (t.done || t.id != 0) && t.key == s.key(kind)
}

// want starts work unless it is fresh.
func (s *State) want(kind RequestKind) {
	if !s.fresh(kind) {
		s.ask(kind, nil)
	}
}

// passed reports whether work of this kind ended without a failed check, with the settings as they are now.
func (s *State) passed(kind RequestKind) bool {
	t, ok := s.work[kind]
	if !ok || !t.done || !t.err.Empty() || t.key != s.key(kind) || len(t.reports) == 0 {
		return false
	}
	return !slices.ContainsFunc(t.reports, func(r Report) bool { return r.Status == Fail })
}

func mergeReport(reports []Report, r Report) []Report {
	for i := range reports {
		if reports[i].ID == r.ID {
			reports[i] = r
			return reports
		}
	}
	return append(reports, r)
}

// needsSecret reports whether signing in needs a secret that is not held.
func (s *State) needsSecret() bool {
	return s.draft.Submission.Auth != config.MechanismNone && s.secret.Empty()
}
