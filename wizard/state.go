package wizard

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/secret"
	"postier/presets"
)

// Place is a step and, where one is concerned, its field.
type Place struct {
	Step  Step
	Field FieldID
}

// Options are what a wizard needs to know before it begins.
type Options struct {
	Book *presets.Book
	// Product is the calling program's name, the label to type at the provider (I-2); empty means postier.
	Product string
	// Today is the date for dated facts, YYYY-MM-DD; the wizard has no clock.
	Today string
	// Draft is the draft to go on with; the zero Draft begins a new profile.
	Draft Draft
	// Resumed says that Draft is one that an earlier run stored.
	Resumed bool
	// Edited is the profile as it is saved, where one is changed; nil for a new one.
	Edited *Edited
	// Fix is where the trouble of an edited profile is corrected: the conversation begins there.
	Fix Place
	// Address fills in the address field of a new conversation; the person still has to accept it.
	Address string
	// Name is proposed as the sender's name.
	Name string
	// Found is an account that a mail program on this computer has; its settings are offered. The zero Found is none.
	Found Found
	// Values are field values given by flags or an answers file. The fields show them when their step is reached.
	Values map[FieldID]string
	// Secret was given by file, command or standard input.
	Secret secret.Value
	// Clients maps an identity provider's OAuth name to the client with which the program signs in there; see
	// AnyProvider.
	Clients map[string]Client
	// Stored is the secret that an edited profile already has. It need not be typed again for the servers of that
	// profile, and the reference to it stays unchanged.
	Stored secret.Value
	// Names are the profiles that exist already.
	Names []string
	// HasDefault is true when another profile is the default already.
	HasDefault bool
	// ConfigPath is shown on the review.
	ConfigPath string
	// Program starts the commands that the last screen names; empty for the program's name alone.
	Program string
	// Rehearsal is true in the demo, whose servers end with it. What it saved is removed at the end, unless Kept.
	Rehearsal, Kept bool
	// Defaults are what a new profile begins with.
	Defaults Defaults
	// Support says whom to ask, in every language. It is shown with every failure and on the last screen.
	Support presets.Text
	// CheckName is what a check is called, by its id; nil shows the id.
	CheckName func(id check.ID) Words
	// AllowCleartext lets a technician choose no encryption (docs/security.md T1).
	AllowCleartext bool
}

// Found is an account of another program.
type Found struct {
	Program string
	Address string
	Values  map[FieldID]string
}

// State is the whole conversation at one moment. It is a value: Answer and Tell return a new one and leave the old as
// it was.
type State struct {
	opts  Options
	draft Draft
	page  int

	resumable bool // a draft is stored

	secret        secret.Value
	secretGen     int      // counts the secrets typed, so that a check knows whether it ran with this one
	boundTo       []string // the servers that the secret was typed for (docs/security.md T5)
	stored        bool     // the secret is Options.Stored
	givenUsed     bool     // Options.Secret was taken
	signedIn      bool     // the tokens of draft.SignIn are there
	signedFor     string   // signInKey of the settings that the sign-in was made for
	searched      bool     // DoSignInFind was asked for already
	prompt        *SignInPrompt
	promptRequest int // the DoSignInBegin that prompt comes from
	approved      bool
	refused       refusals
	pending       secret.Value // typed, waiting for an answer about spaces or shape
	question      question
	judged        string         // the address that suggested is about
	suggested     string         // a corrected address, waiting for an answer
	choosing      bool           // the list of providers is shown
	services      bool           // only services that send are in it
	prior         *prior         // what was found, while a provider chosen from the list is shown
	byHand        *manualServers // the servers entered by hand, while a preset is tried
	fixField      FieldID
	passedOver    []Step                 // on the way to the current step
	wanted        FieldID                // what the person came to change
	changing      bool                   // the person came from the page with all settings, and goes back to it
	row           ActionID               // the row of that page from which the person came
	recent        ActionID               // the row that was changed last
	seen          map[RequestKind]string // the keys of the work whose results the person has seen
	savedKeys     map[RequestKind]string // the keys of the work that proved the profile as it was saved
	notices       []Notice
	errors        map[FieldID]Words
	typed         map[FieldID]string // typed values that the draft does not hold yet

	nextID  int
	work    map[RequestKind]task
	keeper  string // a name server of the sender's domain
	folders []string
	// likely says that the first of them may be the one for sent mail.
	likely bool
	saved  *Saved
	ended  bool
	// rounds counts the waits for the current step's work, one after another; 0 while the person did not ask to wait.
	rounds  int
	waitFor time.Duration // the pause of the wait under way
	failure failure       // the last one, and how often it came in a row
	junk    bool          // a test message landed in the junk folder
	sent    string        // the Message-ID of the test message that is still to be found

	requests []Request // to be returned by the Answer or Tell under way
}

