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

// countRefusals counts a refused sign-in. An accepted secret sets the count to zero, and so does another address.
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
		for _, w := range o.Ways {
			if slices.Contains(refusedCauses, w.Cause) {
				s.refused.n++
			}
		}
	case proves(o.Reports, check.SMTPAuth):
		s.refused.n = 0
	}
}

// secretRefused reports whether the server has refused the secret that is held, under the present settings. Trying it
// again only brings the account closer to being locked.
func (s *State) secretRefused() bool {
	t, tried := s.work[DoSubmission]
	failure := firstFailure(t.reports)
	return tried && t.done && t.key == s.key(DoSubmission) && failure != nil &&
		slices.Contains(refusedCauses, failure.Cause)
}

// refusalNotices names the usual reason why a correct password is refused (keyboard layout, Caps Lock), and after the
// second refusal warns that the server may lock the account.
func (s *State) refusalNotices() []Notice {
	if s.refused.address != s.draft.Address || s.refused.n == 0 {
		return nil
	}
	out := []Notice{{LevelInfo, Msg("wizard.credential.keyboard")}}
	if s.refused.n == 1 {
		return out
	}
	if p := s.preset(); p != nil && p.Lockout != nil {
		return append(out, Notice{LevelWarn, Msg("wizard.credential.lockout-known",
			"name", p.Name, "from", strconv.Itoa(p.Lockout.FromMinutes), "to", strconv.Itoa(p.Lockout.ToMinutes))})
	}
	return append(out, Notice{LevelWarn, Msg("wizard.credential.lockout")})
}
