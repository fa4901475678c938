package diagnostics

import (
	"context"
	"strings"
	"testing"

	"postier/internal/check"
)

// TestPanicReachesTheCaller: the caller of Run can recover from a check that panics, after the others have ended and
// the plan was closed.
func TestPanicReachesTheCaller(t *testing.T) {
	t.Parallel()
	ended, closed := false, false
	plan := Plan{
		Checks: []Check{
			{ID: check.NetResolve, Run: func(context.Context) Result { panic("out of luck") }},
			does(check.NetConnect, check.Pass, check.NetResolve),
			{ID: check.DNSMX, Run: func(context.Context) Result { ended = true; return Result{Status: check.Pass} }},
		},
		Close: func() { closed = true },
	}
	defer func() {
		e, ok := recover().(*PanicError)
		if !ok || e.Check != "net.resolve" || e.Value != "out of luck" ||
			!strings.HasPrefix(e.Error(), "net.resolve: out of luck\n") || !strings.Contains(string(e.Stack), "panic_test.go") {
			t.Errorf("%+v", e)
		}
		if !ended || !closed {
			t.Errorf("the others ended: %v, the plan was closed: %v", ended, closed)
		}
	}()
	Run(t.Context(), nil, plan)
}
