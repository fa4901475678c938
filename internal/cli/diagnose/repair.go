package diagnose

import (
	"context"
	"slices"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/repair"
	"postier/diagnostics/report"
	"postier/internal/check"
)

// repair is --repair: it looks for a way that works, and with --yes writes the first one of each server into the saved
// profile. results are then those that hold for it, and saved is true. The profile counts as proven when they judge all
// that its proof consists of.
func (c *checkup) repair(ctx context.Context, info *report.Info, results []diagnostics.Result) (
	now []diagnostics.Result, saved bool, err error,
) {
	if !c.Repair || ctx.Err() != nil {
		return results, false, nil
	}
	ways, tried := repair.Find(ctx, c.network, c.target, results, true)
	info.Repair = &report.Repair{
		Ways: ways, Tried: tried, Needed: diagnostics.Verdict(results) == check.Fail,
	}
	if len(ways) == 0 || !c.Yes || c.proof == nil {
		return results, false, nil
	}
	doc, err := c.Document()
	if err != nil {
		return results, false, err
	}
	p := doc.File.Profiles[c.proof.name]
	if err := c.Own(c.proof.name, p); p != nil && err != nil {
		return results, false, err
	}
	if p == nil || p.Digest() != c.proof.digest {
		return results, false, nil // edited while the checks ran
	}
	for _, way := range firstOfEach(ways) {
		way.Apply(p)
		results = replaced(results, way.Results)
	}
	if judged := judgements(results); diagnostics.Verdict(results) != check.Fail && len(c.proof.missing(judged)) == 0 {
		p.Validated = &config.Validated{At: time.Now().UTC().Truncate(time.Second), Digest: p.Digest(), Checks: judged}
	}
	if err := doc.Save(); err != nil {
		return results, false, err
	}
	info.Repair.Saved = true
	c.proof.proven, c.proof.digest = p.Proven(), p.Digest()
	return results, true, nil
}

// replaced are the results with those of a later run in their place.
func replaced(results, later []diagnostics.Result) []diagnostics.Result {
	out := slices.Clone(results)
	for i, r := range out {
		if again, ok := diagnostics.Find(later, r.ID); ok && again.Status != check.Skip {
			out[i] = again
		}
	}
	return out
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
