package wizard

import (
	"maps"
	"slices"

	"postier/config"
	"postier/internal/check"
)

// Checks lists the checks of one kind of work in the order in which they run, so that the screen can show all of them
// before the first one has ended.
func Checks(kind RequestKind) []check.ID {
	switch kind {
	case DoSubmission:
		return slices.DeleteFunc(check.In("net", "smtp"), func(id check.ID) bool {
			// The machine and its name service are judged only when something else failed.
			return id == check.SMTPData || id.OnlyAfterFailure()
		})
	case DoSent:
		return check.In("imap")
	case DoDNS:
		return []check.ID{check.DNSMX, check.DNSSPF, check.DNSDKIM, check.DNSDMARC}
	case DoTest:
		return append([]check.ID{check.SMTPData}, check.In("arrival")...)
	}
	return nil
}

func pendingReports(kind RequestKind, d Draft) []Report {
	var out []Report
	for _, id := range Checks(kind) {
		if kind == DoTest && id != check.SMTPData && !d.ReadsMailbox() {
			continue // the mailbox cannot be read
		}
		out = append(out, Report{ID: id})
	}
	return out
}

func mergeReport(reports []Report, r Report) []Report {
	for i := range reports {
		if reports[i].ID == r.ID {
			reports[i] = r
			return reports
		}
	}
	return append(reports, r)
}

// finding is the first failed check of the current step's work.
func (s *State) finding() *Report {
	t, ok := s.work[s.stepKind()]
	if !ok || !t.done {
		return nil
	}
	return s.inPlace(s.ofRecord(firstFailure(t.reports)))
}

// ofRecord is what the check of the domain's records found, where a receiver only says that the SPF record cannot be
// used: it says so of every fault that a record can have (RFC 7208, section 2.6.7).
func (s *State) ofRecord(f *Report) *Report {
	if f == nil || f.ID != check.ArrivalSPF || f.Cause != check.CauseSPFSyntax {
		return f
	}
	for _, r := range s.work[DoDNS].reports {
		if r.ID == check.DNSSPF && r.Cause != "" && (r.Status == check.Fail || r.Status == check.Warn) {
			return &r
		}
	}
	return f
}

func firstOf(reports []Report, status check.Status) *Report {
	for _, r := range reports {
		if r.Status == status {
			return &r
		}
	}
	return nil
}

func firstFailure(reports []Report) *Report { return firstOf(reports, check.Fail) }

// Remaining returns the first failed check that did not stop the setup, with its step: a DNS record of the domain, or
// the receiver's verdict on the test message. It returns nil when there is none.
func (s State) Remaining() (Step, *Report) {
	for _, step := range []Step{StepDNS, StepTest} {
		kind := stepWork(step)
		t := s.work[kind]
		if !t.done || t.key != (&s).key(kind) {
			continue
		}
		if r := firstFailure(t.reports); r != nil {
			return step, r
		}
	}
	return "", nil
}

// passed reports whether work of this kind proved what it is for, with the settings as they are now. Checks that were
// skipped, for example because the person stopped them, prove nothing.
func (s *State) passed(kind RequestKind) bool {
	t, ok := s.work[kind]
	if !ok || !t.done || !t.err.Empty() || t.key != s.key(kind) {
		return false
	}
	if kind == DoTest {
		// A failed SPF or DKIM verdict of the receiver does not count against the test: the message has arrived, and
		// only the owner of the domain can fix its DNS records (step 8).
		return !failed(t.reports, check.SMTPData) &&
			(proves(t.reports, check.ArrivalDelivered) || !s.Draft().ReadsMailbox() && proves(t.reports, check.SMTPData))
	}
	if firstFailure(t.reports) != nil {
		return false
	}
	switch {
	case kind == DoSubmission && s.draft.Submission.Auth == config.MechanismNone:
		return proves(t.reports, check.SMTPRecipient)
	case kind == DoSubmission:
		return proves(t.reports, check.SMTPAuth) && proves(t.reports, check.SMTPRecipient)
	case kind == DoSent:
		return proves(t.reports, check.IMAPAuth)
	}
	return len(t.reports) > 0
}

func proves(reports []Report, id check.ID) bool {
	return slices.ContainsFunc(reports,
		func(r Report) bool { return r.ID == id && (r.Status == check.Pass || r.Status == check.Warn) })
}

func failed(reports []Report, id check.ID) bool {
	return slices.ContainsFunc(reports, func(r Report) bool { return r.ID == id && r.Status == check.Fail })
}

// verdicts maps each check that ran with the present settings to its verdict, for the configuration.
func (s State) verdicts() map[check.ID]check.Status {
	out := map[check.ID]check.Status{}
	for _, kind := range []RequestKind{DoSubmission, DoSent, DoDNS, DoTest} {
		t := s.work[kind]
		if !t.done && (&s).asSaved(kind) || kind == DoSubmission && (&s).kept() {
			maps.Copy(out, (&s).earlier(kind)) // trying again proves nothing unless it passes
			continue
		}
		if !t.done || t.key != (&s).key(kind) {
			continue
		}
		given := kind == DoSent && slices.Contains(s.draft.Skipped, StepSent)
		for _, r := range t.reports {
			// A failed Sent copy does not make the profile unproven if the person chose to go without one.
			if r.Status != "" && r.Status != check.Skip && !r.ID.OnlyAfterFailure() && !(given && r.Status == check.Fail) {
				out[r.ID] = r.Status
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
