package wizard

import (
	"slices"
	"strconv"

	"postier/internal/check"
)

// refusals counts how often the server has refused the secret in a row, for one address.
type refusals struct {
	address string
	n       int
}

// countRefusals keeps the count: an accepted secret ends it, another address starts a new one.
func (s *State) countRefusals(o Outcome) {
	if o.Kind != DoSubmission && o.Kind != DoSent {
		return
	}
	if s.refused.address != s.draft.Address {
		s.refused = refusals{address: s.draft.Address}
	}
	refused := slices.ContainsFunc(o.Reports,
		func(r Report) bool { return r.Status == check.Fail && slices.Contains(refusedCauses, r.Cause) })
	switch {
	case refused:
		s.refused.n++
	case proves(o.Reports, check.SMTPAuth):
		s.refused.n = 0
	}
}

// refusalNotices says what mostly goes wrong with a password that was typed well, and after the second refusal what
// another one costs.
func (s *State) refusalNotices() []Notice {
	if s.refused.address != s.draft.Address || s.refused.n == 0 {
		return nil
	}
	out := []Notice{{LevelInfo, M("wizard.credential.keyboard")}}
	if s.refused.n == 1 {
		return out
	}
	if p := s.preset(); p != nil && p.Lockout != nil {
		return append(out, Notice{LevelWarn, M("wizard.credential.lockout-known",
			"name", p.Name, "from", strconv.Itoa(p.Lockout.FromMinutes), "to", strconv.Itoa(p.Lockout.ToMinutes))})
	}
	return append(out, Notice{LevelWarn, M("wizard.credential.lockout")})
}
