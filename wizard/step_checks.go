package wizard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

// How long each kind of work may take before it ends by itself; the screen names the figure.
const (
	submissionLimit = 180 * time.Second
	sentLimit       = 180 * time.Second
	dnsLimit        = 20 * time.Second
	testLimit       = 240 * time.Second
)

// takeOutcome puts the results of work into the draft.
func (s *State) takeOutcome(o Outcome) {
	s.countRefusals(o)
	s.countFailures(o)
	switch o.Kind {
	case DoDiscover:
		s.takeCandidates(o)
	case DoSubmission:
		if o.Submission != nil {
			adopt(&s.draft.Submission, *o.Submission)
			s.rekey(DoSubmission)
		}
		// The Sent folder is tried only once the sign-in is known to work: a second refusal could lock the account.
		s.startSent()
	case DoSent:
		if o.IMAP != nil && s.draft.IMAP != nil {
			adopt(s.draft.IMAP, *o.IMAP)
		}
		s.folders, s.likely = slices.Clone(o.Folders), o.Likely
		if o.Folder != "" && s.draft.SentMode != config.SentNone {
			s.draft.SentFolder = o.Folder
		}
		s.rekey(DoSent)
	case DoDNS:
		s.keeper = o.Keeper
	case DoTest:
		s.sent = o.Sent
		s.compareTests(o)
		if o.FiledByProvider && s.draft.SentMode == config.SentAppend {
			s.draft.SentMode = config.SentServer
			s.rekey(DoSent)
			s.notices = []Notice{{LevelInfo, Msg("wizard.test.filed")}}
		}
	case DoSignInFind, DoSignInBegin, DoSignIn:
		s.takeSignInOutcome(o)
	case DoWait:
		s.checkAgain()
	case DoReport:
		s.takeReport(o)
	case DoSave:
		s.takeSaved(o)
	}
	s.waitOn(o.Kind)
}

// adopt takes over the port, the security and the form of the user name that worked. The host stays the one that the
// person confirmed, and so does the account.
func adopt(server *config.Server, works config.Server) {
	if !strings.EqualFold(hostForm(server.Host), hostForm(works.Host)) {
		return
	}
	server.Port, server.Security = works.Port, works.Security
	if config.AddressASCIIDomain(works.Username) == config.AddressASCIIDomain(server.Username) {
		server.Username = works.Username
	}
}

// hostForm makes the forms of one host's name comparable.
func hostForm(host string) string {
	if ascii, ok := config.HostASCII(host); ok {
		return ascii
	}
	return host
}

// countFailures notes whether work failed as it did before.
func (s *State) countFailures(o Outcome) {
	f := firstFailure(s.work[o.Kind].reports)
	switch {
	case o.Kind != DoSubmission && o.Kind != DoSent:
	case f == nil && s.failure.kind == o.Kind:
		s.failure = failure{}
	case f == nil:
	case s.failure.kind == o.Kind && s.failure.cause == f.Cause:
		s.failure.times++
	default:
		s.failure = failure{o.Kind, f.Cause, 1}
	}
}

// switched reports whether a failure came again although its remedy is a switch at the provider, which the person has
// been shown. Such a switch takes its time, so the wizard waits for it.
func (s *State) switched(f *Report) bool {
	if f == nil || f.Retry != RetryAfterChange || slices.Contains(refusedCauses, f.Cause) {
		return false
	}
	step, _ := s.fixPlace(f)
	return step == StepPrepare && s.failure.times > 1 && s.failure.cause == f.Cause
}

// rekey marks the results of work as valid for the present settings.
func (s *State) rekey(kind RequestKind) {
	if t, ok := s.work[kind]; ok {
		t.key = s.key(kind)
		s.work[kind] = t
	}
}

// ladder adds the checks of one kind of work to a screen, and what went wrong with them.
func (s *State) ladder(v *Screen, kind RequestKind, limit time.Duration) (running bool) {
	t := s.work[kind]
	v.Checks = s.withNames(t.reports)
	if s.waiting(v) {
		return true
	}
	if t.id != 0 {
		v.Busy = &Busy{Request: t.id, Text: Msg("wizard.busy." + cmp.Or(t.phase, string(kind))), GivesUp: limit}
		v.Actions = []Action{{ID: ActCancel, Label: Msg("wizard.action.cancel"), Key: 'x'}}
		return true
	}
	if !t.err.Empty() {
		v.Notices = append(v.Notices, Notice{levelOf(t.err), t.err})
	}
	v.Finding = s.inPlace(s.ofRecord(firstFailure(t.reports)))
	if v.Finding == nil && t.done {
		v.Finding = firstOf(t.reports, check.Warn)
	}
	s.showWays(v)
	return false
}

