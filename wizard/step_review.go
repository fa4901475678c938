package wizard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/check"
	"postier/internal/secret"
)

func (s *State) reviewScreen(v *Screen) {
	d := &s.draft
	v.Intro = []Words{Msg("wizard.review.intro", "path", s.opts.ConfigPath)}
	if s.editPage() {
		v.Title, v.Intro = Msg("wizard.title.edit"), []Words{Msg("wizard.review.edit")}
	}
	v.Facts = s.rows()
	name := s.field(FieldProfile, KindText, s.profileName())
	save := Action{ID: ActSave, Label: Msg("wizard.action.save")}
	if t := s.work[DoSave]; t.id != 0 {
		v.Busy = &Busy{Request: t.id, Text: Msg("wizard.busy.save")}
		v.Actions = nil
		return
	} else if t.done && !t.err.Empty() {
		v.Notices = append(v.Notices, Notice{LevelFail, t.err}, Notice{LevelInfo, Msg("wizard.review.draft-kept")})
	}
	switch {
	case d.Disabled != nil && !s.passed(DoSubmission):
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.review.disabled")})
	case d.Disabled != nil:
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.review.on-again")})
	case d.Off:
		v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.review.off")})
	}
	s.reviewActions(v, save)
	if _, typed := s.typed[FieldProfile]; typed || s.nameTaken(s.profileName()) || !s.errors[FieldProfile].Empty() {
		v.Fields = []Field{name} // the name is asked for only when the one that follows from the address cannot be used
	}
}

// reviewActions offer to save, and the proof where it is missing or where the person wants another one.
func (s *State) reviewActions(v *Screen, save Action) {
	edit := s.editPage()
	prove := Action{ID: place(StepSubmission, ""), Label: Msg("wizard.action.prove-all"), Key: 'r'}
	if !edit {
		prove.Label = Msg("wizard.action.fix.submission", "number", StepSubmission.Number())
	}
	save.Key = 's'
	switch proven := s.passed(DoSubmission); {
	case !s.saveable():
		save.Disabled = Msg("wizard.review.unproven")
		v.Notices = append(v.Notices, Notice{LevelWarn, save.Disabled})
		v.Actions = []Action{prove, save}
	case !proven && s.draft.Disabled != nil:
		v.Actions = []Action{prove, save} // saving alone would leave it off
	case edit:
		v.Actions = []Action{save, prove}
	default:
		v.Actions = []Action{save}
	}
	if s.kept() && !s.provenBefore(DoSubmission) && s.draft.Disabled == nil {
		v.Notices = append(v.Notices, Notice{LevelWarn, Msg("wizard.review.never-proven")})
	}
	if !edit {
		v.addActions(Action{ID: place(StepOptions, ""), Label: Msg("wizard.action.options"), Key: 'e'})
	}
}

// rows are all settings, each with how it was last found to work and where it is changed. A new profile leaves out what
// it has not.
func (s *State) rows() []Fact {
	d, edit := &s.draft, s.editPage()
	sent, copied := place(StepSent, ""), s.verdict(DoSent)
	if d.IMAP == nil {
		sent = place(StepServer, FieldIMAPHost)
	}
	if d.CopyMode() == config.SentNone {
		copied = Words{}
	}
	password := place(StepServer, FieldAuth)
	if s.credentialApplies() {
		password = place(StepCredential, FieldSecret)
	}
	rows := []Fact{
		{Label: Msg("wizard.fact.from"), Value: Literal(from(d.From)), Change: place(StepAddress, FieldAddress)},
	}
	if edit {
		rows = append(rows, Fact{
			Label: Msg("wizard.fact.provider"), Value: s.settingsFrom(), Change: place(StepProvider, ""),
		})
	}
	rows = append(rows,
		Fact{
			Label: Msg("wizard.fact.submission"), Value: serverWords(d.Submission), Detail: s.verdict(DoSubmission),
			Change: place(StepServer, FieldSMTPHost),
		},
		Fact{
			Label: Msg("wizard.fact.user"), Value: Literal(config.AddressUnicode(d.Submission.Username)),
			Change: place(StepServer, FieldUser),
		},
		Fact{Label: s.secretLabel(), Value: s.secretWords(), Change: password},
		Fact{Label: Msg("wizard.fact.sent"), Value: s.sentWords(), Detail: copied, Change: sent},
		Fact{Label: Msg("wizard.fact.dns"), Value: s.verdict(DoDNS), Change: place(StepDNS, "")},
		Fact{Label: Msg("wizard.fact.test"), Value: s.testVerdict(), Change: place(StepTest, "")},
	)
	if edit {
		rows = append(rows, s.optionFacts()...)
	} else {
		rows = append(rows, s.givenOptions()...)
	}
	for i := range rows {
		rows[i].Focus = rows[i].Change != "" && rows[i].Change == s.row
		rows[i].Recent = rows[i].Change != "" && rows[i].Change == s.recent
	}
	return rows
}

