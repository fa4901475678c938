package diagnostics

import (
	"fmt"
	"slices"

	"postier/internal/check"
)

// PlanError says what is wrong with a plan. It is a mistake in the program: a plan does not depend on what is checked.
type PlanError struct {
	Check   check.ID
	Need    check.ID // what Check names; empty when Check itself is at fault
	Problem string
}

func (e *PlanError) Error() string {
	if e.Need == "" {
		return fmt.Sprintf("plan: %s %s", e.Check, e.Problem)
	}
	return fmt.Sprintf("plan: %s waits for %s, which %s", e.Check, e.Need, e.Problem)
}

// Validate reports the first mistake in plans that run together: a check that package check does not know or that is
// planned twice, and a need that is unknown or waits for the check itself. A known need that is not planned in this run
// is no mistake, because a run may leave areas out.
func Validate(plans ...Plan) error {
	waits := map[check.ID][]check.ID{}
	var order []check.ID
	for _, p := range plans {
		for _, c := range p.Checks {
			_, twice := waits[c.ID]
			switch {
			case !c.ID.Known():
				return &PlanError{Check: c.ID, Problem: "is no check"}
			case twice:
				return &PlanError{Check: c.ID, Problem: "is planned twice"}
			}
			waits[c.ID] = slices.Concat(c.Needs, c.After)
			order = append(order, c.ID)
		}
	}
	for _, id := range order {
		for _, need := range waits[id] {
			switch {
			case !need.Known():
				return &PlanError{Check: id, Need: need, Problem: "is no check"}
			case reaches(waits, need, id, map[check.ID]bool{}):
				return &PlanError{Check: id, Need: need, Problem: "waits for it"}
			}
		}
	}
	return nil
}

// reaches reports whether from waits for to, directly or through other checks.
func reaches(waits map[check.ID][]check.ID, from, to check.ID, seen map[check.ID]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(waits[from], func(next check.ID) bool { return reaches(waits, next, to, seen) })
}
