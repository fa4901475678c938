package wizard

import (
	"slices"
	"strings"

	"postier/config"
)

// showCandidates shows the candidates of a search that still runs: the first good one at once, later a better one in
// its place. Accepting a candidate ends the search, so that no later one can replace it.
func (s *State) showCandidates(o Outcome) {
	if o.Kind == DoDiscover && len(o.Candidates) > 0 {
		s.draft.Candidates, s.draft.Chosen = slices.Clone(o.Candidates), -1
	}
}

// takeCandidates takes the final result of a search. When a search fails after it has shown candidates, those stay.
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
	cancel := Action{ID: ActCancel, Label: Msg("wizard.action.cancel"), Key: 'x'}
	switch {
	case s.searching() && len(s.draft.Candidates) == 0:
		v.Intro = []Words{Msg("wizard.provider.searching", "domain", config.AddressDomain(s.draft.Address))}
		v.Busy = &Busy{Request: s.work[DoDiscover].id, Text: Msg("wizard.provider.busy"), GivesUp: discoverLimit}
		v.Actions = []Action{
			cancel,
			{ID: ActChoose, Label: Msg("wizard.action.choose"), Key: 'o'},
			{ID: ActManual, Label: Msg("wizard.action.manual"), Key: 'm'},
		}
	case s.searching():
		s.foundScreen(v)
		v.Busy = &Busy{Request: s.work[DoDiscover].id, Text: Msg("wizard.provider.busy-better"), GivesUp: discoverLimit}
		if first := v.Actions[0]; first.ID == ActNext && len(v.Fields) == 0 {
			v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.provider.enter-takes")})
		}
		v.Actions = append(v.Actions, cancel)
	default:
		s.foundScreen(v)
		if s.searchStopped() && len(s.draft.Candidates) > 0 && !s.choosing && s.prior == nil {
			v.Notices = append(v.Notices, Notice{LevelInfo, Msg("wizard.provider.cut-short")})
			v.Actions = append(v.Actions, Action{ID: ActRetry, Label: Msg("wizard.action.search-again"), Key: 'r'})
		}
	}
}

// confirmReasons returns one notice for each reason why the person has to confirm a candidate. It names the server, the
// domain of the address, and where the password would go (docs/security.md T5).
func (s *State) confirmReasons(c Candidate) []Notice {
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
		out = append(out, Notice{LevelWarn, Msg("wizard.doubt."+reason, "host", host, "domain", domain)})
	}
	return append(out, Notice{LevelWarn, Msg("wizard.provider.elsewhere", "host", c.Submission.Host, "domain", domain)})
}

// foreignHost returns the first server of a candidate that is not under the domain of the address, or the submission
// server when all are.
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