// settingsFrom is the provider. Where it is none of the book, the saved profile does not tell whether the person or the
// domain named its servers.
func (s *State) settingsFrom() Words {
	if p := s.preset(); p != nil {
		return Literal(p.Name)
	}
	if id := s.draft.Provider; id != "" && id != custom { // of another version of this program, or of a rehearsal
		return Literal(id)
	}
	return Msg("wizard.fact.unlisted")
}

// givenOptions are the options of a new profile that are set.
func (s *State) givenOptions() []Fact {
	var out []Fact
	for _, id := range []FieldID{FieldSenders, FieldReplyTo, FieldBCC, FieldKindsOn, FieldKindsOff} {
		if value := s.optionValue(id); value != "" {
			out = append(out, Fact{
				Label: Msg("wizard.field." + string(id)), Value: Literal(value), Change: place(StepOptions, id),
			})
		}
	}
	out = append(out, limitFacts(s.draft.Limits)...)
	if s.draft.TestMode.Enabled {
		out = append(out, Fact{
			Label: Msg("wizard.fact.test-mode"), Value: Literal(s.draft.TestMode.Address),
			Change: place(StepOptions, FieldTestAddress),
		})
	}
	return out
}

func from(a config.Address) string {
	if a.Name == "" {
		return a.Address
	}
	return a.Name + " <" + a.Address + ">"
}

func (s *State) secretLabel() Words {
	if s.byBrowser() {
		return Msg("wizard.fact.signin")
	}
	return Msg("wizard.fact.secret")
}

func (s *State) secretWords() Words {
	switch {
	case !s.draft.NeedsSecret():
		return Msg("wizard.fact.no-secret")
	case s.byBrowser():
		return Msg("wizard.fact.secret-browser")
	case s.stored && !s.draft.AskEach:
		return Msg("wizard.fact.secret-kept")
	case s.draft.AskEach:
		return Msg("wizard.fact.secret-asked")
	}
	return Msg("wizard.fact.secret-file")
}

func (s *State) sentWords() Words {
	switch s.draft.CopyMode() {
	case config.SentServer:
		return Msg("wizard.fact.sent-server")
	case config.SentAppend:
		return Literal(s.draft.SentFolder)
	}
	return Msg("wizard.fact.sent-none")
}

// remark names what was found in work of one kind; empty where nothing was, or the results are no longer valid.
func (s *State) remark(kind RequestKind) Words {
	t := s.work[kind]
	if !t.done || t.key != s.key(kind) {
		return Words{}
	}
	if f := cmp.Or(firstOf(t.reports, check.Fail), firstOf(t.reports, check.Warn)); f != nil {
		return f.Title
	}
	return Words{}
}

