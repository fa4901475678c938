package wizard

import (
	"slices"
	"strings"

	"postier/config"
	"postier/internal/check"
	"postier/presets"
)

// PhaseWays is the phase of DoSubmission and DoSent in which other ways are tried.
const PhaseWays = "ways"

// Way is another way to a server, which was tried after a failure.
type Way struct {
	// Server are the settings of the way, and Name names them.
	Server config.Server
	Name   Words
	// Cause is why it does not work; empty where it does, or its sign-in was left out. Result says so.
	Cause  check.Cause
	Result Words
	// Works is true for a way that was proven, by Reports. Advice says to use it.
	Works   bool
	Advice  Words
	Reports []Report
}

// otherNames reports whether a refused password may be shown once more, under another form of the user name. Of a
// provider in the book the form is known, and after a second refusal the account may be locked.
func (s *State) otherNames(kind RequestKind) bool {
	refused := s.refused.address == s.draft.Address && s.refused.n > 0
	return kind == DoSubmission && s.preset() == nil && !refused
}

// wayThatWorks is the way that works in place of the one that failed on the current step; nil where there is none.
func (s *State) wayThatWorks() *Way {
	t := s.work[s.stepKind()]
	at := slices.IndexFunc(t.ways, func(w Way) bool { return w.Works })
	if at < 0 || !t.done || t.key != s.key(s.stepKind()) {
		return nil
	}
	return &t.ways[at]
}

// noWayWorks reports whether other ways were tried on the current step, and none works.
func (s *State) noWayWorks() bool {
	return len(s.work[s.stepKind()].ways) > 0 && s.wayThatWorks() == nil
}

func wayAction() Action {
	return Action{ID: ActWay, Label: Msg("wizard.action.way"), Key: 'u'}
}

// showWays adds to a failure what was tried in its place. A way that works is all there is to do.
func (s *State) showWays(v *Screen) {
	ways := s.work[s.stepKind()].ways
	if v.Finding == nil || v.Finding.Status != check.Fail || len(ways) == 0 {
		return
	}
	for _, w := range ways {
		v.Facts = append(v.Facts, Fact{Label: w.Name, Value: w.Result})
	}
	if w := s.wayThatWorks(); w != nil {
		f := *v.Finding
		f.Remedy, f.WhoWords, f.RetryWords = []Words{w.Advice}, Words{}, Words{}
		v.Finding = &f
	}
}

// connectionCauses are failures that advise another port or another form of TLS.
var connectionCauses = []check.Cause{
	check.CausePortBlocked, check.CauseConnectionRefused, check.CauseConnectionDropped, check.CauseServerTimeout,
	check.CauseWrongService, check.CauseTLSWrongMode, check.CauseTLSHandshake, check.CauseStartTLSFailed,
}

// settingCauses are failures that take the settings for wrong.
var settingCauses = []check.Cause{
	check.CauseConnectionRefused, check.CauseWrongService, check.CauseTLSRequired, check.CauseTLSWrongMode,
	check.CauseCertNameMismatch, check.CauseDNSNXDomain, check.CauseDNSNoAddress,
}

// addressFields say where a server is and how it is encrypted.
var addressFields = []FieldID{
	FieldSMTPHost, FieldSMTPPort, FieldSMTPSecurity, FieldIMAPHost, FieldIMAPPort, FieldIMAPSecurity,
}

// inPlace is a failure as it stands with these settings: it advises no port that was tried, and at the server that the
// provider itself names, or with the account's own address, it leads to no change of the settings.
func (s *State) inPlace(f *Report) *Report {
	if f == nil || f.Status != check.Fail {
		return f
	}
	after := *f
	tried := s.noWayWorks() && slices.Contains(connectionCauses, f.Cause)
	setting := tried || slices.Contains(settingCauses, f.Cause)
	switch {
	case s.passwordRight(f):
		s.blameMailbox(&after)
	case s.accountRefused(f):
		after.Remedy = []Words{Msg("wizard.ways.account")}
		after.Step, after.Field, after.Who, after.WhoWords = "", "", whoProvider, Words{}
	case s.published():
		s.leaveSettings(&after, tried, setting)
	case tried:
		after.Remedy = []Words{Msg("wizard.ways.name"), Msg("wizard.ways.network"), Msg("wizard.ways.hoster")}
		if after.Step == StepServer {
			after.Field = map[RequestKind]FieldID{DoSubmission: FieldSMTPHost, DoSent: FieldIMAPHost}[s.stepKind()]
		}
	}
	return &after
}

