package diagnostics

import (
	"context"
	"testing"

	"postier/internal/check"
)

func signIn(id check.ID, status check.Status, ran *bool) Check {
	return Check{ID: id, Run: func(context.Context) Result {
		*ran = true
		return Result{Status: status, Cause: "wrong-password", Evidence: Evidence{SignIn{}}}
	}}
}

func TestGuardLockout(t *testing.T) {
	t.Parallel()
	yes := func(context.Context, Result) bool { return true }
	no := func(context.Context, Result) bool { return false }
	for name, c := range map[string]struct {
		smtp  check.Status
		agree func(context.Context, Result) bool
		runs  bool
	}{
		"accepted":         {check.Pass, nil, true},
		"refused":          {check.Fail, nil, false},
		"refused, no":      {check.Fail, no, false},
		"refused, agreed":  {check.Fail, yes, true},
		"not tried at all": {check.Skip, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var smtp, imap bool
			plans := []Plan{
				{Checks: []Check{signIn(check.SMTPAuth, c.smtp, &smtp)}},
				{Checks: []Check{signIn(check.IMAPAuth, check.Pass, &imap)}},
			}
			GuardLockout(c.agree, plans...)
			results := Run(t.Context(), nil, plans...)
			if imap != c.runs || !smtp {
				t.Errorf("imap.auth ran: %t", imap)
			}
			if r, _ := Find(results, check.IMAPAuth); !c.runs && (r.Status != check.Skip || r.Cause != check.CauseLockoutGuard) {
				t.Errorf("%s %s", r.Status, r.Cause)
			}
		})
	}
	// A failure before the secret was sent is no refusal, and IMAP alone waits for no one.
	var imap bool
	plans := []Plan{
		{Checks: []Check{{
			ID:  check.SMTPAuth,
			Run: func(context.Context) Result { return Result{Status: check.Fail, Cause: "insecure-cleartext"} },
		}}},
		{Checks: []Check{signIn(check.IMAPAuth, check.Pass, &imap)}},
	}
	GuardLockout(nil, plans...)
	Run(t.Context(), nil, plans...)
	if !imap {
		t.Error("imap.auth was left out")
	}
	alone := []Plan{{Checks: []Check{signIn(check.IMAPAuth, check.Pass, &imap)}}}
	GuardLockout(nil, alone...)
	if len(alone[0].Checks[0].After) != 0 {
		t.Error("imap.auth waits for a check that is not planned")
	}
}