// verdict returns the word that sums up the checks of one kind.
func (s *State) verdict(kind RequestKind) Words {
	t := s.work[kind]
	switch {
	case !t.done && t.id == 0 && s.asSaved(kind):
		return s.earlierVerdict(kind)
	case !t.done || t.key != s.key(kind) || !t.err.Empty():
		return Msg("wizard.verdict.skip")
	case firstFailure(t.reports) != nil:
		return Msg("wizard.verdict.fail")
	case slices.ContainsFunc(t.reports, func(r Report) bool { return r.Status == check.Warn }):
		return Msg("wizard.verdict.warn")
	}
	return Msg("wizard.verdict.pass")
}

// testVerdict returns the word for the test message: "sent" where the mailbox could not be read to look for it.
func (s *State) testVerdict() Words {
	word := s.verdict(DoTest)
	if word.Msg.Key == "wizard.verdict.pass" && !s.arrived() {
		return Msg("wizard.verdict.sent")
	}
	return word
}

// arrived reports whether a test message sent with the present settings was found in the mailbox.
func (s *State) arrived() bool {
	t := s.work[DoTest]
	return t.done && t.key == s.key(DoTest) && t.err.Empty() && slices.ContainsFunc(t.reports, func(r Report) bool {
		return r.ID == check.ArrivalDelivered && (r.Status == check.Pass || r.Status == check.Warn)
	})
}

// profileName returns the name under which the profile is saved: the given one, or one made from the address.
func (s *State) profileName() string {
	if s.draft.Profile != "" {
		return s.draft.Profile
	}
	domain := config.AddressDomain(s.draft.Address)
	base, _, _ := strings.Cut(domain, ".")
	if _, public := s.opts.Book.Domain(domain); public {
		base = s.draft.Address[:strings.LastIndexByte(s.draft.Address, '@')]
	}
	base = config.Slug(base)
	if base == "" {
		base = "mail"
	}
	name := base
	for i := 2; s.nameTaken(name); i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	return name
}

func (s *State) nameTaken(name string) bool {
	return !s.draft.Editing && slices.Contains(s.opts.Names, name)
}

func (s *State) answerReview(a Answer) {
	if a.Action != ActSave && a.Action != ActNext {
		return
	}
	name := strings.TrimSpace(s.value(FieldProfile, s.profileName()))
	if text := config.ValidateName(name); !text.Empty() {
		s.errors[FieldProfile] = Words{Msg: text}
		return
	}
	if s.nameTaken(name) {
		s.errors[FieldProfile] = Msg("wizard.review.name-taken", "name", name)
		return
	}
	if !s.saveable() {
		s.notices = []Notice{{LevelWarn, Msg("wizard.review.unproven")}}
		return
	}
	s.draft.Profile = name
	s.clearTyped(FieldProfile)
	if s.Unchanged() && !s.provenAgain() {
		s.takeSaved(Outcome{Saved: &Saved{
			Path: s.opts.ConfigPath, Profile: name, Default: s.draft.Default, Unchanged: true,
		}})
		return
	}
	s.ask(DoSave, nil)
}

// provenAgain reports whether checks of an edited profile were made once more, whose verdicts are to be written.
func (s *State) provenAgain() bool {
	return slices.ContainsFunc([]RequestKind{DoSubmission, DoSent, DoDNS, DoTest}, func(kind RequestKind) bool {
		return s.work[kind].done
	})
}

func (s *State) takeSaved(o Outcome) {
	if o.Saved == nil {
		return
	}
	s.saved = o.Saved
	s.requests = append(s.requests, Request{Kind: DoForget})
	s.arrive(StepDone, true)
}

