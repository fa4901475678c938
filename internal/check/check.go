// Package check holds the vocabulary of the checks: their ids, their verdicts, the causes of a failure and the
// parameters of a cause's sentence. Package diagnostics carries the checks out; wizard, delivery and config only use
// their vocabulary.
package check

import (
	"slices"
	"strings"
)

// Area is the part of an id before the dot: net, smtp, imap, dns or arrival.
func (id ID) Area() string {
	area, _, _ := strings.Cut(string(id), ".")
	return area
}

// Known reports whether there is such a check.
func (id ID) Known() bool { return slices.Contains(All(), id) }

// OnlyAfterFailure reports whether a check is judged only when another one failed. It is no part of what proves a
// profile.
func (id ID) OnlyAfterFailure() bool { return id == NetLocal || id == NetResolver }

// In lists the checks of some areas in report order.
func In(areas ...string) []ID {
	return slices.DeleteFunc(All(), func(id ID) bool { return !slices.Contains(areas, id.Area()) })
}

// Status is the verdict of one check.
type Status string

// The verdicts. Skip means "not judged", which differs from "no".
const (
	Pass Status = "pass"
	Warn Status = "warn"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Statuses lists the verdicts.
func Statuses() []Status { return []Status{Pass, Warn, Fail, Skip} }
