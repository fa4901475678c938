// Package pattern compiles regular expressions when they are first used. Local programs call sendmail once for each
// message, and a call must not pay for expressions that it does not need.
package pattern

import (
	"regexp"
	"sync"
)

// Of returns a function that compiles the expression (RE2 syntax) at its first call. A wrong expression panics there.
func Of(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
