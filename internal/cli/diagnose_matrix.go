package cli

import (
	"context"
	"time"

	"postier/diagnostics/matrix"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// runMatrix is --matrix: every sensible way to hand in mail at the submission server, side by side.
func (a *app) runMatrix(ctx context.Context, o *diagnoseOptions, network *wire.Network,
	target account.Target,
) error {
	info := a.reportInfo(o, target)
	options := matrix.Options{}
	if a.interactive() && !a.json {
		a.println(a.T("diagnose.matrix.begin", "host", safetext.FromRemote(target.Submission.Host)))
		options.Agree = func(ctx context.Context, _ matrix.Row, _ matrix.Try) bool {
			return a.confirm(ctx, a.T("diagnose.again"))
		}
	}
	table := matrix.Run(ctx, network, target, options)
	info.Took, info.Matrix = time.Since(info.Started), &table
	results := table.Root()
	switch {
	case a.json:
		if err := report.JSON(a.out, info, results); err != nil {
			return err
		}
	default:
		for _, line := range report.MatrixLines(info) {
			a.println(line)
		}
	}
	if ctx.Err() != nil {
		return quiet(exitInterrupted)
	}
	if code := report.ExitCode(results); code != exitOK && table.Best == nil {
		return quiet(code)
	}
	return nil
}
