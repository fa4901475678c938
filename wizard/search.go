package wizard

import (
	"slices"
	"strings"

	"postier/config"
)

// showCandidates shows what a search knows while it still runs: the first good answer at once, then a better one in its
// place. Accepting an answer ends the search, so a later answer cannot replace an accepted one.
func (s *State) showCandidates(o Outcome) {
	if o.Kind == DoDiscover && len(o.Candidates) > 0 {
		s.draft.Candidates, s.draft.Chosen = slices.Clone(o.Candidates), -1
	}
}

// takeCandidates takes the final answer of a search. A search that failed after it had shown something leaves that.
func (s *State) takeCandidates(o Outcome) {
	if len(o.Candidates) > 0 || o.Err.Empty() {
		s.draft.Candidates = slices.Clone(o.Candidates)
	}
	s.draft.Chosen = -1
}

// dropCandidates drops what a running search has found when the person goes back. Arriving here again searches again.
func (s *State) dropCandidates() {
	if s.draft.Step == StepProvider && s.searching() {
		s.draft.Candidates, s.draft.Chosen = nil, -1
	}
}

func (s *State) searching() bool { return s.work[DoDiscover].id != 0 }

// searchStopped reports whether the person ended the search, so that it may have missed something.
func (s *State) searchStopped() bool {
	t := s.work[DoDiscover]
	return t.done && t.err.Msg.Key == cancelled.Msg.Key
}

func (s *State) providerScreen(v *Screen) {
	cancel := Action{ID: ActCancel, Label: M("wizard.action.cancel"), Key: 'x'}
	switch {
	case s.searching() && len(s.draft.Candidates) == 0:
		v.Intro = []Words{M("wizard.provider.searching", "domain", config.AddressDomain(s.draft.Address))}
		v.Busy = &Busy{Request: s.work[DoDiscover].id, Text: M("wizard.provider.busy"), GivesUp: discoverLimit}
		v.Actions = []Action{
			cancel,
			{ID: ActChoose, Label: M("wizard.action.choose"), Key: 'o'},
			{ID: ActManual, Label: M("wizard.action.manual"), Key: 'm'},
		}
	case s.searching():
		s.foundScreen(v)
		v.Busy = &Busy{Request: s.work[DoDiscover].id, Text: M("wizard.provider.busy-better"), GivesUp: discoverLimit}
		if first := v.Actions[0]; first.ID == ActNext && len(v.Fields) == 0 {
			v.Notices = append(v.Notices, Notice{LevelInfo, M("wizard.provider.enter-takes")})
		}
		v.Actions = append(v.Actions, cancel)
	default:
		s.foundScreen(v)
		if s.searchStopped() && len(s.draft.Candidates) > 0 && !s.choosing && s.prior == nil {
			v.Notices = append(v.Notices, Notice{LevelInfo, M("wizard.provider.cut-short")})
			v.Actions = append(v.Actions, Action{ID: ActRetry, Label: M("wizard.action.search-again"), Key: 'r'})
		}
	}
}

// doubts say why a candidate is to be confirmed, one notice a reason, with the name of the server and the address's
// domain, and where the password would go (docs/security.md T5).
func (s *State) doubts(c Candidate) []Notice {
	domain := config.AddressDomain(s.draft.Address)
	reasons := c.Reasons
	if len(reasons) == 0 {
		reasons = []string{"other-domain"}
	}
	var out []Notice
	for _, reason := range reasons {
		host := c.Submission.Host
		if reason == "other-domain" {
			host = foreignHost(c, domain)
		}
		out = append(out, Notice{LevelWarn, M("wizard.doubt."+reason, "host", host, "domain", domain)})
	}
	return append(out, Notice{LevelWarn, M("wizard.provider.elsewhere", "host", c.Submission.Host, "domain", domain)})
}

// foreignHost is the first server of a candidate that is not under the address's domain; the submission server when all
// are.
func foreignHost(c Candidate, domain string) string {
	hosts := []string{c.Submission.Host}
	if c.IMAP != nil {
		hosts = append(hosts, c.IMAP.Host)
	}
	for _, host := range hosts {
		if !strings.HasSuffix("."+strings.ToLower(host), "."+strings.ToLower(domain)) {
			return host
		}
	}
	return c.Submission.Host
}
