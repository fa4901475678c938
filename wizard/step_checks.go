package wizard

import (
	"slices"
	"strings"
	"time"

	"postier/config"
)

// How long each kind of work may take before it ends by itself; the screen names the figure.
const (
	submissionLimit = 180 * time.Second
	sentLimit       = 180 * time.Second
	dnsLimit        = 20 * time.Second
	testLimit       = 240 * time.Second
)

// told takes what work found into the draft.
func (s *State) told(o Outcome) {
	switch o.Kind {
	case DoDiscover:
		s.draft.Candidates = o.Candidates
		s.draft.Chosen = -1
	case DoSubmission:
		if o.Submission != nil {
			s.draft.Submission = *o.Submission
			s.rekey(DoSubmission)
		}
		// The Sent folder is tried only once the sign-in is known to work: a second refusal could lock the account.
		if s.passed(DoSubmission) && s.sentApplies() {
			s.want(DoSent)
		}
	case DoSent:
		if o.IMAP != nil && s.draft.IMAP != nil {
			s.draft.IMAP = o.IMAP
		}
		s.folders = o.Folders
		if o.Folder != "" {
			s.draft.SentFolder = o.Folder
		}
		s.rekey(DoSent)
	case DoTest:
		if o.FiledByProvider && s.draft.SentMode == config.SentAppend {
			s.draft.SentMode = config.SentServer
			s.rekey(DoSent)
			s.rekey(DoTest)
			s.notices = []Notice{{LevelInfo, M("wizard.test.filed")}}
		}
	case DoSave:
		s.saveTold(o)
	}
}

// rekey says that work's results hold for the settings as they are now.
func (s *State) rekey(kind RequestKind) {
	if t, ok := s.work[kind]; ok {
		t.key = s.key(kind)
		s.work[kind] = t
	}
}

// ladder fills a screen with the rungs of one kind of work, and with what went wrong.
func (s *State) ladder(v *Screen, kind RequestKind, limit time.Duration) (running bool) {
	t := s.work[kind]
	v.Checks = t.reports
	if t.id != 0 {
		v.Busy = &Busy{Request: t.id, Text: M("wizard.busy." + string(kind)), GivesUp: limit}
		v.Actions = []Action{{ID: ActCancel, Label: M("wizard.action.cancel"), Key: 'x'}}
		return true
	}
	if !t.err.Empty() {
		v.Notices = append(v.Notices, Notice{LevelFail, t.err})
	}
	v.Finding = s.finding()
	return false
}

// mendAction leads to the step and field that the failure names (M-5).
func (s *State) mendAction(f *Report) (Action, bool) {
	if f == nil || f.Mend == "" || f.Mend == s.draft.Step {
		return Action{}, false
	}
	return Action{ID: ActMend, Label: M("wizard.action.mend."+string(f.Mend), "number", f.Mend.Number())}, true
}

// refusedCauses are refusals of the secret itself: trying the same one again can only lock the account.
var refusedCauses = []string{"wrong-password", "app-password-required", "basic-auth-disabled"}

func (s *State) retryAction(kind RequestKind, f *Report) Action {
	retry := Action{ID: ActRetry, Label: M("wizard.action.retry"), Key: 'r'}
	if f != nil && slices.Contains(refusedCauses, f.Cause) && s.work[kind].key == s.key(kind) {
		retry.Disabled = M("wizard.retry.same-secret")
	}
	return retry
}

func (s *State) enterSubmission(forward bool) {
	s.want(DoDNS) // needs no secret, and is there by the time the person gets to it
	if forward || len(s.work[DoSubmission].reports) == 0 {
		s.want(DoSubmission)
	}
	if s.passed(DoSubmission) && s.sentApplies() {
		s.want(DoSent)
	}
}

func (s *State) submissionScreen(v *Screen) {
	v.Intro = []Words{M("wizard.submission.intro", "host", s.draft.Submission.Host)}
	if s.ladder(v, DoSubmission, submissionLimit) {
		return
	}
	if s.passed(DoSubmission) {
		v.Notices = append(v.Notices, Notice{LevelGood, M("wizard.submission.good")})
		v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.next")}}
		return
	}
	s.failureActions(v, DoSubmission)
}

