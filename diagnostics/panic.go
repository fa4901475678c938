package diagnostics

import (
	"context"
	"fmt"
	"runtime/debug"

	"postier/internal/check"
)

// PanicError is what Run panics with after a check has panicked. Each check runs on a goroutine of its own, where the
// caller of Run cannot recover it and the process would end without restoring the terminal.
type PanicError struct {
	Check string
	Value any
	Stack []byte
}

// Error is one line and, below it, the stack of the check.
func (e *PanicError) Error() string { return fmt.Sprintf("%s: %v\n\n%s", e.Check, e.Value, e.Stack) }

// ask runs one check. If the check panics, it counts as skipped, and the first panic is kept for the caller of Run.
func (r *runner) ask(ctx context.Context, c Check) (result Result) {
	defer func() {
		if value := recover(); value != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.panicked == nil {
				r.panicked = &PanicError{Check: string(c.ID), Value: value, Stack: debug.Stack()}
			}
			result = Result{Status: check.Skip}
		}
	}()
	return c.Run(ctx)
}
