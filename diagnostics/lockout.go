package diagnostics

import (
	"context"
	"slices"

	"postier/internal/check"
)

// GuardLockout keeps a run from sending a refused secret a second time, because servers lock accounts and ban addresses
// after repeated refusals (docs/security.md T21). imap.auth waits until smtp.auth has ended. If smtp.auth was refused,
// imap.auth runs only when agree returns true, otherwise it is skipped with cause lockout-guard. A nil agree means no.
// The plans are changed in place, and only when smtp.auth is among them.
func GuardLockout(agree func(context.Context, Result) bool, plans ...Plan) {
	if !planned(check.SMTPAuth, plans) {
		return
	}
	var first Result // written before imap.auth begins, as that waits for smtp.auth
	for _, p := range plans {
		for i, c := range p.Checks {
			run := c.Run
			switch c.ID {
			case check.SMTPAuth:
				p.Checks[i].Run = func(ctx context.Context) Result {
					first = run(ctx)
					return first
				}
			case check.IMAPAuth:
				p.Checks[i].After = append(slices.Clone(c.After), check.SMTPAuth)
				p.Checks[i].Run = func(ctx context.Context) Result {
					if SignInRefused(first) && (agree == nil || !agree(ctx, first)) {
						return Result{Status: check.Skip, Cause: check.CauseLockoutGuard, Needs: []check.ID{check.SMTPAuth}}
					}
					return run(ctx)
				}
			}
		}
	}
}

func planned(id check.ID, plans []Plan) bool {
	return slices.ContainsFunc(plans, func(p Plan) bool {
		return slices.ContainsFunc(p.Checks, func(c Check) bool { return c.ID == id })
	})
}

// SignInRefused reports whether a sign-in was tried and failed. A sign-in that ended without an answer counts too,
// because the server may have counted it.
func SignInRefused(r Result) bool {
	_, tried := Observed[SignIn](r.Evidence)
	return r.Failed() && tried
}
