package wizard

import (
	"slices"

	"postier/config"
	"postier/internal/check"
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
