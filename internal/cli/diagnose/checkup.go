package diagnose

import (
	"context"
	"slices"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/portprobe"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/tui/plain"
)

// checkup is one run of checks: the target, the network and the flags.
type checkup struct {
	*command.Factory
	Flags
	network *wire.Network
	target  account.Target
	domain  string
	// off says that the profile is switched off; empty where it is not.
	off string
	// proof is the saved profile that the results may prove, nil when there is none.
	proof *proof
}

// newCheckup refuses malformed flags before anything starts, and makes the network.
func newCheckup(f *command.Factory, flags Flags) (*checkup, error) {
	for _, name := range flags.Only {
		if !slices.ContainsFunc(check.All(), func(id check.ID) bool { return within(id, name) }) {
			return nil, command.Usage(f.T("cli.error.check", "name", safetext.FromRemote(name)))
		}
	}
	if err := f.CheckSettings(flags.Values); err != nil {
		return nil, err
	}
	network, err := f.Network()
	return &checkup{Factory: f, Flags: flags, network: network}, err
}

// within reports whether a check has this name or belongs to the area of this name.
func within(id check.ID, name string) bool {
	return string(id) == name || strings.HasPrefix(string(id), name+".")
}

// choose keeps the checks that --only names, by id or by area, and what they need.
func choose(only []string, plans []diagnostics.Plan) []diagnostics.Plan {
	if len(only) == 0 {
		return plans
	}
	wanted := map[check.ID]bool{}
	needs := map[check.ID][]check.ID{}
	var want func(check.ID)
	want = func(id check.ID) {
		if !wanted[id] {
			wanted[id] = true
			for _, need := range needs[id] {
				want(need)
			}
		}
	}
	for _, p := range plans {
		for _, c := range p.Checks {
			needs[c.ID] = append(slices.Clone(c.Needs), c.After...)
		}
	}
	for id := range needs {
		for _, name := range only {
			if within(id, name) {
				want(id)
			}
		}
	}
	for i := range plans {
		plans[i].Checks = slices.DeleteFunc(slices.Clone(plans[i].Checks),
			func(c diagnostics.Check) bool { return !wanted[c.ID] })
	}
	return plans
}

// run runs the plans and shows the results: JSON or text at the end, or on a terminal text while the checks run.
func (c *checkup) run(ctx context.Context, plans ...diagnostics.Plan) error {
	info := c.info()
	plans = choose(c.Only, plans)
	helper, err := c.audience(ctx, info, plans)
	if err != nil {
		return err
	}
	results := c.watched(ctx, helper, plans)
	info.Took = time.Since(info.Started)
	if c.wantsProbe(ctx, results) {
		info.Ports = c.probeElsewhere(ctx, results)
	}
	now, saved, err := c.repair(ctx, &info, results)
	if err != nil {
		return err
	}
	helper.finish(now)
	if err := c.show(info, results); err != nil {
		return err
	}
	if c.Share {
		helper.stay(ctx)
	}
	if ctx.Err() != nil {
		return command.Quiet(exitcode.Interrupted)
	}
	if !saved || !c.proof.proven {
		c.renew(now)
	}
	return ended(c.target, now)
}

// ended is how the command ends after these results; nil for success.
func ended(target account.Target, results []diagnostics.Result) error {
	code := report.ExitCode(results)
	if code == exitcode.OK {
		return nil
	}
	root, _ := diagnostics.Root(results)
	err := &command.Error{Code: code, Cause: root.Cause}
	if report.RecipientRefused(target, results) {
		err.Recipient = target.Recipient
	}
	return err
}

// watched runs the checks before the eyes of the person, and of a helper.
func (c *checkup) watched(ctx context.Context, helper *audience, plans []diagnostics.Plan) []diagnostics.Result {
	observe := helper.observe
	if plain.IsTerminal(c.Out) && !c.JSON {
		screen := newLiveView(c.Factory, false)
		defer screen.stop()
		helper.live = screen
		observe = func(e diagnostics.Event) { screen.observe(e); helper.observe(e) }
	}
	helper.listen(ctx)
	defer helper.pause()
	diagnostics.GuardLockout(c.agreeAgain(ctx, helper), plans...)
	return rootcause.Run(ctx, c.network, observe, plans...)
}

func (c *checkup) info() report.Info {
	info := report.Info{
		Version: c.Version, Started: time.Now(), Target: c.target, Domain: c.domain, Lang: c.Lang(),
		Transcript: c.Transcript, Verbose: c.Verbose, Off: c.off,
	}
	if plain.IsTerminal(c.Out) {
		info.Width = command.Columns(c.Out)
		info.Colour = !c.Colourless() && !c.Plain && c.Getenv("TERM") != "dumb"
	}
	return info
}

func (c *checkup) show(info report.Info, results []diagnostics.Result) error {
	if c.JSON {
		return report.JSON(c.Out, info, results)
	}
	return report.Text(c.Out, info, results)
}

// agreeAgain asks before a second sign-in with a secret that was refused once. It is nil without a terminal, where no
// one can be asked.
func (c *checkup) agreeAgain(run context.Context, helper *audience) func(context.Context, diagnostics.Result) bool {
	if !c.Interactive() || c.JSON {
		return nil
	}
	return func(ctx context.Context, _ diagnostics.Result) bool {
		helper.pause()
		defer helper.listen(run)
		if helper.live != nil {
			helper.live.hold()
			defer helper.live.resume()
		}
		return c.Confirm(ctx, c.T("diagnose.again"))
	}
}

// wantsProbe reports whether to probe other ports after one did not connect: by flag, or because the user agreed.
func (c *checkup) wantsProbe(ctx context.Context, results []diagnostics.Result) bool {
	switch {
	case ctx.Err() != nil || len(portprobe.Suspicious(results)) == 0:
		return false
	case c.Probe || len(c.ProbeHosts) > 0:
		return true
	}
	return portprobe.Silent(results) && c.Interactive() && !c.JSON && c.Confirm(ctx, c.T("diagnose.probe-question"))
}
