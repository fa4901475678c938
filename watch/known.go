package watch

import (
	"time"

	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
)

// StateUnchecked is the state of a profile that was never watched.
const StateUnchecked State = "unchecked"

// Known is what the rounds so far found of a profile.
type Known struct {
	State State
	// Checked is when the last round was, zero before the first one.
	Checked time.Time
	// Again is when the service looks at the profile before its next round, zero when it need not.
	Again time.Time
	// Stopped are the checks that do not hold, in the order of a report.
	Stopped []Stopped
	// Untold are the notices that somebody is still to get.
	Untold []Sent
}

// Stopped is a check that does not hold.
type Stopped struct {
	Check  check.ID     `json:"check"`
	Status check.Status `json:"status"`
	Cause  check.Cause  `json:"cause"`
	Code   string       `json:"code,omitempty"`
	Since  time.Time    `json:"since"`
	// Confirmed is true once it failed twice.
	Confirmed bool `json:"confirmed"`
}

// KnownOf reads what is kept of a profile.
func KnownOf(kept delivery.Watched) Known {
	r := decodeRecord(kept.Detail)
	known := Known{State: r.State, Checked: r.Checked, Again: r.Again}
	if known.Checked.IsZero() {
		known.State = StateUnchecked
	}
	for _, id := range r.troubles(func(t *trouble) bool { return !t.Fixed }) {
		t := r.Checks[id].Trouble
		known.Stopped = append(known.Stopped, Stopped{
			Check: id, Status: t.Status, Cause: t.Cause, Code: explain.Code(t.Cause), Since: t.Since,
			Confirmed: t.confirmed(),
		})
	}
	for _, n := range r.Notices {
		for _, sent := range n.sent() {
			if sent.Result != SentTaken {
				known.Untold = append(known.Untold, sent)
			}
		}
	}
	return known
}