// failure is a cause that ended work, and how often in a row.
type failure struct {
	kind  RequestKind
	cause check.Cause
	times int
}

// task is one kind of work: under way, ended, or out of date.
type task struct {
	id      int // of the request under way, 0 when none is
	key     string
	done    bool
	reports []Report
	phase   string // of the work under way
	ways    []Way  // that were tried after a failure
	err     Words
	failure error // what err puts into words
	// before is what the same checks found the last time, while they are made once more with the same settings.
	before *task
}

// prior holds the candidates to which Back returns from a provider that was chosen from the list.
type prior struct {
	candidates []Candidate
	chosen     int
}

// manualServers are servers that were entered by hand, kept while the person looks at a preset.
type manualServers struct {
	submission config.Server
	imap       *config.Server
	sentMode   config.SentMode
}

// HasSecret reports whether the person has given a secret that a draft does not keep.
func (s State) HasSecret() bool { return !s.secret.Empty() && !s.stored || !s.pending.Empty() }

// Resumable reports whether another run can go on with this conversation: a draft of it is stored.
func (s State) Resumable() bool { return s.resumable }

// keepDraft has the draft stored as it is now.
func (s *State) keepDraft() {
	s.resumable = true
	s.requests = append(s.requests, Request{Kind: DoDraft, Draft: s.Draft()})
}

// question is what the credential step asks about the typed secret.
type question string

const (
	noQuestion     question = ""
	questionBlanks question = "blanks"
	questionLines  question = "lines"   // several were pasted
	questionForm   question = "letters" // a letter and its accent are two characters
	questionShape  question = "shape"
)

// New begins a conversation, or goes on with a draft. The requests must be carried out like those of Answer.
func New(o Options) (State, []Request) {
	if o.Book == nil {
		o.Book = presets.Default()
	}
	product := o.Product
	o.Product = cmp.Or(product, config.Program)
	s := State{
		opts: o, typed: maps.Clone(o.Values), work: map[RequestKind]task{}, errors: map[FieldID]Words{},
		seen: map[RequestKind]string{}, resumable: o.Resumed,
	}
	if s.typed == nil {
		s.typed = map[FieldID]string{}
	}
	s.draft = o.Draft
	if s.draft.Version != DraftVersion {
		s.draft = Draft{Version: DraftVersion, Step: StepAddress, Chosen: -1, Default: !o.HasDefault}
	}
	s = s.clone()
	s.sanitize()
	s.startOptions()
	s.draft.Product = product
	if s.draft.Address == "" && o.Address != "" {
		s.typed[FieldAddress] = o.Address
	}
	if s.draft.Editing && !o.Stored.Empty() && !s.draft.AskEach {
		s.secret, s.stored, s.secretGen, s.boundTo = o.Stored, true, 1, s.secretServers()
	}
	s.dropForeignSignIn()
	s.rememberSaved()
	if !s.startAtFix() {
		s.resume()
		s.enter(true)
	}
	return s.settle()
}

// startAtFix goes to the field that corrects the trouble of an edited profile, and reports whether there is one. All
// settings are there, so every step before counts as done.
func (s *State) startAtFix() bool {
	if !s.draft.Editing || s.opts.Fix.Step == "" {
		return false
	}
	start := s.draft.Step
	s.draft.Step = StepReview
	step, field := s.fixPlace(&Report{Step: s.opts.Fix.Step, Field: s.opts.Fix.Field})
	if step == "" {
		s.draft.Step = start
		return false
	}
	s.jump(step, field)
	s.changing = s.opts.Edited != nil
	return true
}

