package diagnose

import (
	"context"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/repair"
	"postier/diagnostics/report"
	"postier/internal/check"
)

// repair is --repair: it looks for a way that works, and with --yes writes the first one into the saved profile. saved
// is true when that is all that was wrong.
func (c *checkup) repair(ctx context.Context, info *report.Info, results []diagnostics.Result) (saved bool, err error) {
	if !c.Repair || ctx.Err() != nil {
		return false, nil
	}
	ways, tried := repair.Find(ctx, c.network, c.target, results)
	info.Repair = &report.Repair{Ways: ways, Tried: tried}
	if len(ways) == 0 || !c.Yes || c.proof == nil {
		return false, nil
	}
	doc, err := c.Document()
	if err != nil {
		return false, err
	}
	p := doc.File.Profiles[c.proof.name]
	if p == nil || p.Digest() != c.proof.digest {
		return false, nil // edited while the checks ran
	}
	judged := map[check.ID]check.Status{}
	keep := func(list []diagnostics.Result) {
		for _, r := range list {
			if (r.Status == check.Pass || r.Status == check.Warn) && !r.ID.OnlyAfterFailure() {
				judged[r.ID] = r.Status
			} else if r.Failed() {
				delete(judged, r.ID)
			}
		}
	}
	keep(results)
	for _, way := range firstOfEach(ways) {
		way.Apply(p)
		keep(way.Results)
	}
	p.Validated = &config.Validated{At: time.Now().UTC().Truncate(time.Second), Digest: p.Digest(), Checks: judged}
	if err := doc.Save(); err != nil {
		return false, err
	}
	info.Repair.Saved = true
	return allRepaired(results, ways), nil
}

// firstOfEach is the best way of each area.
func firstOfEach(ways []repair.Way) []repair.Way {
	var list []repair.Way
	seen := map[repair.Area]bool{}
	for _, w := range ways {
		if !seen[w.Area] {
			seen[w.Area] = true
			list = append(list, w)
		}
	}
	return list
}

// allRepaired reports whether nothing failed in an area for which no way was found.
func allRepaired(results []diagnostics.Result, ways []repair.Way) bool {
	found := map[string]bool{}
	for _, w := range ways {
		if w.Area == repair.Submission {
			found["net"], found["smtp"] = true, true
		} else {
			found["imap"] = true
		}
	}
	for _, r := range results {
		if r.Failed() && !found[r.ID.Area()] {
			return false
		}
	}
	return true
}