func (s *State) doneScreen(v *Screen) {
	if s.saved == nil {
		return
	}
	lasts := !s.opts.Rehearsal || s.opts.Kept
	v.Intro = []Words{Msg("wizard.done.rehearsal")}
	switch {
	case s.saved.Unchanged:
		v.Intro = []Words{Msg("wizard.done.unchanged", "profile", s.saved.Profile)}
	case lasts:
		v.Intro = []Words{Msg("wizard.done.intro", "profile", s.saved.Profile)}
	}
	v.Notices = s.doneNotices()
	v.Facts = []Fact{
		{Label: Msg("wizard.fact.sent"), Value: s.sentWords(), Detail: s.verdict(DoSent)},
		{Label: Msg("wizard.fact.test"), Value: s.testVerdict(), Detail: s.remark(DoTest)},
		{Label: Msg("wizard.fact.dns"), Value: s.verdict(DoDNS), Detail: s.remark(DoDNS)},
	}
	if lasts {
		v.Facts = append(v.Facts, Fact{Label: Msg("wizard.done.file"), Value: Literal(s.saved.Path)})
		if s.saved.Secret != "" {
			v.Facts = append(v.Facts, Fact{Label: s.secretLabel(), Value: Literal(s.saved.Secret)})
		}
	}
	v.Numbered = s.nextCommands(lasts)
	v.Actions = []Action{{ID: ActQuit, Label: Msg("wizard.action.finish")}}
	if lasts {
		v.addActions(Action{ID: ActAgain, Label: Msg("wizard.action.again"), Key: 'n'})
	}
}

// doneNotices say what works now, and then what remains to be done.
func (s *State) doneNotices() []Notice {
	address := s.draft.From.Address
	out := []Notice{{LevelInfo, Msg("wizard.done.untested", "address", address)}}
	switch {
	case s.saved.Unchanged:
		out = nil
	case s.asSaved(DoTest) && !s.work[DoTest].done:
		out = []Notice{{LevelGood, Msg("wizard.done.changed")}}
	case s.arrived() && s.junk:
		out = []Notice{{LevelWarn, Msg("wizard.done.junk", "address", address)}}
	case s.arrived():
		out = []Notice{{LevelGood, Msg("wizard.done.good", "address", address)}}
	case s.testVerdict().Msg.Key == "wizard.verdict.sent":
		out = []Notice{{LevelInfo, Msg("wizard.done.sent", "address", address)}}
	}
	if s.work[DoDNS].done && s.verdict(DoDNS).Msg.Key != "wizard.verdict.pass" {
		words := Msg("wizard.done.dns", "command", s.checkCommand())
		if s.opts.Rehearsal && !s.opts.Kept { // there is nothing to check again
			words = Msg("wizard.done.dns-rehearsed")
		}
		out = append(out, Notice{LevelWarn, words})
	}
	if s.opts.Rehearsal && s.opts.Kept {
		out = append(out, Notice{LevelInfo, Msg("wizard.done.kept")})
	}
	return out
}

func (s *State) program() string { return cmp.Or(s.opts.Program, config.Program) }

// checkCommand checks the saved profile again, and shows the records to publish.
func (s *State) checkCommand() string { return s.program() + " diagnose " + s.saved.Profile }

// nextCommands hand over: to the programs of this machine, or after a rehearsal to a real set-up. A rehearsal whose
// files are kept names nothing that takes its servers.
func (s *State) nextCommands(lasts bool) []Words {
	program, name := s.program(), s.saved.Profile
	setup := Msg("wizard.done.real", "command", config.Program+" setup")
	if !lasts {
		return []Words{setup}
	}
	var out []Words
	for _, format := range s.saved.Programs {
		out = append(out, Msg("wizard.done.program", "program", format, "command", program+" export "+format+" "+name))
	}
	out = append(out, Msg("wizard.done.use", "command", program+" export --list"))
	if s.opts.Rehearsal {
		return append(out, setup)
	}
	return append(out,
		Msg("wizard.done.check", "command", s.checkCommand()),
		Msg("wizard.done.change", "command", program+" setup --edit "+name),
	)
}

func (s *State) answerDone(a Answer) {
	switch a.Action {
	case ActNext:
		s.ended = true
	case ActAgain:
		names := append(slices.Clone(s.opts.Names), s.saved.Profile)
		o := s.opts
		o.Names, o.HasDefault = names, true
		o.Draft, o.Address, o.Values = Draft{}, "", nil
		o.Secret, o.Stored = secret.Value{}, secret.Value{}
		again, _ := New(o)
		again.nextID = s.nextID
		*s = again.clone()
	}
}
