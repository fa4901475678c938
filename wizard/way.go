package wizard

import (
	"slices"
	"strings"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
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
	after.Remedy = slices.Clone(f.Remedy)
	switch {
	case len(after.Remedy) == 0:
	case f.Cause == check.CauseTLSStripped && s.noWayWorks():
		after.Remedy = after.Remedy[1:] // it advises the other port, which was tried
	case f.Cause == check.CauseIPBlocklisted && proves(s.work[DoSubmission].reports, check.SMTPAuth):
		after.Remedy[0] = Msg("wizard.ways.network") // the sign-in that it advises was made
	}
	tried := s.noWayWorks() && slices.Contains(connectionCauses, f.Cause)
	setting := tried || slices.Contains(settingCauses, f.Cause)
	switch {
	case s.passwordRight(f):
		s.blameMailbox(&after)
	case f.Cause == check.CauseMailboxFull: // the wizard writes to no one but the person
		after.Meaning = Msg("wizard.full.meaning", "address", s.draft.From.Address)
		after.Remedy = []Words{Msg("wizard.full.delete")}
	case s.accountRefused(f):
		if f.Cause == check.CauseRelayDenied { // it is mostly that of a sender who has not signed in
			after.Meaning = Msg("wizard.ways.not-forwarded")
		}
		after.Remedy = []Words{Msg("wizard.ways.account")}
		after.Step, after.Field, after.Who, after.WhoWords = "", "", whoProvider, Words{}
	case s.published():
		s.leaveSettings(&after, tried, setting)
	case tried:
		after.Remedy = []Words{Msg("wizard.ways.name"), Msg("wizard.ways.network")}
		if f.Cause == check.CausePortBlocked {
			after.Remedy = append(after.Remedy, Msg("wizard.ways.hoster"))
		}
		if after.Step == StepServer {
			after.Field = map[RequestKind]FieldID{DoSubmission: FieldSMTPHost, DoSent: FieldIMAPHost}[s.stepKind()]
		}
	}
	return &after
}

// leaveSettings makes a failure at the provider's own server say that nothing is to be changed there.
func (s *State) leaveSettings(f *Report, tried, setting bool) {
	if setting {
		f.Remedy = s.atProvider(f.Cause)
	}
	if f.Step == StepServer && slices.Contains(addressFields, f.Field) {
		f.Step, f.Field, f.Fixes = "", "", nil
	}
	switch {
	case f.Cause == check.CauseCertNameMismatch: // waiting does not help
		f.Who, f.Retry, f.WhoWords, f.RetryWords = whoProvider, RetryAfterChange, Words{}, Words{}
	case f.Who == WhoUser && setting:
		f.Who, f.Retry, f.WhoWords, f.RetryWords = whoServer, RetryLater, Words{}, Words{}
	}
}

// atProvider is what to do about a failure at the provider's own server. Only silence speaks for a blocked port, and
// where the server answered, the network is not to blame.
func (s *State) atProvider(cause check.Cause) []Words {
	name, server := s.preset().Name, s.draft.Submission
	if s.stepKind() == DoSent {
		server = *s.draft.IMAP
	}
	network, provider := Msg("wizard.ways.network"), Msg("wizard.ways.provider", "name", name)
	switch cause {
	case check.CausePortBlocked:
		return []Words{network, Msg("wizard.ways.hoster"), provider}
	case check.CauseServerTimeout:
		silent := Msg("wizard.ways.silent", "name", name, "host", server.Host, "port", server.Port)
		return []Words{network, silent}
	case check.CauseStartTLSFailed:
		return []Words{Msg("wizard.ways.answered", "name", name), Msg("wizard.ways.report", "name", name)}
	case check.CauseCertNameMismatch:
		return []Words{network, Msg("wizard.ways.other-name", "name", name)}
	}
	return []Words{network, provider}
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

// mailboxCauses are refused sign-ins to a mailbox that say little about a password that sending accepted.
var mailboxCauses = []check.Cause{check.CauseWrongPassword, check.CauseClientAccessDisabled}

// passwordRight reports whether the mailbox refuses what sending accepted a moment before, under the same name.
func (s *State) passwordRight(f *Report) bool {
	return f != nil && slices.Contains(mailboxCauses, f.Cause) && s.draft.Step == StepSent && s.draft.IMAP != nil &&
		s.draft.IMAP.Username == s.draft.Submission.Username && s.passed(DoSubmission) &&
		s.draft.Submission.Auth != config.MechanismNone
}

// blameMailbox makes a refused sign-in to the mailbox say what is to be done where the password is right.
func (s *State) blameMailbox(f *Report) {
	enable, without := Msg("wizard.mailbox.enable"), Msg("wizard.mailbox.without")
	if f.Cause == check.CauseClientAccessDisabled {
		f.Title, f.Meaning = Msg("wizard.mailbox.off-title"), Msg("wizard.mailbox.off-meaning")
		f.Remedy = []Words{enable, without}
	} else {
		f.Title, f.Meaning = Msg("wizard.mailbox.title"), Msg("wizard.mailbox.meaning")
		f.Remedy = []Words{enable, Msg("wizard.mailbox.name", "number", StepServer.Number()), without}
	}
	f.Step, f.Field, f.RetryWords = "", "", Words{}
	if s.prepareApplies() && opensMailbox(s.preset()) {
		f.Step = StepPrepare
	}
}

// opensMailbox reports whether the provider's guide says how to let programs into the mailbox.
func opensMailbox(p *presets.Provider) bool {
	said := p.AppPasswordSteps[locale.English]
	if p.EnableFirst != nil && p.EnableFirst.Needed != presets.NeedNo {
		said = append(slices.Clone(said), p.EnableFirst.Fact[locale.English])
	}
	return slices.ContainsFunc(said, func(step string) bool { return strings.Contains(step, "IMAP") })
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