// leaveSettings makes a failure at the provider's own server say that nothing is to be changed there.
func (s *State) leaveSettings(f *Report, tried, setting bool) {
	if setting {
		f.Remedy = []Words{Msg("wizard.ways.network"), Msg("wizard.ways.provider", "name", s.preset().Name)}
	}
	if tried {
		f.Remedy = slices.Insert(f.Remedy, 1, Msg("wizard.ways.hoster"))
	}
	if f.Step == StepServer && slices.Contains(addressFields, f.Field) {
		f.Step, f.Field, f.Fixes = "", "", nil
	}
	if f.Who == WhoUser && setting {
		f.Who, f.Retry, f.WhoWords, f.RetryWords = whoServer, RetryLater, Words{}, Words{}
	}
}

// accountRefused reports whether the server took the sign-in and does not let the account send, although it asks for
// nothing but its own address. No one but the provider can change that.
func (s *State) accountRefused(f *Report) bool {
	switch f.Cause {
	case check.CauseRelayDenied:
		return proves(s.work[DoSubmission].reports, check.SMTPAuth)
	case check.CauseSenderNotOwned:
		return strings.EqualFold(s.draft.From.Address, s.draft.Submission.Username)
	}
	return false
}

// passwordRight reports whether the mailbox refuses what sending accepted a moment before, under the same name.
func (s *State) passwordRight(f *Report) bool {
	return f != nil && f.Cause == check.CauseWrongPassword && s.draft.Step == StepSent && s.draft.IMAP != nil &&
		s.draft.IMAP.Username == s.draft.Submission.Username && s.passed(DoSubmission) &&
		s.draft.Submission.Auth != config.MechanismNone
}

// blameMailbox makes a refused sign-in to the mailbox say what is to be done where the password is right.
func (s *State) blameMailbox(f *Report) {
	f.Title, f.Meaning = Msg("wizard.mailbox.title"), Msg("wizard.mailbox.meaning")
	f.Remedy = []Words{
		Msg("wizard.mailbox.enable"), Msg("wizard.mailbox.name", "number", StepServer.Number()),
		Msg("wizard.mailbox.without"),
	}
	f.Step, f.Field, f.RetryWords = "", "", Words{}
	if s.prepareApplies() {
		f.Step = StepPrepare
	}
}

// published reports whether the server of the current step is one that the provider names. A step without a server has
// none.
func (s *State) published() bool {
	p, kind := s.preset(), s.stepKind()
	if p == nil || kind != DoSubmission && kind != DoSent {
		return false
	}
	servers, imap := p.ServersWith(s.draft.Address, s.draft.Asked)
	server := s.draft.Submission
	if kind == DoSent && s.draft.IMAP != nil {
		servers, server = imap, *s.draft.IMAP
	}
	return slices.ContainsFunc(servers, func(e presets.Endpoint) bool {
		return strings.EqualFold(e.Host, server.Host) && e.Port == server.Port
	})
}

// useWay makes the change of the way that works. Its proof counts as that of the step. The person has seen the server
// and said yes, so the secret may be sent to it.
func (s *State) useWay() {
	w := s.wayThatWorks()
	if w == nil {
		return
	}
	kind, name := s.stepKind(), s.draft.Submission.Username
	if kind == DoSent {
		*s.draft.IMAP = w.Server
		s.boundTo = s.secretServers()
		s.ask(DoSent, nil) // the copy is still to be filed
		return
	}
	if imap := s.draft.IMAP; imap != nil && imap.Username == name {
		imap.Username = w.Server.Username
	}
	s.draft.Submission = w.Server
	s.boundTo = s.secretServers()
	s.work[kind] = task{key: s.key(kind), done: true, reports: w.Reports}
	s.startSent()
}
