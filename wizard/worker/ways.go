package worker

import (
	"context"
	"slices"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/repair"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/wire"
	"postier/wizard"
)

// ways are what was tried in place of what failed. A run without a person takes the best one by itself; a person is
// asked.
type ways struct {
	working []repair.Way
	tried   []repair.Tried
}

// otherWays tries other ways where something failed that one of them may get round, and tells that it does.
func (w *Worker) otherWays(ctx context.Context, network *wire.Network, target account.Target,
	results []diagnostics.Result, r wizard.Request, tell func(wizard.Outcome),
) ways {
	if ctx.Err() != nil || diagnostics.Verdict(results) != check.Fail {
		return ways{}
	}
	tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Phase: wizard.PhaseWays})
	working, tried := repair.Find(ctx, network, target, results, r.OtherNames && !w.Repair)
	return ways{working, tried}
}

// best is the first way to a server that works.
func (w ways) best(area repair.Area) (repair.Way, bool) {
	at := slices.IndexFunc(w.working, func(way repair.Way) bool { return way.Area == area })
	if at < 0 {
		return repair.Way{}, false
	}
	return w.working[at], true
}

// told are the ways to a server as the wizard shows them.
func (w ways) told(area repair.Area, now config.Server) []wizard.Way {
	best, found := w.best(area)
	var list []wizard.Way
	for _, t := range w.tried {
		if t.Area != area {
			continue
		}
		way := wizard.Way{
			Server: t.Server, Cause: t.Cause,
			Name:   everyLanguage(func(lang locale.Lang) string { return report.ChangeWords(lang, now, t.Server) }),
			Result: everyLanguage(func(lang locale.Lang) string { return report.TriedWords(lang, t) }),
		}
		if found && best.Server(now) == t.Server {
			way.Works, way.Reports = true, reportsOf(best.Results)
			way.Advice = everyLanguage(func(lang locale.Lang) string {
				return locale.For(lang).T("wizard.way.use", "way", report.ChangeWords(lang, now, t.Server))
			})
		}
		list = append(list, way)
	}
	return list
}
