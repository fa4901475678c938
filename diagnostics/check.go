// Package diagnostics is a list of small checks and what their results mean.
//
// A Check asks one question of a server or of DNS, prints nothing and returns a Result with its evidence. Run orders
// checks by need, runs independent branches in parallel and skips what cannot be judged, so that a report shows one
// root cause instead of a cascade. The areas (smtp, imap, dns, arrival, discovery) each hand out a Plan; this package
// knows none of them.
package diagnostics

import (
	"context"
	"time"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/wire"
)

// Result is what a check found. Package report adds the texts and prints it.
type Result struct {
	ID     check.ID
	Status check.Status
	// Cause is a slug of the catalogue. It is empty when Status is Pass.
	Cause check.Cause
	// Answer is what the catalogue knows about the server's words; the zero value for a judgement of our own.
	Answer explain.Answer
	// Params fill the placeholders of the cause's own sentence.
	Params check.Params
	// Evidence is what the check observed, on success too.
	Evidence Evidence
	Code     *ReplyCode
	Needs    []check.ID
	Took     time.Duration
	// Transcript holds the lines of this check; secrets are masked when a line is recorded, not afterwards.
	Transcript []wire.Line
	// Fix is the exact text to publish or type, where there is one: a DNS record, a folder name, a command.
	Fix []check.Fix
}

// ReplyCode is a server's verdict in numbers: an SMTP reply code (RFC 5321 §4.2) and an enhanced status code (RFC
// 3463).
type ReplyCode struct {
	Reply    int    `json:"reply,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
}

// Check is one question.
type Check struct {
	ID check.ID
	// Needs are checks that must not have failed or been skipped, else this one is skipped with cause needs-failed.
	Needs []check.ID
	// After are checks that must have ended first whatever their result, for instance because they share a connection.
	After []check.ID
	Run   func(context.Context) Result
}

// Recorded wraps run so that its result carries the lines recorded while it ran, unless run set a transcript itself.
func Recorded(recorder *wire.Recorder, run func(context.Context) Result) func(context.Context) Result {
	return func(ctx context.Context) Result {
		mark := recorder.Mark()
		result := run(ctx)
		if result.Transcript == nil {
			result.Transcript = recorder.Since(mark)
		}
		return result
	}
}

// Plan is the checks of an area for one target. Close releases what they share, such as a connection.
type Plan struct {
	Checks []Check
	Close  func()
}
