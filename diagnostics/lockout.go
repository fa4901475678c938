package diagnostics

import (
	"context"
	"slices"
	"sync"
)

// CauseLockoutGuard says that a second sign-in was left out because the first one had been refused.
const CauseLockoutGuard = "lockout-guard"

// OneRefusal keeps a run from having the same secret refused twice: servers lock accounts and ban addresses
// (docs/security.md T21). imap.auth waits until smtp.auth has ended; when that was refused, agree is asked, and without
// its consent imap.auth is skipped with cause lockout-guard. agree may be nil for no. Plans are changed in place;
// without smtp.auth they stay.
func OneRefusal(agree func(context.Context, Result) bool, plans ...Plan) {
	if !planned(SMTPAuth, plans) {
		return
	}
	var mu sync.Mutex
	var first Result
	for _, p := range plans {
		for i, c := range p.Checks {
			run := c.Run
			switch c.ID {
			case SMTPAuth:
				p.Checks[i].Run = func(ctx context.Context) Result {
					result := run(ctx)
					mu.Lock()
					defer mu.Unlock()
					first = result
					return result
				}
			case IMAPAuth:
				p.Checks[i].After = append(slices.Clone(c.After), SMTPAuth)
				p.Checks[i].Run = func(ctx context.Context) Result {
					mu.Lock()
					refused := first
					mu.Unlock()
					if SignInRefused(refused) && (agree == nil || !agree(ctx, refused)) {
						return Result{Status: Skip, Cause: CauseLockoutGuard, Needs: []ID{SMTPAuth}}
					}
					return run(ctx)
				}
			}
		}
	}
}

func planned(id ID, plans []Plan) bool {
	return slices.ContainsFunc(plans, func(p Plan) bool {
		return slices.ContainsFunc(p.Checks, func(c Check) bool { return c.ID == id })
	})
}

// SignInRefused reports whether a sign-in was tried and did not come about. One that ended without an answer counts as
// well: the server may have counted it.
func SignInRefused(r Result) bool {
	return r.Status == Fail && slices.ContainsFunc(r.Evidence, func(e Evidence) bool { return e.Kind == "auth" })
}
