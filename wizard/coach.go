package wizard

import (
	"slices"

	"postier/internal/check"
)

// vouching are the checks of what vouches for a domain's mail, by what weighs most with receivers: the receiver's own
// verdict, then the record.
var vouching = [][]check.ID{
	{check.ArrivalDKIM, check.DNSDKIM}, {check.ArrivalDMARC, check.DNSDMARC}, {check.ArrivalSPF, check.DNSSPF},
}

// coach turns the card of a message in the junk folder into what helps, in the order of its weight. The test message is
// the program's own, so nothing is said about its text.
func (s *State) coach(v *Screen) {
	if v.Finding == nil || v.Finding.Cause != check.CauseLandedInJunk {
		return
	}
	f := *v.Finding
	f.Remedy, f.RetryWords = nil, Words{}
	for _, ids := range vouching {
		r, judged := s.judgement(ids)
		if !judged {
			continue
		}
		v.Facts = append(v.Facts, Fact{Label: r.Name, Value: r.Title})
		if r.Status == check.Pass {
			v.Facts[len(v.Facts)-1].Value = Msg("wizard.junk.in-order")
		} else if len(r.Remedy) > 0 {
			f.Remedy = append(f.Remedy, r.Remedy[0])
		}
	}
	if len(f.Remedy) == 0 {
		f.Remedy, f.WhoWords = []Words{Msg("wizard.junk.unknown-sender")}, Words{}
	} else {
		v.addActions(Action{
			ID: gotoPrefix + ActionID(StepDNS), Label: Msg("wizard.action.records", "number", StepDNS.Number()), Key: 'd',
		})
	}
	f.Remedy = append(f.Remedy, Msg("wizard.junk.mark"))
	v.Finding = &f
}

// judgement is the worst that was found about one thing.
func (s *State) judgement(ids []check.ID) (worst Report, judged bool) {
	rank := []check.Status{check.Pass, check.Warn, check.Fail}
	for _, r := range s.withNames(slices.Concat(s.work[DoTest].reports, s.work[DoDNS].reports)) {
		at := slices.Index(rank, r.Status)
		if at >= 0 && slices.Contains(ids, r.ID) && (!judged || at > slices.Index(rank, worst.Status)) {
			worst, judged = r, true
		}
	}
	return worst, judged
}

// compareTests tells when a message arrives that would have landed in the junk folder before.
func (s *State) compareTests(o Outcome) {
	junk := slices.ContainsFunc(o.Reports, func(r Report) bool { return r.Cause == check.CauseLandedInJunk })
	if !junk && s.junk && proves(o.Reports, check.ArrivalPlacement) {
		s.notices = []Notice{{LevelGood, Msg("wizard.junk.better")}}
	}
	s.junk = junk
}
