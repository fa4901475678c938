package watch

import (
	"context"
	"errors"
	"slices"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/rootcause"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/oauth"
	"postier/internal/wire"
)

const (
	// probeLimit bounds the checks of one profile.
	probeLimit = 4 * time.Minute
	// probeGrace is how long checks under way may go on after the round was asked to stop, so that the message that was
	// filed in the Sent folder is removed again.
	probeGrace = 15 * time.Second
)

// probe carries out the checks of a profile; none of those that rest.
func (w *Watcher) probe(ctx context.Context, name string, p *config.Profile, r *record, resting []check.ID) (
	[]diagnostics.Result, error,
) {
	target, network, err := w.Accounts.Profile(ctx, name, p)
	var refused diagnostics.Result
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, new(*account.RootsError)):
		return []diagnostics.Result{named(check.SMTPCertificate, diagnostics.Failed(check.CauseConfigInvalid))}, nil
	case err != nil:
		target, network = account.Of(name, p, w.Accounts.Book), w.trusting(p)
		refused = unread(err)
	}
	plans := w.plans(network, target, r)
	switch {
	case err != nil, slices.Contains(resting, check.SMTPAuth):
		plans = without(plans, check.SMTPAuth, check.IMAPAuth)
	case slices.Contains(resting, check.IMAPAuth):
		plans = without(plans, check.IMAPAuth)
	}
	diagnostics.GuardLockout(nil, plans...)
	ctx, cancel := lingering(ctx)
	defer cancel()
	results := rootcause.Run(ctx, network, nil, plans...)
	if refused.ID != "" {
		results = append(results, refused)
	}
	return results, nil
}

// trusting is the network for a profile whose secret could not be read.
func (w *Watcher) trusting(p *config.Profile) *wire.Network {
	network, err := account.Trusting(w.Accounts.Network, w.Accounts.ConfigPath, p.TLS.CAFile)
	if err != nil {
		return w.Accounts.Network
	}
	return network
}

func (w *Watcher) plans(network *wire.Network, target account.Target, r *record) []diagnostics.Plan {
	records := dns.Plan(network, target, dns.Options{
		Selectors: r.Selectors, GuessSelectors: len(r.Selectors) == 0 && len(target.Selectors) == 0,
	})
	records.Checks = slices.DeleteFunc(records.Checks, func(c diagnostics.Check) bool { return !wanted(c.ID) })
	plans := []diagnostics.Plan{smtp.Plan(network, target, smtp.Options{}), records}
	if target.IMAP != nil {
		plans = append(plans, imap.Plan(network, target, imap.Options{
			Lang: w.Lang, Product: w.Queue.Product,
			LookOnly: !r.Left.IsZero() && w.Queue.Store.Now().Sub(r.Left).Abs() < spare,
		}))
	}
	return plans
}

// unread is the result of a sign-in for which there is no secret. A person who would be asked for it is not there,
// which is no fault.
func unread(err error) diagnostics.Result {
	var signIn *oauth.Error
	var missing *credential.Error
	switch {
	case errors.As(err, &signIn):
		return named(check.SMTPAuth, diagnostics.Failed(signIn.Cause()))
	case errors.As(err, &missing) && missing.Problem == credential.NobodyToAsk:
		return named(check.SMTPAuth, diagnostics.Skipped(check.CauseNotApplicable))
	}
	return named(check.SMTPAuth, diagnostics.Failed(check.CauseCredentialUnreadable))
}

func named(id check.ID, r diagnostics.Result) diagnostics.Result {
	r.ID = id
	return r
}

// without leaves out checks and those that need them.
func without(plans []diagnostics.Plan, ids ...check.ID) []diagnostics.Plan {
	gone := map[check.ID]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	for i, plan := range plans {
		plans[i].Checks = nil
		for _, c := range plan.Checks { // a plan names what is needed before what needs it
			if gone[c.ID] || slices.ContainsFunc(c.Needs, func(need check.ID) bool { return gone[need] }) {
				gone[c.ID] = true
				continue
			}
			plans[i].Checks = append(plans[i].Checks, c)
		}
	}
	return plans
}

// lingering ends some time after ctx.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeLimit)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(probeGrace, cancel) })
	return out, func() { stop(); cancel() }
}
