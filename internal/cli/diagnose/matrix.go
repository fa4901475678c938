package diagnose

import (
	"context"
	"time"

	"postier/diagnostics/matrix"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// matrix is --matrix: every sensible way to hand in mail at the submission server, side by side.
func (c *checkup) matrix(ctx context.Context) error {
	info := c.info()
	options := matrix.Options{}
	if c.Interactive() && !c.JSON {
		c.Println(c.T("diagnose.matrix.begin", "host", safetext.FromRemote(c.target.Submission.Host)))
		options.Agree = func(ctx context.Context, _ matrix.Row, _ matrix.Try) bool {
			return c.Confirm(ctx, c.T("diagnose.again"))
		}
	}
	before := c.network.Resolver.Tally()
	table := matrix.Run(ctx, c.network, c.target, options)
	if table.Best == nil {
		table.Judged = rootcause.Judge(ctx, c.network, before, table.Root())
	}
	info.Took, info.Matrix = time.Since(info.Started), &table
	results := table.Root()
	if c.JSON {
		if err := report.JSON(c.Out, info, results); err != nil {
			return err
		}
	} else {
		for _, line := range report.MatrixLines(info) {
			c.Println(line)
		}
	}
	if ctx.Err() != nil {
		return command.Quiet(exitcode.Interrupted)
	}
	if code := report.ExitCode(results); code != exitcode.OK && table.Best == nil {
		return command.Quiet(code)
	}
	return nil
}