// sanitize repairs a draft that was damaged, or edited by hand, so that the conversation can go on with it.
func (s *State) sanitize() {
	d := &s.draft
	if d.Address != "" && !config.ValidateAddress(d.Address).Empty() {
		s.draft = Draft{Version: DraftVersion, Chosen: -1, Default: d.Default, Profile: d.Profile}
	}
	if d.Chosen < -1 || d.Chosen >= len(d.Candidates) {
		d.Chosen = -1
	}
	if d.SignIn != nil && (!config.ValidateName(d.SignIn.Name).Empty() || d.SecretType != config.SecretOAuth) {
		d.SignIn = nil
	}
	if d.From.Address == "" {
		d.From.Address = d.Address
	}
	switch {
	case d.Address == "", d.Step.Number() == 0:
		d.Step = StepAddress
	case d.Step.Number() > StepProvider.Number() && d.Submission.Host == "" && !d.Manual:
		d.Step = StepProvider
	case d.Step.Number() > StepServer.Number() && d.Submission.Host == "":
		d.Step = StepServer
	}
}

// resume goes back to the step from which a dropped conversation can go on. All checks run again: they take seconds,
// and the servers may have changed.
func (s *State) resume() {
	d := &s.draft
	switch {
	case d.Address == "" || d.Step == StepAddress || d.Editing && d.Step == StepProvider || s.editPage():
		return
	case d.Step.Number() > StepCredential.Number() && s.needsSecret():
		// The draft does not hold the secret, so the conversation goes on at the step that asks for it.
		d.Step = StepCredential
		s.notices = []Notice{{LevelInfo, Msg("wizard.resumed.secret")}}
		if s.byBrowser() {
			s.notices = []Notice{{LevelInfo, Msg("wizard.resumed")}}
		}
		return
	case d.Step.Number() > StepSubmission.Number():
		d.Step = StepSubmission
	}
	for !s.applies(d.Step) {
		d.Step = Steps()[d.Step.Number()-2] // the address step always applies
	}
	s.notices = []Notice{{LevelInfo, Msg("wizard.resumed")}}
}

// Answer takes what a person did on the current screen.
func (s State) Answer(a Answer) (State, []Request) {
	if s.work[DoSave].id != 0 && a.Action != ActQuit {
		return s, nil // a save takes a moment and must be finished first
	}
	s = s.clone()
	s.errors = map[FieldID]Words{}
	s.notices = nil
	for id, value := range a.Values {
		s.typed[id] = value
	}
	target, straight := strings.CutPrefix(string(a.Action), gotoPrefix)
	switch {
	case straight:
		s.goTo(target)
	case a.Action == ActQuit:
		s.ended = true
	case a.Action == ActBack:
		s.back()
	case a.Action == ActCancel:
		s.cancelStep()
	case a.Action == ActWait:
		s.startWait()
	case a.Action == ActWay:
		s.useWay()
	case a.Action == ActService:
		s.chooseService()
	case a.Action == ActReport:
		s.askReport()
	case a.Action == ActRetry && s.work[DoWait].id != 0:
		s.checkNow()
	case a.Action == ActFix:
		if step, field := s.fixPlace(s.finding()); step != "" {
			s.jump(step, field)
		}
	default:
		logicOf(s.draft.Step).answer(&s, a)
	}
	return s.settle()
}

// Tell takes the outcome of a request. Outcomes of abandoned requests change nothing.
func (s State) Tell(o Outcome) (State, []Request) {
	if o.Kind == DoDraft && !o.Err.Empty() {
		s = s.clone()
		s.notices = append(s.notices, Notice{LevelWarn, Msg("wizard.draft-failed")}, Notice{LevelWarn, o.Err})
		return s, nil
	}
	t, ok := s.work[o.Kind]
	if !ok || t.id != o.ID || o.ID == 0 {
		return s, nil
	}
	s = s.clone()
	if !o.Done {
		s.showCandidates(o)
		if o.Report != nil {
			t.reports = mergeReport(t.reports, *o.Report)
			s.work[o.Kind] = t
		}
		if o.Phase != "" {
			t.phase = o.Phase
			s.work[o.Kind] = t
		}
		return s.settle()
	}
	t.id, t.done, t.err, t.failure, t.ways, t.before = 0, true, o.Err, o.Failure, o.Ways, nil
	if len(o.Reports) > 0 {
		t.reports = o.Reports
	}
	t.reports = slices.DeleteFunc(slices.Clone(t.reports), func(r Report) bool { return r.Status == "" })
	s.work[o.Kind] = t
	s.takeOutcome(o)
	return s.settle()
}

