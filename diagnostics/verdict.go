package diagnostics

import (
	"slices"

	"postier/internal/check"
)

// Verdict is the verdict over all results: fail if one failed, else warn if one warned, else pass. It is also fail when
// the run was stopped, or when an area could not be judged at all, because then nothing was proven.
func Verdict(results []Result) check.Status {
	has := func(status check.Status) bool {
		return slices.ContainsFunc(results, func(r Result) bool { return r.Status == status })
	}
	switch _, failed := Root(results); {
	case failed, Cancelled(results):
		return check.Fail
	case has(check.Warn):
		return check.Warn
	}
	return check.Pass
}

// Cancelled reports whether the run was stopped.
func Cancelled(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Cause == check.CauseCancelled })
}

// Find returns the result of one check.
func Find(results []Result, id check.ID) (Result, bool) {
	for _, r := range results {
		if r.ID == id {
			return r, true
		}
	}
	return Result{}, false
}

// Root is the root cause: the first failure in the order of the contract. When nothing failed, a name server that
// answered no question counts as a failure, although each of those checks could only be skipped. It is enough that the
// domain's own records (MX, SPF, DMARC) could not be read, since guessed names below the domain may still get an
// answer.
func Root(results []Result) (Result, bool) {
	if i := slices.IndexFunc(results, Result.Failed); i >= 0 {
		return results[i], true
	}
	if root, ok := unanswered(results, func(id check.ID) bool {
		return id == check.DNSMX || id == check.DNSSPF || id == check.DNSDMARC
	}, Result.Unanswered); ok {
		return root, true
	}
	return unanswered(results, func(id check.ID) bool { return id.Area() == "dns" },
		func(r Result) bool { return r.Status == check.Skip })
}

// Unanswered reports whether the check could not be judged because DNS did not answer.
func (r Result) Unanswered() bool {
	return r.Cause == check.CauseDNSFailure || r.Cause == check.CauseZoneUnanswered
}

// First is what to look at first: the root cause, or else the first warning in the order of the contract.
func First(results []Result) (Result, bool) {
	if root, ok := Root(results); ok {
		return root, true
	}
	if i := slices.IndexFunc(results, func(r Result) bool { return r.Status == check.Warn }); i >= 0 {
		return results[i], true
	}
	return Result{}, false
}

// unanswered finds the first check that got no answer from DNS among those that belong. It finds none unless all of
// them fit.
func unanswered(results []Result, belongs func(check.ID) bool, fits func(Result) bool) (Result, bool) {
	var mute *Result
	for i, r := range results {
		switch {
		case !belongs(r.ID):
		case !fits(r):
			return Result{}, false
		case r.Unanswered() && mute == nil:
			mute = &results[i]
		}
	}
	if mute == nil {
		return Result{}, false
	}
	return *mute, true
}
