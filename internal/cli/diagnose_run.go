package cli

import (
	"bufio"
	"context"
	"slices"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/portprobe"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/tui/plain"
)

func now() time.Time { return time.Now() }

// chosen keeps the checks that --only names, by id or by area, and what they need.
func chosen(only []string, plans []diagnostics.Plan) []diagnostics.Plan {
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
			if string(id) == name || strings.HasPrefix(string(id), name+".") {
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

func (a *app) knownChecks(only []string) error {
	for _, name := range only {
		if !slices.ContainsFunc(check.All(), func(id check.ID) bool {
			return string(id) == name || strings.HasPrefix(string(id), name+".")
		}) {
			return usagef(a.T("cli.error.check", "name", safetext.FromRemote(name)))
		}
	}
	return nil
}

// diagnosed runs the plans and shows the results: JSON at the end, or text, on a terminal as the checks end.
func (a *app) diagnosed(ctx context.Context, o *diagnoseOptions, network *wire.Network, target account.Target,
	plans ...diagnostics.Plan,
) error {
	info := a.reportInfo(o, target)
	plans = chosen(o.only, plans)
	var screen *liveView
	var observe func(diagnostics.Event)
	if plain.IsTerminal(a.out) && !a.json {
		screen = a.newLiveView(info, plans)
		observe = screen.observe
		defer screen.stop()
	}
	diagnostics.OneRefusal(a.agreeAgain(screen), plans...)
	results := diagnostics.Run(ctx, observe, plans...)
	if screen != nil {
		screen.stop()
	}
	info.Took = time.Since(info.Started)
	if a.wantsProbe(ctx, o, results) {
		info.Ports = a.probeElsewhere(ctx, o, network, target, results)
	}
	if err := a.showResults(info, results, screen != nil); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return quiet(exitInterrupted)
	}
	a.renew(o.proof, results)
	if code := report.ExitCode(results); code != exitOK {
		return quiet(code)
	}
	return nil
}

func (a *app) reportInfo(o *diagnoseOptions, target account.Target) report.Info {
	return report.Info{
		Version: version, Started: now(), Target: target, Domain: o.domain, Lang: a.lang(),
		Transcript: o.transcript, Verbose: a.verbose,
	}
}

// showResults prints everything, or after a live view what is still missing.
func (a *app) showResults(info report.Info, results []diagnostics.Result, shown bool) error {
	if a.json {
		return report.JSON(a.out, info, results)
	}
	if !shown {
		return report.Text(a.out, info, results)
	}
	a.println("")
	for _, line := range report.Closing(a.lang(), results) {
		a.println(line)
	}
	for _, line := range report.PortLines(info) {
		a.println(line)
	}
	return nil
}

// agreeAgain asks before a second sign-in with a secret that was refused once. Without a terminal there is nobody to
// ask.
func (a *app) agreeAgain(screen *liveView) func(context.Context, diagnostics.Result) bool {
	if !a.interactive() || a.json {
		return nil
	}
	return func(ctx context.Context, _ diagnostics.Result) bool {
		if screen != nil {
			screen.hold()
			defer screen.resume()
		}
		return a.confirm(ctx, a.T("diagnose.again"))
	}
}

// confirm asks a yes-or-no question; anything but a yes in the person's language is a no.
func (a *app) confirm(ctx context.Context, question string) bool {
	_, _ = a.err.Write([]byte(question + " "))
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReaderSize(a.in, 16).ReadString('\n')
		if err != nil {
			line = ""
		}
		answer <- line
	}()
	select {
	case line := <-answer:
		word := strings.ToLower(strings.TrimSpace(line))
		return word != "" && slices.Contains(strings.Fields(a.T("diagnose.yes-words")), word)
	case <-ctx.Done():
		return false
	}
}

// wantsProbe is the flag, or a person's consent when a port did not connect.
func (a *app) wantsProbe(ctx context.Context, o *diagnoseOptions, results []diagnostics.Result) bool {
	switch {
	case ctx.Err() != nil || len(portprobe.Suspicious(results)) == 0:
		return false
	case o.probe || len(o.probeHosts) > 0:
		return true
	}
	return a.interactive() && !a.json && a.confirm(ctx, a.T("diagnose.probe-question"))
}