// failureActions offers mending first, then another try, then the servers.
func (s *State) failureActions(v *Screen, kind RequestKind) {
	retry := s.retryAction(kind, v.Finding)
	if mend, ok := s.mendAction(v.Finding); ok {
		v.Actions = append(v.Actions, mend)
		if v.Finding.Mend != StepServer {
			v.Actions = append(v.Actions, retry, Action{ID: GotoPrefix + ActionID(StepServer), Label: M("wizard.action.mend.server", "number", StepServer.Number()), Key: 'e'})
			return
		}
		v.Actions = append(v.Actions, retry)
		return
	}
	v.Actions = append(v.Actions, retry, Action{ID: GotoPrefix + ActionID(StepServer), Label: M("wizard.action.mend.server", "number", StepServer.Number()), Key: 'e'})
}

func (s *State) answerSubmission(a Answer) {
	switch {
	case a.Action == ActRetry && s.retryAction(DoSubmission, s.finding()).Disabled.Empty():
		s.ask(DoSubmission, nil)
	case a.Action == ActNext && s.passed(DoSubmission):
		s.forward()
	}
}

func (s *State) sentApplies() bool { return s.draft.IMAP != nil }

func (s *State) enterSent(forward bool) {
	if forward || len(s.work[DoSent].reports) == 0 {
		s.want(DoSent)
	}
}

func (s *State) sentScreen(v *Screen) {
	v.Intro = []Words{M("wizard.sent.intro." + string(s.sentMode()))}
	if s.ladder(v, DoSent, sentLimit) {
		return
	}
	if s.passed(DoSent) {
		switch s.sentMode() {
		case config.SentServer:
			v.Notices = append(v.Notices, Notice{LevelGood, M("wizard.sent.server")})
		case config.SentAppend:
			v.Notices = append(v.Notices, Notice{LevelGood, M("wizard.sent.good", "folder", s.draft.SentFolder)})
		}
		v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.next")}}
		return
	}
	skip := Action{ID: ActSkip, Label: M("wizard.action.skip-sent"), Key: 's'}
	if f := v.Finding; f != nil && f.Mend == StepSent {
		folder := s.field(FieldSentFolder, KindText, s.draft.SentFolder)
		if len(s.folders) > 0 {
			folder.Kind = KindChoice
			for _, name := range s.folders {
				folder.Choices = append(folder.Choices, Choice{Value: name, Label: R(name)})
			}
			if !slices.Contains(s.folders, folder.Value) {
				folder.Value = s.folders[0]
			}
		}
		v.Fields = []Field{folder}
		v.Actions = []Action{
			{ID: ActNext, Label: M("wizard.action.use-folder")},
			{ID: ActCreate, Label: M("wizard.action.create"), Key: 'n'},
			s.retryAction(DoSent, f), skip,
		}
		return
	}
	s.failureActions(v, DoSent)
	v.Actions = append(v.Actions, skip)
}

func (s *State) sentMode() config.SentMode {
	if s.draft.SentMode == "" {
		return config.SentAppend
	}
	return s.draft.SentMode
}

func (s *State) answerSent(a Answer) {
	switch {
	case a.Action == ActNext && s.passed(DoSent):
		s.forward()
	case a.Action == ActNext && s.finding() != nil && s.finding().Mend == StepSent:
		folder := s.value(FieldSentFolder, s.draft.SentFolder)
		if text := config.ValidateFolder(folder); !text.Empty() {
			s.errors[FieldSentFolder] = Words{Msg: text}
			return
		}
		s.take(FieldSentFolder)
		s.draft.SentFolder = folder
		s.ask(DoSent, nil)
	case a.Action == ActCreate:
		s.ask(DoSent, func(r *Request) { r.Create = true })
	case a.Action == ActRetry && s.retryAction(DoSent, s.finding()).Disabled.Empty():
		s.ask(DoSent, nil)
	case a.Action == ActSkip:
		s.abandon(DoSent)
		s.draft.SentMode, s.draft.SentFolder = config.SentNone, ""
		s.skipped(StepSent)
		s.forward()
	}
}

