// Package check holds the words in which checks speak: their names, their verdicts, the causes they give and what the
// sentence about a cause may name. Checks are carried out by diagnostics; the wizard, the sending of mail and the file
// name them without knowing how they work.
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
