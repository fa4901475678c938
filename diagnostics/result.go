package diagnostics

import (
	"slices"

	"postier/diagnostics/explain"
	"postier/internal/check"
)

// Passed is the result of a check that found nothing wrong. It has evidence as well.
func Passed(evidence ...Observation) Result { return Result{Status: check.Pass, Evidence: evidence} }

// Warned is the result of a check that found something to improve.
func Warned(cause check.Cause, evidence ...Observation) Result {
	return Result{Status: check.Warn, Cause: cause, Evidence: evidence}
}

// Failed is the result of a check that found a reason why mail does not work.
func Failed(cause check.Cause, evidence ...Observation) Result {
	return Result{Status: check.Fail, Cause: cause, Evidence: evidence}
}

// Skipped is the result of a check that could not judge.
func Skipped(cause check.Cause, evidence ...Observation) Result {
	return Result{Status: check.Skip, Cause: cause, Evidence: evidence}
}

// Failed reports whether the check failed.
func (r Result) Failed() bool { return r.Status == check.Fail }

// With adds values for the placeholders in the cause's sentence.
func (r Result) With(p check.Params) Result {
	r.Params = r.Params.With(p)
	return r
}

// After puts what was observed earlier before the result's own evidence.
func (r Result) After(earlier ...Observation) Result {
	r.Evidence = append(slices.Clone(earlier), r.Evidence...)
	return r
}

// Fixed adds exact texts to publish or type.
func (r Result) Fixed(fixes ...check.Fix) Result {
	r.Fix = append(r.Fix, fixes...)
	return r
}

// Explain returns the answer to the server's words where a catalogue entry knew them and its cause is the result's,
// otherwise the cause's own texts.
func (r Result) Explain() explain.Answer {
	if (r.Answer.Reply != "" || r.Answer.Letters != "") && r.Answer.Cause == r.Cause {
		return r.Answer
	}
	return explain.For(r.Cause)
}