// conclude adds what came of the work as a whole. It is good only where there is nothing to explain below it.
func conclude(v *Screen, good Words) {
	notice := Notice{LevelGood, good}
	switch {
	case v.Finding == nil:
	case v.Finding.Cause == check.CauseLandedInJunk:
		notice = Notice{LevelWarn, Msg("wizard.test.junk")}
	case v.Finding.Status == check.Fail: // its card has the headline
		notice = Notice{LevelInfo, Msg("wizard.remark")}
	default:
		notice = Notice{LevelWarn, Msg("wizard.remark")}
	}
	v.Notices = append(v.Notices, notice)
}

func (s *State) withNames(reports []Report) []Report {
	out := slices.Clone(reports)
	for i := range out {
		out[i].Name = Literal(string(out[i].ID))
		if s.opts.CheckName != nil {
			out[i].Name = s.opts.CheckName(out[i].ID)
		}
	}
	return out
}

// levelOf returns LevelInfo for work that the person stopped, else LevelFail.
func levelOf(err Words) Level {
	if err.Msg.Key == cancelled.Msg.Key {
		return LevelInfo
	}
	return LevelFail
}

// fixAction returns the action that goes to the step where the failure can be fixed (M-5); none for no step.
func (s *State) fixAction(step Step) Action {
	if step == "" {
		return Action{}
	}
	key := 'f'
	if step == StepServer {
		key = serverAction().Key
	}
	return Action{ID: ActFix, Label: Msg("wizard.action.fix."+string(step), "number", step.Number()), Key: key}
}

// fixPlace is the step and field to which a failure leads: the report's own, if that step comes before the current one
// and applies. A failure of the preparation leads to the password where the provider has no guide, and a failure of the
// password leads to the servers where the account has none.
func (s *State) fixPlace(f *Report) (Step, FieldID) {
	if f == nil || f.Step == "" {
		return "", ""
	}
	step, field := f.Step, f.Field
	if step == StepPrepare && !s.prepareApplies() {
		step, field = StepCredential, FieldSecret
	}
	if step == StepCredential && !s.credentialApplies() {
		step, field = StepServer, FieldAuth
	}
	if step.Number() == 0 || step.Number() >= s.draft.Step.Number() || step != StepServer && !s.applies(step) {
		return "", ""
	}
	return step, field
}

// refusedCauses are refusals of the secret itself: trying the same one again can only lock the account.
var refusedCauses = []check.Cause{
	check.CauseWrongPassword, check.CauseAppPasswordRequired, check.CauseOAuthTokenExpired,
}

func (s *State) retryAction(kind RequestKind, f *Report) Action {
	retry := Action{ID: ActRetry, Label: Msg("wizard.action.retry"), Key: 'r'}
	// A password that is right may be tried once more, after the mailbox was opened to programs.
	again := s.passwordRight(f) && s.failure.times < 2
	refused := f != nil && slices.Contains(refusedCauses, f.Cause)
	if refused && !again && s.work[kind].key == s.key(kind) {
		retry.Disabled = Msg("wizard.retry.same-secret")
	}
	if f != nil && f.Cause == check.CauseTooManyLoginAttempts {
		retry.Disabled = Msg("wizard.retry.locked")
	}
	return retry
}

// mayRetry reports whether the work may be done once more: it is not under way, has not passed, and was not refused for
// the very secret that is still held.
func (s *State) mayRetry(kind RequestKind) bool {
	return s.work[kind].id == 0 && !s.passed(kind) && s.retryAction(kind, s.finding()).Disabled.Empty()
}

func (s *State) enterSubmission(bool) {
	s.want(DoDNS) // DNS checks need no secret, so their results are ready when the person arrives at that step
	s.want(DoSubmission)
	s.startSent()
}

// startSent starts the checks of the Sent folder as soon as sending works, so that they are done when the person
// arrives at that step.
func (s *State) startSent() {
	if s.draft.IMAP == nil || !s.passed(DoSubmission) {
		return
	}
	if !s.takeSent() {
		s.errors = map[FieldID]Words{} // an error is shown when the person arrives at the step
		return
	}
	s.want(DoSent)
}

func (s *State) submissionScreen(v *Screen) {
	v.Intro = []Words{Msg("wizard.submission.intro", "host", s.draft.Submission.Host)}
	if s.ladder(v, DoSubmission, submissionLimit) {
		return
	}
	if s.passed(DoSubmission) {
		conclude(v, Msg("wizard.submission.good"))
		v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}}
		return
	}
	s.failureActions(v, s.retryAction(DoSubmission, v.Finding), Action{})
}

func (s *State) answerSubmission(a Answer) {
	switch {
	case a.Action == ActRetry && s.mayRetry(DoSubmission):
		s.ask(DoSubmission, nil)
	case a.Action == ActBrowser:
		s.useBrowser()
	case a.Action == ActNext && s.passed(DoSubmission):
		s.forward()
	}
}

func (s *State) enterDNS(bool) { s.want(DoDNS) }