func (s *State) skipped(step Step) {
	if !slices.Contains(s.draft.Skipped, step) {
		s.draft.Skipped = append(s.draft.Skipped, step)
	}
}

func (s *State) enterDNS(bool) { s.want(DoDNS) }

func (s *State) dnsScreen(v *Screen) {
	v.Intro = []Words{M("wizard.dns.intro", "domain", config.AddressDomain(s.draft.From.Address))}
	next := Action{ID: ActNext, Label: M("wizard.action.send-test")}
	if s.ladder(v, DoDNS, dnsLimit) {
		v.Actions = append(v.Actions, Action{ID: ActNext, Label: M("wizard.action.send-test"), Key: 's'})
		return
	}
	for _, r := range v.Checks {
		for _, fix := range r.Fixes {
			if fix.Name != "" {
				v.Copy = append(v.Copy, Copyable{Label: M("wizard.dns.name", "kind", strings.ToUpper(fix.Kind)), Text: fix.Name})
			}
			label := M("wizard.dns.value", "name", fix.Name)
			if fix.Old != "" {
				label = M("wizard.dns.replaces", "name", fix.Name)
			}
			v.Copy = append(v.Copy, Copyable{Label: label, Text: fix.Value})
		}
	}
	switch {
	case len(v.Copy) > 0:
		v.Notices = append(v.Notices, Notice{LevelWarn, M("wizard.dns.later")})
	case v.Finding == nil && s.work[DoDNS].done && s.work[DoDNS].err.Empty():
		v.Notices = append(v.Notices, Notice{LevelGood, M("wizard.dns.good")})
	}
	// What DNS lacks never keeps anybody from going on: the records are often somebody else's to publish.
	v.Actions = []Action{next, {ID: ActRetry, Label: M("wizard.action.retry"), Key: 'r'}}
}

func (s *State) answerDNS(a Answer) {
	switch a.Action {
	case ActRetry:
		s.ask(DoDNS, nil)
	case ActNext, ActSkip:
		s.forward()
	}
}

func (s *State) enterTest(forward bool) {
	// Coming back never sends a second message by itself.
	if forward && !s.fresh(DoTest) {
		s.ask(DoTest, nil)
	}
}

func (s *State) testScreen(v *Screen) {
	intro := "wizard.test.intro"
	if s.draft.IMAP == nil {
		intro = "wizard.test.intro-no-imap"
	}
	v.Intro = []Words{M(intro, "address", s.draft.From.Address)}
	skip := Action{ID: ActSkip, Label: M("wizard.action.skip-test"), Key: 's'}
	if s.ladder(v, DoTest, testLimit) {
		v.Actions = append(v.Actions, skip)
		return
	}
	if s.passed(DoTest) {
		good := "wizard.test.good"
		if s.draft.IMAP == nil {
			good = "wizard.test.accepted"
		}
		v.Notices = append(v.Notices, Notice{LevelGood, M(good)})
		v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.next")}, {ID: ActRetry, Label: M("wizard.action.send-again"), Key: 'r'}}
		return
	}
	again := Action{ID: ActRetry, Label: M("wizard.action.send-again"), Key: 'r'}
	if mend, ok := s.mendAction(v.Finding); ok {
		v.Actions = []Action{mend, again, skip}
		return
	}
	v.Actions = []Action{again, skip}
}

func (s *State) answerTest(a Answer) {
	switch {
	case a.Action == ActNext && s.passed(DoTest):
		s.forward()
	case a.Action == ActRetry:
		s.ask(DoTest, nil)
	case a.Action == ActSkip:
		s.abandon(DoTest)
		s.skipped(StepTest)
		s.forward()
	}
}