// Draft returns the answers so far, without the secret.
func (s State) Draft() Draft {
	d := s.draft
	d.Proven, d.Kept = s.verdicts(), (&s).kept()
	return d
}

// Step returns the current step.
func (s State) Step() Step { return s.draft.Step }

// Ended reports whether the conversation is over.
func (s State) Ended() bool { return s.ended }

// NameTaken says that another program saved a profile of this name while the conversation went on.
type NameTaken struct{ Name string }

func (e *NameTaken) Error() string { return "there is already a profile " + e.Name }

// SaveFailure returns why the configuration could not be written, nil where it was or is still to be.
func (s *State) SaveFailure() error { return s.work[DoSave].failure }

// Saved returns what DoSave wrote, nil before.
func (s State) Saved() *Saved { return s.saved }

// Finding returns the failure that the current screen explains, nil when there is none.
func (s State) Finding() *Report { return s.finding() }

// Passed reports whether the current step's own work proved what it is for. Steps without work count as passed.
func (s State) Passed() bool {
	kind := (&s).stepKind()
	switch kind {
	case "", DoDiscover, DoDNS, DoSave:
		return true
	case DoSignInBegin, DoSignIn:
		return s.signedIn
	}
	return (&s).passed(kind)
}

func (s State) clone() State {
	s.errors = maps.Clone(s.errors)
	s.typed = maps.Clone(s.typed)
	s.work = maps.Clone(s.work)
	s.seen = maps.Clone(s.seen)
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

// settle returns the requests of this step of the conversation and clears them.
func (s State) settle() (State, []Request) {
	requests := s.requests
	s.requests = nil
	return s, requests
}

// ask adds a request of one kind and cancels one of the same kind that is still under way. The request holds the secret
// only when the secret was typed for the draft's servers (docs/security.md T5).
func (s *State) ask(kind RequestKind, change func(*Request)) {
	before := s.foundBefore(kind)
	s.abandon(kind)
	s.nextID++
	r := Request{ID: s.nextID, Kind: kind, Draft: s.Draft()}
	if needsSecret(kind) && s.secretFits() {
		r.Secret, r.Stored, r.OtherNames = s.secret, s.stored, s.otherNames(kind)
		if s.byBrowser() {
			r.Secret, r.Stored, r.SignedIn = secret.Value{}, false, s.signedIn
		}
	}
	if slices.Contains(signInKinds(), kind) {
		r.SignIn, r.Begun = s.signInWanted(), s.promptRequest
	}
	if change != nil {
		change(&r)
	}
	s.work[kind] = task{id: r.ID, key: s.key(kind), reports: pendingReports(kind, r.Draft), before: before}
	s.requests = append(s.requests, r)
}

// foundBefore is what the checks of one kind found with the settings as they are now; nil where they found nothing.
func (s *State) foundBefore(kind RequestKind) *task {
	t := s.work[kind]
	switch {
	case len(Checks(kind)) == 0, t.key != s.key(kind):
		return nil
	case t.id != 0:
		return t.before
	case !t.done || !t.err.Empty():
		return nil
	}
	return &t
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

// want starts work of one kind unless it is fresh.
func (s *State) want(kind RequestKind) {
	if !s.fresh(kind) {
		s.ask(kind, nil)
	}
}

// needsSecret reports whether work of this kind signs in or stores the secret. Other work never gets it.
func needsSecret(kind RequestKind) bool {
	return kind == DoSubmission || kind == DoSent || kind == DoTest || kind == DoSave
}

// needsSecret reports whether signing in needs a secret that was not given.
func (s *State) needsSecret() bool {
	return s.draft.NeedsSecret() && !s.hasCredential()
}