func (s *State) dnsScreen(v *Screen) {
	v.Intro = []Words{Msg("wizard.dns.intro", "domain", config.AddressDomain(s.draft.From.Address))}
	next := Action{ID: ActNext, Label: Msg("wizard.action.send-test"), Key: 's'}
	if s.ladder(v, DoDNS, dnsLimit) {
		if s.work[DoWait].id != 0 { // the records to publish stay, and the person may go on
			s.records(v)
			s.whereToPublish(v)
		}
		v.Actions = slices.Insert(v.Actions, min(2, len(v.Actions)), next)
		return
	}
	s.records(v)
	switch {
	case len(v.Copy) > 0:
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.dns.later")})
		s.whereToPublish(v)
	case v.Finding == nil && len(v.Notices) == 0 && s.work[DoDNS].done && s.work[DoDNS].err.Empty():
		v.Notices = append(v.Notices, Notice{LevelGood, Msg("wizard.dns.good")})
	}
	// A missing record never keeps the person from going on: often only someone else can publish it.
	v.Actions = []Action{next}
	if f := s.awaited(); f != nil {
		v.addActions(s.waitAction(*f))
	}
	v.addActions(Action{ID: ActRetry, Label: Msg("wizard.action.retry"), Key: 'r'})
}

// whereToPublish says who keeps the domain's records, and where they are entered there.
func (s *State) whereToPublish(v *Screen) {
	if s.keeper == "" {
		return
	}
	where := Msg("wizard.dns.keeper", "server", safetext.FromRemote(s.keeper))
	if host, known := presets.DNSHostOf(s.keeper); known {
		text := presets.Text{}
		for lang, path := range host.Where {
			text[lang] = locale.For(lang).T("wizard.dns.where", "name", host.Name, "path", path)
		}
		where = Translated(text)
	}
	v.Notices = append(v.Notices, Notice{LevelInfo, where})
}

// records shows what to publish, each value to be copied.
func (s *State) records(v *Screen) {
	for _, r := range v.Checks {
		for _, fix := range r.Fixes {
			if fix.Name != "" {
				v.Copy = append(v.Copy, Copyable{Label: Msg("wizard.dns.name", "kind", strings.ToUpper(fix.Kind)), Text: fix.Name})
			}
			label, text := Msg("wizard.dns.value", "name", fix.Name), fix.Value
			switch {
			case fix.Removes():
				label, text = Msg("wizard.dns.remove", "name", fix.Name), fix.Old
			case fix.Old != "":
				label = Msg("wizard.dns.replaces", "name", fix.Name)
			}
			v.Copy = append(v.Copy, Copyable{Label: label, Text: text})
		}
	}
}

func (s *State) answerDNS(a Answer) {
	switch a.Action {
	case ActRetry:
		if s.work[DoDNS].id == 0 {
			s.ask(DoDNS, nil)
		}
	case ActNext, ActSkip:
		s.forward()
	}
}

func (s *State) enterTest(forward bool) {
	// A message is never sent by itself when the person comes back, or has skipped the test before.
	if forward && !s.fresh(DoTest) && !slices.Contains(s.draft.Skipped, StepTest) {
		s.ask(DoTest, nil)
	}
}

func (s *State) testScreen(v *Screen) {
	intro := "wizard.test.intro"
	looks := s.Draft().ReadsMailbox()
	if !looks {
		intro = "wizard.test.intro-no-imap"
	}
	v.Intro = []Words{Msg(intro, "address", s.draft.From.Address)}
	skip := Action{ID: ActSkip, Label: Msg("wizard.action.skip-test"), Key: 's'}
	if s.ladder(v, DoTest, testLimit) {
		v.Actions = append(v.Actions, skip)
		return
	}
	again := Action{ID: ActRetry, Label: Msg("wizard.action.send-again"), Key: 'r'}
	if !s.work[DoTest].done {
		again.Label = Msg("wizard.action.send-test")
	}
	if !s.passed(DoTest) {
		s.failureActions(v, again, skip)
		return
	}
	good := "wizard.test.good"
	if !looks {
		good = "wizard.test.accepted"
	}
	conclude(v, Msg(good))
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}, again}
	s.coach(v)
	fixStep, _ := s.fixPlace(s.finding())
	v.addActions(s.fixAction(fixStep))
}

func (s *State) answerTest(a Answer) {
	switch {
	case a.Action == ActNext && s.passed(DoTest):
		s.forward()
	case a.Action == ActRetry && s.work[DoTest].id == 0:
		s.draft.Skipped = slices.DeleteFunc(s.draft.Skipped, func(step Step) bool { return step == StepTest })
		s.ask(DoTest, nil)
	case a.Action == ActSkip && !s.passed(DoTest):
		s.abandon(DoTest)
		s.skip(StepTest)
		s.forward()
	}
}
