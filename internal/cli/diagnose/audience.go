package diagnose

import (
	"context"
	"slices"
	"strings"
	"sync"

	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/presets"
	"postier/share"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/worker"
)

// audience is the helper who looks on at a run of checks: all of them are there from the beginning, each verdict comes
// as it is known, and in the end what failed, with the details for technicians. The person reads who looks, and what
// support writes, between the lines of the run; + and Enter ends it.
type audience struct {
	*command.Factory
	presenter *share.Presenter
	lines     *plain.Sharing
	live      *liveView // nil without a terminal
	mask      func(string) string

	mu     sync.Mutex
	screen wizard.Screen

	leave context.CancelFunc // ends listen
	gone  chan struct{}      // closed when it has ended
}

// audience is for the checks of these plans. Where sharing is asked for, it waits for the helper first, or for Enter.
func (c *checkup) audience(ctx context.Context, info report.Info, plans []diagnostics.Plan) (*audience, error) {
	out := c.Out
	if c.JSON {
		out = c.Err
	}
	target := c.target
	a := &audience{
		Factory: c.Factory, presenter: c.Sharing(),
		mask: func(text string) string {
			return target.Secret.Redact(text, target.Submission.Username, target.Address)
		},
		screen: opening(info, plans),
	}
	a.lines = plain.NewSharing(out, c.Lang(), c.Product(), a.presenter)
	a.show()
	if !c.Share {
		return a, nil
	}
	a.presenter.Start()
	return a, a.welcome(ctx)
}

// opening is the screen before the first check has begun.
func opening(info report.Info, plans []diagnostics.Plan) wizard.Screen {
	title := presets.Text{}
	for _, lang := range locale.All() {
		info.Lang = lang
		if lines := report.Opening(info); len(lines) > 0 {
			title[lang] = lines[0]
		}
	}
	v := wizard.Screen{Title: wizard.Translated(title)}
	for _, id := range check.All() {
		if slices.ContainsFunc(plans, func(p diagnostics.Plan) bool {
			return slices.ContainsFunc(p.Checks, func(c diagnostics.Check) bool { return c.ID == id })
		}) {
			v.Checks = append(v.Checks, wizard.Report{ID: id, Name: nameOf(id)})
		}
	}
	v.Busy = &wizard.Busy{Text: wizard.Msg("diagnose.share.waits")}
	return v
}

// nameOf is what a check is called, with its area: several have a sign-in.
func nameOf(id check.ID) wizard.Words {
	text := presets.Text{}
	for _, lang := range locale.All() {
		area := locale.For(lang).T("diagnose.area." + report.Area(id))
		text[lang] = locale.For(lang).Colon(area) + " " + report.Name(lang, id)
	}
	return wizard.Translated(text)
}

// welcome says the code and waits for the helper. Enter begins without one, and so does the end of the offer.
func (a *audience) welcome(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	a.lines.Tell()
	typed, asked := a.typed(reading), false
	for {
		switch phase := a.presenter.Status().Phase; {
		case phase == share.Watched, phase == share.Off:
			a.lines.Tell()
			return nil
		case phase == share.Waiting && typed != nil && !asked:
			a.lines.Tell()
			a.lines.Say("diagnose.share.enter")
			asked = true
		}
		select {
		case <-a.lines.Changed():
			a.lines.Tell()
		case line := <-typed:
			a.lines.Toggle(line)
			return nil
		case <-ctx.Done():
			return command.Quiet(exitcode.Interrupted)
		}
	}
}

// typed is the next line of the keyboard; nil where there is none.
func (a *audience) typed(ctx context.Context) <-chan string {
	if !a.Interactive() || a.JSON {
		return nil
	}
	line := make(chan string, 1)
	go func() {
		if text, err := a.Line(ctx); err == nil {
			line <- strings.TrimSpace(text)
		}
	}()
	return line
}

// listen tells the person what the helper does while the checks run, until pause. The keyboard is read only where
// somebody may look: otherwise it is the next command's.
func (a *audience) listen(ctx context.Context) {
	ctx, a.leave = context.WithCancel(ctx)
	a.gone = make(chan struct{})
	go func() {
		defer close(a.gone)
		var typed <-chan string
		for {
			if typed == nil && a.presenter.Status().Phase != share.Off {
				typed = a.typed(ctx)
			}
			select {
			case <-a.lines.Changed():
				a.live.around(func() { a.lines.Tell() })
			case line := <-typed:
				typed = nil
				a.live.around(func() { a.lines.Toggle(line) })
			case <-ctx.Done():
				return
			}
		}
	}()
}

// pause leaves the keyboard to a question.
func (a *audience) pause() {
	a.leave()
	<-a.gone
}

// observe shows how far a check is.
func (a *audience) observe(e diagnostics.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.screen.Busy = &wizard.Busy{Text: wizard.Msg("diagnose.share.runs")}
	for i, r := range a.screen.Checks {
		switch {
		case r.ID != e.ID:
		case e.Result == nil:
			a.screen.Checks[i].Running = true
		default:
			a.screen.Checks[i] = named(*e.Result)
		}
	}
	a.show()
}

// finish shows what came of it, and what failed first.
func (a *audience) finish(results []diagnostics.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.screen.Busy, a.screen.Checks = nil, nil
	for _, r := range results {
		a.screen.Checks = append(a.screen.Checks, named(r))
	}
	if root, failed := diagnostics.Root(results); failed {
		finding := named(root)
		a.screen.Finding = &finding
	}
	a.show()
}

func named(r diagnostics.Result) wizard.Report {
	out := worker.ReportOf(r)
	out.Name = nameOf(r.ID)
	return out
}

// show hands the screen on as it is now.
func (a *audience) show() {
	v := a.screen
	v.Checks = slices.Clone(v.Checks)
	a.presenter.Show(share.View{Screen: v, Mask: a.mask})
}

// stay keeps the result on the helper's screen until one of the two ends it. Without a keyboard it is the helper.
func (a *audience) stay(ctx context.Context) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	a.lines.Tell()
	typed := a.typed(reading)
	if a.presenter.Status().Phase != share.Off {
		a.lines.Say("diagnose.share.stays")
	}
	for a.presenter.Status().Phase != share.Off {
		select {
		case <-a.lines.Changed():
			a.lines.Tell()
		case <-typed:
			return
		case <-ctx.Done():
			return
		}
	}
}
